"""Networks with their filters really removed: equal outputs, and no more left than residual sums need."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2

from lib.errors import InputError
from lib.models import build, prunable_weights
from lib.models.resnet import ResNet
from lib.pruning import Batch
from lib.pruning.budget import parameter_count, parameters_remaining
from lib.pruning.filter_budget import ft, pfp
from lib.pruning.flops import flops
from lib.pruning.paths import with_paths
from lib.pruning.removal import without_removed

IMAGE = (3, 32, 32)
MODULES = {
    "residual": lambda: build("cifar-resnet20", width=6).module,
    "bottlenecks": lambda: ResNet(depth=14, width=4, bottleneck=True),
    "wide": lambda: build("cifar-wide-resnet16-8", width=1).module,
    "plain": lambda: build("cifar-vgg16-maximum", width=6).module,
    "dense": lambda: build("cifar-densenet22", width=6).module,
    "depthwise": lambda: mobilenet_v2(num_classes=10, inverted_residual_setting=[[1, 8, 1, 1], [4, 12, 2, 2]]),
}


def randomized(module):
    """Return a module whose normalization does something, so that a filter that is not gone would show."""
    generator = torch.Generator().manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var):
                tensor.uniform_(0.5, 1.5, generator=generator)  # pyright: ignore[reportOptionalMemberAccess]
    return module.double().eval()


def pruned(method, module, keep, image=IMAGE):
    names = prunable_weights(module)
    if method == "ft":
        return ft(module, names, {}, keep, image).masks
    images = torch.randn(3, *image, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return pfp(module, names, {}, keep, Batch(images, torch.zeros(3, dtype=torch.int64), torch.Generator())).masks


def masked(module, masks):
    module = deepcopy(module)
    with torch.no_grad():
        for name, mask in masks.items():
            module.get_parameter(name).mul_(mask)
    return module


@pytest.mark.parametrize("method", ["ft", "pfp"])
@pytest.mark.parametrize("kind", MODULES)
@torch.no_grad()
def test_without_its_filters_a_network_has_the_same_outputs(kind, method):
    torch.manual_seed(0)
    module = randomized(MODULES[kind]())
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    masks = pruned(method, module, 0.4)
    small = without_removed(module, masks, IMAGE)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    images = torch.randn(4, *IMAGE, dtype=torch.float64)
    torch.testing.assert_close(small(images), masked(module, masks)(images), rtol=1e-10, atol=1e-10)

    assert parameters_remaining(module, masks) <= parameter_count(small) < 0.7 * parameter_count(module)
    left = {name: parameter != 0 for name, parameter in small.named_parameters()}
    assert flops(small, IMAGE, left) == flops(module, IMAGE, masks) <= flops(small, IMAGE)
    if kind == "plain" or (kind == "dense" and method == "ft"):  # there nothing is added up
        assert parameter_count(small) == parameters_remaining(module, masks)
        assert flops(small, IMAGE) == flops(module, IMAGE, masks)


def test_inside_its_blocks_a_residual_network_has_no_filter_left_that_is_zero():
    module = randomized(MODULES["residual"]())
    small = without_removed(module, pruned("ft", module, 0.4), IMAGE)
    inside = [small.get_parameter(f"blocks.{index}.first.0.weight") for index in range(9)]
    assert all(weight.flatten(1).any(1).all() for weight in inside)
    assert [len(weight) for weight in inside] == [3] * 3 + [7] * 3 + [13] * 3  # of 6, 12 and 24


def test_a_smaller_network_goes_on_training():
    module = MODULES["plain"]()
    small = without_removed(module, pruned("ft", module, 0.4), IMAGE).train()
    assert next(small.parameters()).dtype == torch.float32
    small(torch.randn(4, *IMAGE)).sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in small.parameters())


class Sequences(nn.Module):
    """One dimension, groups, a layer that is called twice, a normalization over channels, a concatenation, a mapping."""

    def __init__(self):
        super().__init__()
        self.embed, self.grouped = nn.Conv1d(3, 8, 3), nn.Conv1d(8, 12, 3, groups=4)
        self.shared, self.normalization = nn.Conv1d(12, 12, 1), nn.GroupNorm(3, 12)
        self.widen, self.narrow = nn.Conv1d(24, 20, 1), nn.Conv1d(20, 20, 1)
        self.output = nn.Linear(20, 4)

    def forward(self, x):
        inner = self.grouped(self.embed(x).relu()).relu()
        twice = self.shared(self.normalization(self.shared(inner)).relu()).tanh()
        both = self.narrow(self.widen(torch.cat([inner, twice], 1)).relu()).relu()
        return {"classes": self.output(both.mean(2)), "all": [both]}


class Twice(nn.Module):
    """Reads two layers' channels by one, called twice and once more under another name."""

    def __init__(self):
        super().__init__()
        self.one, self.other, self.reader, self.tied = (nn.Conv2d(i, 8, 1) for i in (3, 3, 8, 8))
        self.tied.weight = self.reader.weight
        self.output = nn.Linear(8, 2)

    def forward(self, x):
        maps = self.reader(self.one(x).relu()).relu() + self.reader(self.other(x).relu())
        return self.output(self.tied(maps).relu().flatten(2).mean(2))


