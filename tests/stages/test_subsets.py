"""Subsets: which examples a rule chooses, how they are passed over, and chains that train on them."""

import pytest
import torch

from lib.analysis.experiments import errors_of
from lib.analysis.table import EPOCHS, SIZE
from lib.errors import InputError
from lib.stages import Chain, Prune, Stage, run
from lib.stages.algorithms import (
    correct_examples_only,
    with_random_examples,
    with_worsened_examples,
    without_improved_examples,
    without_random_examples,
)
from lib.stages.entry import unpack
from lib.stages.stage import Subset
from lib.stages.subsets import choose
from lib.training import Replicate, loop
from lib.training.sources import data_order

BEFORE = torch.tensor([3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
AFTER = torch.tensor([0.0, 1.0, 0.5, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
CORRECT = torch.tensor([True] * 4 + [False] * 6)


def chosen(rule, correct=CORRECT, **settings):
    subset = Subset(rule=rule, judge=2, **settings)
    return choose(subset, BEFORE, AFTER, correct, torch.Generator().manual_seed(0)).tolist()


def test_each_rule_chooses_what_it_says():
    assert chosen("correct", equal_steps=True) == [0, 1, 2, 3]
    assert chosen("without_improved", share=0.2) == [1, 3, 4, 5, 6, 7, 8, 9]  # losses fell at 0 and at 2
    assert len(chosen("without_random", share=0.2)) == 8
    assert 3 in chosen("with_worsened", share=0.4, added=0.1)  # its loss rose


def test_worsened_and_random_differ_in_the_added_examples_only():
    for seed in range(20):
        pair = [
            choose(
                Subset(rule=rule, judge=2, share=0.4, added=0.1), BEFORE, AFTER, CORRECT,
                torch.Generator().manual_seed(seed),
            )
            for rule in ("with_worsened", "with_random")
        ]  # fmt: skip
        worsened, randomly = (set(one.tolist()) for one in pair)
        assert len(worsened) == len(randomly) == 4
        assert 3 in worsened and len(worsened & randomly) >= 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: chosen("correct", torch.zeros(10, dtype=torch.bool), equal_steps=True), "none of 10"),
        (lambda: Subset(rule="correct", judge=1), "equal_steps"),
        (lambda: Subset(rule="with_random", judge=1, share=0.01, added=0.02), "less than share"),
        (lambda: Subset(rule="corect", judge=1), "'correct'"),  # pyright: ignore
    ],
)
def test_impossible_subsets_are_refused(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_a_judge_must_come_before_its_stage(recipe):
    late = Stage(start="fresh", from_epoch=0, to_epoch=1, examples=Subset(rule="without_random", judge=3))
    dense = Stage(start="fresh", from_epoch=0, to_epoch=1)
    with pytest.raises(InputError, match="chosen by stages before it"):
        Chain(algorithm="x", recipe=recipe, stages=(dense, dense, late))


def test_epochs_pass_over_a_subset_again_and_again():
    """Seven examples in epochs of ten: every pass is whole, whatever epoch it falls into."""
    subset, replicate = torch.tensor([2, 3, 5, 7, 11, 13, 17]), Replicate(seed=0)
    sequence = torch.cat([data_order([replicate], 0, e, 10, [subset])[0] for e in range(7)])
    passes = sequence.view(10, 7)
    assert all(sorted(one.tolist()) == subset.tolist() for one in passes)
    assert len({tuple(one.tolist()) for one in passes}) > 1


def test_a_whole_subset_is_an_ordinary_epoch():
    replicate = Replicate(seed=3)
    assert torch.equal(data_order([replicate], 1, 4, 50, [torch.arange(50)]), data_order([replicate], 1, 4, 50))


def test_dense_networks_on_chosen_examples(recipe, replicates, store):
    prune = Prune(fraction=0.9)
    families = {
        "correct": correct_examples_only(recipe, 1, prune),
        "improved": without_improved_examples(recipe, 1, prune),
        "random": without_random_examples(recipe, 1, prune),
        "tenth": without_improved_examples(recipe, 1, prune, share=0.1),
        "worsened": with_worsened_examples(recipe, 1, prune),
        "with random": with_random_examples(recipe, 1, prune),
    }
    done = {
        name: [run(chain, replicates, store, "cpu", progress=False) for chain in family]
        for name, family in families.items()
    }
    for results in done.values():
        rows = [row for one in results for row in errors_of(one)]
        sizes, epochs = ([row for row in rows if row["quantity"] == name] for name in (SIZE, EPOCHS))
        assert [row["level"] for row in sizes[:2]] == [0, 1] or len(results) == 2
        for one in results:
            last = one.entries[0][-1]
            assert all(bool(unpack(mask, (mask.numel() * 8,)).any()) for mask in last.tensors("masks").values())
            assert last.record["weights_remaining_percent"] == 100  # the masks were lifted
        assert sizes[-1]["value"] < 11  # of the network that chose
        assert epochs[-1]["value"] == recipe.epochs
    # Dense-subset training takes the steps of all 300 examples, whatever the judge gets right.
    assert len(done["correct"][1].entries[0][-1].record["train_losses"]) == recipe.epochs - recipe.rewind_epoch


@pytest.mark.parametrize(("settings", "examples"), [({"rule": "correct", "equal_steps": True}, 300), ({}, 240)])
def test_steps_of_dense_subset_training(recipe, store, monkeypatch, settings, examples):
    """As many gradient steps as on all 300 examples where they are to be equal, else one pass over 240 an epoch."""
    subset = Subset(**({"rule": "without_random"} | settings), judge=1)
    dense = Stage(start="fresh", from_epoch=0, to_epoch=1)
    train = dense.but(start="previous", from_epoch=1, to_epoch=3)
    last = Stage(start="fresh", lift_masks=True, examples=subset, from_epoch=0, to_epoch=3, level=1)
    run(Chain(algorithm="x", recipe=recipe, stages=(dense, train)), [Replicate(seed=0)], store, "cpu")
    steps = []
    rate = loop.learning_rate
    monkeypatch.setattr(loop, "learning_rate", lambda *given: steps.append(given[1:]) or rate(*given))
    run(Chain(algorithm="x", recipe=recipe, stages=(dense, train, last)), [Replicate(seed=0)], store, "cpu")
    an_epoch = -(-examples // 64)
    assert steps == [(step, an_epoch) for step in range(3 * an_epoch)]
