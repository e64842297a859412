"""GS's recipes at paper scale are those of its appendix, with the counts that facts D recovers from the released code."""

import pytest
import torch

from lib.analysis.printed import printed
from lib.errors import InputError
from lib.models import build
from lib.stages import Stage
from lib.stages.filter_events import FilterEvents
from papers.generalization_stability.experiments import LESS_SHORTCUT, MORE_PRUNED, PAGES
from papers.generalization_stability.names import FLAT, NONE, RATES, SCRATCH, STABLE, TARGETS, UNSTABLE, noised, pruned
from papers.generalization_stability.recipes import BENCHMARKS, PLANS, plan

VGG11, RESNET18, *TRADITIONAL, CIFAR100 = BENCHMARKS
CLASSES = dict.fromkeys(BENCHMARKS, 10) | {CIFAR100: 100}


def settings(table, model, method="schedule"):
    """Return what the appendix prints of a schedule: a list for each of s, e and p."""
    rows = printed("generalization_stability", "configurations")
    rows = rows[rows["table"].eq(table) & rows["model"].eq(model) & rows["method"].eq(method)]
    found: dict[str, list[float]] = {}
    for metric, mean in zip(rows["metric"], rows["mean"], strict=True):
        if "adjustment" not in metric:
            found.setdefault(metric.partition("[")[0], []).append(mean)
    return found


def chains(page, benchmark):
    asked = plan(benchmark, "paper")
    return {chain.algorithm: chain for chain in PAGES[page].chains(asked)}


def events(chain) -> FilterEvents:
    [stage] = chain.stages
    assert isinstance(stage, Stage) and stage.filters
    return stage.filters


@pytest.mark.parametrize(("benchmark", "model"), [(VGG11, "VGG11"), (RESNET18, "ResNet18")])
def test_the_schedules_of_figure_2_are_as_printed(benchmark, model):
    asked, print_ = plan(benchmark, "paper"), settings("Figure 2", model)
    own = asked.filters
    assert own and [list(own.first), list(own.last), list(own.shares)] == [print_["s"], print_["e"], print_["p"]]
    training = settings("Figure 2", model, "optimization")
    assert ([asked.recipe.epochs], list(asked.recipe.drop_epochs)) == (training["epochs"], training["lrs"])
    assert (asked.recipe.optimizer, asked.recipe.learning_rate, asked.recipe.weight_decay) == ("adam", 1e-3, 0.0)
    assert (asked.recipe.batch_size, asked.recipe.data.augmentation, asked.recipe.data.validation) == (128, "none", 0)
    assert len(asked.seeds) == 10


def test_more_of_resnet_18_goes_as_table_c1_prints():
    found = chains("how_much", RESNET18)
    more = events(found[pruned("largest", 40, "activation", MORE_PRUNED)])
    assert list(more.shares) == settings("Table C.1", "ResNet18", "schedule, 59% total")["p"]
    less = events(found[pruned("largest", 40, "activation", LESS_SHORTCUT)])
    assert less.shares == (0.25, 0.25, 0.25, 0.95) and less.but(shares=more.shares) == more


@pytest.mark.parametrize(
    ("benchmark", "shares", "total"),
    [(RESNET18, None, 46), (RESNET18, (0.25, 0.8, 0.25, 0.95), 59), (CIFAR100, None, 15)],
)
def test_the_share_of_all_weights_that_goes_is_the_printed_one(benchmark, shares, total):
    """A pruned filter takes along what the next convolution would read of its map: (1 − p) of each side is left."""
    asked = plan(benchmark, "paper")
    own = asked.filters
    assert own
    with torch.device("meta"):
        network = build(asked.recipe.network, CLASSES[benchmark])
    sizes = {name: parameter.numel() for name, parameter in network.module.named_parameters()}
    gone, read = 0.0, 1.0
    for layer, share in zip(own.layers, shares or own.shares, strict=True):
        gone += sizes[layer] * (1 - read * (1 - share))
        read = 1 - share
    assert round(100 * gone / sum(sizes.values())) == total


