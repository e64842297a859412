"""Filters of networks: what makes their maps, how many parameters networks of GS have, closed gates."""

# Modules and series have no types of their own here.
# pyright: reportIndexIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from lib.errors import InputError
from lib.models import build, initialize
from lib.models.filters import filters_of, find_filters
from lib.models.resnet import Padding


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cifar-vgg11", 9_231_114), ("cifar-resnet18-gated", 11_173_962),
        ("cifar-resnet20-padded", 269_722), ("cifar-resnet56-padded", 853_018),
    ],
)  # fmt: skip
def test_networks_have_as_many_parameters_as_the_released_code_says(name, parameters):
    assert sum(p.numel() for p in build(name).module.parameters()) == parameters


def test_every_convolution_of_a_vgg_has_its_normalization():
    found = find_filters(build("cifar-vgg11", width=4).module)
    assert len(found) == 8
    last = found["layers.11.0.weight"]
    assert last.parameters == ("layers.11.0.weight", "layers.11.0.bias", "layers.11.1.weight", "layers.11.1.bias")
    assert last.gate == "" and last.maps == "layers.11.1"


def test_a_part_called_second_needs_no_gate():
    gated = build("cifar-resnet18-gated", width=4).module.blocks[7]
    assert find_filters(gated)["second.0.weight"].gate == "gate.open"
    pair = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert find_filters(nn.ModuleDict({"second": pair}))["second.0.weight"].gate == ""


def test_filters_of_any_network_with_normalization_are_found():
    found = find_filters(resnet18(weights=None))
    assert found["layer4.1.conv2.weight"].scale == "layer4.1.bn2.weight"
    assert found["layer4.0.downsample.0.weight"].shift == "layer4.0.downsample.1.bias"


def test_a_convolution_without_normalization_is_refused_by_name():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
    with pytest.raises(InputError, match="'0.weight'.*'2.weight'"):
        filters_of(module, ("0.weight",))


def test_a_layer_that_a_shortcut_joins_needs_a_gate():
    with pytest.raises(InputError, match="gated form"):
        filters_of(build("cifar-resnet18", width=4).module, ("blocks.7.second.0.weight",))
    (own,) = filters_of(build("cifar-resnet18-gated", width=4).module, ("blocks.7.second.0.weight",))
    assert own.gate == "blocks.7.gate.open" and own.maps == "blocks.7.gate"


def test_a_closed_gate_makes_its_channel_zero_and_open_gates_change_nothing():
    plain, gated = build("cifar-resnet18", width=4).module.eval(), build("cifar-resnet18-gated", width=4).module.eval()
    gated.load_state_dict(plain.state_dict(), strict=False)
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(plain(images), gated(images))
    gated.get_buffer("blocks.3.gate.open")[2] = 0
    maps = []
    gated.get_submodule("blocks.3").register_forward_hook(lambda _, given, out: maps.append(out))
    gated(images)
    assert not maps[0][:, 2].any() and maps[0][:, 1].any()


def test_padding_takes_every_second_pixel_and_adds_channels_of_zeros():
    maps = torch.arange(2 * 2 * 4 * 4, dtype=torch.float32).view(
        1, 4, 4, 4
    )  # two networks of two channels side by side
    padded = Padding(2, 4)(maps)
    assert padded.shape == (1, 8, 2, 2)
    assert torch.equal(padded[:, [1, 2, 5, 6]], maps[..., ::2, ::2])
    assert not padded[:, [0, 3, 4, 7]].any()


def test_initial_weights_of_gs_have_their_variances():
    vgg, resnet = build("cifar-vgg11").module, build("cifar-resnet18-gated").module
    initialize(vgg, torch.Generator().manual_seed(0), "one", "zero", "fan-out")
    convolution, output = vgg.layers[10][0], vgg.output
    assert convolution.weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)
    assert not convolution.bias.any() and output.bias.any()
    assert output.weight.abs().max().item() <= 512**-0.5
    initialize(resnet, torch.Generator().manual_seed(0), "one", "uniform", "uniform")
    weight = resnet.get_parameter("blocks.7.second.0.weight")
    assert weight.abs().max().item() <= (512 * 9) ** -0.5 and weight.std().item() == pytest.approx(
        (3 * 512 * 9) ** -0.5, rel=0.01
    )
