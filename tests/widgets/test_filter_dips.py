"""The widget prunes exactly the filters asked for, says what that did to accuracy, and leaves the network whole."""

import sys

import pytest
import torch

from lib.analysis.experiments import Page
from lib.analysis.measure import Found
from lib.charts.theme import MIME
from lib.errors import InputError
from lib.stages import run
from lib.stages.algorithms import pruning_while_training
from lib.stages.experiment_plan import Plan
from lib.stages.filter_events import FilterEvents
from lib.training import DataRecipe, Recipe
from lib.widgets.filter_dips import accuracy_without, choose_filters, filter_dips, filter_scores, find_unpruned
from lib.widgets.page import OpenPage, Parameters

ipywidgets = pytest.importorskip("ipywidgets")

LAST = "layers.11.0.weight"
RECIPE = Recipe(
    benchmark="objects",
    data=DataRecipe(image_set="generated-objects", validation=0, train=96, test=60, normalization="cifar"),
    network="cifar-vgg11", width=4, epochs=2, batch_size=16, optimizer="adam", learning_rate=3e-3,
)  # fmt: skip
EVENTS = FilterEvents(layers=(LAST,), shares=(0.5,), first=(0,), last=(0,), every=1, schedule=2, score="l1")


def opened(store: str, *, pruned: bool = False) -> OpenPage:
    """Return a page whose first chain trains without pruning, or the page of a pruned chain alone."""
    plan = Plan(recipe=RECIPE, filters=EVENTS, levels=1, seeds=(3,))
    chains = [pruning_while_training("pruned" if pruned else "no pruning", RECIPE, EVENTS if pruned else None)]
    page = Page("toy", "dips", lambda *asked: plan, lambda plan: chains)
    asked = Parameters(benchmark="objects", scale="smoke", store=store, device="cpu")
    return OpenPage(page, asked, Found([], {}, {}))


@pytest.fixture(scope="module")
def page(shared_store) -> OpenPage:
    found = opened(str(shared_store.folder))
    run(found.chains[0], found.plan.replicates(), shared_store, "cpu", progress=False)
    return found


@pytest.mark.parametrize(("target", "expected"), [("smallest", [1, 3]), ("largest", [0, 2]), ("random", None)])
def test_as_many_filters_go_as_asked_for_from_the_end_that_is_targeted(target, expected):
    removed = choose_filters(torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0]), target, 2)
    assert removed.sum() == 2
    assert expected is None or removed.nonzero().flatten().tolist() == expected


def test_a_target_or_a_count_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="largest"):
        choose_filters(torch.ones(3), "larges", 1)
    with pytest.raises(InputError, match="allowed: 1 to 3"):
        choose_filters(torch.ones(3), "random", 4)


def test_scores_are_those_of_the_layer(page):
    network = find_unpruned(page)
    weight = network.module.get_parameter(LAST).detach()
    assert torch.allclose(filter_scores(network, LAST, "l1"), weight.abs().sum((1, 2, 3)))
    maps = []
    network.module.get_submodule("layers.11.1").register_forward_hook(lambda _, given, out: maps.append(out.clone()))
    with torch.no_grad():
        network.module(network.seen)
    assert torch.allclose(filter_scores(network, LAST, "activation"), maps[0].abs().mean((0, 2, 3)), atol=1e-5)
    with pytest.raises(InputError, match="unknown layer"):
        filter_scores(network, "layers.1", "l1")


def test_accuracy_without_filters_is_that_of_a_network_without_them(page):
    network = find_unpruned(page)
    before = {name: tensor.clone() for name, tensor in network.module.state_dict().items()}
    removed = choose_filters(filter_scores(network, LAST, "l2"), "largest", 9)
    found = accuracy_without(network, LAST, removed)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.module.state_dict().items())
    with torch.no_grad():
        for tensor in network.module.get_submodule("layers.11").parameters():
            tensor[removed] = 0
        right = network.module(network.inputs).argmax(1) == network.labels
    assert found == pytest.approx(100 * right.double().mean().item())


def test_the_network_that_the_store_holds_is_measured_as_it_was(page, shared_store):
    network = find_unpruned(page)
    (entry,) = run(page.chains[0], page.plan.replicates(), shared_store, "cpu", progress=False).entries[0]
    error = next(one["error_percent"] for one in entry.record["metrics"] if one["subset"] == "test")
    assert accuracy_without(network, LAST, torch.zeros(32, dtype=torch.bool)) == pytest.approx(100 - error)


def test_a_slider_prunes_and_says_the_stability(page):
    layer, score, target, count, sentence, figure = filter_dips(page).children
    assert (layer.value, score.value, target.value, count.max) == (LAST, "l1", "largest", 32)
    assert "Without 4 of the 32 filters of convolution 8 of 8" in sentence.value and "stability" in sentence.value
    count.value = 32
    assert "Without 32 of the 32" in sentence.value
    network = find_unpruned(page)
    everything = accuracy_without(network, LAST, torch.ones(32, dtype=torch.bool))
    assert f"→ {everything:.1f} %" in sentence.value
    layer.value = "layers.0.0.weight"
    assert count.max == 4 and "Without 4 of the 4 filters of convolution 1 of 8" in sentence.value
    drawn = figure.outputs[0]["data"]
    assert MIME in drawn and drawn["text/plain"].startswith("Bar chart. Filters of convolution 1 of 8")
    target.value, score.value, count.value = "random", "activation", 1
    assert "Without 1 of the 4" in sentence.value


def test_what_the_store_lacks_is_said_with_the_command_that_trains_it(tmp_path):
    with pytest.raises(
        InputError, match='lib.analysis.measure toy dips objects smoke --algorithms "no pruning" --seeds 3'
    ):
        filter_dips(opened(str(tmp_path)))


def test_a_page_that_always_prunes_has_no_network_to_prune(tmp_path):
    with pytest.raises(InputError, match="trains no network without pruning"):
        filter_dips(opened(str(tmp_path), pruned=True))


def test_without_ipywidgets_the_reader_is_told_what_to_do(page, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert "make lab" in filter_dips(page)._repr_markdown_()
