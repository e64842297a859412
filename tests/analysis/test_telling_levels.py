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


@pytest.mark.parametrize(
    ("last", "missing"), [([12, 6, 8, 20], "overfitting"), ([12, 13, 14, 6], "underfitting")]
)
def test_a_level_that_does_not_exist_is_left_out(last, missing):
    assert missing not in telling_levels(errors(last), errors(last))


def test_levels_that_a_replicate_lacks_do_not_count():
    last = errors([12, 13, 6, 5], [12, 13, 6, None])
    assert telling_levels(last, last)["last sweet spot"] == 2
    assert telling_levels(errors([12]), errors([12])) == {"dense": 0}
