"""How tensors lie in the store: booleans as bits, and of a pruned weight only the values that remain.

A weight with a mask is kept as the vector of its values where the mask is True, in the order of the flattened tensor. The
others are zero, or the weight is kept whole; so nothing is lost but the sign of a zero.
"""

from collections.abc import Mapping, Sequence

import numpy
import torch
from torch import Tensor


def pack(flags: Tensor) -> Tensor:
    """Pack booleans into bits, eight a byte, uint8 [⌈n / 8⌉]."""
    return torch.from_numpy(numpy.packbits(flags.cpu().numpy().ravel()))


def unpack(bits: Tensor, shape: Sequence[int]) -> Tensor:
    """Undo `pack`: bool of the given shape."""
    count = int(numpy.prod(shape))
    return torch.from_numpy(numpy.unpackbits(bits.numpy(), count=count).astype(bool)).view(*shape)


def keep_remaining(weights: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the values [n] of each weight that remain, for the weights that nothing is lost of.

    Args:
        weights: name → tensor.
        masks: name → bool of the same shape; a weight may have none.
    """
    return {
        name: weights[name][mask]
        for name, mask in masks.items()
        if not mask.all() and not weights[name][~mask].any()
    }


def restore_weight(values: Tensor, mask: Tensor) -> Tensor:
    """Undo `keep_remaining` for one weight: zeros where the mask, bool of any shape, is False."""
    return torch.zeros(mask.shape, dtype=values.dtype).masked_scatter_(mask, values)
