"""The best smaller network of a chain, and where it is looked at closely.

The best smaller network is the one of k ≥ 1 with the lowest mean validation error: where the dense network (k = 0) is better
still, nothing would be left to compare with it.
"""

import contextlib
import itertools
import math
from collections.abc import Sequence

import pandas

from lib.analysis.levels import levels_of_interest
from lib.analysis.measure import rows
from lib.analysis.schema import tidy
from lib.analysis.statistics import optimal_level
from lib.errors import InputError
from lib.stages import Results

Case = tuple[str, float]
"""An algorithm at a noise level in percent."""


def results_frame(results: Sequence[Results]) -> pandas.DataFrame:
    """Return the rows of finished chains as a tidy frame, to choose levels from before there is a table.

    The column `scale` is empty: chains do not know theirs.
    """
    return tidy(itertools.chain(*(rows(one, one.chain.recipe.benchmark, "") for one in results)))


def best_smaller_levels(frame: pandas.DataFrame) -> dict[Case, int]:
    """Return the level of the best smaller network of every algorithm at every noise level.

    Args:
        frame: a tidy table.

    Returns:
        Level, at least 1, by algorithm and noise; without those where no such level has every replicate.
    """
    # The dense network stays in the frame, which tells what replicates there are, but cannot win.
    worst = frame.assign(error_percent=frame["error_percent"].mask(frame["level"] == 0, math.inf))
    found = {}
    for case in _cases(frame):
        with contextlib.suppress(InputError):  # no level has every replicate
            found[case] = optimal_level(worst, *case)
    return {case: level for case, level in found.items() if level > 0}


def levels_to_measure(frame: pandas.DataFrame) -> dict[Case, set[int]]:
    """Return the levels of interest (`lib.analysis.levels`) of every algorithm at every noise level, and its best smaller
    network.

    Args:
        frame: a tidy table.
    """
    smaller = best_smaller_levels(frame)
    return {case: {*levels_of_interest(frame, *case), smaller.get(case, 0)} for case in _cases(frame)}


def _cases(frame: pandas.DataFrame) -> list[Case]:
    names = zip(frame["algorithm"], frame["noise_percent"], strict=True)
    return list(dict.fromkeys((str(name), float(noise)) for name, noise in names))
