"""Leaving out what has no path changes neither the function nor what remains."""

import pytest
import torch
from torch.func import functional_call

from lib.models import build, initialize
from lib.stages import Prune, Store, checkpoint, run, runner
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import forward, network_of, stack_states
from lib.training.connected_units import ConnectedUnits, decay_factors, find_connected_units, remembered_steps
from lib.training.stack import State

NETWORKS = {
    "lenet-300-100": (None, (1, 28, 28), 0.05),
    "cifar-resnet20": (4, (3, 16, 16), 0.6),
    "cifar-vgg16": (4, (3, 32, 32), 0.6),
    "imagenet-resnet50": (4, (3, 32, 32), 0.6),
    "cifar-resnet56-bottleneck": (4, (3, 16, 16), 0.6),
    "cifar-wide-resnet16-8": (3, (3, 8, 8), 0.6),
}


@pytest.fixture(autouse=True)
def every_unit_counts(monkeypatch):
    """Narrow networks have fewer filters than the multiple to which numbers of units are rounded."""
    monkeypatch.setattr("lib.training.connected_units.MULTIPLE", 1)


def pruned(name: str, replicates: int = 2, fraction: float | None = None):
    """Return network, stack in float64 and random masks, the same at each call."""
    width, shape, remaining = NETWORKS[name]
    network = build(name, 10, width)
    states, masks = [], []
    for seed in range(replicates):
        generator = torch.Generator().manual_seed(seed)
        initialize(network.module, generator)
        for module in network.module.modules():  # so that a filter without a path would show
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(generator=generator)  # pyright: ignore[reportOptionalMemberAccess]
        state = {n: t.detach().clone() for n, t in network.module.state_dict().items()}
        mask = {n: torch.rand(state[n].shape, generator=generator) < (fraction or remaining) for n in network.prunable}
        for units in network.units:
            for reader in (n for n in units.read if n in mask):
                mask[reader][:, seed :: 3 + seed] = False  # a third or a quarter of the units lose all that reads them
        states.append({n: t * mask[n] if n in mask else t for n, t in state.items()})
        masks.append(mask)
    stack = {n: t.double() if t.is_floating_point() else t for n, t in stack_states(states).items()}
    images = torch.rand(replicates, 6, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    return network, stack, stack_states(masks), images


def gradients(network, stack: State, images: torch.Tensor) -> State:
    """Return logits and the gradient of a made-up loss in train mode."""
    network.module.train()
    leaves = {n: t.clone().requires_grad_(t.is_floating_point() and "running" not in n) for n, t in stack.items()}
    logits = forward(network.module, leaves, images)
    (logits * torch.arange(10)).square().sum().backward()
    return {"logits": logits.detach()} | {n: t.grad for n, t in leaves.items() if t.grad is not None}


@pytest.mark.parametrize("name", NETWORKS)
def test_same_function_and_gradients_in_float64(name):
    network, stack, masks, images = pruned(name)
    units = find_connected_units(network.units, stack, masks)
    smaller = units.shrink(stack)
    assert sum(t.numel() for t in smaller.values()) < sum(t.numel() for t in stack.values())
    seen = images
    if units.pixels is not None:
        seen = images.flatten(2)[..., units.pixels, None, None]
    whole, small = gradients(network, stack, images), gradients(network, smaller, seen)
    assert torch.allclose(whole["logits"], small["logits"], rtol=1e-10, atol=1e-10)
    scattered = units.scatter(
        {n: small.get(n, t) for n, t in smaller.items()},
        {n: torch.zeros_like(t) for n, t in stack.items()},
        {},
    )
    for n in (n for n in whole if n != "logits"):
        mask = masks.get(n, torch.ones_like(stack[n], dtype=torch.bool))
        assert torch.allclose(whole[n] * mask, scattered[n] * mask, rtol=1e-8, atol=1e-8), n


@pytest.mark.parametrize("name", NETWORKS)
def test_scatter_undoes_shrink_and_decays_the_rest(name):
    _, stack, masks, _ = pruned(name)
    units = find_connected_units(build(name, 10, NETWORKS[name][0]).units, stack, masks)
    back = units.scatter(units.shrink(stack), stack, {})
    assert all(torch.equal(t, back[n]) for n, t in stack.items())
    halved = units.scatter(units.shrink(stack), stack, dict.fromkeys(stack, 0.5))
    for n, t in stack.items():
        assert torch.all((halved[n] == t) | (halved[n] == t / 2))
    assert any(bool((halved[n] != t).any()) for n, t in stack.items())


def test_what_stays_is_found_by_walking_every_path():
    """Brute force on a small LeNet: a unit stays if some chain of unpruned weights leads from it to the output."""
    network, stack, masks, _ = pruned("lenet-300-100", 1, 0.004)
    first, second = masks["hidden.0.weight"][0], masks["hidden.1.weight"][0]
    hidden1 = torch.tensor([any(bool(second[o, h]) for o in range(100)) for h in range(300)])
    pixels = [p for p in range(784) if any(bool(first[h, p]) and bool(hidden1[h]) for h in range(300))]
    units = find_connected_units(network.units, stack, masks)
    assert units.pixels is not None and pixels == units.pixels.tolist()
    columns = units.kept["hidden.1.weight"][1]
    assert columns is not None
    assert hidden1.nonzero().ravel().tolist() == columns[0].tolist()


def test_a_unit_that_lost_only_its_inputs_stays():
    network, stack, _, _ = pruned("lenet-300-100", 1)
    masks = {n: torch.ones_like(stack[n], dtype=torch.bool) for n in network.prunable}
    masks["hidden.0.weight"][0, :100] = False
    assert find_connected_units(network.units, stack, masks) == ConnectedUnits()


def test_filters_along_a_residual_path_are_dropped_only_if_no_block_reads_them():
    network, stack, _, _ = pruned("cifar-resnet20", 1)
    masks = {n: torch.ones_like(stack[n], dtype=torch.bool) for n in network.prunable}
    readers = [n for n in network.prunable if n.startswith("blocks.") and stack[n].shape[2] == 4 and "first" in n]
    for name in readers:
        masks[name][0, :, 1] = False
    assert (
        "stem.0.weight" not in find_connected_units(network.units, stack, masks).kept
    )  # the shortcut of segment two reads it


@pytest.mark.parametrize("name", [name for name in NETWORKS if "lenet" not in name])
def test_filters_of_which_nothing_remains_are_left_out(name):
    network, stack, _, images = pruned(name)
    parameters = {n for n, _ in network.module.named_parameters()}
    masks = {n: torch.ones_like(stack[n], dtype=torch.bool) for n in parameters}
    for units in network.units:
        for written in parameters.intersection(units.written):
            masks[written][0, ::2] = masks[written][1, 1::2] = False
    stack = {n: t * masks[n] if n in masks else t for n, t in stack.items()}
    found = find_connected_units(network.units, stack, masks)
    smaller = found.shrink(stack)
    assert all(smaller[n].shape[1] <= (stack[n].shape[1] + 1) // 2 for units in network.units for n in units.written)
    whole, small = gradients(network, stack, images), gradients(network, smaller, images)
    assert torch.allclose(whole["logits"], small["logits"], rtol=1e-10, atol=1e-10)
    back = found.scatter({n: small.get(n, t) for n, t in smaller.items()}, {n: 0 * t for n, t in stack.items()}, {})
    assert all(torch.allclose(whole[n] * masks[n], back[n] * masks[n], rtol=1e-8, atol=1e-8) for n in parameters)


def test_a_dense_network_keeps_all():
    network, stack, _, _ = pruned("cifar-vgg16", 1)
    assert find_connected_units(network.units, stack, {}) == ConnectedUnits()


@pytest.mark.parametrize("kind", ["recipe", "objects_recipe"])
def test_a_whole_stage_agrees_with_training_everything(kind, request, store, replicates, tmp_path, monkeypatch):
    """Weights after pruned stages and running statistics, of what has no path too: weights decay, statistics go on."""
    recipe = request.getfixturevalue(kind)
    if kind == "objects_recipe":  # 5 epochs of 3 steps, the last 3 of them with everything
        recipe = recipe.but(epochs=6, learning_rate=0.02, drop_epochs=(2,), batch_size=16, data={"train": 48})
        monkeypatch.setattr(runner, "network_of", forgetful)
    chain = learning_rate_rewinding(recipe, 1, Prune(fraction=0.97))
    with_units = run(chain, replicates[1:2], store, "cpu", progress=False)
    monkeypatch.setattr("lib.stages.train_stage.find_connected_units", lambda *_: ConnectedUnits())
    without = run(chain, replicates[1:2], Store(tmp_path / "other"), "cpu", progress=False)
    for a, b in zip(with_units.entries, without.entries, strict=True):
        one, other = a[-1].tensors("weights"), b[-1].tensors("weights")
        for name in one:
            assert torch.allclose(one[name].float(), other[name].float(), rtol=1e-2, atol=1e-4), name


class Killed(Exception):
    pass


def test_a_stage_that_leaves_units_out_goes_on_to_the_bit(objects_recipe, store, replicates, monkeypatch):
    """Killed while units are left out, just before everything is trained again, and after that."""
    monkeypatch.setattr(runner, "network_of", forgetful)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    recipe = objects_recipe.but(epochs=6, learning_rate=0.02, drop_epochs=(2,), batch_size=16, data={"train": 48})
    chain = learning_rate_rewinding(recipe, 1, Prune(fraction=0.97))
    whole = run(chain, replicates[1:2], Store(store.folder.parent / "whole"), "cpu", progress=False)
    real, deaths = checkpoint.Checkpoint.save, [2, 3, 4]

    def then_die(self, progress):
        real(self, progress)
        if deaths and progress.epoch == deaths[0] and not progress.masks["stem.0.weight"].all():
            deaths.pop(0)
            raise Killed

    monkeypatch.setattr(checkpoint.Checkpoint, "save", then_die)
    for _ in range(3):
        with pytest.raises(Killed):
            run(chain, replicates[1:2], store, "cpu", progress=False)
    resumed = run(chain, replicates[1:2], store, "cpu", progress=False)
    one, other = (results.entries[0][-1].tensors("weights") for results in (whole, resumed))
    assert all(torch.equal(t, other[n]) for n, t in one.items())


def forgetful(*given):
    """Build a network whose running statistics forget within 8 steps."""
    network = network_of(*given)
    for module in network.module.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.9
    assert remembered_steps(network.module) == 8
    return network


@pytest.mark.parametrize("nesterov", [False, True])
def test_decay_factor_is_what_the_optimizer_does(objects_recipe, nesterov):
    weight = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    recipe = objects_recipe.but(nesterov=nesterov)
    optimizer = torch.optim.SGD([weight], recipe.learning_rate, momentum=0.9, weight_decay=1e-4, nesterov=nesterov)
    for step in range(6):
        optimizer.param_groups[0]["lr"] = recipe.learning_rate * (0.1 if step >= 3 else 1.0)
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
    factor, velocity = decay_factors(recipe, range(6), 3)
    assert weight.item() == pytest.approx(2 * factor, rel=1e-12)
    buffer = optimizer.state[weight]["momentum_buffer"].item()
    assert buffer == pytest.approx(2 * velocity, rel=1e-12)


def test_the_networks_tell_every_tensor_that_a_unit_touches():
    """Cutting a unit out of all tensors named leaves a network that still runs."""
    for name, (width, shape, _) in NETWORKS.items():
        network = build(name, 10, width)
        state = network.module.state_dict()
        for units in network.units:
            if not units.written:
                continue
            cut = dict(state)
            for tensor in units.written:
                cut[tensor] = cut[tensor][1:]
            for tensor in units.read:
                cut[tensor] = cut[tensor][:, 1:]
            assert functional_call(network.module.eval(), cut, (torch.rand(2, *shape),)).shape == (2, 10)
