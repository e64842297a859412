"""The costs measure what they say; their speeds are nobody's test."""

import pandas
import pytest
import torch

from book.costs import __main__ as command
from book.costs import estimates, tables
from book.costs.epochs import compare
from book.costs.estimates import trained
from book.costs.floor import floor, operations_per_image
from book.costs.paths import level_seconds
from book.costs.precision import compare as compare_precisions
from book.costs.timing import fresh
from lib.stages import Prune
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Replicate
from papers.training_regularization.recipes import plan

CPU = torch.device("cpu")


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


def test_a_level_is_timed_in_all_ways(recipe):
    replicates = [Replicate(seed=0), Replicate(seed=1)]
    network, examples, progress = fresh(recipe, replicates, CPU)
    draw = torch.Generator().manual_seed(0)
    progress.masks = {n: torch.rand(progress.stack[n].shape, generator=draw) < 0.002 for n in network.prunable}
    remaining, seconds, computed = level_seconds(network, progress, examples, replicates, recipe, 1)
    assert remaining == pytest.approx(0.2, abs=0.05) and len(seconds) == 3 and min(seconds) > 0
    assert computed < 60  # percent of the weights with which it still computes


def test_precisions_are_paired_by_seed(recipe, store):
    chain = learning_rate_rewinding(recipe, 1, Prune(fraction=0.5))
    replicates = [Replicate(seed=s, noise_percent=10.0) for s in (0, 1, 2)]
    table = compare_precisions(chain, replicates, ["float32", "bfloat16"], store, CPU)
    assert list(table["precision"]) == ["float32", "bfloat16"] * 2
    assert len(store.keys()) == 2 * len(chain.stages) * len(replicates), "each precision trains its own networks"
    rows = table.set_index(["weights_remaining_percent", "precision"])
    for weights in table["weights_remaining_percent"].unique():
        exact, rounded = rows.loc[(weights, "float32")], rows.loc[(weights, "bfloat16")]
        difference = rounded["error_percent_mean"] - exact["error_percent_mean"]
        assert rounded["difference_mean"] == pytest.approx(difference, abs=2e-3) and pandas.isna(
            exact["difference_mean"]
        )


def test_tables_are_kept_with_their_machine(tmp_path, monkeypatch, capsys):
    frame = pandas.DataFrame([("a", 1.0, "s", "once")], columns=list(tables.COLUMNS["other"]))
    kept = []
    monkeypatch.setattr(tables, "write", kept.append)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(command, "PARTS", {"other": lambda device, quick: (frame, ["how"])})
    command.main(["other", "--device", "cpu", "--write"])
    (one,) = kept
    assert (one.part, one.device_type, one.source.notes) == ("other", "cpu", ("how",))
    assert one.source.threads >= 1 and "CPU" in one.source.device
    assert "work" in capsys.readouterr().out


def test_a_quick_run_is_not_kept(monkeypatch):
    monkeypatch.setattr(command, "PARTS", {})
    with pytest.raises(SystemExit):
        command.main(["--quick", "--write", "--device", "cpu"])


def test_the_command_measures_every_part():
    assert set(command.PARTS) == set(tables.COLUMNS)


def test_every_run_that_trains_has_a_plan_to_time_and_those_that_draw_are_left_out():
    found = [(page.name, benchmark, scale) for page, benchmark, scale, _ in trained()]
    assert ("how_much", "cifar10-resnet18", "paper") in found and ("test_set", "voc-deeplabv3", "paper") in found
    assert ("how_much", "cifar10-resnet18", "laptop") not in found, "it draws what is committed"


def test_a_step_that_takes_long_is_timed_alone(monkeypatch):
    counted = []
    monkeypatch.setattr(estimates, "LONG", 0.0)
    real = estimates.epoch_seconds
    monkeypatch.setattr(estimates, "epoch_seconds", lambda *a, **k: counted.append(a) or real(*a, **k))
    assert estimates.seconds_per_image(plan("mnist-lenet", "smoke"), CPU) > 0 and len(counted) == 1
