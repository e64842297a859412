"""The 19 corruptions of images, each at five severities: uint8 in, uint8 out, on the device where the images are.

    corrupt(images, "fog", severity=3)

Dan Hendrycks and Thomas Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
ICLR 2019: CIFAR-10-C and ImageNet-C. 15 corruptions are the benchmark; four more were meant for validation, and LIP
measures all 19. Constants and algorithms are those of the authors' programs, which made the published files, with what
they round and truncate. The files themselves cannot be made again: they were drawn without seeds, and frost looks through
photographs, here through synthesized textures.

A severity is not always more of everything: CIFAR's defocus has at 4 and 5 a larger radius and a sharper rim, its glass at
4 more copies and less blur, and its elastic moves the image as a whole less and less.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor

from lib.data import corruption_blur as blur
from lib.data import corruption_digital as digital
from lib.data import corruption_noise as noise
from lib.data import corruption_weather as weather
from lib.data.corruption_noise import Draws
from lib.data.corruption_spatter import spatter
from lib.errors import InputError, unknown
from lib.seeds import derived_seed

SEVERITIES = (1, 2, 3, 4, 5)
CONSTANTS = ("cifar", "imagenet")
"""The sets of constants: for images of 32 x 32 pixels, and of 224 x 224."""

LARGEST_SMALL_SIDE = 64  # pixels; up to here, images get CIFAR's constants unless others are asked for
SMALLEST_SIDE = 16
BLOCK_PIXELS = 2**17  # corrupted at once: 128 images of CIFAR, two of ImageNet


@dataclass(frozen=True)
class Corruption:
    """A function (x, draws, *constants), see `lib.data.corruption_noise`, and its constants at each severity."""

    function: Callable[..., Tensor]
    cifar: tuple[tuple[float, ...], ...]
    imagenet: tuple[tuple[float, ...], ...]


def _single(*constants: float) -> tuple[tuple[float, ...], ...]:
    return tuple((constant,) for constant in constants)


CORRUPTIONS: dict[str, Corruption] = {
    # Deviation.
    "gaussian_noise": Corruption(
        noise.gaussian_noise, _single(0.04, 0.06, 0.08, 0.09, 0.1), _single(0.08, 0.12, 0.18, 0.26, 0.38)
    ),
    # Photons of a white pixel.
    "shot_noise": Corruption(noise.shot_noise, _single(500, 250, 100, 75, 50), _single(60, 25, 12, 5, 3)),
    # Share of the values.
    "impulse_noise": Corruption(
        noise.impulse_noise, _single(0.01, 0.02, 0.03, 0.05, 0.07), _single(0.03, 0.06, 0.09, 0.17, 0.27)
    ),
    # Radius and deviation at the rim, pixels.
    "defocus_blur": Corruption(
        blur.defocus_blur,
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    ),
    # Deviation and reach, pixels; rounds.
    "glass_blur": Corruption(
        blur.glass_blur,
        ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    ),
    # Radius and deviation, pixels.
    "motion_blur": Corruption(
        blur.motion_blur,
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ),
    # Step and number of the enlargements; the authors' ranges include their end at CIFAR's severities 1 and 2 and at
    # ImageNet's severity 1, by rounding.
    "zoom_blur": Corruption(
        blur.zoom_blur,
        ((0.01, 7), (0.01, 12), (0.01, 16), (0.01, 21), (0.01, 26)),
        ((0.01, 12), (0.01, 16), (0.02, 11), (0.02, 13), (0.03, 11)),
    ),
    # Mean, deviation, enlargement and threshold of the noise; radius and deviation of the wind, pixels; image's weight.
    "snow": Corruption(
        weather.snow,
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
    ),
    # Weights of image and texture; scale of the texture.
    "frost": Corruption(
        weather.frost,
        ((1, 0.2, 0.2), (1, 0.3, 0.2), (0.9, 0.4, 0.2), (0.85, 0.4, 0.2), (0.75, 0.45, 0.2)),
        ((1, 0.4, 1), (0.8, 0.6, 1), (0.7, 0.7, 1), (0.65, 0.7, 1), (0.6, 0.75, 1)),
    ),
    # Amount and decay.
    "fog": Corruption(
        weather.fog,
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    ),
    # Added to the value.
    "brightness": Corruption(digital.brightness, _single(0.05, 0.1, 0.15, 0.2, 0.3), _single(0.1, 0.2, 0.3, 0.4, 0.5)),
    # Factor.
    "contrast": Corruption(digital.contrast, _single(0.75, 0.5, 0.4, 0.3, 0.15), _single(0.4, 0.3, 0.2, 0.1, 0.05)),
    # Amount, deviation and largest shift of a point, pixels; at CIFAR's severity 1 only the points move.
    "elastic_transform": Corruption(
        digital.elastic_transform,
        ((0, 0, 2.56), (1.6, 6.4, 2.24), (2.56, 1.92, 1.92), (3.2, 1.28, 1.6), (3.2, 0.96, 0.96)),
        ((488, 170.8, 24.4), (488, 19.52, 48.8), (12.2, 2.44, 4.88), (17.08, 2.44, 4.88), (29.28, 2.44, 4.88)),
    ),
    # Share of the side.
    "pixelate": Corruption(digital.pixelate, _single(0.95, 0.9, 0.85, 0.75, 0.65), _single(0.6, 0.5, 0.4, 0.3, 0.25)),
    # Pillow's quality.
    "jpeg_compression": Corruption(digital.jpeg_compression, _single(80, 65, 58, 50, 40), _single(25, 18, 15, 10, 7)),
    # Deviation for a white pixel.
    "speckle_noise": Corruption(
        noise.speckle_noise, _single(0.06, 0.1, 0.12, 0.16, 0.2), _single(0.15, 0.2, 0.35, 0.45, 0.6)
    ),
    # Deviation, pixels.
    "gaussian_blur": Corruption(blur.gaussian_blur, _single(0.4, 0.6, 0.7, 0.8, 1), _single(1, 2, 3, 4, 6)),
    # Mean, deviation and smoothing of the noise; threshold; strength of water or smoothing of mud; 1 for mud.
    "spatter": Corruption(
        spatter,
        (
            (0.62, 0.1, 0.7, 0.7, 0.5, 0),
            (0.65, 0.1, 0.8, 0.7, 0.5, 0),
            (0.65, 0.3, 1, 0.69, 0.5, 0),
            (0.65, 0.1, 0.7, 0.69, 0.6, 1),
            (0.65, 0.1, 0.5, 0.68, 0.6, 1),
        ),
        (
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
    ),
    # Factor and shift of the saturation.
    "saturate": Corruption(
        digital.saturate,
        ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
    ),
}
"""All 19, the benchmark's first, in the authors' order."""

EXTRA_CORRUPTIONS = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
BENCHMARK_CORRUPTIONS = tuple(name for name in CORRUPTIONS if name not in EXTRA_CORRUPTIONS)


def corruption_seed(name: str, severity: int, seed: int = 0) -> int:
    """Return the seed of all random numbers of a corruption at a severity."""
    return derived_seed(seed, f"corruption {name}", severity)


def chosen_constants(images: Tensor, name: str, severity: int, constants: str | None = None) -> tuple[float, ...]:
    """Return the constants with which `corrupt` corrupts; arguments and errors are the same."""
    if name not in CORRUPTIONS:
        raise unknown("corruption", name, CORRUPTIONS)
    if not isinstance(severity, Integral) or severity not in SEVERITIES:
        raise unknown("severity", severity, map(str, SEVERITIES))
    if constants is not None and constants not in CONSTANTS:
        raise unknown("set of constants", constants, CONSTANTS)
    if (
        images.dtype != torch.uint8
        or images.ndim != 4
        or images.shape[3] != 3
        or min(images.shape[1:3]) < SMALLEST_SIDE
    ):
        allowed = f"uint8 [N, H, W, 3] with sides of at least {SMALLEST_SIDE} pixels"
        raise InputError(f"images to corrupt are {images.dtype} {list(images.shape)}; allowed: {allowed}.")
    small = constants == "cifar" or (constants is None and max(images.shape[1:3]) <= LARGEST_SMALL_SIDE)
    return (CORRUPTIONS[name].cifar if small else CORRUPTIONS[name].imagenet)[severity - 1]


def corrupt(images: Tensor, name: str, severity: int, seed: int = 0, constants: str | None = None) -> Tensor:
    """Corrupt images, each with random numbers of its own.

    An image's depend on its place among the images, not on how many follow: corrupting the first thousand gives the first
    thousand of all. They are drawn on the CPU, the same for every device.

    Args:
        images: uint8 [N, H, W, 3], any device; not modified.
        name: one of `CORRUPTIONS`.
        severity: 1 to 5.
        seed: another one draws other random numbers.
        constants: "cifar" (32 x 32) or "imagenet" (224 x 224); None for CIFAR's where no side is longer than 64 pixels.
            LIP's program corrupted its training images of 32 x 32 at ImageNet's, which are far stronger.

    Returns:
        Uint8 [N, H, W, 3], new, on the device of the images.

    Raises:
        InputError: there is no such corruption, severity or set of constants, or the images have another type or shape.
    """
    chosen, sides = chosen_constants(images, name, severity, constants), images.shape[1:3]
    corruption = CORRUPTIONS[name]
    generator = torch.Generator().manual_seed(corruption_seed(name, severity, seed))
    block = max(1, BLOCK_PIXELS // math.prod(sides))
    corrupted = torch.empty_like(images, memory_format=torch.contiguous_format)
    for start in range(0, len(images), block):
        x = images[start : start + block].permute(0, 3, 1, 2).float().contiguous() / 255
        changed = corruption.function(x, Draws(generator, len(x), block, images.device), *chosen)
        corrupted[start : start + block] = blur.levels(changed).permute(0, 2, 3, 1)
    return corrupted


def corrupt_alone(
    image: Tensor, name: str, severity: int, seed: int = 0, which: str = "", constants: str | None = None
) -> Tensor:
    """Corrupt one image of a set whose images are read one by one, of whatever sizes.

    Its random numbers depend on what it is called, not on its place.

    Args:
        image: uint8 [H, W, 3].
        which: what it is called in its set, such as the path of its file below the set's folder.
        name, severity, seed, constants: see `corrupt`.
    """
    own = derived_seed(seed, f"image {which}")
    return corrupt(image.unsqueeze(0), name, severity, own, constants)[0]
