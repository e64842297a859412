"""Errors of every epoch: which are kept, and under which epoch."""

import pytest

from lib.analysis import epoch_curves
from lib.analysis.epoch_curves import MOST_EPOCHS, errors_by_epoch, quantity
from lib.analysis.part import make_frame
from lib.stages import Prune
from lib.stages.algorithms import redense_training, weight_rewinding
from papers.label_noise.recipes import CIFAR10_RESNET18, MNIST_LENET
from tests.analysis.made import BEST, TEST, WR, table_of
from tests.analysis.stages import finished, measured

EPOCHS = 200
TABLE = table_of({TEST: [[12.0, 18.0, 8.0]], BEST: [[5.0, 5.5, 4.0]]})  # levels 0, 1 and 2 are looked at
CURVES = {
    "test": [9 + 1 / e for e in range(1, EPOCHS + 1)],
    "train_noisy": [e / 10 for e in range(1, EPOCHS + 1)],
}


def rows(store, *results, **settings):
    return measured(errors_by_epoch(WR, **settings), store, *results, table=TABLE)


def sparse(levels=3, seeds=(0, 1)):
    return finished(weight_rewinding(MNIST_LENET, levels, Prune()), seeds, epoch_errors=CURVES)


def kept(found, **chosen):
    return {row["position"]: row["value"] for row in found if chosen.items() <= row.items()}


def test_at_most_thirty_epochs_are_kept_evenly_spaced_with_both_ends(store):
    found = rows(store, sparse())
    noisy = kept(found, seed=0, level=1, quantity=quantity("noisy training"))
    gaps = [b - a for a, b in zip(list(noisy), list(noisy)[1:], strict=False)]
    assert len(noisy) == MOST_EPOCHS and min(noisy) == 1 and max(noisy) == EPOCHS and max(gaps) - min(gaps) <= 1
    assert all(value == pytest.approx(epoch / 10) for epoch, value in noisy.items())
    assert {row["level"] for row in found} == {0, 1, 2} and {row["seed"] for row in found} == {0, 1}
    assert {row["quantity"] for row in found} == {quantity("test"), quantity("noisy training")}
    assert kept(found, seed=0, level=0, quantity=quantity("test"))[8.0] == 9.12, "two decimals"
    assert {row["quantity"] for row in rows(store, sparse(), subsets=("test",))} == {quantity("test")}


def test_many_curves_keep_fewer_epochs_each_but_never_less_than_two(store, monkeypatch):
    for most, count in ((60, 60), (1, 24)):  # 3 levels, 2 seeds, 2 sets of images
        monkeypatch.setattr(epoch_curves, "MOST_ROWS", most)
        assert len(rows(store, sparse())) == count


def test_epochs_go_on_where_the_masks_are_lifted(store):
    chain = redense_training(MNIST_LENET, 2, Prune())[2]
    epochs = kept(rows(store, finished(chain, epoch_errors=CURVES)), quantity=quantity("test"))
    assert min(epochs) == EPOCHS + 1 and max(epochs) == 2 * EPOCHS


def test_a_rewound_network_has_no_epochs_before_its_step(store):
    """Step 1000 lies in the third of 160 epochs of 391 steps, so a stage records 158."""
    chain = weight_rewinding(CIFAR10_RESNET18, 1, Prune())
    epochs = kept(rows(store, finished(chain, epoch_errors={"test": CURVES["test"][:158]})))
    assert min(epochs) == 3 and max(epochs) == 160


def test_a_replicate_that_diverged_has_no_rows(store):
    results = sparse()
    results.entries[0][2].record["diverged"] = True
    assert {row["seed"] for row in rows(store, results) if row["level"] == 1} == {1}


def test_the_largest_part_of_the_paper_stays_below_a_megabyte(store):
    """Five replicates at three noise levels, five levels and five sets of images, at the length of the longest row."""
    sets: tuple[str, ...] = ("test", "train", "train_noisy", "train_original", "train_restored")
    errors = {TEST: [[20, 15, 30, 12, 10, 25.0]], BEST: [[12, 11, 11, 12, 12, 25.0]]}
    chain = weight_rewinding(MNIST_LENET, 5, Prune())
    everything = finished(chain, range(15), epoch_errors=dict.fromkeys(sets, CURVES["test"]))
    found = measured(errors_by_epoch(WR), store, everything, table=table_of(errors))
    frame = make_frame([{**row, "stage_key": "0" * 32} for row in found], ["noise_percent"], "x")
    assert len(set(frame["quantity"])) == len(set(frame["level"])) == 5
    assert len(frame.to_csv(index=False)) < 1_000_000
