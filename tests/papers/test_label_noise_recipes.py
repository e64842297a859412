"""LN's recipes at paper scale are its appendix A.1, as printed."""

import pytest

from lib.analysis.printed import printed
from lib.errors import InputError
from lib.stages.algorithms import redense_training, weight_rewinding
from lib.stages.stage import Prune
from lib.training.recipe import learning_rate
from papers.label_noise.recipes import BENCHMARKS, PLANS, plan

PRINTED = {"mnist-lenet": "MNIST", "cifar10-resnet18": "CIFAR-10", "cifar100-resnet18": "CIFAR-100"}


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_paper_scale_is_what_the_appendix_prints(benchmark):
    rows = printed("label_noise", "table_A1_hyperparameters").query("dataset == @PRINTED[@benchmark]")
    numbers = dict(zip(rows["metric"], rows["mean"], strict=True))
    recipe = plan(benchmark, "paper").recipe
    for ours, theirs in {
        recipe.epochs: "epochs", recipe.batch_size: "batch_size", recipe.learning_rate: "learning_rate",
        recipe.rewind_step: "rewind_iteration",
    }.items():  # fmt: skip
        assert ours == float(numbers[theirs]), theirs
    drops = [float(numbers[name]) for name in ("lr_drop_epoch_1", "lr_drop_epoch_2") if name in numbers]
    assert list(recipe.drop_epochs) == drops
    lenet = benchmark == "mnist-lenet"
    assert (recipe.momentum, recipe.weight_decay) == ((0.0, 0.0) if lenet else (0.9, 1e-4))
    again = redense_training(recipe, 0, Prune())[0].stages[-1]
    for step in (again.from_epoch * 10, again.to_epoch * 10 - 1):  # re-dense training, at ten steps an epoch
        assert learning_rate(recipe, step, 10) == pytest.approx(float(numbers["lr_redense"]))
    assert again.to_epoch - again.from_epoch == recipe.epochs


def test_replicates_and_noise_are_the_papers():
    assert {b: len(plan(b, "paper").seeds) for b in BENCHMARKS} == {
        "mnist-lenet": 5, "cifar10-resnet18": 3, "cifar100-resnet18": 3,
    }  # fmt: skip
    assert all(p.recipe.data.noise == "any" for scales in PLANS.values() for p in scales.values())
    assert all(plan(b, "paper").noise_percents == (20, 40, 80) for b in BENCHMARKS)


def test_rewinding_keeps_the_steps_of_the_paper():
    stages = weight_rewinding(plan("cifar10-resnet18", "paper").recipe, 1, Prune()).stages
    assert [(s.from_epoch, s.from_step, s.to_epoch, s.to_step) for s in stages] == [
        (0, 0, 0, 1000), (0, 1000, 160, 0), (0, 1000, 160, 0),
    ]  # fmt: skip


def test_a_scale_that_a_benchmark_does_not_have_is_named():
    with pytest.raises(InputError, match="cifar100-resnet18 has no laptop scale.*Allowed: paper, smoke"):
        plan("cifar100-resnet18", "laptop")
    with pytest.raises(InputError, match="nearest|mnist-lenet"):
        plan("mnist-lenett", "paper")
