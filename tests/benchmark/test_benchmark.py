"""The benchmark measures what it says; its speeds are nobody's test."""

import json

import pandas
import pytest
import torch

from lib.analysis.costs import PARTS
from lib.benchmark import __main__ as command
from lib.benchmark import paths as paths_module
from lib.benchmark import precision as precision_module
from lib.benchmark.epochs import compare
from lib.benchmark.floor import floor, operations_per_image
from lib.benchmark.paths import _level, _start
from lib.benchmark.precision import compare as compare_precisions
from lib.stages import Prune
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Replicate
from papers.training_regularization.recipes import plan

CPU = torch.device("cpu")
COLUMNS = {"paths": paths_module.COLUMNS, "precision": precision_module.COLUMNS}


def test_operations_of_lenet_and_resnet_are_those_of_their_layers():
    """Forward 2 a weight; backward 2 for each weight's gradient and 2 for each input's, except the image's."""
    lenet = plan("mnist-lenet", "paper").recipe
    forward = 2 * (784 * 300 + 300 * 100 + 100 * 10)
    backward = 2 * 784 * 300 + 4 * (300 * 100 + 100 * 10)
    assert operations_per_image(lenet, 10) == (forward + backward, forward)
    training, evaluation = operations_per_image(plan("cifar10-resnet20", "paper").recipe, 10)
    assert evaluation == pytest.approx(2 * 41.2e6, rel=0.02)  # 41 M multiply-adds (He et al. 2016)
    assert training == pytest.approx(3 * evaluation, rel=0.02)


def test_floor_is_the_larger_of_computing_and_moving():
    recipe = plan("mnist-lenet", "paper").recipe
    training, evaluation = operations_per_image(recipe, 10)
    seconds, what = floor(recipe, 10, (58_000, 10_000), (1e11, 2e11, 1e15))
    assert what == "operations" and seconds == pytest.approx(training * 58e3 / 1e11 + evaluation * 1e4 / 2e11)
    seconds, what = floor(recipe, 10, (58_000, 10_000), (1e18, 1e18, 1e10))
    assert what == "bytes" and seconds == pytest.approx(58_000 / 128 * 266_610 * 28 / 1e10)


def test_epochs_are_compared_with_the_conventional_loop():
    table = compare(plan("mnist-lenet", "paper"), 400, 1, (1, 2), CPU, ["float32"])
    assert list(table["variant"]) == ["conventional loop", "this book", "this book"]
    assert table["times_faster"].tolist()[0] == 1 and min(table["seconds_per_replicate_epoch"]) > 0
    assert tuple(table.columns) == tuple(PARTS["epochs"])


def test_a_level_is_timed_with_masks_alone_and_without_dead_units(recipe):
    replicates = [Replicate(seed=0), Replicate(seed=1)]
    network, stack, masks, examples = _start(recipe, replicates, CPU)
    masks = {
        n: torch.rand(m.shape, generator=torch.Generator().manual_seed(0)) < 0.002 for n, m in masks.items()
    }
    row = _level("lenet-300-100", network, stack, masks, examples, replicates, recipe, "float32", 1, 1.0, "s")
    assert row[1] == pytest.approx(0.2, abs=0.05) and row[5] > 0
    assert row[6] < 60  # percent of the weights with which it still computes


def test_precisions_are_paired_by_seed(recipe, store):
    chain = learning_rate_rewinding(recipe, 1, Prune(fraction=0.5))
    replicates = [Replicate(seed=s, noise_percent=10.0) for s in (0, 1, 2)]
    table = compare_precisions(chain, replicates, ["float32", "bfloat16"], store, CPU)
    assert list(table["precision"]) == ["float32", "bfloat16"] * 2
    rows = table.set_index(["weights_remaining_percent", "precision"])
    for weights in table["weights_remaining_percent"].unique():
        exact, rounded = rows.loc[(weights, "float32")], rows.loc[(weights, "bfloat16")]
        difference = rounded["error_percent_mean"] - exact["error_percent_mean"]
        assert (
            rounded["difference_mean"] == pytest.approx(difference, abs=2e-3)
            and exact["difference_mean"] == ""
        )


def test_tables_are_kept_with_their_machine(tmp_path, monkeypatch, capsys):
    table = pandas.DataFrame({"work": ["a"], "value": [1.0]})
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(command, "PARTS", {"other": lambda device, quick: (table, ["how"])})
    command.main(["other", "--device", "cpu", "--write"])
    kept = tmp_path / "book" / "costs" / "other_cpu"
    assert pandas.read_csv(kept.with_suffix(".csv")).equals(table)
    about = json.loads(kept.with_suffix(".json").read_text("utf-8"))
    assert about["notes"] == ["how"] and about["threads"] >= 1 and "CPU" in about["device"]
    assert "work" in capsys.readouterr().out


def test_a_quick_run_is_not_kept(monkeypatch):
    monkeypatch.setattr(command, "PARTS", {})
    with pytest.raises(SystemExit):
        command.main(["--quick", "--write", "--device", "cpu"])


@pytest.mark.parametrize("part", ["paths", "precision"])
def test_columns_are_those_that_the_book_reads(part):
    assert COLUMNS[part] == tuple(PARTS[part])


def test_the_book_knows_every_part():
    assert set(command.PARTS) == set(PARTS)
