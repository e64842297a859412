"""Filters and input channels that a budget leaves: FT and PFP of "Lost in Pruning" (facts C.4).

    FT     in every layer but the last round(q F) of its F filters, at least one, with the largest Σ |w|
    PFP    in every layer but the first the input channels with the largest sensitivity s, as many different ones as
           random draws would find for an error ε, the same for all layers (`lib.pruning.draws`)

SciPy finds the largest q, or the smallest ε, within the budget. A filter takes along all that is without a path after it
went (`lib.pruning.paths`), so that the size is that of the network with its filters really removed (`lib.pruning.removal`).

FT's q is here a share of all filters of a layer, so that FLOPs fall as parameters do: 52 % and 53 % for ResNet-20. LIP's
Table 4 prints 52 % and 25 %. Its code prunes in many small steps and rounds a share of the filters that *remain*: with
q = 0.98 none of 16 goes, but one of 64. So it cuts most from the last segment, which has three quarters of the parameters
and a third of the FLOPs. Counting filters in that way gave us 52 % and 36 to 38 %; the rest of the gap is open.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scipy.optimize import bisect
from torch import Tensor, nn

from lib.errors import InputError
from lib.pruning.budget import budget, parameters_remaining, refuse
from lib.pruning.draws import expected_channels
from lib.pruning.paths import whole_masks, with_paths
from lib.pruning.scores import Batch
from lib.pruning.selection import without_lowest
from lib.pruning.sensitivity import (
    FAILURE,
    Layer,
    by_channel,
    call_order,
    channel_sensitivity,
    find_layers,
    layer_outputs,
)

LARGEST_LOG_ERROR = math.log(1e30)
"""With it one draw is made, with its inverse all channels are found."""


@dataclass(frozen=True)
class FilterPruning:
    """What pruning of filters left.

    Attributes:
        masks: name → bool like the parameter, of all parameters of the module.
        filters: name of weights → bool [F], the filters that remain.
        channels: name of weights → bool [inputs], the input channels that the layer still reads.
        setting: q of FT, the share of filters, or ε of PFP, the error.
    """

    masks: dict[str, Tensor]
    filters: dict[str, Tensor]
    channels: dict[str, Tensor]
    setting: float


def filter_norms(module: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """Return FT's score, Σ |w| of each filter, [F], by the name of its weights; InputError as `find_layers`."""
    return {name: layer.weight.detach().flatten(1).abs().sum(1) for name, layer in find_layers(module, names).items()}


