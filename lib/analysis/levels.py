"""Which levels of a chain are looked at closely: the two of interest, and a few evenly spaced ones.

TR sections 3 and 4 look at the level that generalizes best and at the sparsest one that still has a lower test error than
the dense network; App. L looks at five evenly spaced levels. What is measured in detail at these levels only keeps a
committed table small.
"""

import contextlib

import pandas

from lib.analysis.statistics import optimal_level, select
from lib.errors import InputError

SPACED = 5  # TR App. L


def improving_levels(frame: pandas.DataFrame, algorithm: str, noise_percent: float) -> list[int]:
    """Find the levels whose mean test error is below that of the dense network.

    Args:
        frame: a tidy table.
        algorithm: which chain.
        noise_percent: at which label noise.

    Returns:
        In increasing order; empty where no level is better, or the dense network has no test error. Only levels that
        every replicate has reached compete.
    """
    errors = select(frame, algorithm, noise_percent, "test").dropna(axis="columns")
    # Rounded, because means of the same counts of mistakes may differ in the last bit and must tie.
    means = {int(level): round(float(errors[level].to_numpy().mean()), 9) for level in errors}
    return sorted(level for level in means if means[level] < means.get(0, 0.0))


def highest_improving_level(frame: pandas.DataFrame, algorithm: str, noise_percent: float) -> int | None:
    """Find the last of the `improving_levels`; None where there is none."""
    return max(improving_levels(frame, algorithm, noise_percent), default=None)


def evenly_spaced(last: int, count: int = SPACED) -> list[int]:
    """Return `count` levels from 1 to the last, as evenly spaced as whole numbers are; all where there are no more."""
    if last <= count or count < 2:
        return list(range(1, last + 1))
    gaps = count - 1
    return [1 + (2 * i * (last - 1) + gaps) // (2 * gaps) for i in range(count)]


def levels_of_interest(
    frame: pandas.DataFrame, algorithm: str, noise_percent: float, spaced: int = SPACED
) -> list[int]:
    """Choose the levels that are measured in detail.

    Args:
        frame: a tidy table.
        algorithm: which chain.
        noise_percent: at which label noise.
        spaced: how many evenly spaced ones.

    Returns:
        In increasing order and each once: the dense network, the level with the lowest mean validation error, the
        highest improving one (either may not exist), and the evenly spaced ones up to the last.
    """
    last = max((int(level) for level in select(frame, algorithm, noise_percent, "test")), default=0)
    chosen = {0, *evenly_spaced(last, spaced)}
    with contextlib.suppress(InputError):  # no level has every replicate: there is no optimum
        chosen.add(optimal_level(frame, algorithm, noise_percent))
    if (highest := highest_improving_level(frame, algorithm, noise_percent)) is not None:
        chosen.add(highest)
    return sorted(chosen)
