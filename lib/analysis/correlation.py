"""Correlation of two quantities over runs, pooled over configurations and within them (facts D.4, S10 and S11).

A point (x, y) is one run, such as its mean stability and its test accuracy. Pearson's coefficient and its p value are

    r = Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²),    t = r √(d / (1 − r²)),    P(|T_d| ≥ |t|)

with d degrees of freedom. *Pooled*, as GS has it, x̄ and ȳ are means over all n runs, d = n − 2. But ten runs of each
of three configurations are three clusters: r is then mostly the correlation *between* the three pairs of means. *Within*
configurations the means are those of each run's own configuration, of which there are C, and d = n − 2 − (C − 1): does the
less stable of two runs with the same settings generalize better? Both may have opposite signs (Simpson 1951). *By seed* the
means are over the runs of one seed, which share their initial weights: this compares configurations, and leaves out what a
lucky seed adds to all of them.

The 95 % interval of the pooled r is Fisher's, tanh(artanh r ± 1.96 / √(d − 1)).
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy
import pandas
from scipy import stats

from lib.analysis.statistics import FEWEST_REPLICATES, LEVEL, is_constant
from lib.errors import InputError

Kind = Literal["pearson", "kendall", "within", "by seed"]
"""Which coefficient is asked for."""

NOTHING = (math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Correlation:
    """Correlation of two quantities over runs; NaN where one does not vary or degrees of freedom are missing.

    Attributes:
        n, configurations: how many runs, and of how many configurations.
        pearson, p, low, high: pooled Pearson coefficient, its two-sided p value and Fisher's 95 % interval.
        kendall, kendall_p: Kendall's τ-b of the pooled runs and its two-sided p value.
        within, within_p: within configurations; one in which a quantity does not vary, such as the stability of a network
            that is not pruned, says nothing and is left out.
        by_seed, by_seed_p: within seeds, over configurations.
    """

    n: int
    configurations: int
    pearson: float = math.nan
    p: float = math.nan
    low: float = math.nan
    high: float = math.nan
    kendall: float = math.nan
    kendall_p: float = math.nan
    within: float = math.nan
    within_p: float = math.nan
    by_seed: float = math.nan
    by_seed_p: float = math.nan

    def coefficient(self, kind: Kind) -> tuple[float, float]:
        """Return a coefficient and its p value."""
        return {
            "pearson": (self.pearson, self.p),
            "kendall": (self.kendall, self.kendall_p),
            "within": (self.within, self.within_p),
            "by seed": (self.by_seed, self.by_seed_p),
        }[kind]

    @property
    def words(self) -> str:
        """What was found, for a sentence: "r = -0.88 (95 % interval -0.94 to -0.76, p = 1e-10), τ = -0.64 …"."""
        runs = f"{self.n} runs"
        if self.configurations > 1:
            runs += f" of {self.configurations} configurations"
        if math.isnan(self.pearson):
            return f"no correlation is defined over {runs}"
        interval = "" if math.isnan(self.low) else f"95 % interval {self.low:.2f} to {self.high:.2f}, "
        told = f"r = {self.pearson:.2f} ({interval}p = {self.p:.2g}), τ = {self.kendall:.2f} (p = {self.kendall_p:.2g})"
        told += f" over {runs}"
        if self.configurations > 1 and not math.isnan(self.within):
            told += f"; within configurations r = {self.within:.2f} (p = {self.within_p:.2g})"
        return told


def correlation(first: pandas.Series | pandas.DataFrame, second: pandas.Series | pandas.DataFrame) -> Correlation:
    """Correlate two quantities over runs.

    Args:
        first, second: a number per run: a series by configuration and seed, or by seed alone for a single configuration,
            or a frame of seeds × configurations. Only runs count in which both are finite.

    Raises:
        InputError: an index has other levels, or names a run twice.
    """
    pairs = _pairs(first, second)
    x, y = (pairs[name].to_numpy(dtype="float64") for name in pairs)
    configurations, seeds = (pandas.factorize(pairs.index.get_level_values(level))[0] for level in (0, 1))
    count = int(configurations.max(initial=-1)) + 1
    pooled = _coefficient(x, y, numpy.zeros_like(configurations))
    if math.isnan(pooled[0]):
        return Correlation(len(x), count)
    kendall: Any = stats.kendalltau(x, y)
    within, by_seed = (_coefficient(x, y, groups)[:2] for groups in (configurations, seeds))
    return Correlation(len(x), count, *pooled, float(kendall.statistic), float(kendall.pvalue), *within, *by_seed)


def _pairs(first: pandas.Series | pandas.DataFrame, second: pandas.Series | pandas.DataFrame) -> pandas.DataFrame:
    """Return runs in which both are finite, by configuration and seed, in columns first and second."""
    pairs = pandas.DataFrame({"first": _by_run(first), "second": _by_run(second)})
    return pairs.replace([numpy.inf, -numpy.inf], numpy.nan).dropna().sort_index()


def _by_run(found: pandas.Series | pandas.DataFrame) -> pandas.Series:
    """Return numbers by configuration and seed."""
    series = found.unstack() if isinstance(found, pandas.DataFrame) else found
    assert isinstance(series, pandas.Series)
    if series.index.nlevels == 1:
        series = pandas.concat({"": series})
    if series.index.nlevels != 2:
        raise InputError(f"an index of {series.index.nlevels} levels; needed are configuration and seed, or seed alone")
    if twice := [*series.index[series.index.duplicated()]]:
        raise InputError(f"the run {twice[0]!r} is there twice; give one number per configuration and seed")
    return series


def _coefficient(x: numpy.ndarray, y: numpy.ndarray, group: numpy.ndarray) -> tuple[float, float, float, float]:
    """Return r, p value and interval of x and y around the means of their groups, numbered by `group`; [n] each."""
    groups = [numpy.flatnonzero(group == one) for one in numpy.unique(group)]
    kept = [rows for rows in groups if not is_constant(x[rows]) and not is_constant(y[rows])]
    freedom = sum(map(len, kept)) - len(kept) - 1
    if freedom < 1:
        return NOTHING
    a, b = (numpy.concatenate([z[rows] - z[rows].mean() for rows in kept]) for z in (x, y))
    r = float(numpy.clip((a @ b) / math.sqrt((a @ a) * (b @ b)), -1, 1))
    if abs(r) > 1 - 1e-12:  # all on a line
        return r, 0.0, r, r
    p = float(2 * stats.t.sf(abs(r) * math.sqrt(freedom / (1 - r * r)), freedom))
    if freedom < 2:
        return r, p, math.nan, math.nan
    width = float(stats.norm.ppf((1 + LEVEL) / 2)) / math.sqrt(freedom - 1)
    return r, p, math.tanh(math.atanh(r) - width), math.tanh(math.atanh(r) + width)


def p_different(first: Correlation, second: Correlation) -> float:
    """Return the two-sided p value that two pooled Pearson coefficients of different runs differ (Fisher's z test).

        z = (artanh r₁ − artanh r₂) / √(1 / (n₁ − 3) + 1 / (n₂ − 3))

    NaN where one is not defined, has fewer than four runs, or is −1 or 1.
    """
    values, counts = (first.pearson, second.pearson), (first.n, second.n)
    if any(math.isnan(r) or abs(r) == 1 for r in values) or min(counts) <= FEWEST_REPLICATES:
        return math.nan
    z = (math.atanh(values[0]) - math.atanh(values[1])) / math.sqrt(sum(1 / (n - 3) for n in counts))
    return float(2 * stats.norm.sf(abs(z)))


def quadratic_term(
    first: pandas.Series | pandas.DataFrame, second: pandas.Series | pandas.DataFrame
) -> tuple[float, float]:
    """Return c of the least-squares parabola y = a + b x + c x², and its two-sided p value by a t test.

    Where c is negative, the second quantity is highest between: x is the first in units of its standard deviation around its
    mean, so that c has the unit of the second. NaN with fewer than three different x or four runs.

    Args:
        first, second: as for `correlation`.
    """
    x, y = (column.to_numpy(dtype="float64") for _, column in _pairs(first, second).items())
    if len(numpy.unique(x)) < 3 or len(x) < 4 or is_constant(x) or is_constant(y):
        return math.nan, math.nan
    x = (x - x.mean()) / x.std(ddof=1)
    found, covariance = numpy.polyfit(x, y, 2, cov=True)  # the highest power first
    error = math.sqrt(covariance[0, 0])
    t = abs(float(found[0])) / error if error else math.inf
    return float(found[0]), float(2 * stats.t.sf(t, len(x) - 3))
