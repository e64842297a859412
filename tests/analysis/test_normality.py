"""Distances from a normal distribution, in closed form; the measurement against networks made by hand."""

import copy
import math

import numpy
import pytest
import torch
from scipy import stats
from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from lib import data
from lib.analysis.landscape import take_sample
from lib.analysis.normality import CENTRES, activation_normality, normality
from lib.errors import InputError
from lib.models import build
from lib.stages import run
from lib.stages.algorithms import weight_rewinding
from lib.stages.stage import Prune
from lib.stages.starting_point import initialize_replicate
from lib.training import Replicate, prepare
from tests.analysis.stages import measured

CHANCE = 0.02  # a distance of 10,000 values is larger in one of 1,500 samples of a normal distribution


def normalization(channels=4, mean=0.0, variance=1.0):
    """A layer alone, whose scale and shift are neither one nor zero."""
    layer = nn.BatchNorm2d(channels)
    with torch.no_grad():
        layer.weight.fill_(3.0), layer.bias.fill_(-2.0)
    layer.running_mean, layer.running_var = torch.full((channels,), mean), torch.full((channels,), variance)
    return nn.Sequential(layer)


def draws(kind="randn", shape=(100, 4, 16, 16)):
    return getattr(torch, kind)(shape, generator=torch.Generator().manual_seed(0))


def only(module, images, **settings):
    (found,) = activation_normality(module, images, **settings)
    return found


def test_standard_normal_activations_have_distance_zero_whatever_scale_and_shift_follow():
    found = only(normalization(), draws(shape=(400, 4, 16, 16)))
    assert found.distance < CHANCE and found.name == "0"
    density = torch.tensor(stats.norm.pdf(CENTRES.numpy()))
    assert torch.allclose(found.density, density, atol=0.01) and float(found.density.sum() * 0.2) == pytest.approx(
        1, abs=1e-3
    )


def test_running_statistics_normalize():
    images = 2 * draws() + 3
    assert only(normalization(mean=3.0, variance=4.0), images).distance < CHANCE
    grid = numpy.linspace(-8, 12, 20_001)
    expected = numpy.abs(stats.norm.cdf(grid) - stats.norm.cdf(grid, 3, 2)).max()
    assert only(normalization(), images).distance == pytest.approx(expected, abs=CHANCE)
    assert only(normalization(), images, fresh_statistics=True).distance < CHANCE, "those of the images"


def test_the_distance_of_uniform_activations_is_known():
    """Uniform on ±√3 has variance one; |x / 2√3 + 1/2 − Φ(x)| is largest where φ(x) = 1 / 2√3."""
    x = math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) / (2 * math.sqrt(3))))
    expected = stats.norm.cdf(x) - (x / (2 * math.sqrt(3)) + 0.5)
    assert expected == pytest.approx(0.0572, abs=1e-4)
    found = only(normalization(), draws("rand"), fresh_statistics=True)
    assert found.distance == pytest.approx(expected, abs=0.01)
    inside = CENTRES.abs() < 1.6
    assert torch.allclose(
        found.density[inside], torch.full((int(inside.sum()),), 1 / (2 * math.sqrt(3))).double(), atol=0.01
    )


def test_the_distance_of_two_values_is_known():
    """At ±1 the distribution jumps from 0 to 1/2 and to 1: it is off by Φ(1) − 1/2 just before the second jump."""
    images = torch.tensor([-1.0, 1.0]).repeat(4 * 50).view(100, 4, 1, 1).repeat(1, 1, 1, 2)
    images[:, :, :, 1] *= -1
    found = only(normalization(), images, fresh_statistics=True)
    assert found.distance == pytest.approx(stats.norm.cdf(1) - 0.5, abs=1e-4)


def test_a_removed_filter_is_left_out():
    images = draws()
    images[:, 1] = 0.7
    assert only(normalization(), images).distance < CHANCE
    gone = only(normalization(), torch.ones(10, 4, 8, 8))
    assert math.isnan(gone.distance) and not gone.density.any()


def test_the_last_layers_are_measured_in_the_order_of_a_forward_pass():
    module = build("cifar-resnet20", width=4).module
    images = draws(shape=(8, 3, 32, 32))
    names = [one.name for one in activation_normality(module, images, 100)]
    assert len(names) == 21 and names[:2] == ["stem.1", "blocks.0.first.1"]
    assert [one.name for one in activation_normality(module, images, 8)] == names[-8:]


def test_torchvisions_networks_are_measured_and_stay_as_they_are():
    features = make_layers(cfgs["A"], batch_norm=True).train()
    before = copy.deepcopy(features.state_dict())
    found = activation_normality(features, draws(shape=(8, 3, 32, 32)), fresh_statistics=True)
    assert len(found) == 8 and all(one.distance < 0.2 for one in found)
    assert features.training and not features[1]._forward_pre_hooks
    assert all(torch.equal(tensor, before[name]) for name, tensor in features.state_dict().items())


def test_a_network_without_batch_normalization_is_refused():
    with pytest.raises(InputError, match="batch normalization"):
        activation_normality(build("lenet-300-100").module, draws(shape=(2, 1, 28, 28)))


def test_rows_are_of_the_first_and_the_last_weights_of_each_replicate(objects_recipe, store, shared_store):
    replicates = [Replicate(seed=1), Replicate(seed=2)]
    chain = weight_rewinding(objects_recipe, 1, Prune(fraction=0.5))
    results = run(chain, replicates, shared_store, "cpu", progress=False)
    measurement = normality(chain.algorithm, layers=3, images=40)
    rows = measured(measurement, store, results)
    assert {row["level"] for row in rows} == {1} and {row["seed"] for row in rows} == {1, 2}
    examples = prepare(objects_recipe.data, replicates, torch.device("cpu"))
    sample = take_sample(examples.train_images, examples.train_labels[0], examples.normalization, 40)
    images = data.normalize(sample.images, data.normalization(sample.normalization))
    module = build(objects_recipe.network, 10, objects_recipe.width).module
    for replicate, entries in zip(replicates, results.entries, strict=True):
        initialize_replicate(module, objects_recipe, replicate)
        before = activation_normality(module, images, 3, fresh_statistics=True)
        module.load_state_dict(entries[-1].tensors("weights"))
        for when, found in (("before", before), ("after", activation_normality(module, images, 3))):
            own = [row for row in rows if row["seed"] == replicate.seed and when in row["quantity"]]
            distances = [row for row in own if row["quantity"] == f"distance from normal {when} training"]
            assert [row["position"] for row in distances] == [1, 2, 3]
            assert [row["value"] for row in distances] == pytest.approx([one.distance for one in found], rel=1e-3)
            density = [row for row in own if row["quantity"] == f"activation density of layer 2 {when} training"]
            assert [row["position"] for row in density] == (
                [] if replicate.seed == 2 else pytest.approx(CENTRES.tolist())
            )


def test_other_settings_are_another_measurement():
    assert (
        normality("a", 4).identity("smoke") != normality("a").identity("smoke")
        and normality("a").name != normality("b").name
    )
