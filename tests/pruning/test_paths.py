"""What has no path: by hand on small networks, and on the book's and others' by changing what was found to be without."""

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2

from lib.models import build
from lib.models.filters import find_filters
from lib.models.resnet import ResNet
from lib.pruning.paths import with_paths


def ones(module):
    return {name: torch.ones_like(p, dtype=torch.bool) for name, p in module.named_parameters()}


def masked(module, masks):
    with torch.no_grad():
        for name, mask in masks.items():
            module.get_parameter(name).mul_(mask)


def chain():
    """Three layers, of two, three and two filters."""
    return nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 3, 1), nn.Flatten(), nn.Linear(3, 2)
    )


def test_all_of_an_unpruned_network_has_a_path():
    module = chain()
    found = with_paths(module, {}, (1, 1, 1))
    assert found.keys() == dict(module.named_parameters()).keys() and all(mask.all() for mask in found.values())


def test_a_filter_that_went_takes_its_shift_and_the_columns_that_read_it():
    masks = {"0.weight": torch.tensor([True, False]).view(2, 1, 1, 1), "0.bias": torch.tensor([True, False])}
    found = with_paths(chain(), masks, (1, 1, 1))
    assert found["1.weight"].tolist() == found["1.bias"].tolist() == [True, False]
    assert found["3.weight"].flatten(1).tolist() == [[True, False]] * 3
    assert found["3.bias"].all() and found["5.weight"].all()


def test_a_filter_that_nothing_reads_goes():
    found = with_paths(chain(), {"5.weight": torch.tensor([[True, False, True]] * 2)}, (1, 1, 1))
    assert found["3.weight"].flatten(1).any(1).tolist() == found["3.bias"].tolist() == [True, False, True]
    assert found["0.weight"].all() and found["1.bias"].all()


def test_a_bias_keeps_alive_what_reads_it():
    found = with_paths(chain(), {"3.weight": torch.zeros(3, 2, 1, 1, dtype=torch.bool)}, (1, 1, 1))
    assert not found["0.weight"].any() and not found["1.bias"].any()
    assert found["3.bias"].all() and found["5.weight"].all()


def test_normalization_over_channels_lets_nothing_go():
    module = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.GroupNorm(1, 2), nn.Conv2d(2, 1, 1))
    found = with_paths(module, {"0.weight": torch.tensor([True, False]).view(2, 1, 1, 1)}, (1, 1, 1))
    assert found["2.weight"].all() and found["1.weight"].all()


MODULES = {
    "residual": lambda: ResNet(depth=8, width=4),
    "residual with gates": lambda: ResNet(depth=8, width=4, gated=True, padded=True),
    "cifar-vgg16": lambda: build("cifar-vgg16", width=4).module,
    "torchvision mobilenet": lambda: mobilenet_v2(num_classes=10, width_mult=0.25),
}


@pytest.mark.parametrize("name", MODULES)
def test_weights_without_a_path_do_not_matter(name):
    """Half of all filters go, and weights that have no path get another value."""
    torch.manual_seed(0)
    module = MODULES[name]().eval()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.bias.data, layer.running_mean):
                tensor.copy_(torch.rand_like(tensor))  # pyright: ignore
    masks = {}
    for filters in find_filters(module).values():
        rows = torch.rand(len(module.get_parameter(filters.weight))) < 0.5
        masks |= {
            n: ones(module)[n] & rows.view(-1, *[1] * (module.get_parameter(n).dim() - 1)) for n in filters.parameters
        }
    found, images = with_paths(module, masks, (3, 32, 32)), torch.randn(2, 3, 32, 32)
    masked(module, found)
    before, lost = module(images), 0
    for parameter, mask in found.items():
        free = masks.get(parameter, torch.ones_like(mask)) & ~mask
        if mask.dim() > 1:
            lost += int(free.sum())
            module.get_parameter(parameter).data[free] = torch.randn(int(free.sum()))
    assert lost > 0
    torch.testing.assert_close(module(images), before)


@pytest.mark.parametrize("name", MODULES)
def test_all_of_an_unpruned_network_of_any_kind_has_a_path(name):
    assert all(mask.all() for mask in with_paths(MODULES[name](), {}, (3, 32, 32)).values())
