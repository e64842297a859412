"""Data sets as tensors that stay on the device; splits, label noise, normalisation, augmentation."""

from lib.data.image_sets import NAMES, ImageSet, default_folder, load
from lib.data.label_noise import NoisyLabels, add_label_noise, noisy_count

__all__ = ["NAMES", "ImageSet", "NoisyLabels", "add_label_noise", "default_folder", "load", "noisy_count"]
