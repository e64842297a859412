"""TR's recipes are those of its Table 1, and every benchmark runs at smoke scale without any file."""

import pytest

from lib.errors import InputError
from lib.models import build
from lib.scales import SCALES
from lib.stages import run
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Recipe, learning_rate
from papers.store import needed_keys
from papers.training_regularization.claims import NOISE
from papers.training_regularization.printed_tables import BENCHMARKS as PRINTED
from papers.training_regularization.recipes import BENCHMARKS, PLANS, plan

WITHOUT_LAPTOP = ("cifar100-resnet32", "cifar100-resnet32-width128", "imagenet-resnet50")


def test_every_printed_network_has_a_recipe():
    assert set(PRINTED.values()) == set(NOISE) == set(BENCHMARKS) - {"cifar100-resnet32-width128"}
    for benchmark, noises in NOISE.items():
        assert plan(benchmark, "paper").noise_percents == (0.0, *noises)
        for scale, planned in PLANS[benchmark].items():
            assert planned.recipe.benchmark == benchmark and set(planned.noise_percents) <= {0.0, *noises}, scale


@pytest.mark.parametrize("benchmark", ["cifar10-resnet20", "cifar10-vgg16", "cifar100-resnet32"])
def test_the_cifar_networks_share_a_row_of_table_1(benchmark):
    recipe = plan(benchmark, "paper").recipe
    assert (recipe.epochs, recipe.batch_size, recipe.optimizer, recipe.momentum) == (160, 128, "sgd", 0.9)
    assert (recipe.learning_rate, recipe.drop_epochs, recipe.drop_factor) == (0.1, (80, 120), 0.1)
    assert (recipe.weight_decay, recipe.rewind_epoch, recipe.warmup_epochs) == (1e-4, 10, 0)
    assert (recipe.data.validation, recipe.data.train, recipe.data.augmentation) == (2000, None, "flip-crop")
    assert recipe.data.image_set == benchmark.split("-")[0]


def test_resnet50_follows_its_row_of_table_1():
    recipe = plan("imagenet-resnet50", "paper").recipe
    assert (recipe.epochs, recipe.batch_size, recipe.momentum, recipe.rewind_epoch) == (90, 768, 0.9, 10)
    assert (recipe.data.validation, recipe.data.image_set) == (50_000, "imagenet")
    steps = -(-1_231_167 // 768)
    rates = [learning_rate(recipe, round(e * steps), steps) for e in (0, 2.5, 5, 29, 30, 59, 60, 79, 80)]
    assert rates == pytest.approx([0, 0.15, 0.3, 0.3, 0.03, 0.03, 3e-3, 3e-3, 3e-4], rel=1e-3)
    cold = recipe.but(warmup_epochs=0)
    assert learning_rate(cold, 0, steps) == 0.3


def test_the_wide_resnet32_is_the_other_one_with_more_filters():
    narrow, wide = (plan(name, "paper").recipe for name in WITHOUT_LAPTOP[:2])
    assert wide == narrow.but(width=128, benchmark=WITHOUT_LAPTOP[1])
    stem = build(wide.network, 100, wide.width).module.get_parameter("stem.0.weight")
    assert stem.shape == (128, 3, 3, 3)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_plans_are_valid_descriptions(benchmark, scale):
    """Every recipe passes its own checks and has a network."""
    if scale in PLANS[benchmark]:
        recipe = plan(benchmark, scale).recipe
        assert Recipe(**dict(recipe)) == recipe
        assert type(recipe.data)(**dict(recipe.data)) == recipe.data
        build(recipe.network, 10, recipe.width, 0.8)


@pytest.mark.parametrize("benchmark", WITHOUT_LAPTOP)
def test_a_benchmark_without_a_laptop_scale_says_what_to_run(benchmark):
    with pytest.raises(InputError) as caught:
        plan(benchmark, "laptop")
    message = str(caught.value)
    for part in (f"{benchmark} has no laptop scale", "Allowed: paper, smoke", "cifar10-vgg16 instead"):
        assert part in message


def test_housekeeping_knows_every_plan():
    whole = needed_keys()
    page = needed_keys("label_noise", "dynamics", "mnist-lenet", "laptop")
    assert len(whole) > 1000 and len(page) == 63 and page < needed_keys("label_noise", scale="laptop") < whole
    with pytest.raises(InputError, match="Did you mean 'dynamics'"):
        needed_keys(page="dynamic")


@pytest.mark.parametrize("benchmark", ["cifar100-resnet32", "imagenet-resnet50"])
def test_smoke_scale_needs_no_files(benchmark, store, tmp_path, monkeypatch):
    """One replicate with noise, start to end, with an empty data folder."""
    monkeypatch.setenv("PRUNING_BOOK_DATA", str(tmp_path / "empty"))
    smoke = plan(benchmark, "smoke")
    chain = learning_rate_rewinding(smoke.recipe, smoke.levels, smoke.prune)
    (row,) = run(chain, smoke.replicates()[-1:], store, "cpu", progress=False).entries
    assert len(row) == len(chain.stages) and not row[-1].record["diverged"]
    found = {metrics["subset"] for metrics in row[-1].record["metrics"]}
    assert found == {"train", "train_noisy", "train_original", "validation", "test"}
