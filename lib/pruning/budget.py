"""Budgets of "Lost in Pruning": a share of *all* parameters is to be kept.

N counts all parameters, biases and normalization with them; a keep ratio k allows ⌊k N⌋ (facts C.3, C.4). Of WT and SiPP the
highest scores of all layers together remain, as many as the budget leaves after what cannot be pruned.
"""

import math
from collections.abc import Mapping
from typing import NoReturn

from torch import Tensor, nn

from lib.errors import InputError
from lib.pruning.selection import select
from lib.pruning.sensitivity import refuse_tied


def parameters_remaining(module: nn.Module, masks: Mapping[str, Tensor]) -> int:
    """Return how many of all parameters remain; those without a mask do."""
    return parameter_count(module) - sum(int((~mask).sum()) for mask in masks.values())


def parameter_count(module: nn.Module) -> int:
    """Return N."""
    return sum(parameter.numel() for parameter in module.parameters())


def budget(module: nn.Module, keep: float) -> int:
    """Return ⌊keep · N⌋, not misled by rounding; InputError if `keep` is not inside (0, 1)."""
    if not 0 < keep < 1:
        raise InputError(f"keep={keep!r} must lie inside (0, 1), such as 0.15 for 15 % of all parameters")
    return math.floor(round(keep * parameter_count(module), 6))


def prune_weights(
    module: nn.Module, scores: Mapping[str, Tensor], masks: Mapping[str, Tensor], keep: float
) -> dict[str, Tensor]:
    """Keep the weights of the highest scores in all layers together: WT with `magnitude`, SiPP with `sipp`.

    Args:
        module: whose parameters count.
        scores: name → score of each weight, same shape as the weight.
        masks: name → bool of the same shape, True where the weight remains.
        keep: share of all parameters that remains, inside (0, 1); where fewer do already, nothing is removed.

    Returns:
        New masks of the same names. With the parameters that have none, exactly ⌊keep · N⌋ remain.

    Raises:
        InputError: if the parameters that have no score are more than that, two names are of one tensor, or a score is not
            a number.
    """
    refuse_tied(module, [*scores])
    prunable = sum(score.numel() for score in scores.values())
    allowed = budget(module, keep) - (parameter_count(module) - prunable)
    if allowed <= 0:
        refuse(keep, module, parameter_count(module) - prunable + 1)
    if allowed >= prunable:
        return dict(masks)
    return select(scores, masks, 0.5, keep=allowed / prunable)


def refuse(keep: float, module: nn.Module, fewest: int) -> NoReturn:
    """Raise InputError: more parameters remain, whatever is pruned, than a share allows."""
    count = parameter_count(module)
    raise InputError(
        f"keep={keep!r} allows {budget(module, keep):,} of {count:,} parameters; at least {fewest:,} remain, "
        f"keep={math.ceil(1e4 * fewest / count) / 1e4:g}"
    )
