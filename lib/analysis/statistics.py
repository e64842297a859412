"""Statistics of replicates: seeds × something in, a few numbers out.

Differences are paired by seed. TR calls two results different if and only if the mean of the paired differences is at least
one standard deviation from zero, |mean(a − b)| ≥ std(a − b) (section 2); with three replicates that calls equal things
different in 22.5 % of cases, since |t| ≥ √3 with two degrees of freedom has this probability. Where the book itself asks, it
takes p values of t tests, corrects them over cases by Holm's method, and calls things equal only within a margin (two
one-sided tests).

Configurations need not share seeds: means of two samples are compared by t tests (GS Tables C.1 and F.1), and intervals of
means are resampled (GS Figure 3). Correlations over runs: `lib.analysis.correlation`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy
import pandas
from scipy import stats

FEWEST_REPLICATES = 3
"""TR section 2: every experiment is run three times; with fewer no rule says anything."""

RESAMPLES = 10_000
"""Bootstrap: so many samples of the same size, drawn with replacement."""

LEVEL = 0.95
"""Of every interval: it misses what it estimates in one of twenty samples."""


@dataclass(frozen=True)
class Difference:
    """Paired differences of two experiments.

    Attributes:
        mean: in the unit of the values; NaN without pairs.
        std: sample standard deviation of the differences; NaN with fewer than two pairs.
        n: pairs.
        same: every difference is exactly zero, as of a network with itself: nothing is compared.
    """

    mean: float
    std: float
    n: int
    same: bool = False

    @property
    def verdict(self) -> Literal["lower", "higher", "match", "undecided"]:
        """What TR's rule says; undecided with fewer than three pairs, or where a network is compared with itself."""
        if self.n < FEWEST_REPLICATES or self.same:
            return "undecided"
        if abs(self.mean) < self.std:
            return "match"
        return "lower" if self.mean < 0 else "higher"

    def p_value(
        self, alternative: Literal["less", "greater", "two-sided"] = "two-sided", against: float = 0.0
    ) -> float:
        """Return the p value of a one-sample t test of the differences; NaN with fewer than two pairs.

        Args:
            alternative: what the mean is asked to be, compared with `against`.
            against: a margin, in the unit of the values.
        """
        if self.n < 2:
            return math.nan
        gap = self.mean - against
        if self.std == gap == 0:
            return 1.0
        t = gap / (self.std / math.sqrt(self.n)) if self.std else math.copysign(math.inf, gap)
        tails = {"less": stats.t.cdf(t, self.n - 1), "greater": stats.t.sf(t, self.n - 1)}
        return float(tails.get(alternative, 2 * stats.t.sf(abs(t), self.n - 1)))

    def p_equal(self, margin: float) -> float:
        """Return the p value of "as far apart as `margin`, or further": small where the two are equal within it."""
        return max(self.p_value("greater", -margin), self.p_value("less", margin))


def difference(first: pandas.Series, second: pandas.Series) -> Difference:
    """Compare two experiments, paired by seed.

    Args:
        first, second: a value per seed; only seeds count that have a finite value in both.
    """
    found = (first - second).replace([numpy.inf, -numpy.inf], numpy.nan).dropna().to_numpy(dtype="float64")
    n = len(found)
    std = float(found.std(ddof=1)) if n > 1 else math.nan
    return Difference(float(found.mean()) if n else math.nan, std, n, n > 0 and not found.any())


def mean_and_std(frame: pandas.DataFrame | pandas.Series) -> pandas.DataFrame:
    """Return mean, sample standard deviation (NaN of one) and number of finite values over seeds, a row per column."""
    frame = frame.to_frame() if isinstance(frame, pandas.Series) else frame
    whole = frame.replace([numpy.inf, -numpy.inf], numpy.nan)
    return pandas.DataFrame({"mean": whole.mean(), "std": whole.std(ddof=1), "replicates": whole.count()})


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's rank correlation; NaN with fewer than three pairs or where one side is constant."""
    pairs = pandas.DataFrame({"first": list(first), "second": list(second)})
    return float(pairs.corr(method="spearman", min_periods=FEWEST_REPLICATES).to_numpy()[0, 1])


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for the number of tests by Holm's method (1979): the i-th of m times m − i + 1.

    NaN stays NaN and does not count as a test.
    """
    tested = [i for i, p in enumerate(p_values) if not math.isnan(p)]
    corrected, highest = list(map(float, p_values)), 0.0
    for rank, i in enumerate(sorted(tested, key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(tested) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected


@dataclass(frozen=True)
class TwoSamples:
    """Means of two independent samples compared, such as the runs of two configurations.

    Attributes:
        difference: mean of the first minus mean of the second, in the unit of the values; NaN if one is empty.
        n: how many values the first and the second have.
        p_pooled: two-sided p value of Student's t test, both samples having one variance. By this rule the stars of GS's
            Table C.1 come out of its printed means, by Welch's they do not.
        p_welch: of Welch's t test, each sample having its own variance. Both p values are NaN with fewer than two values in
            a sample, or if no value varies.
    """

    difference: float
    n: tuple[int, int]
    p_pooled: float
    p_welch: float


def two_samples(first: Sequence[float] | pandas.Series, second: Sequence[float] | pandas.Series) -> TwoSamples:
    """Compare the means of two independent samples by t tests; only finite values count."""
    both = [finite(first), finite(second)]
    n = len(both[0]), len(both[1])
    gap = float(both[0].mean() - both[1].mean()) if min(n) else math.nan
    if min(n) < 2 or all(map(is_constant, both)):
        return TwoSamples(gap, n, math.nan, math.nan)
    means, stds = [float(one.mean()) for one in both], [float(one.std(ddof=1)) for one in both]
    pooled, welch = (
        stats.ttest_ind_from_stats(means[0], stds[0], n[0], means[1], stds[1], n[1], equal_var=equal)[1]
        for equal in (True, False)
    )
    return TwoSamples(gap, n, float(pooled), float(welch))


def finite(values: Sequence[float] | pandas.Series) -> numpy.ndarray:
    """Return the finite ones of some numbers, float64 [n]."""
    found = numpy.asarray(values, dtype="float64")
    return found[numpy.isfinite(found)]


def is_constant(values: numpy.ndarray) -> bool:
    """Return whether numbers, [n], differ by rounding at most."""
    return len(values) == 0 or bool(numpy.ptp(values) <= 1e-12 * numpy.abs(values).max())


def mean_interval(values: Sequence[float] | pandas.Series) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean over runs; NaN with fewer than two finite values."""
    found = finite(values)
    if len(found) < 2:
        return math.nan, math.nan
    return bootstrap_interval(lambda rows: found[rows].mean(axis=1), [numpy.arange(len(found))])


def bootstrap_interval(
    statistic: Callable[[numpy.ndarray], numpy.ndarray], groups: Sequence[numpy.ndarray]
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over samples drawn anew within each group; the same every time.

    Args:
        statistic: rows of the data, int64 [samples, n], → a number of each sample, [samples]; NaN does not count.
        groups: rows of the data, int64 [·] each, such as those of one configuration: groups keep their sizes.
    """
    draw = numpy.random.default_rng(0)
    rows = numpy.concatenate([draw.choice(group, (RESAMPLES, len(group))) for group in groups], axis=1)
    found = finite(statistic(rows).tolist())
    if not len(found):
        return math.nan, math.nan
    low, high = numpy.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
