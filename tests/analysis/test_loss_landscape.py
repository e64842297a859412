"""Paths, slices and distances, against closed forms and against one network measured by itself."""

import math

import numpy
import pandas
import pytest
import torch
from torch import nn

from lib import data
from lib.analysis import landscape
from lib.analysis.distance import DISTANCE, DISTANCES, MASKED_DISTANCE, crossings, distance
from lib.analysis.landscape import measure_stack, parts, take_sample
from lib.analysis.loss_path import interpolate, loss_path, recompute_statistics
from lib.analysis.loss_slice import along, loss_slice, random_direction
from lib.errors import InputError
from lib.models import build
from lib.stages import run
from lib.stages.algorithms import redense_training, weight_rewinding
from lib.stages.stage import Prune
from lib.training import Replicate, evaluate
from lib.training.stack import unstack
from tests.analysis.stages import measured

PRUNE = Prune(fraction=0.9)
REPLICATE = Replicate(seed=0, noise_percent=20.0)


@pytest.fixture
def noisy(recipe):
    """A recipe of LN's kind: no rewinding epoch, no validation images, errors of every epoch."""
    return recipe.but(data=recipe.data.but(noise="any", validation=0), rewind_epoch=0, record_epochs=True)


@pytest.fixture
def redense(noisy, shared_store):
    """Re-dense training from level 1 of one replicate."""
    return run(redense_training(noisy, 1, PRUNE)[1], [REPLICATE], shared_store, "cpu", progress=False)


def networks(name="cifar-resnet20", width=4, count=2):
    """A module and some states of it with running statistics that differ."""
    module, states = build(name, width=width).module, []
    for seed in range(count):
        torch.manual_seed(seed)
        states.append(
            {n: torch.rand_like(t) if t.is_floating_point() else t.clone() for n, t in module.state_dict().items()}
        )
    return module, states


def sample(count=60, side=32, channels=3, normalization="imagenet"):
    images = torch.randint(0, 256, (count, side, side, channels), generator=torch.Generator().manual_seed(1))
    return take_sample(images.to(torch.uint8), torch.arange(count) % 10, normalization)


def test_the_ends_of_a_path_are_the_two_networks_to_the_bit():
    _, (first, second) = networks()
    shares = torch.linspace(0, 1, 101, dtype=torch.float64)
    stack = interpolate(first, second, shares)
    assert any("running_mean" in name for name in stack)
    for name, tensor in stack.items():
        assert torch.equal(tensor[0], first[name]) and torch.equal(tensor[-1], second[name]), name
    middle = stack["stem.1.running_var"][25]
    assert torch.allclose(middle, 0.75 * first["stem.1.running_var"] + 0.25 * second["stem.1.running_var"])


def test_networks_of_two_kinds_have_no_path():
    (_, (first, _)), (_, (second, _)) = networks(width=4), networks(width=5)
    with pytest.raises(InputError, match="one architecture"):
        interpolate(first, second, torch.tensor([0.5]))


@pytest.mark.parametrize("batch_size", [20, 30, 60])
def test_recomputed_statistics_are_those_of_a_pass_in_train_mode(batch_size):
    """Against `update_bn` of one network after the other, and for one batch against the batch itself."""
    module, states = networks(count=3)
    some = sample()
    stack = {name: torch.stack([state[name] for state in states]) for name in states[0]}
    momenta = [m.momentum for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    found = recompute_statistics(module, stack, some, batch_size)
    assert [m.momentum for m in module.modules() if isinstance(m, nn.BatchNorm2d)] == momenta
    assert not module.training
    images = data.normalize(some.images, data.normalization(some.normalization))
    for place, state in enumerate(states):
        module.load_state_dict(state)
        for layer in (m for m in module.modules() if isinstance(m, nn.BatchNorm2d)):
            layer.reset_running_stats()
        module.train()
        for index, batch in enumerate(images.split(batch_size), 1):
            for layer in (m for m in module.modules() if isinstance(m, nn.BatchNorm2d)):
                layer.momentum = 1 / index
            module(batch)
        for name, tensor in module.state_dict().items():
            if "running" in name:
                assert torch.allclose(found[name][place], tensor, rtol=1e-4, atol=1e-5), name
            elif "num_batches" not in name:
                assert torch.equal(found[name][place], state[name]), name
    assert torch.equal(stack["stem.1.running_mean"][0], states[0]["stem.1.running_mean"]), "left as it was"


def test_recomputed_statistics_are_those_of_update_bn():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.normalization = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, images):
            return self.normalization(self.layer(images)).mean((2, 3))

    torch.manual_seed(0)
    module, some = Plain(), sample()
    stack = {name: tensor[None].clone() for name, tensor in module.state_dict().items()}
    found = unstack(recompute_statistics(module, stack, some, 25), 0)
    images = data.normalize(some.images, data.normalization(some.normalization))
    torch.optim.swa_utils.update_bn(images.split(25), module)
    for name, tensor in module.state_dict().items():
        if "running" in name:
            assert torch.allclose(found[name], tensor, atol=1e-6), name


