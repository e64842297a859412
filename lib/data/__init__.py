"""Data sets as tensors that stay on the device, or streamed from files; splits, label noise, normalisation, augmentation."""

from lib.data.augmentation import crop_and_flip, draw
from lib.data.corrupted_sets import Distribution, cifar10_1, corrupted, has_cifar10_1, objectnet, test_distribution
from lib.data.corruptions import BENCHMARK_CORRUPTIONS, CORRUPTIONS, EXTRA_CORRUPTIONS, corrupt, corrupt_alone
from lib.data.folder_images import STREAMED, FolderImages, FolderSet, class_names, draw_seeds, open_folders
from lib.data.image_sets import NAMES, ImageSet, default_folder, is_kept, load
from lib.data.label_noise import NOISE_KINDS, NoisyLabels, add_label_noise, noisy_count
from lib.data.normalization import NORMALIZATIONS, Normalization, constants_of, normalization, normalize, spelled
from lib.data.own_images import own_images
from lib.data.splits import split

__all__ = [
    "BENCHMARK_CORRUPTIONS", "CORRUPTIONS", "EXTRA_CORRUPTIONS", "Distribution",
    "NAMES", "NOISE_KINDS", "NORMALIZATIONS", "STREAMED", "FolderImages", "FolderSet", "ImageSet", "Normalization",
    "NoisyLabels", "add_label_noise", "cifar10_1", "class_names", "constants_of", "corrupt", "corrupt_alone",
    "corrupted", "crop_and_flip", "default_folder", "draw", "draw_seeds", "has_cifar10_1", "is_kept", "load",
    "noisy_count", "normalization", "normalize", "objectnet", "open_folders", "own_images", "spelled", "split",
    "test_distribution",
]  # fmt: skip
