"""Correlations over runs, against SciPy and against clusters made by hand."""

# Modules and series have no types of their own here.
# pyright: reportArgumentType=false

import itertools
import math
import warnings
from typing import Any

import numpy
import pandas
import pytest
from scipy import stats

from lib.analysis.correlation import Correlation, correlation, p_different, quadratic_term
from lib.errors import InputError

CONFIGURATIONS, SEEDS = ("none", "smallest", "largest"), range(10)


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def runs(numbers, configurations=CONFIGURATIONS, seeds=SEEDS):
    """Return numbers of the runs of each configuration, one after the other."""
    index = pandas.MultiIndex.from_tuples([*itertools.product(configurations, seeds)])
    return pandas.Series([*map(float, numbers)], index=index)


def clusters(slope: float, between: float):
    """Return two quantities whose clusters lie along one slope, and their runs along another."""
    offsets = numpy.linspace(-1, 1, 10)
    noise = numpy.array([0.1, -0.1] * 5)
    x = [10 * place + offset for place in range(3) for offset in offsets]
    y = [
        10 * place * between + slope * offset + e
        for place in range(3)
        for offset, e in zip(offsets, noise, strict=True)
    ]
    return runs(x), runs(y)


def random_runs():
    draw = numpy.random.default_rng(1)
    x = draw.normal(size=30)
    return runs(x), runs(0.5 * x + draw.normal(size=30))


