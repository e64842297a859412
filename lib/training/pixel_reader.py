"""The pixels that each replicate's first layer still has weights for, read from the bytes of the images.

Normalizing takes 256 values to 256 others in each channel, so that a table does it; a step then reads a byte for each number
that it needs, instead of four for each pixel. A replicate reads as many pixels as the one with most, and only which ones
differs.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lib import data
from lib.models.units import places_kept
from lib.training.recipe import DataRecipe
from lib.training.sparse_products import alone, arrays, kernels


def pixels_read(module: nn.Module, masks: Mapping[str, Tensor]) -> tuple[str, Tensor] | None:
    """Return the name of the sparse weight that reads the images, and the inputs that each replicate has weights for.

    Args:
        module: whose method `units` tells what reads them.
        masks: of the sparse weights, name → bool [R, O, I].

    Returns:
        The inputs, int64 [R, m], ascending; None where the images are read by something else.
    """
    readers = [unit.read for unit in module.units() if not unit.written] if hasattr(module, "units") else []  # pyright: ignore
    if len(readers) != 1 or len(readers[0]) != 1 or readers[0][0] not in masks:
        return None
    return readers[0][0], places_kept(masks[readers[0][0]].any(1))


def can_read_bytes(images: object, recipe: DataRecipe) -> bool:
    """Return whether images are bytes on the CPU that a step takes as they are, neither moved nor corrupted."""
    there = isinstance(images, Tensor) and images.device.type == "cpu"
    return there and recipe.augmentation == "none" and not recipe.corruptions


class PixelReader:
    """Reads network inputs of R replicates.

    Args:
        images: uint8 [N, H, W, C].
        normalization: name of the constants.
        pixels: int64 [R, m], counted in [channel, height, width].
        dtype: of the inputs.
    """

    def __init__(self, images: Tensor, normalization: str, pixels: Tensor, dtype: torch.dtype):
        _, height, width, channels = images.shape
        values = torch.arange(256, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 1, channels)
        table = data.normalize(values.contiguous(), data.normalization(normalization)).view(256, channels)
        self._table, self._images = table.T.contiguous().to(dtype), images.flatten(1)
        channel, place = pixels // (height * width), pixels % (height * width)
        self._channels, self._places = channel.to(torch.int32), (place * channels + channel).to(torch.int32)

    def __call__(self, chosen: Tensor) -> Tensor:
        """Return inputs [R, B, m, 1, 1], the batch last in memory, of images by their places, int64 [R, B]."""
        found = self._table.new_empty(*self._places.shape, chosen.shape[1])
        with alone():
            kernels().read_pixels(*arrays(self._images, chosen, self._places, self._channels, self._table, found))
        return found.mT[..., None, None]
