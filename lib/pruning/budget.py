"""Budgets of "Lost in Pruning": how much of each layer remains, where a share of *all* parameters is to be kept.

N counts all parameters, biases and normalization with them; a keep ratio k allows ⌊k N⌋ (facts C.3, C.4).

    WT, SiPP   the highest scores of all layers together, as many as the budget leaves after what cannot be pruned
    FT         in every layer but the last round(q F) of its F filters, at least one, with the largest Σ |w|
    PFP        in every layer but the first the input channels with the largest sensitivity s, as many different ones as
               m(ε) random draws would find, one error ε for all layers:

                   m(ε) = ⌈3 (6 + 2ε) S α / ε²⌉    S = Σ s_c,    α = 6 ln(8 (P + 1) κ / γ)
                   channels = ⌈Σ_c 1 - (1 - s_c / S)^m⌉

for P output positions, κ weights of a filter on each channel, and γ = 1e-16. Drawn that often with probability s_c / S, and
weighted by how often they came and by S / (m s_c), channels give a filter's sum Σ |w| a over weights of one sign with a
relative error of at most ε, on each image of the sample: by Bernstein's inequality it is larger with a probability of at
most 2 (γ / 8 (P + 1) κ)^(54 / κ). What is kept are the best channels and not the drawn ones; `largest_change` bounds their
error.

SciPy finds the largest q, or the smallest ε, within the budget. A filter takes along all that is without a path after it
went (`lib.pruning.paths`), so that the size is that of the network with its filters really removed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import torch
from scipy.optimize import bisect
from torch import Tensor, nn

from lib.errors import InputError
from lib.pruning.paths import with_paths
from lib.pruning.scores import Batch
from lib.pruning.selection import select, without_lowest
from lib.pruning.sensitivity import (
    FAILURE,
    Layer,
    by_channel,
    call_order,
    channel_sensitivity,
    find_layers,
    layer_outputs,
    probability,
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
        InputError: if the parameters that have no score are more than that, or a score is not a number.
    """
    prunable = sum(score.numel() for score in scores.values())
    allowed = budget(module, keep) - (parameter_count(module) - prunable)
    if allowed <= 0:
        _refuse(keep, module, parameter_count(module) - prunable + 1)
    if allowed >= prunable:
        return dict(masks)
    return select(scores, masks, 0.5, keep=allowed / prunable)


def filter_norms(module: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """Return FT's score, Σ |w| of each filter, [F], by the name of its weights; InputError as `find_layers`."""
    return {name: layer.weight.detach().flatten(1).abs().sum(1) for name, layer in find_layers(module, names).items()}


def ft(
    module: nn.Module, names: Sequence[str], masks: Mapping[str, Tensor], keep: float, image: Sequence[int]
) -> FilterPruning:
    """Prune filters by their norms, the same share in every layer but the one that is called last.

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
    layers = find_layers(module, names)
    last = call_order(module, image)[-1]
    remaining = {name: _mask(module, masks, name).flatten(1).any(1) for name in names if name != last}
    scores = {name: norms for name, norms in filter_norms(module, names).items() if name != last}

    def counts(share: float) -> dict[str, int]:
        return {name: max(1, round(share * len(score))) for name, score in scores.items()}

    def prune(kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
        gone = {}
        for name, rows in kept.items():
            mask = _mask(module, masks, name)
            gone[name] = mask & rows.view(-1, *[1] * (mask.dim() - 1))
            if layers[name].bias is not None:
                bias = f"{name.removesuffix('weight')}bias"
                gone[bias] = _mask(module, masks, bias) & rows
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
    assert batch is not None, "`sensitivity` refuses it"
    image = tuple(batch.shape[1:])
    outputs, first = layer_outputs(module, names, image), call_order(module, image)[0]
    scores = {name: score for name, score in found.items() if name != first}
    remaining = {n: by_channel(layers[n], _mask(module, masks, n)).any(3).any(1).flatten() for n in scores}

    def counts(precision: float) -> dict[str, int]:  # -ln ε: the higher, the more remains
        kernels = {name: layers[name].weight[0, 0].numel() for name in scores}
        error = math.exp(-precision)
        return {n: expected_channels(s, outputs[n][1], kernels[n], error, failure) for n, s in scores.items()}

    def prune(kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
        gone = {}
        for name, channels in kept.items():
            mask = _mask(module, masks, name)
            apart = by_channel(layers[name], mask)
            gone[name] = (apart & channels.view(len(apart), 1, -1, 1)).view_as(mask)
        return gone

    bracket = -LARGEST_LOG_ERROR, LARGEST_LOG_ERROR
    precision, pruned = _within(module, masks, keep, image, bracket, counts, (scores, remaining), prune)
    return _described(layers, pruned, math.exp(-precision))


def draws(total: float, positions: int, kernel: int, error: float, failure: float = FAILURE) -> float:
    """Return m(ε), a whole number, for S = `total`, P = `positions`, κ = `kernel` and γ = `failure`."""
    alpha = 6 * (math.log(8 * (positions + 1) * kernel) - math.log(probability(failure)))
    return float(np.ceil(3 * (6 + 2 * error) * total * alpha / error**2))


def expected_channels(scores: Tensor, positions: int, kernel: int, error: float, failure: float = FAILURE) -> int:
    """Return how many different channels m(ε) draws by the sensitivities [channels] find on average, rounded up."""
    sensitivities = scores.double().cpu().numpy()
    total = float(sensitivities.sum())
    if total == 0:
        return 0
    with np.errstate(divide="ignore"):  # a channel that has all the sensitivity is never missed
        missed = np.exp(draws(total, positions, kernel, error, failure) * np.log1p(-sensitivities / total))
    return math.ceil(round(float((1 - missed).sum()), 6))


def largest_change(scores: Tensor, kept: Tensor, kernel: int) -> float:
    """Return a bound on what a layer's outputs lose with some input channels, on every image of S and at every position.

    Of Σ |w| |a| over all weights of a filter, the lost channels had at most the share κ Σ s_c, and so no more is lost.

    Args:
        scores: PFP's sensitivities, [channels].
        kept: bool [channels].
        kernel: κ.
    """
    return min(1.0, kernel * float(scores[~kept].double().sum()))


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
        kept = {name: _best(scores, ranked[1][name], counts(setting)[name]) for name, scores in ranked[0].items()}
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
        _refuse(keep, module, min(sizes.values()))
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


def _mask(module: nn.Module, masks: Mapping[str, Tensor], name: str) -> Tensor:
    found = masks.get(name)
    return torch.ones_like(module.get_parameter(name), dtype=torch.bool) if found is None else found


def _refuse(keep: float, module: nn.Module, fewest: int) -> NoReturn:
    count = parameter_count(module)
    raise InputError(
        f"keep={keep!r} allows {budget(module, keep):,} of {count:,} parameters; at least {fewest:,} remain, "
        f"keep={math.ceil(1e4 * fewest / count) / 1e4:g}"
    )
