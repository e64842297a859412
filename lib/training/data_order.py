"""In which order each replicate sees its examples: drawn anew in every epoch, from the replicate's own generator."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lib.training.examples import Replicate


def batch_indices(replicates: Sequence[Replicate], stage: int, epoch: int, examples: int) -> Tensor:
    """Return the order in which each replicate sees its examples in one epoch, int64 [R, examples]."""
    orders = [torch.randperm(examples, generator=r.generator("data order", stage, epoch)) for r in replicates]
    return torch.stack(orders)


def subset_indices(
    replicates: Sequence[Replicate], subsets: Sequence[Tensor], stage: int, epoch: int, count: int
) -> Tensor:
    """Return what each replicate sees in one epoch of `count` examples, when it trains on some of them only.

    A replicate passes over its subset again and again, each time in a new order. Epochs cut this endless sequence into
    pieces of equal length, so that replicates with subsets of different sizes take the same steps.

    Args:
        replicates: R replicates.
        subsets: R subsets, the indices of each.
        stage, epoch: which piece.
        count: examples in an epoch.

    Returns:
        Indices of examples, int64 [R, count].
    """
    rows = []
    for replicate, subset in zip(replicates, subsets, strict=True):
        start, size = epoch * count, len(subset)
        passes = range(start // size, -(-(start + count) // size))
        orders = [torch.randperm(size, generator=replicate.generator("data order", stage, p)) for p in passes]
        rows.append(subset[torch.cat(orders)][start - passes[0] * size :][:count])
    return torch.stack(rows)
