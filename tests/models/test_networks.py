"""Networks: parameter counts of facts A.1, initialization of A.2."""

import pytest
import torch

from lib.errors import InputError
from lib.models import build, initialize, prunable_weights


@pytest.mark.parametrize(
    ("name", "classes", "parameters", "prunable"),
    [
        ("lenet-300-100", 10, 266_610, 265_200),
        ("cifar-resnet20", 10, 272_474, 270_896),
        ("cifar-resnet32", 100, 472_756, 470_192),
        ("cifar-vgg16", 10, 14_728_266, 14_710_464),
    ],
)
def test_counts(name, classes, parameters, prunable):
    network = build(name, classes)
    assert sum(p.numel() for p in network.module.parameters()) == parameters
    assert sum(network.module.get_parameter(n).numel() for n in network.prunable) == prunable


def test_output_layer_is_pruned_in_resnets_only():
    assert "output.weight" not in build("lenet-300-100").prunable
    assert "output.weight" in build("cifar-resnet20").prunable


def test_initial_weights_have_the_stated_spread():
    module = build("lenet-300-100").module
    initialize(module, torch.Generator().manual_seed(0))
    weight = module.get_parameter("hidden.0.weight")
    assert weight.std().item() == pytest.approx((2 / 784) ** 0.5, rel=0.01)
    assert module.get_parameter("hidden.0.bias").abs().max() <= 784**-0.5


def test_normalization_scale_is_uniform_or_one():
    module = build("cifar-resnet20").module
    initialize(module, torch.Generator().manual_seed(0))
    scales = torch.cat([p.flatten() for n, p in module.named_parameters() if n.endswith(".1.weight")])
    assert 0 <= scales.min() < 0.05 and 0.95 < scales.max() < 1
    initialize(module, torch.Generator().manual_seed(0), "one")
    assert module.get_parameter("stem.1.weight").eq(1).all()


def test_initialization_depends_on_the_generator_alone():
    first, second = build("cifar-resnet20").module, build("cifar-resnet20").module
    initialize(first, torch.Generator().manual_seed(3))
    initialize(second, torch.Generator().manual_seed(3))
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_any_module_has_prunable_weights():
    module = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 3), torch.nn.LayerNorm(3), torch.nn.Linear(3, 1))
    assert prunable_weights(module) == ("0.weight", "2.weight")
    assert prunable_weights(torch.nn.Linear(2, 2)) == ("weight",)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: build("lenet-300-10"), "lenet-300-100"),
        (lambda: prunable_weights(torch.nn.ReLU()), "no convolution or linear layer"),
        (lambda: prunable_weights(torch.nn.Sequential(torch.nn.Linear(1, 1)), ("1",)), "unknown layer '1'"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(InputError, match=says):
        call()
