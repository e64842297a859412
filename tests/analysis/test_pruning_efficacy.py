"""Pruning efficacy and interpolation threshold: read from mean training errors."""

from lib.analysis.pruning_efficacy import (
    TOLERANCE_PERCENT,
    efficacy_level,
    interpolation_level,
    mean_by_level,
)
from tests.analysis.hand_made import make

WR = "weight_rewinding"


def trained(*errors, noise=20):
    """A chain with these training errors in percent by level, alike in all replicates."""
    levels = [{"test": 5.0, "train": error} for error in errors]
    return make({(WR, noise): levels}, remaining=[100 * 0.5**i for i in range(len(errors))]).frame


def test_efficacy_is_the_sparsest_level_within_the_tolerance_of_dense():
    frame = trained(3.0, 2.0, 3.0 + TOLERANCE_PERCENT, 4.1, 30.0)
    assert efficacy_level(frame, WR, 20) == 2
    assert interpolation_level(frame, WR, 20) is None, "no level fits all labels, the dense one neither"


def test_the_threshold_does_not_ask_for_the_dense_network():
    frame = trained(0.0, 0.5, TOLERANCE_PERCENT, 1.01)
    assert interpolation_level(frame, WR, 20) == efficacy_level(frame, WR, 20) == 2
    frame = trained(0.9, 0.2, 1.5, 2.5)
    assert (interpolation_level(frame, WR, 20), efficacy_level(frame, WR, 20)) == (1, 2)


def test_levels_that_a_replicate_lacks_do_not_count():
    frame = trained(0.0, 0.1, 0.2)
    cut = frame.loc[~((frame["level"] == 2) & (frame["seed"] == 1))]
    assert mean_by_level(cut, WR, 20, "train") == {0: 0.0, 1: 0.1}
    assert efficacy_level(cut, WR, 20) == 1
    lost = frame.loc[~((frame["level"] == 0) & (frame["seed"] == 1))]
    assert efficacy_level(lost, WR, 20) is None
    assert mean_by_level(frame, WR, 40, "train") == {} and interpolation_level(frame, WR, 40) is None