def test_a_network_without_statistics_comes_back_as_it_is():
    module = build("lenet-300-100").module
    stack = {name: tensor[None].clone() for name, tensor in module.state_dict().items()}
    assert recompute_statistics(module, stack, sample(side=28, channels=1, normalization="mnist")) is stack


def test_filters_of_a_direction_are_as_long_as_those_of_the_network():
    module, (state, _) = networks()
    state["stem.0.weight"][2] = 0  # a filter that is pruned whole
    direction = random_direction(module, state)
    assert set(direction) == {name for name, _ in module.named_parameters()}
    for name, tensor in direction.items():
        if tensor.dim() == 1:
            assert not tensor.any(), name
            continue
        lengths, expected = (t.flatten(1).norm(dim=1) for t in (tensor, state[name]))
        assert torch.allclose(lengths, expected, rtol=1e-5), name


def test_networks_share_one_direction_but_for_its_lengths():
    module, (first, second) = networks()
    a, b = random_direction(module, first), random_direction(module, second)
    for name in (n for n, t in a.items() if t.dim() > 1):
        cosine = torch.cosine_similarity(a[name].flatten(1), b[name].flatten(1))
        assert torch.allclose(cosine, torch.ones_like(cosine), atol=1e-5)


def test_another_direction_is_another_measurement():
    """Or the store would give back what was measured along the first one, and the page's exercise would change nothing."""
    first, other = (loss_slice("weight rewinding", "re-dense training", direction=seed) for seed in (0, 1))
    assert first.identity("smoke") != other.identity("smoke")
    module, (state, _) = networks()
    a, b = (random_direction(module, state, seed) for seed in (0, 1))
    assert not any(torch.equal(a[name], b[name]) for name, tensor in a.items() if tensor.dim() > 1)


def test_a_slice_has_the_network_in_its_middle_and_its_statistics_everywhere():
    module, (state, _) = networks()
    direction = random_direction(module, state)
    stack = along(state, direction, torch.tensor([-1.0, 0.0, 1.0]))
    for name, tensor in stack.items():
        assert torch.equal(tensor[1], state[name])
        if "running" in name:
            assert torch.equal(tensor[0], state[name]) and torch.equal(tensor[2], state[name])
    assert torch.allclose(stack["stem.0.weight"][0], state["stem.0.weight"] - direction["stem.0.weight"])


def test_a_stack_measured_in_parts_is_measured_as_a_whole(monkeypatch):
    module = build("lenet-300-100").module
    some = sample(side=28, channels=1, normalization="mnist")
    stack = {n: torch.stack([t, 2 * t, -t, 0 * t, 3 * t]) for n, t in module.state_dict().items()}
    one = sum(tensor[0].numel() * 4 for tensor in stack.values())
    monkeypatch.setitem(landscape.BYTES_TOGETHER, "cpu", 2 * one)
    assert [len(part["output.bias"]) for part in parts(module, stack)] == [2, 2, 1]
    losses, errors = measure_stack(module, stack, some)
    whole = evaluate(module, stack, some.images, some.labels, "mnist")
    assert losses.tolist() == pytest.approx(whole.losses.double().mean(1).tolist(), rel=1e-5)
    assert losses[3].item() == pytest.approx(math.log(10), rel=1e-5)
    assert errors.tolist() == pytest.approx((100 * (1 - whole.correct.double().mean(1))).tolist())


def test_a_sample_is_the_same_each_time_and_pairs_images_with_labels():
    images = torch.arange(50, dtype=torch.uint8).view(50, 1, 1, 1)
    one, two = (take_sample(images, torch.arange(50), "mnist", 20) for _ in range(2))
    assert torch.equal(one.images, two.images) and len(set(one.labels.tolist())) == 20
    assert one.images.flatten().tolist() == one.labels.tolist()
    assert len(take_sample(images, torch.arange(50), "mnist").labels) == 50


