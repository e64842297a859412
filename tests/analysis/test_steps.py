"""What a step did: on weights and masks small enough to count by hand, and on a chain that really ran."""

# What is shown has no type of its own here.
# pyright: reportArgumentType=false

import dataclasses
import math
from typing import Any

import pandas
import pytest
import torch

from lib.analysis.measure import How, measure
from lib.analysis.steps import (
    KEPT,
    LEFT,
    REMOVED,
    STEPS,
    TRAINED,
    best_step,
    chain_table,
    histogram,
    kept_steps,
    magnitude_threshold,
    pixel_counts,
    steps,
    steps_table,
)
from lib.analysis.table import values
from lib.errors import InputError
from lib.models import build
from lib.stages import Prune, Store, run
from lib.stages.algorithms import learning_rate_rewinding, weight_rewinding
from lib.training import Replicate
from tests.analysis.made import table_of


def flags(*values):
    return torch.tensor(values, dtype=torch.bool)


def counts(found, part):
    return found.loc[found["part"] == part, "value"].tolist()


def test_weights_are_counted_before_the_cut_and_after_training():
    before = torch.tensor([-1.0, -0.4, 0.0, 0.1, 0.5, 0.9, 7.0])
    had = flags(True, True, True, True, True, True, False)  # the last was removed earlier and counts nowhere
    has = flags(True, False, False, False, True, True, False)
    after = torch.tensor([-0.8, 0.0, 0.0, 0.0, 0.2, 1.0, 0.0])
    found: Any = histogram("layer", before, had, has, after, bins=4)
    assert found["start"].min() == -1.0 and found["end"].max() == 1.0
    assert counts(found, KEPT) == [1, 0, 0, 2], "-1 | | | 0.5, 0.9: a bin begins with its lower end"
    assert counts(found, REMOVED) == [0, 1, 2, 0]
    assert counts(found, TRAINED) == [1, 0, 1, 1]


def test_the_outermost_bins_take_what_lies_beyond():
    weights = torch.cat([torch.linspace(-1, 1, 1001), torch.tensor([50.0])])
    every = torch.ones(1002, dtype=torch.bool)
    found: Any = histogram("layer", weights, every, every, weights, bins=5)
    assert found["end"].max() <= 1.0
    assert sum(counts(found, KEPT)) == sum(counts(found, TRAINED)) == 1002 and not any(counts(found, REMOVED))


def test_an_empty_layer_has_an_empty_histogram():
    weights = torch.zeros(3)
    gone = flags(False, False, False)
    found: Any = histogram("layer", weights, gone, gone, weights)
    assert not found["value"].any() and found["end"].max() > 0


def test_impossible_masks_and_weights_are_refused():
    weights = torch.ones(2)
    with pytest.raises(InputError, match="swapped"):
        histogram("layer", weights, flags(True, False), flags(True, True), weights)
    with pytest.raises(InputError, match="diverged"):
        histogram("layer", weights * math.nan, flags(True, True), flags(True, True), weights)


def test_the_threshold_is_the_largest_magnitude_removed_if_the_smallest_went():
    before = {"a": torch.tensor([-0.1, 0.5, -0.3]), "b": torch.tensor([0.2, 0.9])}
    all_of = {"a": flags(True, True, True), "b": flags(True, True)}
    smallest = {"a": flags(False, True, True), "b": flags(False, True)}
    assert magnitude_threshold(before, all_of, smallest) == pytest.approx(0.2)
    assert magnitude_threshold(before, all_of, all_of) is None
    another = {"a": flags(True, False, True), "b": flags(True, True)}
    assert magnitude_threshold(before, all_of, another) is None
    every = {"a": flags(False, False, False), "b": flags(False, False)}
    assert magnitude_threshold(before, all_of, every) == pytest.approx(0.9)


def test_the_weights_of_a_pixel_are_counted_over_neurons_and_channels():
    mask = torch.zeros(3, 6, dtype=torch.bool)  # three neurons read images of 2 × 3 pixels
    mask[:, 0], mask[1, 5] = True, True
    assert pixel_counts(mask, 2, 3).tolist() == [[3, 0, 0], [0, 0, 1]]
    assert pixel_counts(mask, 1, 3).tolist() == [[3, 0, 1]], "two channels of 1 × 3"
    with pytest.raises(InputError, match="channels · height · width"):
        pixel_counts(mask, 2, 2)
    with pytest.raises(InputError, match="LeNet"):
        pixel_counts(torch.ones(8, 3, 3, 3, dtype=torch.bool), 3, 3)