def ft(
    module: nn.Module, names: Sequence[str], masks: Mapping[str, Tensor], keep: float, image: Sequence[int]
) -> FilterPruning:
    """Prune filters by their norms, the same share in every layer but the one that is called last.

    In DeeplabV3 that is its auxiliary head, so that classes of the other can go; what LIP's program spares is not known.

    Args:
        module: any with linear layers and convolutions, its pruned weights zero; left as it was.
        names: of the weights whose filters may go.
        masks: of parameters, such as an earlier pruning left; parameters without one remain. What is pruned stays so.
        keep: share of all parameters that may remain, inside (0, 1).
        image: shape [C, H, W] of one input.

    Returns:
        Masks with at most ⌊keep · N⌋ parameters, and as many as a common share of filters allows.

    Raises:
        InputError: if `find_layers` refuses a name, or so few parameters cannot be reached; the message says how few.
    """
    layers, masks = find_layers(module, names), whole_masks(module, masks)
    last = call_order(module, image)[-1]
    remaining = {name: masks[name].flatten(1).any(1) for name in names if name != last}
    scores = {name: norms for name, norms in filter_norms(module, names).items() if name != last}

    def counts(share: float) -> dict[str, int]:
        return {name: max(1, round(share * len(score))) for name, score in scores.items()}

    def prune(kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
        gone = {}
        for name, rows in kept.items():
            mask = masks[name]
            gone[name] = mask & rows.view(-1, *[1] * (mask.dim() - 1))
            if layers[name].bias is not None:
                bias = f"{name.removesuffix('weight')}bias"
                gone[bias] = masks[bias] & rows
        return gone

    share, found = _within(module, masks, keep, image, (0.0, 1.0), counts, (scores, remaining), prune)
    return _described(layers, found, share)


def pfp(
    module: nn.Module,
    names: Sequence[str],
    masks: Mapping[str, Tensor],
    keep: float,
    batch: Batch | None,
    failure: float = FAILURE,
) -> FilterPruning:
    """Prune input channels by their sensitivity, with the same error in every layer but the one that is called first.

    Args:
        module, names, masks, keep: as for `ft`.
        batch: the sample S.
        failure: γ, inside (0, 1).

    Returns:
        Masks with at most ⌊keep · N⌋ parameters, and as many as a common error allows. Channels without sensitivity, such as
        those that are zero on all of S, go whatever the budget.

    Raises:
        InputError: as `ft` and `sensitivity` do.
    """
    layers, found = find_layers(module, names), channel_sensitivity(module, names, batch)
    masks = whole_masks(module, masks)
    assert batch is not None, "`sensitivity` refuses it"
    image = tuple(batch.shape[1:])
    outputs, first = layer_outputs(module, names, image), call_order(module, image)[0]
    scores = {name: score for name, score in found.items() if name != first}
    remaining = {n: by_channel(layers[n], masks[n]).any(3).any(1).flatten() for n in scores}

    def counts(precision: float) -> dict[str, int]:  # -ln ε: the higher, the more remains
        kernels = {name: layers[name].weight[0, 0].numel() for name in scores}
        error = math.exp(-precision)
        return {n: expected_channels(s, outputs[n][1], kernels[n], error, failure) for n, s in scores.items()}

    def prune(kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
        gone = {}
        for name, channels in kept.items():
            mask = masks[name]
            apart = by_channel(layers[name], mask)
            gone[name] = (apart & channels.view(len(apart), 1, -1, 1)).view_as(mask)
        return gone

    bracket = -LARGEST_LOG_ERROR, LARGEST_LOG_ERROR
    precision, pruned = _within(module, masks, keep, image, bracket, counts, (scores, remaining), prune)
    return _described(layers, pruned, math.exp(-precision))


def _within(
    module: nn.Module,
    masks: Mapping[str, Tensor],
    keep: float,
    image: Sequence[int],
    bracket: tuple[float, float],
    counts: Callable[[float], dict[str, int]],
    ranked: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
    prune: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
) -> tuple[float, dict[str, Tensor]]:
    """Return the setting in a bracket, and its masks, with which most parameters remain within the budget.

    Args:
        counts: setting → how many filters or channels of each layer remain; more, the higher the setting.
        ranked: scores, and what remained before, bool, for each layer.
        prune: which filters or channels remain → new masks.
    """
    for name, scores in ranked[0].items():
        if scores.isnan().any():
            raise InputError(f"the scores of {name!r} contain NaN; a diverged network cannot be pruned")
    allowed, sizes, inside = budget(module, keep), {}, []

    def pruned(setting: float) -> dict[str, Tensor]:
        left = counts(setting)
        kept = {name: _best(scores, ranked[1][name], left[name]) for name, scores in ranked[0].items()}
        return with_paths(module, {**masks, **prune(kept)}, image)

    def excess(setting: float) -> float:
        key = tuple(counts(setting).values())
        if key not in sizes:
            sizes[key] = parameters_remaining(module, pruned(setting))
        if sizes[key] <= allowed:
            inside.append(setting)
        return sizes[key] - allowed - 0.5  # never zero

    low, high = bracket
    if excess(low) > 0:
        refuse(keep, module, min(sizes.values()))
    if excess(high) > 0:
        bisect(excess, low, high, xtol=1e-9)  # of steps: `inside` has the one before the root
    return max(inside), pruned(max(inside))


def _best(scores: Tensor, remaining: Tensor, count: int) -> Tensor:
    """Return those of the highest scores, bool; at least one of those that remained."""
    lost = int(remaining.sum()) - max(1, count)
    return without_lowest(scores, remaining, lost) if lost > 0 else remaining


def _described(layers: Mapping[str, Layer], masks: dict[str, Tensor], setting: float) -> FilterPruning:
    apart = {name: by_channel(layer, masks[name]) for name, layer in layers.items()}
    filters = {name: mask.flatten(2).any(2).flatten() for name, mask in apart.items()}
    channels = {name: mask.any(3).any(1).flatten() for name, mask in apart.items()}
    return FilterPruning(masks, filters, channels, setting)
