"""Statistics against SciPy and against what can be counted by hand."""

import math

import numpy
import pandas
import pytest
from scipy import stats

from lib.analysis.statistics import difference, holm, mean_and_std, rank_correlation

A, B = (
    pandas.Series([5.0, 6.0, 7.0], index=[0, 1, 2]),
    pandas.Series([4.0, 4.5, 7.0, 99.0], index=[0, 1, 2, 3]),
)


def test_a_difference_is_paired_by_seed():
    found = difference(A, B)
    assert (found.mean, found.std, found.n) == (pytest.approx(2.5 / 3), pytest.approx(0.763762615), 3)
    assert found.verdict == "higher" and difference(B, A).verdict == "lower"
    assert difference(A, B + [0.0, 2.0, 0.0, 0.0]).verdict == "match"
    assert difference(A.iloc[:2], B).verdict == "undecided" and difference(A, B.replace(7.0, math.inf)).n == 2
    assert math.isnan(difference(A.iloc[:0], B).mean)


def test_a_network_compared_with_itself_is_undecided():
    """A2: where both are the same network, nothing is compared."""
    assert difference(A, A).same and difference(A, A).verdict == "undecided"


def test_p_values_are_those_of_scipy():
    found, pairs = difference(A, B), [1.0, 1.5, 0.0]
    for alternative in ("less", "greater", "two-sided"):
        assert found.p_value(alternative) == pytest.approx(stats.ttest_1samp(pairs, 0, alternative=alternative)[1])
    sides = [stats.ttest_1samp(pairs, m, alternative=a)[1] for m, a in ((-3, "greater"), (3, "less"))]
    assert found.p_equal(3.0) == pytest.approx(numpy.array(sides).max())
    constant = difference(A, A - 1.0)
    assert constant.p_value("greater") == 0.0 and constant.p_value("less") == 1.0


def test_the_rule_of_one_standard_deviation_errs_in_22_of_100_cases():
    draws = numpy.random.default_rng(0).normal(size=(20_000, 3))
    off = numpy.abs(draws.mean(1)) >= draws.std(1, ddof=1)
    assert off.mean() == pytest.approx(0.225, abs=0.01)


def test_means_leave_out_what_is_not_finite():
    found = mean_and_std(pandas.DataFrame({0: [1.0, 3.0, math.nan], 1: [2.0, math.inf, math.nan]}))
    assert found["mean"].tolist() == [2.0, 2.0] and found["replicates"].tolist() == [2, 1]
    assert found["std"].tolist() == pytest.approx([2**0.5, math.nan], nan_ok=True)


def test_rank_correlation_is_spearmans():
    x, y = [1.0, 2.0, 3.0, 4.0, math.nan], [1.0, 3.0, 2.0, 9.0, 0.0]
    assert rank_correlation(x, y) == pytest.approx(stats.spearmanr(x[:4], y[:4])[0])
    assert math.isnan(rank_correlation(x[:2], y[:2])) and math.isnan(rank_correlation([1.0] * 4, y[:4]))


def test_many_tests_are_corrected():
    assert holm([0.01, 0.04, 0.03, math.nan])[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
