"""Telling levels: chosen from means by the definition of LN section 3.2."""

import pandas
import pytest

from lib.analysis.telling_levels import NAMES, telling_levels


def errors(*rows):
    return pandas.DataFrame(rows, index=range(len(rows)))


def test_the_five_levels_of_a_double_descent():
    last = errors([12, 13, 18, 11, 6, 7, 20], [12, 13, 20, 9, 6, 9, 22])
    best = errors([5, 5, 6, 4, 5, 6, 20], [5, 5, 6, 4, 5, 6, 22])
    found = telling_levels(last, best)
    assert tuple(found) == NAMES
    assert list(found.values()) == [0, 2, 3, 4, 6]


def test_underfitting_is_the_sparsest_level_where_no_other_is_worse_than_dense():
    assert telling_levels(errors([12, 13, 6, 8]), errors([5, 6, 4, 5]))["underfitting"] == 3


def test_a_recovery_that_stays_above_the_dense_network_is_found():
    """The lowest sparse error is that of level 1, but the second descent goes from level 3 to level 5."""
    found = telling_levels(errors([14, 15, 17, 26, 18, 16, 19]), errors([5, 5, 6, 4, 5, 6, 20]))
    assert (found["overfitting"], found["last sweet spot"]) == (3, 5)


def test_where_nothing_falls_there_is_no_overfitting():
    found = telling_levels(errors([5, 6, 7, 9]), errors([5, 6, 7, 9]))
    assert found == {"dense": 0, "best sweet spot": 1, "last sweet spot": 1, "underfitting": 2}


@pytest.mark.parametrize(
    ("last", "missing"), [([12, 6, 8, 20], "overfitting"), ([12, 13, 14, 6], "underfitting")]
)
def test_a_level_that_does_not_exist_is_left_out(last, missing):
    assert missing not in telling_levels(errors(last), errors(last))


def test_levels_that_a_replicate_lacks_do_not_count():
    last = errors([12, 13, 6, 5], [12, 13, 6, None])
    assert telling_levels(last, last)["last sweet spot"] == 2
    assert telling_levels(errors([12]), errors([12])) == {"dense": 0}
