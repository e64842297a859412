"""Does a device compute what a CPU computes? python -m book.costs.check [--device cuda]

Every faster way is compared with a plainer one, on generated images: the device with the CPU, a stack with its replicates
alone, replayed steps with launched ones, units left out with all computed, lower precision with float32. Run it once on each
new kind of machine; without a GPU it runs on the CPU, where several of the comparisons are between equals.
"""

import argparse
import sys
from collections.abc import Iterator
from functools import partial

import pandas
import torch
from torch import Tensor

from book.costs.timing import fresh
from lib.models import build
from lib.pruning import magnitude, select
from lib.training.connected_units import ConnectedUnits, find_connected_units
from lib.training.device import arithmetic, describe_device, find_device
from lib.training.evaluation import evaluate
from lib.training.examples import Replicate
from lib.training.loop import Computation, Part, Progress, train
from lib.training.recipe import DataRecipe, Precision, Recipe
from lib.training.stack import State, forward, fresh_stack, stack_states, unstack

CPU = torch.device("cpu")
SHAPES = {"lenet-300-100": (1, 28, 28), "cifar-resnet20": (3, 32, 32), "cifar-vgg16": (3, 32, 32)}


def _recipe(network: str) -> Recipe:
    """Return a recipe on generated images, with a smaller last batch and, for convolutions, augmentation."""
    linear = network == "lenet-300-100"
    images = DataRecipe(
        image_set="generated-digits" if linear else "generated-objects", validation=50, train=300 if linear else 160,
        normalization="mnist" if linear else "imagenet", augmentation="none" if linear else "flip-crop",
    )  # fmt: skip
    return Recipe(
        benchmark="check", data=images, network=network, width=None if linear else 16, epochs=4, batch_size=32,
        optimizer="adam" if linear else "sgd", learning_rate=1e-3 if linear else 0.02,
        momentum=0.0 if linear else 0.9, weight_decay=0.0 if linear else 1e-4,
    )  # fmt: skip


def _trained(
    recipe: Recipe, replicates: list[Replicate], device: torch.device, masks: State | None = None,
    precision: Precision = "float32", replay: bool = True, deterministic: bool = False, only_connected: bool = False,
) -> Progress:  # fmt: skip
    """Train one epoch and return where it ended, all tensors whole."""
    network, examples, whole = fresh(recipe, replicates, device)
    whole.masks = {n: m.to(device) for n, m in (masks or {}).items()}
    whole.stack |= {n: whole.stack[n] * m for n, m in whole.masks.items()}
    units = find_connected_units(network.units, whole.stack, whole.masks) if only_connected else ConnectedUnits()
    # Training changes its stack in place.
    small = units.leave_out(Progress(0, {n: t.clone() for n, t in whole.stack.items()}, whole.masks))
    computation = Computation(precision, units.pixels, replay)
    module = network.module.to(device)
    with arithmetic(device, precision, deterministic):
        train(module, small, examples, replicates, recipe, Part(1), computation=computation)
    return units.take_back(small, whole, (), (1.0, 0.0))


def _masks(recipe: Recipe, replicates: list[Replicate], device: torch.device, fraction: float) -> State:
    """Prune the initial networks by magnitude, on the device, and cut every third unit's paths."""
    network = build(recipe.network, 10, recipe.width)
    start = fresh_stack(network.module, replicates, CPU)
    module = network.module.to(device)
    found = []
    for r in range(len(replicates)):
        module.load_state_dict(unstack(start, r))
        whole = {n: torch.ones_like(module.get_parameter(n), dtype=torch.bool) for n in network.prunable}
        found.append(select(magnitude(module, network.prunable, None), whole, fraction))
        for reader in {n for units in network.units for n in units.read if n in whole}:
            found[-1][reader][:, ::3] = False
    return {n: m.cpu() for n, m in stack_states(found).items()}


def _gradients(name: str, device: torch.device) -> list[Tensor]:
    """Return logits and gradients of a stack of three in float64 and train mode."""
    module = build(name, 10, _recipe(name).width).module.train()
    stack = fresh_stack(module, [Replicate(seed=s) for s in range(3)], CPU)
    stack = {n: (t.double() if t.is_floating_point() else t).to(device) for n, t in stack.items()}
    own = torch.Generator().manual_seed(0)
    images = torch.rand(3, 8, *SHAPES[name], dtype=torch.float64, generator=own)
    for n, _ in module.named_parameters():
        stack[n].requires_grad_()
    logits = forward(module, stack, images.to(device))
    logits.square().sum().backward()
    return [logits.detach().cpu(), *(t.grad.cpu() for t in stack.values() if t.grad is not None)]


