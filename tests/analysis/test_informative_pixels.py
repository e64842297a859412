"""BackSelect by brute force on nine pixels, and confidence on what it leaves."""

import dataclasses
import json

import pytest
import torch

from lib import data
from lib.analysis.experiments import Context
from lib.analysis.informative_pixels import (
    CONFIDENCE,
    CONFIDENCE_CORRUPTED,
    SEPARATE_LEVEL,
    informative_pixels,
    reduced,
    removal_order,
    shown_images,
)
from lib.analysis.part import write_detail
from lib.analysis.table import table_folder
from lib.errors import InputError
from lib.models import build
from lib.seeds import generator
from lib.stages import run
from lib.stages.algorithms import weight_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Prune
from lib.training import Replicate, prepare
from tests.analysis.made import table_of
from tests.analysis.stages import measured

PART = "informative_pixels_page"


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def crossed(weights):
    """A network in which pixels matter together: logits from all products of two pixels."""

    def network(inputs):
        flat = inputs.flatten(1)
        return torch.einsum("bi,cij,bj->bc", flat, weights, flat)

    return network


def by_hand(network, image, label):
    """Hide pixels one by one, trying each of them on the image alone."""
    hidden: list[int] = []
    while len(hidden) < 9:
        best, confidence = -1, -1.0
        for pixel in range(9):
            if pixel not in hidden:
                tried = image.clone()
                for gone in (*hidden, pixel):
                    tried[:, gone // 3, gone % 3] = 0
                found = float(network(tried.unsqueeze(0)).softmax(1)[0, label])
                if found > confidence:
                    best, confidence = pixel, found
        hidden.append(best)
    return hidden


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_brute_force_on_nine_pixels(channels):
    images, classes = draws(4, channels, 3, 3).double(), torch.tensor([0, 1, 2, 0])
    network = crossed(draws(3, 9 * channels, 9 * channels, seed=1).double())
    found = removal_order(network, images, classes)
    assert found.tolist() == [by_hand(network, *one) for one in zip(images, classes.tolist(), strict=True)]


def test_pixels_go_in_the_order_of_what_they_add_to_a_class():
    """Of a sum of pixels, those against the class go first, and those for it last."""
    weights = torch.tensor([3.0, -1.0, 2.0, -5.0, 4.0, 0.5, -0.2, 1.0, -2.0])
    found = removal_order(
        lambda inputs: torch.stack([inputs.flatten(1) @ weights, torch.zeros(len(inputs))], 1),
        torch.ones(1, 1, 3, 3),
        torch.tensor([0]),
    )
    assert found[0].tolist() == weights.argsort().tolist()


def test_ties_go_to_the_lowest_index():
    assert (
        removal_order(lambda inputs: torch.zeros(len(inputs), 2), draws(2, 1, 3, 3), torch.tensor([0, 1])).tolist()
        == [[*range(9)]] * 2
    )


def test_several_at_once_are_the_best_of_a_step_and_all_pixels_go_once():
    weights = torch.arange(9.0)
    network, image = (
        lambda inputs: torch.stack([inputs.flatten(1) @ weights, 0 * inputs[:, 0, 0, 0]], 1),
        torch.ones(1, 1, 3, 3),
    )
    calls = []

    def counted(inputs):
        calls.append(len(inputs))
        return network(inputs)

    assert removal_order(counted, image, torch.tensor([0]), 4).tolist() == [[*range(9)]]
    assert calls == [9, 5, 1]
    mixed = removal_order(crossed(draws(3, 9, 9)), draws(5, 1, 3, 3, seed=2), torch.zeros(5, dtype=torch.long), 2)
    assert mixed.sort(1).values.tolist() == [[*range(9)]] * 5


def test_only_chosen_pixels_are_left_in_all_channels():
    images = draws(2, 3, 3, 3)
    found = reduced(images, torch.tensor([[0, 8], [4, 4]]))
    assert torch.equal(found[0, :, 0, 0], images[0, :, 0, 0]) and torch.equal(found[0, :, 2, 2], images[0, :, 2, 2])
    assert int((found != 0).sum()) == 6 + 3


@pytest.fixture
def results(recipe, shared_store):
    chain = weight_rewinding(recipe, 2, Prune(fraction=0.5))
    return run(chain, [Replicate(seed=1), Replicate(seed=2)], shared_store, "cpu", progress=False)


def test_every_network_judges_what_every_network_chose(results, recipe, store):
    measurement = informative_pixels(images=3, pixels_at_once=256, shown=2)
    rows = measured(measurement, store, results)
    heat = {(row["level"], row["position"]): row["value"] for row in rows}
    levels = [0, 1, 2, SEPARATE_LEVEL]
    assert sorted(heat) == sorted((chooser, float(judge)) for chooser in levels for judge in levels)
    assert {(row["seed"], row["algorithm"], row["quantity"]) for row in rows} == {
        (1, results.chain.algorithm, CONFIDENCE)
    }

    examples = prepare(recipe.data, results.replicates, torch.device("cpu"))
    places = torch.randperm(len(examples.test_labels), generator=generator(0, "informative pixels"))[:3]
    images = data.normalize(examples.test_images[places], data.normalization(examples.normalization))
    parent, separate = (build(recipe.network).module.eval() for _ in range(2))
    parent.load_state_dict(results.entries[0][-3].tensors("weights"))
    separate.load_state_dict(results.entries[1][-3].tensors("weights"))
    with torch.no_grad():
        order = removal_order(parent, images, parent(images).argmax(1), 256)
        for position, judge in ((0.0, parent), (float(SEPARATE_LEVEL), separate)):
            confidence = judge(reduced(images, order[:, -78:])).softmax(1)[
                torch.arange(3), examples.test_labels[places]
            ]
            assert heat[0, position] == pytest.approx(float(confidence.mean()), abs=1e-4)


def test_the_nearest_levels_are_taken_and_the_label_may_be_the_target(results, store):
    few = informative_pixels(images=2, pixels_at_once=512, ratios=(46.0, 50.0), target="label")
    assert {row["level"] for row in measured(few, store, results)} == {0, 1, SEPARATE_LEVEL}
    with pytest.raises(InputError, match="predicted"):
        informative_pixels(target="labels")  # pyright: ignore[reportArgumentType]


def test_images_to_be_drawn_are_kept_with_their_orders(objects_recipe, store, shared_store):
    chain = weight_rewinding(objects_recipe, 1, Prune(fraction=0.5))
    results = run(chain, [Replicate(seed=1), Replicate(seed=2)], shared_store, "cpu", progress=False)
    measurement = informative_pixels(images=2, pixels_at_once=1024, shown=1, corrupted=True)
    plan = Plan(recipe=chain.recipe, levels=1, seeds=(1, 2))
    context = Context(plan, [results], lambda *_: results, table_of({}), store, "cpu", measurement)
    assert measurement.detail
    kept = json.loads(json.dumps(measurement.detail(context)))
    assert len(kept["images"]) == len(kept["labels"]) == 1
    assert [(own["level"], own["algorithm"]) for own in kept["networks"]] == [
        (level, chain.algorithm) for level in (0, 1, SEPARATE_LEVEL)
    ]
    for own in kept["networks"]:
        assert [sorted(order) for order in own["orders"]] == [[*range(1024)]] and len(own["predictions"]) == 1
    examples = prepare(objects_recipe.data, results.replicates, torch.device("cpu"))
    places = torch.randperm(len(examples.test_labels), generator=generator(0, "informative pixels"))[:1]
    (clean,) = examples.test_images[places].tolist()
    assert kept["images"][0] != clean, "it is corrupted"
    assert {row["quantity"] for row in measurement.rows(context)} == {CONFIDENCE_CORRUPTED}


def test_images_of_algorithms_that_were_measured_one_by_one_are_shown_together(tmp_path):
    table = dataclasses.replace(table_of({CONFIDENCE: [[0.5]]}), parts=dict.fromkeys(("wt", PART, f"{PART}_of_b")))
    folder = table_folder(table.paper, table.benchmark, table.scale, table.origin, tmp_path)
    folder.mkdir(parents=True)
    for part, algorithms in ((PART, "ab"), (f"{PART}_of_b", "b")):
        networks = [{"algorithm": name, "seed": 0, "level": level} for name in algorithms for level in (0, 1)]
        write_detail([folder], part, {"images": [[[[1, 2, 3]]]], "labels": [4], "networks": networks})
    shown = shown_images("page", table, root=tmp_path)
    assert shown is not None and shown.labels == [4] and shown.images.shape == (1, 1, 1, 3)
    assert [(one["algorithm"], one["level"]) for one in shown.networks] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert shown_images("page", table, corrupted=True, root=tmp_path) is None
