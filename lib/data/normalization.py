"""Pixels to network inputs: (x / 255 - mean) / std, per channel.

TR and LN normalise CIFAR-10 with ImageNet's constants, as open_lth does; LIP and GS with CIFAR-10's own. A reader's images
have their own, which a recipe spells out: "mean 0.4914 0.4822 0.4465 std 0.2023 0.1994 0.2010".
"""

import functools
import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor

from lib.errors import InputError, unknown


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation per channel, of pixels scaled to [0, 1]."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def black(self) -> Tensor:
        """Float32 [C]: what a black pixel becomes, to the bit; the `fill` of `lib.data.crop_and_flip`."""
        return torch.zeros(len(self.mean)).sub_(torch.tensor(self.mean)).div_(torch.tensor(self.std))


NORMALIZATIONS: dict[str, Normalization] = {
    "mnist": Normalization((0.1307,), (0.3081,)),  # open_lth datasets/mnist.py; TR, LN
    "imagenet": Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # TR, LN, also on CIFAR-10
    "cifar": Normalization((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),  # LIP, GS
    "cifar100": Normalization((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),  # GS
}
"""The constants of the four papers, by the name in a recipe."""


_SPELLED = re.compile(r"mean((?: [\d.]+)+) std((?: [\d.]+)+)")


def spelled(constants: Normalization) -> str:
    """Return the name that spells constants out, as `normalization` reads it."""
    mean, std = (" ".join(f"{value:g}" for value in values) for values in (constants.mean, constants.std))
    return f"mean {mean} std {std}"


@functools.lru_cache
def normalization(name: str) -> Normalization:
    """Return the constants of a name in `NORMALIZATIONS`, or of one that spells them out; raise InputError for any other."""
    if name in NORMALIZATIONS:
        return NORMALIZATIONS[name]
    if not (found := _SPELLED.fullmatch(name)):
        raise unknown("normalization", name, [*NORMALIZATIONS, "mean NUMBERS std NUMBERS"])
    try:
        mean, std = (tuple(map(float, values.split())) for values in found.groups())
    except ValueError:
        mean, std = (math.nan,), ()
    if len(mean) != len(std) or not all(0 < value <= 1 for value in std):
        raise InputError(
            f"normalization {name!r}; allowed: a mean and a positive std, of pixels in [0, 1], per channel."
        )
    return Normalization(mean, std)


def constants_of(images: Tensor) -> Normalization:
    """Return mean and standard deviation of raw pixels per channel, rounded to four digits; 1 where a channel is constant.

    Args:
        images: uint8 [N, H, W, C].
    """
    counts = torch.stack([channel.flatten().bincount(minlength=256) for channel in images.unbind(-1)]).double()
    levels, shares = torch.arange(256, dtype=torch.float64) / 255, counts / counts.sum(1, keepdim=True)
    mean = shares @ levels
    std = (shares * (levels - mean[:, None]) ** 2).sum(1).sqrt()
    rounded = [[round(value, 4) for value in values.tolist()] for values in (mean, std)]
    return Normalization(tuple(rounded[0]), tuple(value or 1.0 for value in rounded[1]))


def normalize(images: Tensor, constants: Normalization) -> Tensor:
    """Turn raw pixels, uint8 [N, H, W, C], into what networks take, float32 [N, C, H, W], contiguous on the same device.

    The result is the only memory taken; the arithmetic is torchvision's (ToTensor, Normalize), to the bit.

    Raises:
        InputError: the images have another type or shape, or not as many channels as the constants.
    """
    channels = len(constants.mean)
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[-1] != channels:
        given = f"{images.dtype} {list(images.shape)}"
        raise InputError(f"images are {given}; allowed with these constants: uint8 [N, H, W, {channels}].")
    count, height, width, _ = images.shape
    inputs = torch.empty(count, channels, height, width, device=images.device)
    mean, std = _on_device(constants, images.device)
    return inputs.copy_(images.permute(0, 3, 1, 2)).div_(255).sub_(mean).div_(std)


@functools.lru_cache
def _on_device(constants: Normalization, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation as [C, 1, 1]; kept, since copying them to a device would wait for it."""
    mean, std = (torch.tensor(values, device=device) for values in (constants.mean, constants.std))
    return mean.view(-1, 1, 1), std.view(-1, 1, 1)