def _apart(one: State, other: State) -> float:
    """Return the largest difference of two stacks' tensors, relative to the tensor's largest value."""
    pairs = [(tensor.detach().double().cpu(), other[name].detach().double().cpu()) for name, tensor in one.items()]
    return max(((a - b).abs().max() / a.abs().max().clamp(min=1e-3)).item() for a, b in pairs)


def _losses(one: Progress, other: Progress, first: int = 0) -> float:
    """Return the largest relative difference of the mean training losses of the epoch."""
    pairs = zip(one.epoch_losses[0][first:], other.epoch_losses[0], strict=True)
    return max(abs(a - b) / abs(a) for a, b in pairs)


def _test_losses(recipe: Recipe, replicates: list[Replicate], stack: State, device: torch.device) -> Tensor:
    network, examples, _ = fresh(recipe, replicates, device)
    stack = {n: t.detach().to(device) for n, t in stack.items()}
    images, labels = examples.test_images, examples.test_labels
    return evaluate(network.module.to(device), stack, images, labels, examples.normalization).losses


def checks(name: str, device: torch.device) -> Iterator[tuple[str, float, float]]:
    """Yield what is checked of a network, the difference found and the largest that is allowed."""
    recipe, replicates = _recipe(name), [Replicate(seed=s, noise_percent=10.0) for s in range(3)]
    trained = partial(_trained, recipe, replicates, device)
    if device.type != "mps":  # which has no float64
        pairs = zip(_gradients(name, device), _gradients(name, CPU), strict=True)
        apart = max((a - b).abs().max().item() for a, b in pairs)
        yield "gradients in float64, device and CPU", apart, 1e-8
    here, there = trained(), _trained(recipe, replicates, CPU)
    yield "loss of an epoch, device and CPU", _losses(here, there), 1e-2
    alone = _trained(recipe, replicates[2:], device)
    yield "stack and replicate alone", _losses(here, alone, 2), 1e-2
    yield "replayed and launched steps", _losses(here, trained(replay=False)), 1e-2
    masks = _masks(recipe, replicates, device, 0.5)
    same = all(torch.equal(m, masks[n]) for n, m in _masks(recipe, replicates, CPU, 0.5).items())
    yield "masks, device and CPU", float(not same), 0.0
    whole = trained(masks)
    yield "units left out and all computed", _losses(whole, trained(masks, only_connected=True)), 1e-2
    pruned = max(whole.stack[n].cpu()[~m].abs().max().item() for n, m in masks.items())
    yield "pruned weights after an epoch", pruned, 0.0
    fixed = [trained(deterministic=True).stack for _ in range(2)]
    yield "two deterministic runs", _apart(*fixed), 0.0
    precisions: list[Precision] = ["bfloat16", *(["tf32"] if device.type == "cuda" else [])]
    for precision in precisions:
        yield f"{precision} and float32", _losses(here, trained(precision=precision)), 0.05
    scored = [_test_losses(recipe, replicates, there.stack, d) for d in (device, CPU)]
    yield "evaluation, device and CPU", (scored[0] - scored[1]).abs().max().item(), 1e-2


def main(arguments: list[str] | None = None) -> int:
    """Print every check and return how many failed."""
    parser = argparse.ArgumentParser(prog="python -m book.costs.check", description=__doc__)
    parser.add_argument("--device", default="auto")
    device = find_device(parser.parse_args(arguments).device)
    rows = [(name, *row) for name in SHAPES for row in checks(name, device)]
    table = pandas.DataFrame(rows, columns=["network", "check", "difference", "allowed"])
    table["passed"] = table["difference"] <= table["allowed"]
    print(f"{describe_device(device)}, torch {torch.__version__}\n{table.to_string(index=False)}")
    failed = len(table) - sum(table["passed"].tolist())
    print("all passed" if not failed else f"{failed} of {len(table)} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
