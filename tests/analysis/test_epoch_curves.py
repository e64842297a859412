"""Errors of every epoch: which are kept, under which epoch, and at which levels."""

from pathlib import Path

import pytest

from lib.analysis.epoch_curves import (
    MOST_EPOCHS,
    epoch_curve,
    epoch_curve_rows,
    epoch_error,
    levels_at,
    levels_of_results,
    merged_names,
)
from lib.analysis.epoch_errors import epoch_error_rows
from lib.analysis.measure import tabulate
from lib.analysis.schema import QUANTITIES, tidy
from lib.stages import Entry, Results
from lib.stages.algorithms import redense_training, weight_rewinding
from lib.stages.stage import Prune
from lib.training import Replicate
from papers.label_noise.recipes import CIFAR10_RESNET18, MNIST_LENET
from tests.charts import made_up_epochs

WR, REDENSE = made_up_epochs.WR, made_up_epochs.REDENSE
LAST, BEST = (12.0, 18.0, 8.0, 6.0, 20.0), (5.0, 5.5, 4.0, 4.5, 19.0)
EPOCHS = 200


def entry(key, errors, last, weights=50.0, diverged=False):
    record = {
        "metrics": [{"subset": "test", "examples": 10, "error_percent": last, "cross_entropy_nats": 1.0}],
        "weights_remaining_percent": weights,
        "diverged": diverged,
        "epoch_errors": errors,
        "device": "cpu",
        "precision": "float32",
        "stacked": 1,
        "date": "2026-11-20",
        "seconds": 1.0,
        "versions": {},
    }
    return Entry(key, Path(), record)


def course(level, length=EPOCHS):
    """Errors that fall to the best one in the middle and rise to the last one; on noisy examples the epoch itself / 10."""
    half, best, last = length // 2, BEST[level], LAST[level]
    test = [best + (half - e) / 7 if e <= half else last for e in range(1, length + 1)]
    return {"test": test, "train_noisy": [e / 10 for e in range(1, length + 1)]}


def finished(chain, seeds=(0, 1), noise=20.0, length=EPOCHS):
    replicates = tuple(Replicate(seed=seed, noise_percent=noise) for seed in seeds)
    entries = tuple(
        tuple(
            entry(
                f"{seed}a{i}",
                course(stage.level or 0, length),
                LAST[stage.level or 0],
                weights=100 * 0.3 ** (stage.level or 0),
            )
            for i, stage in enumerate(chain.stages)
        )
        for seed in seeds
    )
    return Results(chain=chain, replicates=replicates, entries=entries)


@pytest.fixture
def sparse():
    return finished(weight_rewinding(MNIST_LENET, 4, Prune()))


def kept(rows, **wanted):
    return {row["position"]: row["value"] for row in rows if wanted.items() <= row.items()}


def test_levels_chosen_from_results_are_found_again_in_the_table(sparse):
    expected = {
        "dense": 0,
        "overfitting": 1,
        "best sweet spot": 2,
        "last sweet spot": 3,
        "underfitting": 4,
    }
    assert levels_of_results([sparse], WR) == {20.0: expected}
    assert levels_of_results([sparse], REDENSE) == {}
    table = tabulate([sparse], "dynamics", "mnist-lenet", "paper", epoch_error_rows([sparse]))
    assert levels_at(table.frame, table.quantities, WR, 20.0) == expected
    assert levels_at(table.frame, tidy((), QUANTITIES), WR, 20.0) == {}


def test_at_most_thirty_epochs_are_kept_evenly_spaced_with_both_ends(sparse):
    rows = list(epoch_curve_rows([sparse], {20.0: {1}}))
    epochs = kept(rows, seed=0, level=1, quantity=epoch_error("train_noisy"))
    gaps = [b - a for a, b in zip(list(epochs), list(epochs)[1:], strict=False)]
    assert len(epochs) == MOST_EPOCHS and min(epochs) == 1 and max(epochs) == EPOCHS
    assert max(gaps) - min(gaps) <= 1
    assert all(value == pytest.approx(epoch / 10) for epoch, value in epochs.items())
    assert {row["level"] for row in rows} == {1} and {row["seed"] for row in rows} == {0, 1}
    assert {row["quantity"] for row in rows} == {epoch_error("test"), epoch_error("train_noisy")}


