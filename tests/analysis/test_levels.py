"""Levels are chosen by one rule each, from what every replicate has, and stand in the table."""

import math

import pytest

from lib.analysis.levels import (
    chosen_level,
    descent_levels,
    equal_levels,
    evenly_spaced,
    level_by_others,
    levels_of_interest,
    with_levels,
)
from lib.analysis.table import SIZE, values
from lib.errors import InputError
from tests.analysis.made import BEST, TEST, VALIDATION, WR, table_of

WHERE = {"algorithm": WR, "noise_percent": 20.0}


def level(name, test=(), best=(), validation=()):
    given = {TEST: test, BEST: best, VALIDATION: validation}
    return chosen_level(
        table_of({quantity: [errors] * 3 for quantity, errors in given.items() if errors}), name, **WHERE
    )


def test_the_optimum_has_the_lowest_validation_error_and_ties_go_to_more_weights():
    assert level("optimum", validation=(5.0, 3.0, 3.0, 4.0)) == 1
    assert level("optimum", validation=(2.0, 3.0)) == 0 and level("best smaller", validation=(2.0, 3.0, 2.5)) == 2
    assert level("optimum", test=(5.0, 3.0)) is None and level("best smaller", validation=(2.0,)) is None


def test_what_nothing_decides_between_is_named():
    of = {VALIDATION: [(5.0, 3.0, 3.0, 4.0)] * 3}
    alike = table_of(of | {SIZE: [(100.0,) * 4] * 3})
    assert equal_levels(alike, "optimum", **WHERE) == [2] == equal_levels(alike, "best smaller", **WHERE)
    smaller = table_of(of | {SIZE: [(100.0, 80.0, 64.0, 51.2)] * 3})
    assert equal_levels(smaller, "optimum", **WHERE) == equal_levels(table_of(of), "optimum", **WHERE) == []
    assert equal_levels(table_of({}), "optimum", **WHERE) == equal_levels(alike, "recovery", **WHERE) == []


def test_the_highest_improving_level_is_the_last_below_dense():
    assert level("highest improving", test=(5.0, 4.0, 6.0, 4.9, 5.0)) == 3
    assert level("highest improving", test=(5.0, 5.0, 6.0)) is None


def test_overfitting_and_recovery_are_the_ends_of_the_largest_fall():
    errors = (15.7, 28.7, 26.0, 21.4, 30.0)
    assert (level("overfitting", test=errors), level("recovery", test=errors)) == (1, 3)
    # A1: a fall that begins with the dense network has no overfitting level
    assert (level("overfitting", test=(15.0, 9.0, 12.0)), level("recovery", test=(15.0, 9.0, 12.0))) == (
        None,
        1,
    )
    assert level("recovery", test=(1.0, 2.0, 3.0)) is None


def test_a_sweet_spot_is_better_than_dense_or_there_is_none():
    above = (15.7, 28.7, 21.4)  # A15: the lowest sparse error lies above the dense network's
    assert (
        level("last sweet spot", test=above, best=above) is None
        and level("underfitting", test=above, best=above) is None
    )
    last, best = (20.0, 25.0, 12.0, 18.0, 22.0, 23.0), (12.0, 11.0, 11.5, 11.9, 11.95, 14.0)
    found = {name: level(name, test=last, best=best) for name in ("best sweet spot", "last sweet spot", "underfitting")}
    assert found == {"best sweet spot": 1, "last sweet spot": 2, "underfitting": 5}
    assert level("last sweet spot", test=last) is None  # where no epochs were recorded there is no best error


def test_a_level_that_a_replicate_misses_or_diverged_at_does_not_compete():
    table = table_of({VALIDATION: [[5.0, 3.0, 1.0], [5.0, 3.0, math.nan], [5.0, 3.0]]})
    assert chosen_level(table, "optimum", **WHERE) == 1
    assert values(table, "optimum (level)", **WHERE)[0].tolist() == [1.0] * 3  # a row for each replicate


def test_levels_are_chosen_again_without_rows_that_are_gone():
    table = table_of({VALIDATION: [[5.0, 3.0, 9.0], [5.0, 6.0, 1.0]]})
    assert chosen_level(table, "optimum", **WHERE) == 1
    assert chosen_level(with_levels(table.where(seed=1)), "optimum", **WHERE) == 2


def test_the_other_replicates_choose_for_each():
    table = table_of({TEST: [[10.0, 8.0, 12.0], [10.0, 11.0, 8.0], [10.0, 11.0, 8.5]]})
    assert level_by_others(table, "highest improving", **WHERE).tolist() == [2.0, 1.0, 1.0]
    assert level_by_others(table_of({TEST: [[10.0, 8.0]]}), "highest improving", **WHERE).isna().all()


def test_levels_that_are_measured_in_detail():
    assert [evenly_spaced(last) for last in (0, 3, 21)] == [[], [1, 2, 3], [1, 6, 11, 16, 21]]
    errors = [10.0] * 22
    table = table_of({TEST: [[*errors[:13], 9.0, *errors[14:]]], VALIDATION: [[*errors[:2], 1.0, *errors[3:]]]})
    assert levels_of_interest(table, **WHERE) == [0, 1, 2, 6, 11, 13, 16, 21]
    assert levels_of_interest(table, algorithm="no such", noise_percent=20.0) == [0]
    curve = table_of({TEST: [[20.0, 25.0, 12.0]], BEST: [[12.0, 11.0, 11.5]]})
    assert descent_levels(curve, **WHERE) == [0, 1, 2] and descent_levels(
        curve, algorithm="none", noise_percent=0.0
    ) == [0]


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="optimum"):
        level_by_others(table_of({}), "optimal", **WHERE)