def test_the_steps_of_a_chain_fit_together(recipe, shared_store):
    chain = learning_rate_rewinding(recipe, 2, Prune(fraction=0.5))
    (row,) = run(chain, [Replicate(seed=0)], shared_store, "cpu", progress=False).entries
    done = steps(chain, row, build("lenet-300-100"))
    assert [step.level for step in done] == [0, 1, 2]
    assert [step.remaining for step in done] == [265_200, 132_600, 66_300]
    assert [step.remaining_before for step in done] == [265_200, 265_200, 132_600]
    assert done[0].threshold is None and done[0].cut is None and done[0].epochs == (1, 3)
    first, second = done[1].threshold, done[2].threshold
    assert first is not None and second is not None and 0 < first < second
    for step in done:
        removed = step.remaining_before - step.remaining
        assert [sum(counts(step.weights, part)) for part in (KEPT, TRAINED, REMOVED)] == [step.remaining] * 2 + [
            removed
        ]
        first = step.weights[step.weights["layer"] == step.weights["layer"].iloc[0]]
        assert step.pixels is not None and step.pixels.shape == (28, 28)
        assert int(step.pixels.sum()) == sum(counts(first, KEPT))
    best = best_step(done)
    assert best is not None
    assert best.error_percent["validation"] == min(step.error_percent["validation"] for step in done)
    table: Any = steps_table(done)
    assert list(table["remaining"]) == ["265,200", "132,600", "66,300"]
    assert list(table["in %"]) == list(table["(1 − q)^k in %"]) == ["100.000", "50.000", "25.000"]
    assert list(table["threshold"])[0] == "–"


def test_steps_are_kept_beside_a_table_and_come_back(page, paper, tmp_path):
    whole = paper(dataclasses.replace(page, measurements=(STEPS,)), seeds=(0,), noise_percents=(20.0,))
    table = measure(whole, "digits", "laptop", How(str(tmp_path / "store"), "cpu", root=tmp_path))
    store = Store(tmp_path / "store")
    [chain, *_], [replicate] = whole.chains(whole.plans("", "")), whole.plans("", "").replicates()
    looked_at = steps(chain, run(chain, [replicate], store, "cpu", progress=False).entries[0], build("lenet-300-100"))
    kept = kept_steps("page", [table_of({}), table], tmp_path)
    assert kept is not None and kept[1] is table
    for one, other in zip(kept[0], looked_at, strict=True):
        assert steps_table([one]).equals(steps_table([other])) and one.cut == other.cut and one.epochs == other.epochs
        assert one.pixels is not None and other.pixels is not None and one.pixels.equal(other.pixels)
        pandas.testing.assert_frame_equal(one.weights, other.weights.reset_index(drop=True)[one.weights.columns])
    left = values(table, LEFT, algorithm=chain.algorithm, noise_percent=20.0)
    assert left.loc[0].tolist() == [step.remaining for step in looked_at]
    assert kept_steps("page", [table.where(level=0)], tmp_path) is None, "half a chain is not shown"
    assert kept_steps("another", [table], tmp_path) is None


def test_another_score_has_no_threshold(recipe, shared_store):
    chain = learning_rate_rewinding(recipe, 1, Prune(score="random", fraction=0.5))
    (row,) = run(chain, [Replicate(seed=0)], shared_store, "cpu", progress=False).entries
    last = steps(chain, row, build("lenet-300-100"))[-1]
    assert last.cut is not None and (last.cut.score, last.threshold) == ("random", None)


def test_a_convolution_has_no_map_of_pixels(objects_recipe, shared_store):
    chain = learning_rate_rewinding(objects_recipe, 0, Prune())
    (row,) = run(chain, [Replicate(seed=0)], shared_store, "cpu", progress=False).entries
    (dense,) = steps(chain, row, build("cifar-resnet20", 10, 4))
    assert dense.pixels is None and len(set(dense.weights["layer"])) > 20


def test_a_chain_is_told_in_words(recipe):
    table = chain_table(weight_rewinding(recipe, 1, Prune(fraction=0.2)))
    assert list(table["level"]) == ["–", "0", "1"]
    assert list(table["start"]) == [
        "new weights",
        "weights of the stage before",
        "weights of the first stage",
    ]
    assert list(table["prune"]) == ["nothing", "nothing", "20 % by magnitude, global scope"]
    assert list(table["train"]) == ["epochs 0 to 1", "epochs 1 to 3", "epochs 1 to 3"]
    long = chain_table(weight_rewinding(recipe, 21, Prune()))
    assert len(long) == 7 and list(long["level"])[-2:] == ["…", "21"]
