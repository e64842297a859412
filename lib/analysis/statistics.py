"""How two algorithms are compared, and which level of a chain is called optimal.

Comparison (TR section 2): results of two experiments differ if and only if the mean difference of the paired
runs is at least one standard deviation away from zero, |mean(a - b)| >= std(a - b); otherwise they match. The
paper does not say which standard deviation; here it is the sample one (n - 1) of the differences of the runs
with the same seed.

Optimal level (TR section 2): the level with the lowest validation error. Here the validation errors of the
replicates are averaged first, which gives one level for all of them; ties go to the lower sparsity. The
validation examples have clean labels. Level 0, the dense network, takes part: where it is best, the optimally
sparse network is the dense one.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy
import pandas

from lib.errors import InputError

FEWEST_REPLICATES = 3
"""TR section 2: every experiment is run three times; with fewer the rule says nothing."""


@dataclass(frozen=True)
class Comparison:
    """Outcome of the paired rule.

    Attributes:
        mean: mean of the paired differences, in the unit of the values; NaN without pairs.
        std: their sample standard deviation; NaN with fewer than two pairs.
        n: number of pairs.
        verdict: whether the first is lower or higher than the second, or the two match.
    """

    mean: float
    std: float
    n: int
    verdict: Literal["lower", "higher", "match", "undecided"]


def compare(first: pandas.Series, second: pandas.Series) -> Comparison:
    """Compare two experiments by the paired one-standard-deviation rule (TR section 2).

    Args:
        first: one value per replicate, indexed by seed.
        second: the same for the other experiment; only seeds that both have count, and only finite values.

    Returns:
        The comparison of the first with the second. Fewer than three pairs are "undecided". Differences that
        are all zero "match": they have no direction.
    """
    differences = (first - second).dropna().to_numpy(dtype="float64")
    n = len(differences)
    mean = float(differences.mean()) if n > 0 else math.nan
    std = float(differences.std(ddof=1)) if n > 1 else math.nan
    if n < FEWEST_REPLICATES:
        return Comparison(mean, std, n, "undecided")
    if mean == 0 or abs(mean) < std:
        return Comparison(mean, std, n, "match")
    return Comparison(mean, std, n, "lower" if mean < 0 else "higher")


def select(
    frame: pandas.DataFrame, algorithm: str, noise_percent: float, subset: str, value: str = "error_percent"
) -> pandas.DataFrame:
    """Lay out one measurement of one algorithm.

    Args:
        frame: a tidy table.
        algorithm: such as "learning_rate_rewinding".
        noise_percent: label noise, in percent of the training examples.
        subset: such as "test".
        value: the column to read, such as "error_percent" or "cross_entropy_nats".

    Returns:
        One row per seed, one column per level, both ascending. NaN where a replicate has no value, or
        diverged.
    """
    rows = frame[
        (frame["algorithm"] == algorithm)
        & (frame["noise_percent"] == noise_percent)
        & (frame["subset"] == subset)
    ]
    values = numpy.where(rows["diverged"], math.nan, rows[value])
    return rows.assign(value=values).pivot(index="seed", columns="level", values="value")


def optimal_level(frame: pandas.DataFrame, algorithm: str, noise_percent: float) -> int:
    """Find the level with the lowest validation error, averaged over replicates; ties go to the lower
    sparsity.

    Args:
        frame: a tidy table.
        algorithm: which chain.
        noise_percent: at which label noise.

    Returns:
        The level; 0 is the dense network. Only levels that every replicate has reached compete.

    Raises:
        InputError: no level has a validation error for every replicate.
    """
    errors = select(frame, algorithm, noise_percent, "validation").dropna(axis="columns")
    if errors.empty:
        raise InputError(
            f"no level of {algorithm} at {noise_percent:g} % noise has a validation error of every replicate."
        )
    # Rounded, because means of the same counts of mistakes may differ in the last bit and must tie.
    means = errors.to_numpy().mean(axis=0).round(9)
    return int(errors.columns[means.argmin()])


def optimal_level_per_replicate(
    frame: pandas.DataFrame, algorithm: str, noise_percent: float
) -> pandas.Series:
    """Find each replicate's own level with the lowest validation error, as an alternative to `optimal_level`.

    Args:
        frame: a tidy table.
        algorithm: which chain.
        noise_percent: at which label noise.

    Returns:
        Level by seed; ties go to the lower sparsity. Replicates without any validation error are left out.
    """
    errors = select(frame, algorithm, noise_percent, "validation").dropna(how="all")
    return errors.round(9).idxmin(axis="columns").astype("int64")


def at_level(
    frame: pandas.DataFrame,
    algorithm: str,
    noise_percent: float,
    level: int | pandas.Series,
    subset: str = "test",
    value: str = "error_percent",
) -> pandas.Series:
    """Read one value per replicate at a level, aligned by seed, ready for `compare`.

    Args:
        frame: a tidy table.
        algorithm: which chain.
        noise_percent: at which label noise.
        level: one level for all replicates, or a level by seed as from `optimal_level_per_replicate`.
        subset: on which examples.
        value: which column.

    Returns:
        Value by seed, ascending; NaN where a replicate has none.
    """
    values = select(frame, algorithm, noise_percent, subset, value)
    levels = level if isinstance(level, pandas.Series) else pandas.Series(level, index=values.index)
    return pandas.Series(
        {seed: values.at[seed, at] if at in values.columns else math.nan for seed, at in levels.items()},
        index=levels.index,
        dtype="float64",
    )