def up_and_down():
    """Strided down and, by a transposed convolution, up again."""
    layers = [nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 6, 3, 2), nn.BatchNorm2d(6)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(6, 5, 1))


STRANGE = {"sequences": (Sequences, (3, 9)), "twice": (Twice, (3, 4, 4)), "up and down": (up_and_down, (3, 9, 9))}


@pytest.mark.parametrize("kind", STRANGE)
@torch.no_grad()
def test_filters_of_strange_modules_go_too(kind):
    torch.manual_seed(0)
    make, image = STRANGE[kind]
    module, masks = randomized(make()), {}
    for name, parameter in module.named_parameters():
        if parameter.dim() > 1:  # every second filter, and its bias
            rows = (torch.arange(len(parameter)) % 2 == 0).view(-1, *[1] * (parameter.dim() - 1))
            masks[name] = rows.expand_as(parameter)
            masks[name.removesuffix("weight") + "bias"] = rows.flatten()
    if kind == "up and down":
        masks |= {n: torch.ones_like(masks[n]) for n in ("6.weight", "6.bias")}
        masks["3.weight"] = (torch.arange(6) % 2 == 0).view(-1, 1, 1).expand(8, 6, 3, 3)
        masks["3.bias"] = torch.arange(6) % 2 == 0
    if kind == "twice":
        masks["tied.bias"] = masks["reader.bias"]
    small = without_removed(module, masks, image)
    images = torch.randn(2, *image, dtype=torch.float64)
    torch.testing.assert_close(small(images), masked(module, with_paths(module, masks, image))(images))
    assert parameter_count(small) < 0.8 * parameter_count(module)
    if kind == "up and down":
        assert small.get_parameter("3.weight").shape == (4, 3, 3, 3)


class Fixed(nn.Module):
    """Writes a size down, or asks what its numbers are."""

    def __init__(self, asks: bool):
        super().__init__()
        self.layer, self.output, self.asks = nn.Conv2d(3, 8, 4), nn.Linear(8, 2), asks

    def forward(self, x):
        maps = self.layer(x).relu()
        if self.asks and maps.sum() < 0:
            return self.output(-maps.flatten(1))
        return self.output(maps.view(-1, 8))


@pytest.mark.parametrize(
    ("asks", "says"), [(True, "torch.fx cannot follow it"), (False, "with fewer filters it computes something else")]
)
def test_a_module_that_cannot_be_cut_is_refused_by_name(asks, says):
    module = Fixed(asks)
    masks = {
        "layer.weight": (torch.arange(8) < 4).view(-1, 1, 1, 1).expand(8, 3, 4, 4),
        "layer.bias": torch.arange(8) < 4,
    }
    with pytest.raises(InputError, match=f"cannot be removed from Fixed: {says}"):
        without_removed(module, masks, (3, 4, 4))


def test_a_block_of_which_nothing_is_left_keeps_one_filter_that_is_zero():
    module = randomized(MODULES["residual"]())
    names = [f"blocks.1.{layer}.{part}" for layer in ("first", "second") for part in ("0.weight", "1.weight", "1.bias")]
    small = without_removed(module, {n: torch.zeros_like(module.get_parameter(n)).bool() for n in names}, IMAGE)
    assert small.get_parameter("blocks.1.first.0.weight").shape == (1, 6, 3, 3)
    assert not small.get_parameter("blocks.1.first.0.weight").any()
