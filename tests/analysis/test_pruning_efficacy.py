"""Pruning efficacy and interpolation threshold: read from mean training errors."""

from lib.analysis.pruning_efficacy import TOLERANCE, efficacy_level, interpolation_level
from tests.analysis.made import WR, table_of

CASE = {"algorithm": WR, "noise_percent": 20.0}


def trained(*errors, gone=None):
    """Make a table of training errors in percent by level, alike in three replicates; the second may lack a level."""
    table = table_of({"training error (%)": [list(errors)] * 3})
    lost = (table.frame["seed"] == 1) & (table.frame["level"] == gone)
    return table.with_frame(table.frame.loc[~lost])


def test_efficacy_is_the_sparsest_level_within_the_tolerance_of_dense():
    table = trained(3.0, 2.0, 3.0 + TOLERANCE, 4.1, 30.0)
    assert efficacy_level(table, **CASE) == 2
    assert interpolation_level(table, **CASE) is None, "no level fits all labels, the dense one neither"


def test_the_threshold_does_not_ask_for_the_dense_network():
    table = trained(0.0, 0.5, TOLERANCE, 1.01)
    assert interpolation_level(table, **CASE) == efficacy_level(table, **CASE) == 2
    table = trained(0.9, 0.2, 1.5, 2.5)
    assert (interpolation_level(table, **CASE), efficacy_level(table, **CASE)) == (1, 2)


def test_levels_that_a_replicate_misses_do_not_count():
    assert efficacy_level(trained(0.0, 0.1, 0.2, gone=2), **CASE) == 1
    assert efficacy_level(trained(0.0, 0.1, 0.2, gone=0), **CASE) is None
    assert interpolation_level(trained(0.0), algorithm=WR, noise_percent=40.0) is None
