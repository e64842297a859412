"""Errors on shifted data, against the house's own evaluation and numbers by hand."""

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import nn

from lib import data
from lib.analysis import distributions as module_of_distributions
from lib.analysis import subject as module_of_subject
from lib.analysis.distributions import (
    CLEAN,
    FLOPS_REMOVED,
    NOISY,
    OFFICIAL,
    REMOVED,
    benchmark_sets,
    corrupted,
    distributions,
    error_under,
    errors_under_noise,
    extra_sets,
    noisy,
    uniform_noise,
)
from lib.analysis.subject import Subject, load_stack
from lib.data.segmentation_images import SegmentationImages
from lib.errors import InputError
from lib.models import build
from lib.pruning.flops import flops
from lib.stages import Store, run
from lib.stages.algorithms import weight_rewinding
from lib.stages.stage import Prune
from lib.training import DataRecipe, Replicate, evaluate, prepare
from lib.training.task import evaluate_segmentation
from tests.analysis.stages import measured

IMAGES = 40


@pytest.fixture
def results(objects_recipe, shared_store):
    chain = weight_rewinding(objects_recipe, 1, Prune(fraction=0.5))
    return run(chain, [Replicate(seed=1), Replicate(seed=2)], shared_store, "cpu", progress=False)


@pytest.fixture
def subject(results):
    recipe = results.chain.recipe
    module = build(recipe.network, 10, recipe.width).module.eval()
    return Subject(module, prepare(recipe.data, results.replicates, torch.device("cpu")), recipe.data)


def entries_of(results):
    return [own[-1] for own in results.entries]


def test_every_network_has_the_errors_of_the_houses_evaluation(results, subject, store):
    rows = measured(distributions(images=IMAGES, epsilons=(0.5,)), store, results)
    examples = subject.examples
    images, labels = examples.test_images[:IMAGES], examples.test_labels[:IMAGES]
    changed = {CLEAN: images, corrupted("fog"): data.corrupt(images, "fog", 3)}
    stack = load_stack(subject, entries_of(results))
    for one, own in changed.items():
        found = evaluate(subject.module, stack, own, labels, examples.normalization)
        expected = (100 * (1 - found.correct.double().mean(1))).tolist()
        there = [r for r in rows if (r["quantity"], r["position"], r["level"]) == (one.quantity, one.position, 1)]
        assert [row["value"] for row in there] == pytest.approx(expected, abs=1e-3), one.name
    per_network = 2 + len(data.CORRUPTIONS) + 2 + 1
    assert len(rows) == 4 * per_network and {row["value"] for row in rows if row["quantity"] == OFFICIAL} == {0.0}


def test_what_pruning_removed_is_a_share_of_all_parameters_and_of_the_first_networks_flops(results, subject, store):
    rows = measured(distributions(images=4, epsilons=()), store, results)
    module, entry = subject.module, entries_of(results)[0]
    gone = sum(int((~mask).sum()) for mask in entry.masks().values())
    count = sum(parameter.numel() for parameter in module.parameters())
    found = {(row["quantity"], row["level"]): row["value"] for row in rows if row["seed"] == 1}
    assert found[REMOVED, 0] == found[FLOPS_REMOVED, 0] == 0
    assert found[REMOVED, 1] == pytest.approx(100 * gone / count, abs=1e-3)
    left = flops(module, (3, 32, 32), entry.masks()) / flops(module, (3, 32, 32))
    assert found[FLOPS_REMOVED, 1] == pytest.approx(100 * (1 - left), abs=1e-3)


def test_noise_is_the_same_for_every_network_and_lies_within_its_level(results, subject):
    images, labels = subject.clean(torch.arange(IMAGES))
    stack = load_stack(subject, entries_of(results))
    together = errors_under_noise(subject, stack, images, labels, (0.0, 1.0), 2)
    for place in range(2):
        alone = {name: tensor[place : place + 1] for name, tensor in stack.items()}
        assert (
            errors_under_noise(subject, alone, images, labels, (0.0, 1.0), 2)[:, 0].tolist()
            == together[:, place].tolist()
        )
    like = torch.zeros(50, 3, 32, 32)
    noise = uniform_noise(like, 0, 0)
    assert -1 <= float(noise.min()) < -0.99 and 0.99 < float(noise.max()) <= 1
    assert float(noise.mean()) == pytest.approx(0, abs=0.005) and float(noise.var()) == pytest.approx(1 / 3, abs=0.005)
    assert torch.equal(noise, uniform_noise(like, 0, 0)) and not torch.equal(noise, uniform_noise(like, 1, 0))


