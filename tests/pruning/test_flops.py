"""FLOPs by hand."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

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


def up_and_down():
    """Strided down and, by a transposed convolution in groups, up again."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.ConvTranspose2d(8, 6, 3, 2, groups=2), nn.Conv2d(6, 5, 1))


def sequences():
    """One dimension, and a layer that is called twice."""
    layer = nn.Conv1d(4, 4, 3, padding=1)
    return nn.Sequential(nn.Conv1d(3, 4, 3), layer, nn.ReLU(), layer, nn.Conv1d(4, 6, 2, groups=2), nn.Flatten(0, 1))


@pytest.mark.parametrize(
    ("make", "image"),
    [
        (lambda: build("cifar-resnet20").module, (3, 32, 32)),
        (lambda: build("cifar-resnet56-bottleneck", width=4).module, (3, 32, 32)),
        (lambda: build("cifar-densenet22").module, (3, 32, 32)),
        (lambda: build("cifar-wide-resnet16-8", width=2).module, (3, 32, 32)),
        (lambda: build("cifar-vgg16-maximum", width=8).module, (3, 32, 32)),
        (lambda: build("imagenet-resnet18", 1000).module, (3, 64, 64)),
        (lambda: build("voc-deeplabv3", 21).module, (3, 33, 33)),
        (up_and_down, (3, 9, 9)),
        (sequences, (3, 12)),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3)),
    ],
)
def test_torchs_counter_counts_twice_as_many_operations(make, image):
    module = make().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, *image))
    assert counter.get_total_flops() == 2 * flops(module, image)
