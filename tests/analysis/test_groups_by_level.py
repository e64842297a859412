"""Which levels are looked at closely, and how losses of groups change there, on hand-made tables."""

import dataclasses
import math

import pandas
import pytest

from lib.analysis.example_groups import GROUP_LOSS
from lib.analysis.group_changes import (
    effect_ratio,
    group_values,
    loss_changes,
    measured_levels,
    top_and_bottom,
)
from lib.analysis.levels import evenly_spaced, highest_improving_level, levels_of_interest
from lib.analysis.schema import QUANTITIES, tidy
from lib.stages.experiment_plan import Plan
from papers.training_regularization.better_training import PAGE
from tests.analysis.hand_made import LRR, chain, make


def with_losses(losses, seeds=(0, 1, 2)):
    """A table whose groups have the given losses by level; replicate i lies 0.1 · i · level above."""
    table = make({(LRR, 0): chain([2.0] * len(losses))}, seeds=seeds)
    rows = [
        {
            "algorithm": LRR,
            "noise_percent": 0.0,
            "seed": seed,
            "level": level,
            "quantity": GROUP_LOSS,
            "position": float(group),
            "value": loss + 0.1 * seed * level,
            "stage_key": "ab",
        }
        for seed in seeds
        for level, values in enumerate(losses)
        for group, loss in enumerate(values, 1)
    ]
    return dataclasses.replace(table, quantities=tidy(rows, QUANTITIES))


def test_the_paper_s_five_levels_of_21():
    assert evenly_spaced(21) == [1, 6, 11, 16, 21], (
        "80, 26.21, 8.59, 2.81 and 0.92 % of the weights (TR App. L)"
    )
    assert evenly_spaced(3) == [1, 2, 3] and evenly_spaced(0) == []
    assert evenly_spaced(6) == [1, 2, 4, 5, 6]
    assert evenly_spaced(9, 1) == list(range(1, 10))


def test_the_highest_improving_level_is_the_last_below_dense():
    def highest(errors):
        return highest_improving_level(make({(LRR, 0): chain(errors)}).frame, LRR, 0)

    assert highest([2.0, 2.5, 1.9, 2.1]) == 2
    assert highest([2.0, 1.5, 2.0, 1.9]) == 3
    assert highest([2.0, 2.0, 2.5]) is None, "a tie is no improvement"
    frame = make({(LRR, 0): chain([2.0, 1.5, 1.0])}).frame
    assert highest_improving_level(frame.query("not (seed == 1 and level == 2)"), LRR, 0) == 1
    assert highest_improving_level(frame.query("level > 0"), LRR, 0) is None


def test_levels_of_interest_are_few_and_hold_the_two_of_the_paper():
    errors = [2.0, 1.9, 1.9, 1.5, *[1.9] * 5, 1.8, *[2.5] * 12]
    frame = make({(LRR, 0): chain(errors)}, remaining=[80 * 0.8**k for k in range(22)]).frame
    assert levels_of_interest(frame, LRR, 0) == [0, 1, 3, 6, 9, 11, 16, 21]
    assert levels_of_interest(frame.query("level < 3"), LRR, 0) == [0, 1, 2]
    torn = frame.query("level % 3 == seed")  # no level has every replicate
    assert levels_of_interest(torn, LRR, 0) == [0, 1, 6, 11, 16, 21]


def test_changes_are_paired_by_replicate():
    table = with_losses([[1.0, 2.0], [0.5, 3.0], [0.0, 4.0]])
    assert measured_levels(table, LRR, 0.0) == [0, 1, 2]
    assert measured_levels(table, LRR, 15.0) == []
    changes = loss_changes(table, LRR, 0.0, 2)
    assert list(changes.index) == [0, 1, 2] and list(changes.columns) == [1, 2]
    assert changes[1].tolist() == pytest.approx([-1.0, -0.8, -0.6])
    assert changes[2].tolist() == pytest.approx([2.0, 2.2, 2.4])
    assert group_values(table, LRR, 0.0, 7).empty
    gone = dataclasses.replace(table, quantities=table.quantities.query("not (seed == 1 and level == 0)"))
    assert list(loss_changes(gone, LRR, 0.0, 1).index) == [0, 2]


def test_the_effect_ratio_is_of_magnitudes():
    changes = pandas.Series([0.1, -0.1, 0.1, -0.1, -0.6], index=range(1, 6))
    assert [len(part) for part in top_and_bottom(changes)] == [1, 4]
    assert effect_ratio(changes) == pytest.approx(6)
    assert [len(part) for part in top_and_bottom(pandas.Series(range(20)))] == [4, 16]
    assert math.isnan(effect_ratio(pandas.Series([0.0, 0.0, 0.0, 0.0, 1.0])))


def test_the_page_measures_three_algorithms():
    chains = PAGE.chains(PAGE.plans("mnist-lenet", "smoke"))
    assert [chain.algorithm for chain in chains] == [
        LRR, "extended_dense_training", *["width_downscaling"] * 3,
    ]  # fmt: skip
    assert isinstance(PAGE.plans("mnist-lenet", "paper"), Plan)