def test_noise_is_neither_clipped_nor_averaged_before_the_network(subject, monkeypatch):
    """A network that answers by one pixel's sign errs as often as noise of that level turns the sign."""

    def sign(module, stack, inputs):
        first = inputs[:, 0, 0, 0]
        return (first > 0).long().unsqueeze(0)

    monkeypatch.setattr(module_of_distributions, "predictions", sign)
    whole = data.normalization(subject.examples.normalization)
    level = (torch.tensor(200 / 255) - whole.mean[0]) / whole.std[0]
    images = torch.full((1000, 32, 32, 3), 200, dtype=torch.uint8)[:, :2, :2]
    labels, stack = torch.ones(1000, dtype=torch.long), {"x": torch.zeros(1, 1)}
    epsilons = (0.0, float(level), 2 * float(level))
    found = errors_under_noise(subject, stack, images, labels, epsilons, 4)[:, 0]
    assert found[:2].tolist() == [0, 0] and float(found[2]) == pytest.approx(25, abs=2)


def test_networks_are_measured_together_and_each_is_kept(results, store, monkeypatch):
    calls = []
    original = module_of_distributions._measure

    def count(subject, beside, entries, numbers):
        calls.append(len(entries))
        return original(subject, beside, entries, numbers)

    monkeypatch.setattr(module_of_distributions, "_measure", count)
    measurement = distributions(images=4, epsilons=())
    other = dataclasses.replace(results, chain=results.chain.but(algorithm="another"))
    first = measured(measurement, store, results, other)
    assert calls == [4], "the same networks under another name are measured once"
    fewer = dataclasses.replace(results, replicates=results.replicates[:1], entries=results.entries[:1])
    assert measured(measurement, store, fewer) == first[: len(first) // 4] and calls == [4]


def test_what_another_process_measures_comes_last_and_nothing_is_measured_twice(
    results, store, shared_store, monkeypatch
):
    calls, original, measurement = [], module_of_distributions._measure, distributions(images=4, epsilons=())
    at_once = measured(measurement, shared_store, results)

    def note(subject, beside, entries, numbers):
        calls.append([entry.key for entry in entries])
        time.sleep(0.3)
        return original(subject, beside, entries, numbers)

    monkeypatch.setattr(module_of_distributions, "_measure", note)
    monkeypatch.setattr(module_of_subject, "NETWORKS_AT_ONCE", 2)
    keys = [entry.key for _, _, entry in results.reported()]
    with monkeypatch.context() as patch:
        patch.setattr(Store, "is_being_measured", lambda self, asked, description: asked[0] == keys[:1])
        assert measured(measurement, store, results) == at_once
        assert calls == [keys[2:], keys[:2]]
    calls.clear()
    folder = store.folder / "shared"
    with ThreadPoolExecutor(2) as threads:
        both = threads.map(lambda _: measured(measurement, Store(folder), results), range(2))
        assert all(one == at_once for one in both)
    assert sorted(calls) == sorted([keys[:2], keys[2:]]), "each network once"


def test_published_images_are_those_of_the_same_places(subject, monkeypatch):
    """Their set is whole and in order, where a recipe takes some of the test images only."""
    whole = data.load("generated-objects")
    published = data.Distribution(255 - whole.test_images, whole.test_labels, "CIFAR-10-C")
    monkeypatch.setattr(module_of_subject, "has_cifar10_c", lambda image_set, corruption: True)
    monkeypatch.setattr(data, "test_distribution", lambda image_set, name, severity: published)
    for recipe in (subject.recipe, subject.recipe.but(test=60)):
        some = Subject(subject.module, prepare(recipe, [Replicate(seed=0)], torch.device("cpu")), recipe)
        (images, labels), official = some.corrupted("fog", 3, some.first(50))
        clean, truth = some.clean(some.first(50))
        assert official and torch.equal(images[:], 255 - clean[:]) and torch.equal(labels, truth) and len(labels) == 50


class Brightness(nn.Module):
    """Segments the generated set, where a pixel's brightness says its class; or answers always the background."""

    def __init__(self, blind=False):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.0 if blind else 1.0))

    def forward(self, images):
        grey = self.scale * images.mean(1, keepdim=True) + (1 - self.scale) * 30 / 255
        levels = (torch.arange(21, device=images.device).view(1, -1, 1, 1) * 60 + 30) / 255
        return {"out": -((grey - levels) ** 2)}


