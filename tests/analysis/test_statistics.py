"""The paired rule on numbers worked out by hand, and the choice of the optimal level."""

import math

import pandas
import pytest

from lib.analysis.statistics import (
    at_level,
    compare,
    optimal_level,
    optimal_level_per_replicate,
    select,
)
from lib.errors import InputError
from tests.analysis.hand_made import LRR, chain, make


def series(*values: float) -> pandas.Series:
    return pandas.Series(values, index=range(len(values)), dtype="float64")


@pytest.mark.parametrize(
    ("first", "verdict"),
    [
        ((9.0, 9.0, 9.0), "lower"),
        ((11.0, 12.0, 13.0), "higher"),
        ((9.0, 10.0, 11.5), "match"),
        ((10.0, 10.0, 10.0), "match"),
        # differences 0, 0, 3: mean 1, sample std sqrt(3) = 1.73; the population std would be 1.41.
        ((10.0, 10.0, 13.0), "match"),
    ],
)
def test_paired_rule_on_hand_numbers(first, verdict):
    assert compare(series(*first), series(10.0, 10.0, 10.0)).verdict == verdict


def test_the_standard_deviation_is_the_sample_one_of_paired_differences():
    found = compare(series(1.0, 12.0, 23.0), series(0.0, 10.0, 20.0))
    assert (found.mean, found.std, found.n, found.verdict) == (2.0, 1.0, 3, "higher")
    # Differences 0, 1, 2 have mean 1 = std: "at least one standard deviation" is a difference.
    assert compare(series(0.0, 1.0, 2.0), series(0.0, 0.0, 0.0)).verdict == "higher"


def test_fewer_than_three_pairs_are_undecided():
    found = compare(series(1.0, 2.0), series(5.0, 6.0))
    assert (found.n, found.mean, found.verdict) == (2, -4.0, "undecided")
    assert math.isnan(compare(series(1.0), series(2.0)).std)
    # Paired by seed: only seeds 1 and 2 are in both; and a NaN is not a pair.
    assert compare(series(1.0, 2.0, 3.0), series(1.0, 2.0, 3.0).rename({0: 7})).n == 2
    assert compare(series(1.0, 2.0, math.nan), series(0.0, 0.0, 0.0)).n == 2


def test_optimal_level_averages_replicates_and_ties_go_to_lower_sparsity():
    table = make({(LRR, 15): chain([9.0, 7.0, 7.0, 8.0])})
    assert optimal_level(table.frame, LRR, 15) == 1
    errors = table.frame.copy()
    # Means of 0.1, 0.2, 0.3 and of 0.3, 0.2, 0.1 differ in the last bit; the counts are the same.
    for level, values in ((1, (0.1, 0.2, 0.3)), (2, (0.3, 0.2, 0.1))):
        for seed, value in enumerate(values):
            chosen = (
                (errors["level"] == level) & (errors["seed"] == seed) & (errors["subset"] == "validation")
            )
            errors.loc[chosen, "error_percent"] = value
    assert optimal_level(errors, LRR, 15) == 1
    assert optimal_level_per_replicate(errors, LRR, 15).to_dict() == {0: 1, 1: 1, 2: 2}


def test_a_level_that_one_replicate_lacks_cannot_be_optimal():
    frame = make({(LRR, 15): chain([9.0, 8.0, 3.0])}).frame
    diverged = frame.assign(diverged=(frame["seed"] == 1) & (frame["level"] == 2))
    assert optimal_level(diverged, LRR, 15) == 1
    assert optimal_level(diverged.query("not diverged"), LRR, 15) == 1
    with pytest.raises(InputError, match="no level of learning_rate_rewinding at 60 %"):
        optimal_level(frame, LRR, 60)


def test_values_are_aligned_by_seed():
    frame = make({(LRR, 15): chain([9.0, 8.0])}, seeds=(5, 3, 4)).frame
    assert at_level(frame, LRR, 15, 0).round(6).to_dict() == {3: 9.0, 4: 9.1, 5: 8.9}
    own = pandas.Series({3: 0, 4: 1, 5: 7})
    assert at_level(frame, LRR, 15, own, "validation").round(6).fillna(-1).to_dict() == {
        3: 9.0,
        4: 8.0,
        5: -1,
    }
    assert select(frame, LRR, 15, "test").shape == (3, 2)