def test_sgd_recipes_share_a_schedule_and_prune_every_block():
    depth = {"cifar10-resnet18-sgd": 16, "cifar10-resnet20": 18, "cifar10-resnet56": 54}
    for benchmark in TRADITIONAL:
        asked = plan(benchmark, "paper")
        recipe, own = asked.recipe, asked.filters
        assert (recipe.optimizer, recipe.learning_rate, recipe.momentum, recipe.weight_decay) == ("sgd", 0.1, 0.9, 1e-4)
        assert (recipe.epochs, recipe.drop_epochs, recipe.data.augmentation) == (165, (83, 125), "flip-crop")
        assert own and len(own.layers) == depth[benchmark] and set(own.shares) == {0.1} and own.score == "l1"
        assert set(own.first) == {40} and set(own.last) == {100}
        found = chains("traditional", benchmark)
        assert [set(events(c).counts().values()) for c in list(found.values())[1:3]] == [{3}, {2}]
        assert len(found) == (5 if benchmark == "cifar10-resnet18-sgd" else 3)


def test_figure_c3_prunes_every_epoch_from_24_to_100():
    [few, many] = [one for one in chains("traditional", TRADITIONAL[0]).values() if "a layer" in one.algorithm]
    print_ = settings("Figure C.3", "ResNet18", "every layer of every block, SGD setup of Figure 4")
    for chain, share in ((few, 0.06), (many, 0.1)):
        own = events(chain)
        assert (set(own.first), set(own.last)) == (set(print_["s"]), set(print_["e"]))
        assert set(own.shares) == {share} and set(own.counts().values()) == {77}


def test_cifar_100_has_two_events_in_its_last_convolution():
    asked, print_ = plan(CIFAR100, "paper"), settings("Table F.1", "ResNet18")
    own = asked.filters
    assert own and [list(own.first), list(own.last), [own.every], list(own.shares)] == [
        print_["s"], print_["e"], print_["r"], print_["p"],
    ]  # fmt: skip
    assert list(own.counts().values()) == [2] and len(asked.seeds) == 3
    assert set(chains("another_data_set", CIFAR100)) >= {NONE, SCRATCH, pruned("largest", 750, "activation")}


def test_figure_3_has_seven_rates_and_the_one_shot_case():
    found = chains("rate_and_target", VGG11)
    assert len(found) == 1 + len(RATES) * len(TARGETS)
    last = [[*events(found[pruned("smallest", rate)]).counts().values()][-1] for rate in RATES]
    assert last == [68, 14, 7, 5, 3, 2, 1]


def test_noise_acts_as_long_as_printed_and_leaves_normalization():
    found = chains("is_it_noise", VGG11)
    lengths = {noised(effect, n) for effect in ("zero", "gaussian") for n in (1, 50, 1105)}
    assert set(found) >= lengths | {noised("zero", n, restore=True) for n in (89, 630, 1220, 2480)}
    assert len(found) == 2 + 6 + 4
    for name, chain in found.items():
        if name != NONE:
            own = events(chain)
            assert (own.target, own.every, own.normalization) == ("largest", 40, False)
    first = [events(found[noised("gaussian", n)]).first_variance for n in (1, 50, 1105)]
    assert first == [1.0, 79.0, 79.0], "the first of many is drawn on 79 batches of test images as well"


def test_pages_share_the_networks_that_they_have_in_common():
    names = {
        "less_stable_better": (NONE, STABLE, UNSTABLE), "normalization_scores": (NONE, STABLE, UNSTABLE),
        "rate_and_target": (NONE, STABLE, UNSTABLE), "flat_minima": FLAT,
    }  # fmt: skip
    every = [chains(page, VGG11) for page in names]
    for name in (NONE, STABLE, UNSTABLE):
        assert len({repr(found[name]) for found in every}) == 1
    assert list(every[-1]) == list(names["flat_minima"])


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_smaller_scales_vary_numbers_only(benchmark):
    paper = plan(benchmark, "paper")
    for scale, one in PLANS[benchmark].items():
        assert one.recipe.network == paper.recipe.network and one.recipe.optimizer == paper.recipe.optimizer
        assert one.filters and paper.filters and one.filters.layers == paper.filters.layers
        assert one.filters.shares == paper.filters.shares and one.filters.schedule == paper.filters.schedule
        if scale != "paper":
            assert one.recipe.data.validation > 0, "stability is measured on held-out images too"


def test_a_page_refuses_a_benchmark_that_it_does_not_speak_of():
    with pytest.raises(InputError, match="benchmark of this page 'cifar10-vgg11'.*Allowed: cifar10-resnet18"):
        PAGES["how_much"].plans(VGG11, "smoke")
    with pytest.raises(InputError, match="has no laptop scale"):
        PAGES["another_data_set"].plans(CIFAR100, "laptop")
