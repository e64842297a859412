"""FLOPs by hand."""

import pytest
import torch
from torch import nn

from lib.errors import InputError
from lib.models import build
from lib.pruning.flops import flops


def small():
    """A convolution with 4 × 4 positions, one with 2 × 2 in two groups, and a classifier."""
    layers = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 2, 2, groups=2), nn.Flatten(), nn.Linear(24, 5)
    return nn.Sequential(*layers)


def test_each_weight_counts_once_for_each_place_where_it_is_used():
    assert flops(small(), (3, 4, 4)) == 4 * 3 * 9 * 16 + 6 * 2 * 4 * 4 + 24 * 5


def test_a_removed_weight_costs_nothing():
    mask = torch.ones(4, 3, 3, 3, dtype=torch.bool)
    mask[1] = False
    module = small()
    assert flops(module, (3, 4, 4)) - flops(module, (3, 4, 4), {"0.weight": mask}) == 3 * 9 * 16
    bias = {"0.bias": torch.zeros(4, dtype=torch.bool)}
    assert flops(module, (3, 4, 4), bias) == flops(module, (3, 4, 4)), "biases do not count"


def test_resnet_20_has_the_known_number():
    """41 million multiply-adds, as its authors' networks of this size are known to have."""
    assert flops(build("cifar-resnet20").module, (3, 32, 32)) == pytest.approx(41e6, rel=0.01)


def test_a_module_without_layers_is_refused():
    with pytest.raises(InputError, match="no convolution"):
        flops(nn.Sequential(nn.Flatten()), (3, 4, 4))
