"""Selection: which weights, or whole filters, pruning removes, given their scores (facts A.6, J10).

Of the R weights that remain, ⌈fraction · R⌉ with the lowest scores are removed, exactly. Equal scores are
removed in the order of the tensors, so that every machine removes the same. A pruned weight never returns.
"""

import math
from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from lib.errors import InputError, unknown

Scope = Literal["global", "layer"]


def prune_count(remaining: int, fraction: float) -> int:
    """Return ⌈fraction · remaining⌉, not misled by the rounding of 0.2 · 5 = 1.0000000000000002."""
    return math.ceil(round(fraction * remaining, 6))


def without_lowest(scores: Tensor, kept: Tensor, count: int) -> Tensor:
    """Return the mask, bool [n], without the `count` ≥ 1 kept entries of the lowest scores [n], in O(n)."""
    scores = scores.masked_fill(~kept, torch.inf)
    threshold = torch.kthvalue(scores, count).values
    below = scores < threshold
    ties = (scores == threshold) & kept
    first_ties = ties & (ties.cumsum(0) <= count - below.sum())
    return kept & ~below & ~first_ties


def by_target(scores: Tensor, free: Tensor, target: str, count: int) -> Tensor:
    """Return `count` ≥ 1 of the free filters, bool [F]: of largest scores for the target "largest", else smallest."""
    return free & ~without_lowest(-scores if target == "largest" else scores, free, count)


def select(
    scores: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    fraction: float,
    scope: Scope = "global",
    keep: float | None = None,
) -> dict[str, Tensor]:
    """Prune a fraction of the remaining weights, or down to a share of all weights.

    Args:
        scores: name → score of each weight, same shape as the weight; higher is kept.
        masks: name → bool of the same shape, True where the weight remains; all names of `scores`.
        fraction: share of the remaining weights to remove, inside (0, 1); not used where `keep` is given.
        scope: "global" compares all tensors together, "layer" removes the share in each.
        keep: share of all weights that remains, inside (0, 1); where fewer do already, nothing is removed.

    Returns:
        New masks; the given ones are not changed.

    Raises:
        InputError: if a share is outside (0, 1), the scope unknown or a score not a number.
    """
    name, share = ("fraction", fraction) if keep is None else ("keep", keep)
    if not 0 < share < 1:
        raise InputError(f"{name}={share!r} must lie inside (0, 1), such as 0.2 for a fifth")
    if scope not in get_args(Scope):
        raise unknown("scope", scope, get_args(Scope))
    for name, score in scores.items():
        if score.isnan().any():
            raise InputError(f"the scores of {name!r} contain NaN; a diverged network cannot be pruned")
    groups = [list(scores)] if scope == "global" else [[name] for name in scores]
    pruned: dict[str, Tensor] = {}
    for names in groups:
        kept = torch.cat([masks[name].flatten() for name in names])
        flat = torch.cat([scores[name].flatten() for name in names])
        remaining = int(kept.sum())
        if keep is None:
            count = prune_count(remaining, fraction)
        else:
            count = max(0, prune_count(len(kept), 1 - keep) - (len(kept) - remaining))
        new = without_lowest(flat, kept, count) if count else kept
        parts = new.split([scores[name].numel() for name in names])
        pruned |= {name: part.view_as(scores[name]) for name, part in zip(names, parts, strict=True)}
    return pruned


def weights_remaining(masks: Mapping[str, Tensor]) -> float:
    """Return the share of prunable weights that remain, in [0, 1]."""
    return sum(int(m.sum()) for m in masks.values()) / sum(m.numel() for m in masks.values())
