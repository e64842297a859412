"""The entries that pruning left of a weight, trained as a vector.

A pruned weight stays a dense matrix for its products, but its optimizer only needs the entries that remain: their gradients
are gathered, updated as a vector, and scattered into the matrix, whose other entries are zero and stay so. Adam reads and
writes seven numbers an entry; at a tenth of the weights that traffic, and rounding weights to bfloat16, all but disappear.
"""

import torch
from torch import Tensor

SHARE = 0.25  # above it, gathering and scattering cost more than they save


class Remaining:
    """One weight of a stack of R replicates.

    Args:
        weight: float32 [R, ...]; read once.
        mask: bool [R, ...], True for the entries that remain.
        dtype: in which the products take the weight.

    Attributes:
        values: the entries that remain, float32 [n]; what the optimizer updates.
        dense: [R, ...] of `dtype`, the leaf that the network computes with.
    """

    def __init__(self, weight: Tensor, mask: Tensor, dtype: torch.dtype):
        self._places = mask.flatten().nonzero().squeeze(1)
        self.values = weight.detach().flatten()[self._places].requires_grad_()
        self.dense = (weight.detach() * mask).to(dtype).requires_grad_()

    def gather(self) -> None:
        """Take the gradient of the entries that remain from the matrix."""
        assert self.dense.grad is not None
        self.values.grad = self.dense.grad.view(-1).index_select(0, self._places).float()
        self.dense.grad = None

    @torch.no_grad()
    def scatter(self, into: Tensor | None = None) -> None:
        """Write the entries into the matrix of the products, or into another one of the same shape."""
        target = self.dense if into is None else into
        target.view(-1).index_copy_(0, self._places, self.values.detach().to(target.dtype))