def segmenting(stack_of):
    recipe = DataRecipe(image_set="generated-segmentation", validation=4, normalization="mean 0 0 0 std 1 1 1")
    examples = prepare(recipe, [Replicate(seed=0)], torch.device("cpu"))
    subject = Subject(stack_of[0], examples, recipe)
    return subject, {"scale": torch.stack([module.scale.detach() for module in stack_of])}


def test_the_error_of_a_segmentation_is_that_of_the_houses_evaluation_also_under_noise_and_corruption():
    subject, stack = segmenting([Brightness(), Brightness(blind=True)])
    places = subject.first(6)
    images, labels = subject.clean(places)
    assert isinstance(images, SegmentationImages)
    found = evaluate_segmentation(subject.module, stack, images, subject.examples.normalization, 21)
    expected = (100 * (1 - found.mean_iou)).tolist()
    errors = errors_under_noise(subject, stack, images, labels, (0.0, 0.3), 2)
    assert errors[0].tolist() == pytest.approx(expected) and expected[0] < 10 < 80 < expected[1]
    assert errors[1, 0] > expected[0] + 10 and float(errors[1, 1]) == pytest.approx(expected[1])
    (dark, _), published = subject.corrupted("brightness", 5, places)
    changed = errors_under_noise(subject, stack, dark, labels, (0.0,), 1)
    assert not published and float(changed[0, 0]) > expected[0]


def test_images_in_files_are_measured_as_they_are_read():
    recipe = DataRecipe(image_set="generated-folders", validation=2, normalization="imagenet")
    examples = prepare(recipe, [Replicate(seed=0)], torch.device("cpu"))
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, examples.classes))
    subject = Subject(module.eval(), examples, recipe)
    stack = {name: tensor.unsqueeze(0) for name, tensor in module.state_dict().items()}
    (images, labels), _ = subject.corrupted("contrast", 3, subject.first(3))
    scored = evaluate(module, stack, images, labels, "imagenet")
    expected = 100 * (1 - scored.correct.double().mean())
    found = errors_under_noise(subject, stack, images, labels, (0.0,), 1)
    assert found.shape == (1, 1) and float(found) == pytest.approx(float(expected))


def test_sets_are_named_once():
    assert len(benchmark_sets()) == 15 and len(extra_sets(5)) == 4 and extra_sets(5)[0].position == 5
    assert corrupted("gaussian_noise").name == "gaussian noise" and error_under("fog") == "test error under fog (%)"
    assert noisy(0.1).quantity == CLEAN.quantity == NOISY and noisy(0.1).position == 0.1


def test_another_scale_has_other_numbers_and_wrong_ones_are_refused():
    one = distributions(laptop={"images": 1000, "epsilons": (0.1, 0.2)})
    assert "images=1000" in one.identity("laptop") and "epsilons=0.1 0.2" in one.identity("laptop")
    assert one.identity("short") == distributions().identity("short"), "what another scale measures makes nothing stale"
    refused: list[dict[str, Any]] = [
        {"images": 0}, {"severities": (6,)}, {"epsilons": (-0.1,)}, {"laptop": {"pictures": 3}}, {"tiny": {"images": 3}},
    ]  # fmt: skip
    for wrong in refused:
        with pytest.raises(InputError, match="allowed|Allowed"):
            distributions(**wrong)
    with pytest.raises(InputError, match="fog"):
        corrupted("fogg")
