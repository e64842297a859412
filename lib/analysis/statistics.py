"""Statistics of replicates: seeds × something in, a few numbers out.

Differences are paired by seed. TR calls two results different if and only if the mean of the paired differences is at least
one standard deviation from zero, |mean(a − b)| ≥ std(a − b) (section 2); with three replicates that calls equal things
different in 22.5 % of cases, since |t| ≥ √3 with two degrees of freedom has this probability. Where the book itself asks, it
takes p values of t tests, corrects them over cases by Holm's method, and calls things equal only within a margin (two
one-sided tests).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy
import pandas
from scipy import stats

FEWEST_REPLICATES = 3
"""TR section 2: every experiment is run three times; with fewer no rule says anything."""


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
