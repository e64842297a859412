"""How many random draws, and how many different input channels, PFP's error allows (facts C.4).

    m(ε) = ⌈3 (6 + 2ε) S α / ε²⌉    S = Σ s_c,    α = 6 ln(8 (P + 1) κ / γ)
    channels = ⌈Σ_c 1 - (1 - s_c / S)^m⌉

for sensitivities s_c, P output positions, κ weights of a filter on each channel, and γ = 1e-16.

Draw channels that often with probability s_c / S, and weight each by how often it came and by S / (m s_c). Then they give a
filter's sum Σ |w| a over weights of one sign with a relative error of at most ε, on each image of the sample. By Bernstein's
inequality the error is larger with a probability of at most 2 (γ / 8 (P + 1) κ)^(54 / κ). What is kept are the best channels
and not the drawn ones; `largest_change` bounds their error.
"""

import math

import numpy as np
from torch import Tensor

from lib.pruning.sensitivity import FAILURE, probability


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
