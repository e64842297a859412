"""Excess error and its slope, by hand and against SciPy."""

import math

import numpy
import pandas
import pytest
from scipy import optimize

from lib import data
from lib.analysis.distributions import CLEAN, NEW_TEST, corrupted
from lib.analysis.excess_error import SPLITS, excess_points, nominal_split, robust_split, slope
from lib.errors import InputError
from tests.analysis.test_prune_potential import PRS, table

FOG, SNOW = corrupted("fog"), corrupted("snow")


def points(x, y, seeds):
    return pandas.DataFrame({"removed": x, "value": y, "seed": seeds})


def test_the_identity_has_none():
    """Copies of the parent lose as much as it does, on any data."""
    there = table({CLEAN: [[8] * 4, [9] * 4], FOG: [[30] * 4, [25] * 4]})
    found = excess_points(there, [CLEAN], [FOG], ["WT"])
    assert len(found) == 6 and found["value"].tolist() == [0] * 6
    fitted = slope(found)
    assert fitted.value == 0 and fitted.over_points == fitted.over_parents == (0, 0)
    assert fitted.points == 6 and fitted.parents == 2


def test_it_is_what_the_test_sets_cost_beyond_the_train_sets():
    there = table({CLEAN: [[8, 9, 9, 9]], FOG: [[30, 33, 35, 37]], SNOW: [[20, 20, 24, 32]]})
    found = excess_points(there, [CLEAN], [FOG, SNOW], ["WT"])
    assert found["removed"].tolist() == PRS[1:]
    assert found["value"].tolist() == pytest.approx([0.5, 3.5, 8.5])
    seen = excess_points(there, [CLEAN, SNOW], [FOG], ["WT"])["value"]
    assert seen.tolist() == pytest.approx([2.5, 2.5, 0.5]), "a robust network knows some corruptions"


def test_networks_that_diverged_are_left_out():
    there = table({CLEAN: [[8, 9, 9, math.nan]], FOG: [[30, 33, 35, math.nan]]})
    assert excess_points(there, [CLEAN], [FOG], ["WT"])["level"].tolist() == [1, 2]


def test_the_line_goes_through_the_origin():
    assert slope(points([10.0, 20.0, 40.0], [1.0, 2.0, 4.0], [0, 1, 2])).value == pytest.approx(0.1)
    draw = numpy.random.default_rng(1)
    x, y = draw.uniform(0, 98, 40), draw.normal(1, 2, 40)
    fitted = slope(points(x, y, numpy.arange(40) % 3))
    (least,), _ = optimize.curve_fit(lambda x, b: b * x, x, y)
    assert fitted.value == pytest.approx(least, rel=1e-5)


def test_points_of_one_parent_are_not_independent():
    """Parents have slopes of their own, without any scatter around them."""
    x = numpy.tile(numpy.linspace(5, 95, 20), 3)
    own = numpy.repeat([0.00, 0.02, 0.04], 20)
    fitted = slope(points(x, own * x, numpy.repeat([0, 1, 2], 20)))
    assert fitted.value == pytest.approx(0.02)
    low, high = fitted.over_parents
    assert low < 0.001 and high > 0.039, "three parents drawn anew are all the lowest in one of 27 samples"
    narrow_low, narrow_high = fitted.over_points
    assert low < narrow_low < 0.02 < narrow_high < high
    assert fitted == slope(points(x, own * x, numpy.repeat([0, 1, 2], 20))), "the same every time"


def test_one_parent_has_no_interval_over_parents():
    fitted = slope(points([10.0, 20.0], [1.0, 3.0], [0, 0]))
    assert math.isnan(fitted.over_parents[0]) and fitted.over_points[0] == pytest.approx(0.1)
    assert math.isnan(slope(points([], [], [])).value)


def test_splits_are_those_of_table_11_and_of_the_code():
    text, code = SPLITS["text"], SPLITS["code"]
    assert (len(text.train), len(text.test), len(code.train), len(code.test)) == (8, 7, 9, 10)
    assert {*text.train, *text.test} == set(data.BENCHMARK_CORRUPTIONS)
    assert {*code.train, *code.test} == set(data.CORRUPTIONS) and not set(code.train) & set(code.test)
    assert [len(sets) for sets in nominal_split()] == [1, 19] and nominal_split(new_test=True)[1][-1] == NEW_TEST
    assert len(nominal_split(extra=False)[1]) == 15
    assert [len(sets) for sets in robust_split("code", new_test=True)] == [10, 11]
    with pytest.raises(InputError, match="text"):
        robust_split("paper")
