"""Data sets as tensors that stay on the device; splits, label noise, normalisation, augmentation."""

from lib.data.augmentation import augment, crop_and_flip, draw
from lib.data.image_sets import NAMES, ImageSet, default_folder, load
from lib.data.label_noise import NoisyLabels, add_label_noise, noisy_count
from lib.data.normalization import NORMALIZATIONS, Normalization, normalization, normalize
from lib.data.splits import split

__all__ = [
    "NAMES",
    "NORMALIZATIONS",
    "ImageSet",
    "Normalization",
    "NoisyLabels",
    "add_label_noise",
    "augment",
    "crop_and_flip",
    "default_folder",
    "draw",
    "load",
    "noisy_count",
    "normalization",
    "normalize",
    "split",
]