def test_pooled_coefficients_p_values_and_intervals_are_those_of_scipy():
    first, second = random_runs()
    found, pearson = correlation(first, second), stats.pearsonr(first, second)
    assert (found.pearson, found.p) == (pytest.approx(pearson[0]), pytest.approx(pearson[1]))
    interval = pearson.confidence_interval()
    assert (found.low, found.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    kendall: Any = stats.kendalltau(first, second)
    assert (found.kendall, found.kendall_p) == (kendall.statistic, kendall.pvalue)
    assert (found.n, found.configurations) == (30, 3)


def test_the_p_values_printed_for_vgg11_in_figure_b2_are_those_of_30_runs():
    """GS prints r = -0.88 with p = 1.2e-10: three pruned configurations of ten runs, and r rounded."""

    def p(r):
        x, e = numpy.random.default_rng(0).normal(size=(2, 30))
        x, e = x - x.mean(), e - e.mean()
        e -= x * (e @ x) / (x @ x)
        found = correlation(runs(x), runs(r * x / math.sqrt(x @ x) + math.sqrt(1 - r * r) * e / math.sqrt(e @ e)))
        assert found.pearson == pytest.approx(r)
        return found.p

    assert p(-0.885) < 1.2e-10 < p(-0.875)


def test_correlation_within_configurations_is_the_partial_one():
    """Against least squares with an intercept for each configuration: the slope's p value is that of the correlation."""
    first, second = random_runs()
    dummies = numpy.kron(numpy.eye(3), numpy.ones((10, 1)))
    design = numpy.column_stack([first, dummies])
    solution, squares, *_ = numpy.linalg.lstsq(design, second.to_numpy(), rcond=None)
    variance = squares[0] / (30 - 4) * numpy.linalg.inv(design.T @ design)[0, 0]
    p = 2 * stats.t.sf(abs(solution[0]) / math.sqrt(variance), 26)
    assert correlation(first, second).within_p == pytest.approx(p)


def test_a_pooled_correlation_may_have_the_other_sign_than_the_one_within():
    found = correlation(*clusters(slope=-1.0, between=1.0))
    assert found.pearson > 0.95 and found.p < 1e-10 and found.low > 0
    assert found.within < -0.95 and found.within_p < 1e-10
    assert "within configurations r = -0." in found.words and "30 runs of 3 configurations" in found.words
    assert found.by_seed > 0.99, "the configurations of one seed lie along the clusters"


def test_runs_of_one_configuration_have_one_correlation():
    first, second = random_runs()
    found = correlation(first["none"], second["none"])
    assert found.configurations == 1 and found.n == 10
    assert (found.within, found.within_p) == (pytest.approx(found.pearson), pytest.approx(found.p))
    assert math.isnan(found.by_seed) and "within" not in found.words


def test_a_configuration_that_does_not_vary_says_nothing_within():
    """Networks that are not pruned have stability 100; their accuracies must not dilute the correlation of the others."""
    first, second = random_runs()
    first["none"] = 100.0
    found, others = correlation(first, second), correlation(first.iloc[10:], second.iloc[10:])
    assert (found.within, found.within_p) == (others.within, others.within_p)
    assert found.n == 30 and found.pearson != others.pearson


def test_a_frame_of_seeds_by_configurations_is_read_like_a_series():
    first, second = random_runs()
    assert correlation(first.unstack(0), second) == correlation(first, second)


def test_only_runs_with_both_numbers_count():
    first, second = random_runs()
    first.iloc[0], second.iloc[1] = math.nan, math.inf
    assert correlation(first, second) == correlation(first.iloc[2:], second.iloc[2:])
    assert correlation(first, second.iloc[20:]).n == 10


def test_what_is_not_defined_is_nan_without_a_warning():
    first, second = random_runs()
    for x, y in (
        (first * 0 + 99.9, second),
        (first.iloc[:2], second),
        (first.iloc[:0], second),
        (first * math.nan, second),
    ):
        found = correlation(x, y)
        numbers = [value for name, value in vars(found).items() if name not in ("n", "configurations")]
        assert all(map(math.isnan, numbers)) and "no correlation is defined" in found.words
    few = correlation(first.iloc[:3], second.iloc[:3])
    assert math.isfinite(few.p) and math.isnan(few.low) and "interval" not in few.words
    alone = pandas.Series([1.0, 2.0, 4.0], index=pandas.MultiIndex.from_tuples([(name, 0) for name in CONFIGURATIONS]))
    assert math.isnan(correlation(alone, alone**2).within), "one run each"


def test_points_on_a_line_correlate_fully():
    first, _ = random_runs()
    found = correlation(first, -2 * first + 1)
    assert (found.pearson, found.p, found.low, found.high) == (pytest.approx(-1), 0.0, found.pearson, found.pearson)
    assert found.kendall == pytest.approx(-1)


def test_a_run_that_is_there_twice_is_refused():
    first, second = random_runs()
    with pytest.raises(InputError, match="there twice"):
        correlation(pandas.concat([first, first]), second)
    with pytest.raises(InputError, match="3 levels"):
        correlation(pandas.concat({"a": first}), second)


def test_two_correlations_are_compared_by_fishers_z():
    one, other = Correlation(30, 3, pearson=-0.88), Correlation(30, 3, pearson=-0.65)
    z = (math.atanh(0.88) - math.atanh(0.65)) / math.sqrt(2 / 27)
    assert p_different(one, other) == pytest.approx(2 * stats.norm.sf(z)) == p_different(other, one)
    assert p_different(one, one) == 1.0
    assert math.isnan(p_different(one, Correlation(3, 1, pearson=0.5))) and math.isnan(
        p_different(one, Correlation(30, 3))
    )


def test_coefficients_are_asked_for_by_name():
    found = correlation(*random_runs())
    assert found.coefficient("kendall") == (found.kendall, found.kendall_p)
    assert found.coefficient("by seed") == (found.by_seed, found.by_seed_p)


def test_a_parabola_is_fitted_exactly_and_its_p_value_is_that_of_a_nested_model():
    x = runs(range(30))
    term, p = quadratic_term(x, 3 - 2 * (x - 11) ** 2)
    assert term == pytest.approx(-2 * x.var()) and p == pytest.approx(0, abs=1e-12)
    first, second = random_runs()
    second = second + 0.3 * first**2
    residuals = [numpy.polyfit(first, second, degree, full=True)[1][0] for degree in (1, 2)]
    f = (residuals[0] - residuals[1]) / (residuals[1] / 27)
    assert quadratic_term(first, second)[1] == pytest.approx(stats.f.sf(f, 1, 27))


def test_no_parabola_goes_through_two_places_or_three_runs():
    first, second = random_runs()
    for x, y in ((first.round(0).clip(0, 1), second), (first.iloc[:3], second), (first, second * 0)):
        assert all(map(math.isnan, quadratic_term(x, y)))
