"""Units: what a network's layers hand to each other, and which tensors have one entry for each of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

MULTIPLE = 8  # numbers of units kept; products and convolutions run slower on odd ones


@dataclass(frozen=True)
class Units:
    """A set of units: the pixels of the input, the neurons of a layer, or the filters of one or several convolutions.

    Attributes:
        written: names of parameters and buffers whose first axis counts the units, empty for the input.
        read: names of the weights whose second axis counts them; nothing else depends on the units.
    """

    written: tuple[str, ...]
    read: tuple[str, ...]


def normalized(name: str, bias: bool = False) -> tuple[str, ...]:
    """Return the names that a convolution `name`.0 and the batch normalization `name`.1 after it write filters to."""
    own = ("0.weight", "0.bias") if bias else ("0.weight",)
    return (*(f"{name}.{n}" for n in own), *normalization(f"{name}.1"))


def normalization(name: str) -> tuple[str, ...]:
    """Return the names of a batch normalization's parameters and statistics that have an entry for each filter."""
    return tuple(f"{name}.{n}" for n in ("weight", "bias", "running_mean", "running_var"))


def places_kept(paths: Tensor, multiple: int = 1) -> Tensor:
    """Return for each replicate the units with a path, and for those with fewer some without, int64 [R, m] ascending.

    Args:
        paths: bool [R, units].
        multiple: m is one of it, unless there are too few units.
    """
    count = min(paths.shape[1], multiple * max(1, -(-int(paths.sum(1).max()) // multiple)))
    return torch.argsort((~paths).to(torch.uint8), dim=1, stable=True)[:, :count].sort(1).values
