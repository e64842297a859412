"""Prune potential of curves made by hand."""

import math
from dataclasses import replace

import numpy
import pytest

from lib.analysis.distributions import CLEAN, REMOVED, corrupted
from lib.analysis.part import make_frame
from lib.analysis.prune_potential import Curves, curves, over_sets, potential_rows, prune_potential
from lib.analysis.table import assemble
from lib.errors import InputError

FOG = corrupted("fog")
PRS = [0.0, 20.0, 40.0, 60.0]


def of(*errors):
    """Curves of parents on one set."""
    shape = len(errors), len(PRS)
    removed = numpy.broadcast_to(numpy.array(PRS), shape)
    return Curves(("clean",), tuple(range(len(errors))), tuple(range(4)), removed, numpy.array(errors)[None])


def table(numbers, algorithm="WT"):
    """A table of {set: parents × levels}."""
    rows = []
    for place, errors in [*numbers.items(), (None, [PRS] * len(next(iter(numbers.values()))))]:
        quantity, position = (place.quantity, place.position) if place else (REMOVED, 0.0)
        for seed, levels in enumerate(errors):
            for level, value in enumerate(levels):
                rows.append({
                    "noise_percent": 0.0, "algorithm": algorithm, "seed": seed, "level": level, "quantity": quantity,
                    "position": position, "value": float(value), "stage_key": f"{seed} {level}",
                })  # fmt: skip
    return assemble("toy", "digits", "laptop", ("noise_percent",), [make_frame(rows, ["noise_percent"], "part")], {})


def test_the_potential_is_the_largest_ratio_within_the_margin():
    assert prune_potential(of([8.0, 8.1, 8.5, 8.6])).item() == 40, "an error of exactly δ more counts"
    assert prune_potential(of([8.0, 8.1, 8.5, 8.6]), 0.6).item() == 60
    assert prune_potential(of([8.0, 9.0, 9.0, 9.0])).item() == 0


def test_a_later_recovery_counts_unless_the_first_crossing_is_asked_for():
    recovers = of([8.0, 8.0, 9.0, 7.0])
    assert prune_potential(recovers).item() == 60
    assert prune_potential(recovers, first_crossing=True).item() == 20


def test_rounding_does_not_decide():
    assert prune_potential(of([8.1, 8.1 + 0.5, 20.0, 20.0])).item() == 20
    assert prune_potential(of([0.1 + 0.2, 0.8, 20.0, 20.0])).item() == 20


def test_a_negative_margin_asks_for_better_networks():
    assert prune_potential(of([8.0, 7.9, 7.4, 7.6]), -0.5).item() == 40
    assert prune_potential(of([8.0, 7.9, 7.8, 7.7]), -0.5).item() == 0


def test_networks_that_diverged_never_count_and_parents_without_an_error_have_no_potential():
    assert prune_potential(of([8.0, 8.0, math.nan, math.nan])).item() == 20
    assert math.isnan(prune_potential(of([math.nan, 8.0, 8.0, 8.0])).item())


def test_many_margins_at_once_are_those_one_by_one():
    found = of([8.0, 8.1, 8.5, 8.6], [8.0, 9.0, 7.0, 13.0])
    deltas = [0.0, 0.25, 0.5, 1.0, 5.0]
    together = prune_potential(found, deltas)
    assert together.shape == (5, 1, 2)
    for delta, own in zip(deltas, together, strict=True):
        assert numpy.array_equal(own, prune_potential(found, delta))
    assert (numpy.diff(together, axis=0) >= 0).all(), "it never falls as the margin grows"


def test_average_and_minimum_are_taken_for_each_parent():
    found = over_sets(numpy.array([[20.0, 60.0], [40.0, 0.0]]))
    assert found["average"].tolist() == [30, 30] and found["minimum"].tolist() == [20, 0]


def test_errors_are_compared_on_the_same_data():
    there = table({CLEAN: [[8, 8, 8, 9], [8, 9, 9, 9]], FOG: [[30, 31, 31, 31], [30, 30, 30.5, 31]]})
    found = curves(there, [CLEAN, FOG], algorithm="WT")
    assert prune_potential(found).tolist() == [[40, 0], [0, 40]]
    assert found.sets == ("clean", "fog") and found.seeds == (0, 1) and found.levels == (0, 1, 2, 3)


def test_rows_to_draw_have_one_potential_each():
    there = table({CLEAN: [[8, 8, 8, 9]], FOG: [[30, 30.9, 31, 31]]})
    rows = potential_rows(there, [CLEAN, FOG], ["WT"], [0.5, 1.0])
    found = dict(zip(zip(rows["set"], rows["delta"], strict=True), rows["value"], strict=True))
    assert found == {("clean", 0.5): 40, ("clean", 1.0): 60, ("fog", 0.5): 0, ("fog", 1.0): 60}


def test_a_table_without_the_set_or_its_parent_says_so():
    there = table({CLEAN: [[8, 8, 8, 9]]})
    with pytest.raises(InputError, match="fog"):
        curves(there, [FOG], algorithm="WT")
    pruned = replace(there, frame=there.frame.loc[there.frame["level"] > 0])
    with pytest.raises(InputError, match="parent"):
        curves(pruned, [CLEAN], algorithm="WT")