def test_unknown_statistics_are_refused():
    with pytest.raises(InputError, match="recomputed"):
        loss_path("weight rewinding", "re-dense training", "recompute")  # pyright: ignore[reportArgumentType]


def test_distance_by_hand():
    state = {"w": torch.tensor([[3.0, 0.0]]), "b": torch.tensor([1.0])}
    initial = {"w": torch.tensor([[1.0, 5.0]]), "b": torch.tensor([1.0])}
    assert distance(state, initial, ["w", "b"]) == pytest.approx(math.sqrt(4 + 25))
    assert distance(state, initial, ["b"]) == 0
    mask = {"w": torch.tensor([[True, False]])}
    assert distance(state, initial, ["w", "b"], mask) == pytest.approx(2)


def test_distance_is_zero_at_initialization_and_the_first_stage_of_lenet_is_it(noisy, store, shared_store):
    """LeNet rewinds to step 0: the chain's first stage trains nothing, so that its weights are θ₀."""
    chain = weight_rewinding(noisy, 1, PRUNE)
    results = run(chain, [REPLICATE], shared_store, "cpu", progress=False)
    shown = chain.but(stages=(chain.stages[0].but(level=0),))
    first = type(results)(shown, results.replicates, ((results.entries[0][0],),))
    assert [row["value"] for row in measured(DISTANCES, store, first)] == [0.0, 0.0]
    rows = {(row["level"], row["quantity"]): row["value"] for row in measured(DISTANCES, store, results)}
    assert rows[0, DISTANCE] == rows[0, MASKED_DISTANCE] > 0
    weights = [entry.tensors("weights") for entry in results.entries[0]]
    changes = [weights[2][n].double() - weights[0][n].double() for n in weights[0]]
    assert rows[1, DISTANCE] == pytest.approx(math.sqrt(sum(float((c * c).sum()) for c in changes)), rel=1e-5)
    masks = results.entries[0][2].masks()
    kept = [c * masks[n] if n in masks else c for n, c in zip(weights[0], changes, strict=True)]
    wanted = math.sqrt(sum(float((c * c).sum()) for c in kept))
    assert rows[1, MASKED_DISTANCE] == pytest.approx(wanted, rel=1e-5), "a sparse network's is that of kept weights"


def test_the_distance_of_a_redense_network_counts_from_the_mask_of_the_sparse_one(redense, store):
    rows = {row["quantity"]: row["value"] for row in measured(DISTANCES, store, redense)}
    start, _, sparse, dense = (entry.tensors("weights") for entry in redense.entries[0])
    masks = redense.entries[0][2].masks()
    squares = sum(
        float((dense[n].double() - (start[n].double() * masks[n] if n in masks else start[n])).square().sum())
        for n in start
    )
    assert rows[MASKED_DISTANCE] == pytest.approx(math.sqrt(squares), rel=1e-5)
    assert rows[MASKED_DISTANCE] < rows[DISTANCE]


def test_normalization_does_not_count_as_distance(objects_recipe, store, shared_store):
    changed = objects_recipe.but(rewind_epoch=0)
    results = run(weight_rewinding(changed, 0, PRUNE), [Replicate(seed=1)], shared_store, "cpu", progress=False)
    found = next(iter(measured(DISTANCES, store, results)))["value"]
    before, after = (entry.tensors("weights") for entry in results.entries[0])
    names = [n for n in before if before[n].dim() > 1 or n == "output.bias"]
    squares = sum(float((after[n].double() - before[n].double()).square().sum()) for n in names)
    assert found == pytest.approx(math.sqrt(squares), rel=1e-5)


def test_crossings_lie_on_the_straight_line_of_a_logarithmic_axis():
    weights = [100.0, 10.0, 1.0, 0.1]
    first = pandas.Series([3.0, 2.0, 1.0, 0.0], weights)
    second = pandas.Series([2.0, 2.5, 1.0, 3.0], weights)
    assert crossings(first, second) == pytest.approx([10 ** (2 - 1 / 1.5)]), "equal at 1 %, and below on both sides"
    assert crossings(second, first) == crossings(first, second)
    assert crossings(first, first + 1) == []
    assert crossings(first, pandas.Series([numpy.nan, 1.0, 2.0, 3.0], weights)) == pytest.approx([math.sqrt(10)])
