"""Scores of filters: one number per filter; a target says whether the lowest or the highest go first.

    l1          Σ |w|                      over the filter's weights, without its bias; Li et al. 2017
    l2          √ Σ w²
    activation  mean |z|                   z its map after normalization and shortcut, before the ReLU; GS App. A, facts D.3
    expected    E[max(0, x)]               x ~ N(β, γ²), with |γ|: what normalized maps would give; GS App. B.2
    signed_expected                        the same formula with γ as it is

For normal x with deviation s and λ = −β / s, E[max(0, x)] = (1 − Φ(λ)) β + s φ(λ). A chain names one of `FILTER_SCORES`,
or any other function as "package.module:function".
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from lib.by_name import find_function
from lib.errors import InputError


@dataclass(frozen=True)
class FilterTensors:
    """What a score may look at of the F filters of one convolution.

    Attributes:
        weight: [F, inputs, height, width].
        scale, shift: γ and β of the batch normalization after it, [F] each.
        activation: mean |z| over recent training batches, [F]; None unless the score is "activation".
    """

    weight: Tensor
    scale: Tensor
    shift: Tensor
    activation: Tensor | None = None


FilterScore = Callable[[FilterTensors], Tensor]


def l1(filters: FilterTensors) -> Tensor:
    """Return the sum of absolute weights of each filter, [F]."""
    return filters.weight.flatten(1).abs().sum(1)


def l2(filters: FilterTensors) -> Tensor:
    """Return the root of the sum of squared weights of each filter, [F]."""
    return filters.weight.flatten(1).norm(dim=1)


def activation(filters: FilterTensors) -> Tensor:
    """Return the mean absolute activation of each filter, [F]; InputError where it was not recorded."""
    if filters.activation is None:
        raise InputError("the score 'activation' needs maps, which are recorded while a network trains")
    return filters.activation


def expected(filters: FilterTensors) -> Tensor:
    """Return what each filter's map is expected to be after the ReLU, [F], were it normal with mean β and deviation |γ|."""
    return _expected(filters.scale.abs(), filters.shift)


def signed_expected(filters: FilterTensors) -> Tensor:
    """Return the formula of `expected` with the sign of γ, [F]."""
    return _expected(filters.scale, filters.shift)


def _expected(scale: Tensor, shift: Tensor) -> Tensor:
    standard = Normal(0.0, 1.0)
    ratio = -shift / scale
    above = 1 - standard.cdf(torch.nan_to_num(ratio))
    density = standard.log_prob(torch.nan_to_num(ratio)).exp()
    found = above * shift + scale * density
    return torch.where((scale == 0) & (shift == 0) | (above == 0), torch.zeros_like(found), found)


FILTER_SCORES: dict[str, FilterScore] = {f.__name__: f for f in (l1, l2, activation, expected, signed_expected)}
"""The book's own by name."""


def find_filter_score(name: str) -> FilterScore:
    """Return the score of a name in `FILTER_SCORES` or of "package.module:function"; InputError if there is none."""
    return find_function("score of filters", name, FILTER_SCORES)
