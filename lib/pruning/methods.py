"""The pruning methods of "Lost in Pruning" by name: down to a share of *all* parameters (LIP Table 1; facts C.4).

    magnitude (WT), sipp     single weights by their score, of all layers together
    ft, pfp                  filters by their norm, input channels by their sensitivity

Any other score of `lib.pruning.scores`, or of the reader's own, prunes single weights as well.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from lib.models import prunable_weights
from lib.pruning.budget import prune_weights
from lib.pruning.filter_budget import FilterPruning, ft, pfp
from lib.pruning.scores import SCORES, Batch, Score, find_score
from lib.pruning.sensitivity import mean_contribution, sipp

WEIGHT_SCORES: dict[str, Score] = {**SCORES, "sipp": sipp, "mean_contribution": mean_contribution}
FILTER_METHODS: dict[str, Callable[..., FilterPruning]] = {
    "ft": lambda module, names, masks, keep, batch: ft(module, names, masks, keep, batch.shape[1:]),
    "pfp": pfp,
}


def find_weight_score(name: str) -> Score:
    """Return a score of single weights, the data-informed ones of LIP among them; InputError for an unknown name."""
    return WEIGHT_SCORES[name] if name in WEIGHT_SCORES else find_score(name)


def check_method(name: str) -> None:
    """Raise InputError unless there is a method of this name."""
    if name not in FILTER_METHODS:
        find_weight_score(name)


def prune_parameters(
    module: nn.Module, masks: Mapping[str, Tensor], method: str, keep: float, batch: Batch
) -> dict[str, Tensor]:
    """Prune every convolution and linear layer, the last one included, down to a share of all parameters.

    Args:
        module: any with such layers, its pruned weights zero; left as it was.
        masks: name → bool like the parameter, True where it remains; parameters without one remain.
        method: "magnitude", "sipp", "ft", "pfp", or the name of a score.
        keep: share of all parameters that remains, inside (0, 1).
        batch: the sample S; methods that use no data look at its shape.

    Returns:
        New masks: of the weights, and where filters went of every parameter.

    Raises:
        InputError: there is no such method, or it refuses a layer or so small a share.
    """
    names = prunable_weights(module)
    if method in FILTER_METHODS:
        return FILTER_METHODS[method](module, names, masks, keep, batch).masks
    whole = {name: torch.ones_like(module.get_parameter(name), dtype=torch.bool) for name in names} | dict(masks)
    scores = find_weight_score(method)(module, names, batch)
    return whole | prune_weights(module, scores, {name: whole[name] for name in names}, keep)
