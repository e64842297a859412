"""Budgets of single weights in exact counts."""

import math

import pytest
import torch
from torch import nn

from lib.errors import InputError
from lib.models import prunable_weights
from lib.models.resnet import ResNet
from lib.pruning import Batch, magnitude
from lib.pruning.budget import budget, parameter_count, parameters_remaining, prune_weights
from lib.pruning.sensitivity import sipp

KEPT = (0.85, 0.5, 0.3, 0.15)


def batch(images):
    return Batch(images, torch.zeros(len(images), dtype=torch.int64), torch.Generator())


def ones(module, names):
    return {name: torch.ones_like(module.get_parameter(name), dtype=torch.bool) for name in names}


def small_resnet():
    torch.manual_seed(0)
    module = ResNet(depth=8, width=4)
    return module, prunable_weights(module), batch(torch.randn(4, 3, 16, 16))


@pytest.mark.parametrize("score", [magnitude, sipp])
def test_weights_are_counted_exactly_among_all_parameters(score):
    module, names, images = small_resnet()
    scores, masks = score(module, names, images), ones(module, names)
    for keep in KEPT:
        new = prune_weights(module, scores, masks, keep)
        assert parameters_remaining(module, new) == math.floor(keep * parameter_count(module)) == budget(module, keep)
        assert all((new[name] <= masks[name]).all() for name in names)
        assert all(
            torch.equal(mask, prune_weights(module, scores, ones(module, names), keep)[n]) for n, mask in new.items()
        )
        masks = new
    again = prune_weights(module, scores, masks, 0.9)
    assert all(torch.equal(again[name], masks[name]) for name in names), "what is pruned stays so"


def test_parameters_that_cannot_be_pruned_are_charged_first():
    module = nn.Linear(4, 2)  # ten parameters, two of them biases
    scores = {"weight": torch.arange(8.0).view(2, 4)}
    kept = prune_weights(module, scores, ones(module, ["weight"]), 0.5)["weight"]
    assert kept.flatten().tolist() == [False] * 5 + [True] * 3
    assert prune_weights(module, scores, ones(module, ["weight"]), 0.999)["weight"].sum() == 7
    with pytest.raises(InputError, match="allows 2 of 10 parameters; at least 3 remain, keep=0.3"):
        prune_weights(module, scores, ones(module, ["weight"]), 0.2)
