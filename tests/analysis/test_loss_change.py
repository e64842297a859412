"""The change of training loss by a pruning step, against closed forms, finite differences and the networks themselves."""

import math

import pytest
import torch
from torch import nn

from lib import data
from lib.analysis.loss_change import CHANGE, ESTIMATE, LOSS_CHANGE, loss_changes
from lib.models import build
from lib.stages import Prune, Results, run
from lib.stages.algorithms import extended_dense_training, weight_rewinding
from lib.training import evaluate, prepare, stack_states
from tests.analysis.stages import measured

CPU = torch.device("cpu")


class OnePixel(nn.Module):
    """Two logits, each a weight times the only pixel."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))

    def forward(self, images):
        return images.flatten(1) * self.weight


def test_one_weight_of_a_logistic_model_has_the_closed_form():
    """Logits (a x, b x) and label 0: L = log(1 + exp((b − a) x)), dL/db = x σ((b − a) x)."""
    constants = data.normalization("mnist")
    pixel = data.normalize(torch.full((1, 1, 1, 1), 255, dtype=torch.uint8), constants).item()
    stack = {"weight": torch.tensor([[0.5, 0.3], [0.5, -0.2]])}
    kept = {"weight": torch.tensor([[True, False], [True, True]])}
    images = torch.full((3, 1, 1, 1), 255, dtype=torch.uint8)
    change, estimate = loss_changes(OnePixel(), stack, kept, images, torch.zeros(2, 3, dtype=torch.int64), "mnist")
    loss = [math.log1p(math.exp((b - 0.5) * pixel)) for b in (0.3, 0.0)]
    slope = pixel / (1 + math.exp(0.2 * pixel))
    assert change.tolist() == pytest.approx([loss[1] - loss[0], 0.0], abs=1e-6)
    assert estimate.tolist() == pytest.approx([-0.3 * slope, 0.0], abs=1e-6)


@pytest.fixture
def finished(recipe, replicates, shared_store):
    """Two levels of weight rewinding on generated digits with LN's kind of noise, for four replicates."""
    noisy = recipe.but(data=recipe.data.but(noise="any"))
    return run(weight_rewinding(noisy, 2, Prune(fraction=0.7)), replicates, shared_store, "cpu", progress=False)


def mean_losses(results: Results, replicate: int, weights):
    """The mean training loss of one replicate's network with some weights, from the evaluation of stages."""
    network = build("lenet-300-100")
    examples = prepare(results.chain.recipe.data, [results.replicates[replicate]], CPU)
    stack = stack_states([weights])
    found = evaluate(network.module, stack, examples.train_images, examples.train_labels, "mnist")
    return found.losses.double().mean().item()


def test_rows_are_the_change_of_the_networks_and_the_slope_towards_it(finished, store):
    rows = measured(LOSS_CHANGE, store, finished)
    assert len(rows) == 2 * 2 * 4
    value = {(row["seed"], row["noise_percent"], row["level"], row["quantity"]): row["value"] for row in rows}
    for index, (replicate, entries) in enumerate(zip(finished.replicates, finished.entries, strict=True)):
        for level in (1, 2):
            before, after = entries[level].tensors("weights"), entries[level].tensors("weights")
            later = entries[level + 1].masks()
            after |= {name: before[name] * mask for name, mask in later.items()}

            def loss(share, start=before, end=after, who=index):
                return mean_losses(finished, who, {n: start[n] + share * (end[n] - start[n]) for n in start})

            place = (replicate.seed, replicate.noise_percent, level)
            assert value[*place, CHANGE] == pytest.approx(loss(1) - loss(0), rel=1e-3, abs=1e-5)
            slope = (loss(2e-4) - loss(-2e-4)) / 4e-4  # so close that few ReLUs switch
            assert value[*place, ESTIMATE] == pytest.approx(slope, rel=0.02, abs=1e-3)
            assert row_key(rows, place) == entries[level + 1].key


def row_key(rows, place):
    """The stage that a row names."""
    found = [r["stage_key"] for r in rows if (r["seed"], r["noise_percent"], r["level"]) == place]
    assert len(set(found)) == 1
    return found[0]


def test_a_replicate_that_ended_early_has_no_later_steps_and_dense_chains_none(finished, recipe, store, shared_store):
    cut = Results(finished.chain, finished.replicates, (finished.entries[0][:3], *finished.entries[1:]))
    levels = [row["level"] for row in measured(LOSS_CHANGE, store, cut) if row["quantity"] == CHANGE]
    assert sorted(levels) == [1] * 4 + [2] * 3
    dense = run(extended_dense_training(recipe, 1), finished.replicates[:1], shared_store, "cpu", progress=False)
    assert not measured(LOSS_CHANGE, store, dense)


def test_networks_measured_one_after_the_other_are_those_of_a_stack(finished, store, monkeypatch):
    whole = measured(LOSS_CHANGE, store, finished)
    monkeypatch.setattr("lib.analysis.loss_change.stack_limit", lambda *_: 3)
    monkeypatch.setattr("lib.analysis.loss_change.VALUES_PER_BATCH", 77 * 3 * 28 * 28)
    parts = measured(LOSS_CHANGE, store, finished)
    assert len(parts) == len(whole)
    for one, other in zip(whole, parts, strict=True):
        assert {**one, "value": 0} == {**other, "value": 0}
        assert one["value"] == pytest.approx(other["value"], rel=1e-3, abs=1e-5)


def test_convolutions_and_running_statistics_are_measured_too(objects_recipe, replicates, store, shared_store):
    chain = weight_rewinding(objects_recipe, 1, Prune(fraction=0.5, score="random"))
    results = run(chain, replicates[:1], shared_store, "cpu", progress=False)
    rows = {row["quantity"]: row["value"] for row in measured(LOSS_CHANGE, store, results)}
    assert rows.keys() == {CHANGE, ESTIMATE}
    entries = results.entries[0]
    network = build("cifar-resnet20", 10, 4)
    examples = prepare(objects_recipe.data, replicates[:1], CPU)
    losses = []
    for masks in ({}, entries[2].masks()):
        state = entries[1].tensors("weights")
        state |= {name: state[name] * mask for name, mask in masks.items()}
        found = evaluate(
            network.module, stack_states([state]), examples.train_images, examples.train_labels, "imagenet"
        )
        losses.append(found.losses.double().mean().item())
    assert rows[CHANGE] == pytest.approx(losses[1] - losses[0], rel=1e-3, abs=1e-5)
