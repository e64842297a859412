"""Distances between functions, by hand and against single networks."""

import math

import pytest
import torch

from lib import data
from lib.analysis.distributions import uniform_noise
from lib.analysis.experiments import reported
from lib.analysis.function_distance import (
    MATCHING,
    SEPARATE,
    SOFTMAX_DISTANCE,
    distances,
    families,
    function_distance,
)
from lib.models import build
from lib.stages import run
from lib.stages.algorithms import weight_rewinding
from lib.stages.stage import Prune
from lib.training import Replicate, prepare
from tests.analysis.stages import finished, measured


def test_a_copy_of_the_parent_is_at_no_distance():
    logits = torch.randn(1, 5, 10, generator=torch.Generator().manual_seed(0)).expand(3, 5, 10)
    agree, far = distances(logits)
    assert agree.shape == far.shape == (2, 5) and bool((agree == 1).all()) and not far.any()


def test_two_certain_and_different_networks_are_as_far_apart_as_can_be():
    certain = 100 * torch.eye(3)
    agree, far = distances(torch.stack([certain, certain.roll(1, 0)]))
    assert not agree.any() and far[0].tolist() == pytest.approx([math.sqrt(2)] * 3)


def test_the_distance_is_that_of_probabilities_and_not_of_logits():
    parent = torch.tensor([[0.0, 0.0]])
    agree, far = distances(torch.stack([parent, parent + 7, torch.tensor([[math.log(3), 0.0]])]))
    assert agree[:, 0].tolist() == [1, 1] and far[:, 0].tolist() == pytest.approx([0, math.sqrt(2) / 4])


def test_of_pixels_both_are_means():
    pixels = torch.randn(3, 2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    each = distances(pixels.permute(0, 1, 3, 4, 2).reshape(3, -1, 4))
    assert torch.allclose(distances(pixels), each.view(2, 2, 2, 25).mean(3), atol=1e-6)


def test_the_separate_network_is_the_parent_of_the_next_seed(objects_recipe):
    chain = weight_rewinding(objects_recipe, 2, Prune(fraction=0.5))
    dense = next(i for i, stage in enumerate(chain.stages) if stage.level == 0)
    results = finished(chain, (3, 5, 9))

    found = families([(columns, entry) for columns, _, _, entry in reported(results)])
    parents = {seed: f"{seed}a{dense}" for seed in (3, 5, 9)}
    assert [parent.key for parent, _ in found] == list(parents.values())
    for (_, others), seed, following in zip(found, (3, 5, 9), (5, 9, 3), strict=True):
        assert {columns["seed"] for columns, _ in others} == {seed}
        separate = [entry.key for columns, entry in others if columns["algorithm"] == SEPARATE]
        assert separate == [parents[following]] and len(others) == 3
    alone = finished(chain, (3,))
    ((_, others),) = families([(columns, entry) for columns, _, _, entry in reported(alone)])
    assert SEPARATE not in {columns["algorithm"] for columns, _ in others}


def test_rows_are_the_distances_of_each_network_from_its_own_parent(objects_recipe, store, shared_store):
    replicates = [Replicate(seed=1), Replicate(seed=2)]
    chain = weight_rewinding(objects_recipe, 1, Prune(fraction=0.5))
    results = run(chain, replicates, shared_store, "cpu", progress=False)
    rows = measured(function_distance(images=30, draws=2, epsilons=(0.0, 0.4)), store, results)
    assert len(rows) == 2 * 2 * 2 * 2, "seeds, networks, levels of noise, quantities"
    examples = prepare(objects_recipe.data, replicates, torch.device("cpu"))
    images = data.normalize(examples.test_images[:30], data.normalization(examples.normalization))
    module = build(objects_recipe.network, 10, objects_recipe.width).module.eval()

    def logits(entry, epsilon, draw):
        module.load_state_dict(entry.tensors("weights"))
        with torch.no_grad():
            return module(images + epsilon * uniform_noise(images, draw, 0))

    for seed, own in enumerate(results.entries, start=1):
        others = {(chain.algorithm, 1): own[-1], (SEPARATE, 0): results.entries[2 - seed][-2]}
        for (algorithm, level), other in others.items():
            for epsilon in (0.0, 0.4):
                both = [distances(torch.stack([logits(e, epsilon, draw) for e in (own[-2], other)])) for draw in (0, 1)]
                agree, far = torch.stack(both).mean((0, 2, 3)).tolist()
                found = {
                    row["quantity"]: row["value"]
                    for row in rows
                    if (row["seed"], row["algorithm"], row["level"], row["position"])
                    == (seed, algorithm, level, epsilon)
                }
                assert found[MATCHING] == pytest.approx(100 * agree, abs=1e-3)
                assert found[SOFTMAX_DISTANCE] == pytest.approx(far, abs=1e-4)
