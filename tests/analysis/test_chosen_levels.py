"""The best smaller network of a chain, and the overlap of two algorithms, on small cases."""

import pytest
import torch

from lib.analysis.chosen_levels import best_smaller_levels, levels_to_measure, results_frame
from lib.analysis.overlap import OVERLAP, jaccard, most_changed, overlap_rows
from lib.stages import Prune, run
from lib.stages.algorithms import longer_width_downscaling, one_shot
from lib.training import Replicate
from tests.analysis.hand_made import chain, make


def test_the_best_smaller_network_is_the_optimum_unless_that_is_dense():
    made = make({("one_shot", 0): chain([9.0, 7.0, 8.0]), ("one_shot", 15): chain([6.0, 8.0, 7.0])})
    assert best_smaller_levels(made.frame) == {("one_shot", 0): 1, ("one_shot", 15): 2}
    only_dense = make({("one_shot", 0): chain([9.0])})
    assert best_smaller_levels(only_dense.frame) == {}
    part = made.frame.query("not (seed == 1 and level > 0)")
    assert best_smaller_levels(part) == {}, "no smaller network has every replicate"


def test_levels_to_measure_are_spread_and_have_the_best_smaller_network():
    errors = [9.0] * 22
    errors[0], errors[8] = 5.0, 6.0
    made = make({("one_shot", 0): chain(errors)}, remaining=[100 * 0.8**k for k in range(22)])
    assert levels_to_measure(made.frame)["one_shot", 0] == {0, 1, 6, 8, 11, 16, 21}, "TR App. L, and the best"
    assert levels_to_measure(make({("one_shot", 0): chain([5.0])}).frame)["one_shot", 0] == {0}


def test_overlap_of_two_families(recipe, store):
    replicates = [Replicate(seed=seed, noise_percent=20.0) for seed in (0, 1)]
    families = (
        *one_shot(recipe, 2, Prune(fraction=0.8)),
        *longer_width_downscaling(recipe, 2, 0.4),
    )
    results = [run(one, replicates, store, "cpu", progress=False) for one in families]
    best = best_smaller_levels(results_frame(results))
    rows = list(overlap_rows(results, "one_shot", "longer_width_downscaling"))
    assert [row["seed"] for row in rows] == [0, 1] and {row["quantity"] for row in rows} == {OVERLAP}
    level = best["one_shot", 20.0]
    other = best["longer_width_downscaling", 20.0]
    assert {row["level"] for row in rows} == {level} and level > 0 and other > 0

    def losses(position, replicate):
        return results[position].entries[replicate][-1].tensors("examples")["train_losses"]

    dense = results[2].entries[0][-1].tensors("examples")["train_losses"]
    expected = jaccard(most_changed(dense, losses(level - 1, 0)), most_changed(dense, losses(2 + other, 0)))
    assert rows[0]["value"] == pytest.approx(expected, abs=1e-5)
    assert torch.equal(dense, results[0].entries[0][1].tensors("examples")["train_losses"])
    assert not list(overlap_rows(results[:2], "one_shot", "longer_width_downscaling"))