def test_many_curves_keep_fewer_epochs_each_but_never_less_than_two(sparse):
    rows = list(epoch_curve_rows([sparse], {20.0: {0, 1, 2}}, most_rows=60))  # 3 levels, 2 seeds, 2 subsets
    assert len(rows) == 60
    assert len(list(epoch_curve_rows([sparse], {20.0: {0, 1, 2}}, most_rows=1))) == 24


def test_values_have_two_decimals(sparse):
    values = kept(epoch_curve_rows([sparse], {20.0: {0}}, ["test"]), seed=0)
    assert values[1.0] == round(BEST[0] + 99 / 7, 2)


def test_epochs_go_on_where_the_masks_are_lifted():
    one = finished(redense_training(MNIST_LENET, 3, Prune())[3])
    epochs = kept(epoch_curve_rows([one], {20.0: {3}}, ["test"]), seed=1)
    assert min(epochs) == EPOCHS + 1 and max(epochs) == 2 * EPOCHS


def test_a_rewound_network_has_no_epochs_before_its_step():
    """Step 1000 lies in the third of 160 epochs of 391 steps, so a stage records 158."""
    one = finished(weight_rewinding(CIFAR10_RESNET18, 1, Prune()), length=158)
    epochs = kept(epoch_curve_rows([one], {20.0: {0}}, ["test"]), seed=0)
    assert min(epochs) == 3 and max(epochs) == 160


def test_a_replicate_that_diverged_has_no_rows(sparse):
    sparse.entries[0][2].record["diverged"] = True
    rows = list(epoch_curve_rows([sparse], {20.0: {1}}))
    assert {row["seed"] for row in rows} == {1}


def test_a_curve_is_read_as_seeds_by_epochs():
    table = made_up_epochs.table()
    curve = epoch_curve(table.quantities, WR, 20.0, 3, "test")
    assert curve.shape == (3, made_up_epochs.EPOCHS)
    assert curve[20.0].tolist() == pytest.approx([5.7, 6.0, 6.3])
    assert epoch_curve(table.quantities, REDENSE, 20.0, 3, "test").empty


def test_one_level_may_bear_two_names():
    assert merged_names(made_up_epochs.LEVELS[40.0]) == {
        0: ["dense"],
        1: ["overfitting"],
        2: ["best sweet spot", "last sweet spot"],
        4: ["underfitting"],
    }
    for noise, levels in made_up_epochs.LEVELS.items():
        table = made_up_epochs.table()
        assert levels_at(table.frame, table.quantities, WR, noise) == levels


def test_the_largest_table_of_the_paper_stays_below_a_megabyte():
    """Five replicates, three noise levels, five levels and five kinds of examples, at the length of the longest row."""
    chain = weight_rewinding(MNIST_LENET, 4, Prune())
    results = [finished(chain, seeds=range(5), noise=noise) for noise in (20.0, 40.0, 80.0)]
    for one in results:
        for entries in one.entries:
            for done in entries:
                noisy = done.record["epoch_errors"].pop("train_noisy")
                done.record["epoch_errors"] |= dict.fromkeys(
                    ("train", "train_noisy", "train_original", "train_restored"), noisy
                )
    levels = dict.fromkeys((20.0, 40.0, 80.0), range(5))
    rows = tidy(({**row, "stage_key": "0" * 32} for row in epoch_curve_rows(results, levels)), QUANTITIES)
    assert len(set(rows["quantity"])) == 5 and len(set(rows["noise_percent"])) == 3
    assert len(rows.to_csv(index=False)) < 900_000
