"""Statistics against SciPy and against what can be counted by hand."""

import math
import warnings

import numpy
import pandas
import pytest
from scipy import stats

from lib.analysis.statistics import difference, holm, mean_and_std, mean_interval, rank_correlation, two_samples

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


def test_two_samples_are_compared_by_both_t_tests_of_scipy():
    first, second = [1.0, 2.0, 4.0, math.nan], [3.0, 5.0, 5.5, 9.0]
    found = two_samples(first, pandas.Series(second))
    assert found.difference == pytest.approx(7 / 3 - 22.5 / 4) and found.n == (3, 4)
    pooled, welch = (stats.ttest_ind(first[:3], second, equal_var=equal)[1] for equal in (True, False))
    assert (found.p_pooled, found.p_welch) == (pytest.approx(pooled), pytest.approx(welch))


def scaled(mean, std, n):
    """Return n numbers with this mean and sample standard deviation."""
    values = numpy.linspace(-1, 1, n)
    return mean + std * values / values.std(ddof=1)


@pytest.mark.parametrize("few, many", [((87.95, 0.18, 3), (87.72, 0.18, 10)), ((87.48, 0.37, 3), (88.03, 0.26, 10))])
def test_the_stars_of_table_c1_are_those_of_the_pooled_variance(few, many):
    """GS marks p < 0.1 against the row above: from what it prints, Student's test gives that, Welch's does not."""
    found = two_samples(scaled(*few), scaled(*many))
    assert found.p_pooled < 0.1 < found.p_welch


def test_no_t_test_without_spread_or_with_a_single_run():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for first, second in (([1.0, 1.0], [2.0, 2.0]), ([1.0], [2.0, 3.0]), ([], [1.0])):
            found = two_samples(first, second)
            assert math.isnan(found.p_pooled) and math.isnan(found.p_welch)
        assert two_samples([1.0, 1.0], [2.0, 2.0]).difference == -1 and math.isnan(two_samples([], [1.0]).difference)
        assert two_samples([1.0, 1.0], [2.0, 2.5]).p_pooled < 1


def test_a_bootstrap_interval_of_a_mean_is_near_the_normal_one_and_repeats_itself():
    values = numpy.random.default_rng(0).normal(5, 2, 200)
    low, high = mean_interval(values.tolist())
    width = 1.96 * values.std(ddof=1) / math.sqrt(200)
    assert (low, high) == (
        pytest.approx(values.mean() - width, abs=0.03),
        pytest.approx(values.mean() + width, abs=0.03),
    )
    assert mean_interval([*values, math.nan]) == (low, high)
    assert mean_interval([3.0, 3.0]) == (3.0, 3.0) and all(map(math.isnan, mean_interval([3.0])))
