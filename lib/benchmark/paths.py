"""What sparsity pays: masks alone against training only what still has a path (`lib.training.connected_units`), per level.

Masks alone hold pruned weights at zero and compute with everything. The same masks, replicates and steps are timed with
both, in turns, and the shorter time of some rounds counts. Both networks are pruned as in the papers' protocol, a fifth of
the weights a level, with a few epochs of training before each.
"""

import time
from collections.abc import Container

import pandas
import torch
from torch import Tensor

from lib.models import Network, build
from lib.pruning import magnitude, select
from lib.training import (
    Computation,
    Examples,
    Hooks,
    Part,
    Precision,
    Progress,
    Recipe,
    Replicate,
    arithmetic,
    fresh_stack,
    prepare,
    stack_states,
    train,
)
from lib.training.connected_units import ConnectedUnits, find_connected_units
from lib.training.masked_weights import COMPRESS_BELOW
from lib.training.stack import State, unstack

COLUMNS = (
    "network", "weights_remaining_percent", "masks_alone_seconds", "left_out_seconds", "unit", "times_faster",
    "computed_percent",
)  # fmt: skip


def _prune(network: Network, stack: State, masks: State, fraction: float) -> State:
    """Remove a fraction of each replicate's remaining weights, by magnitude."""
    pruned = []
    for r in range(len(next(iter(stack.values())))):
        network.module.cpu().load_state_dict(unstack(stack, r))
        pruned.append(select(magnitude(network.module, network.prunable, None), unstack(masks, r), fraction))
    device = next(iter(stack.values())).device
    return {n: m.to(device) for n, m in stack_states(pruned).items()}


def _epoch(
    network: Network, stack: State, masks: State, units: ConnectedUnits, examples: Examples,
    replicates: list[Replicate], recipe: Recipe, precision: Precision, share: float,
) -> float:  # fmt: skip
    """Return the seconds of the second of two epochs, so that what a stage does once stays out."""
    device = examples.train_images.device
    ends: list[float] = []

    def end(_: Progress) -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()
        ends.append(time.perf_counter())

    start = Progress(0, units.shrink({n: t.clone() for n, t in stack.items()}), units.shrink(masks))
    computation = Computation(precision, units.pixels, compress_below=share)
    with arithmetic(device, precision):
        train(
            network.module.to(device),
            start,
            examples,
            replicates,
            recipe,
            Part(2),
            Hooks(after_epoch=end),
            computation,
        )
    return ends[1] - ends[0]


def _level(
    name: str, network: Network, stack: State, masks: State, examples: Examples, replicates: list[Replicate],
    recipe: Recipe, precision: Precision, rounds: int, scale: float, unit: str,
) -> tuple:  # fmt: skip
    """Return one row: time both ways in turns."""
    masked = {n: t * masks[n] if n in masks else t for n, t in stack.items()}
    units = find_connected_units(network.units, masked, masks)
    best = [float("inf")] * 2
    for _ in range(rounds):
        for i, (chosen, share) in enumerate(((ConnectedUnits(), 0.0), (units, COMPRESS_BELOW))):
            seconds = _epoch(network, masked, masks, chosen, examples, replicates, recipe, precision, share)
            best[i] = min(best[i], seconds * scale)
    remaining = sum(int(m.sum()) for m in masks.values()) / sum(m.numel() for m in masks.values())
    computed = sum(t.numel() for t in units.shrink(masks).values()) / sum(m.numel() for m in masks.values())
    return (
        name, round(100 * remaining, 3), round(best[0], 4), round(best[1], 4), unit, round(best[0] / best[1], 2),
        round(100 * computed, 1),
    )  # fmt: skip


def _start(
    recipe: Recipe, replicates: list[Replicate], device: torch.device
) -> tuple[Network, State, State, Examples]:
    examples = prepare(recipe.data, replicates, device)
    network = build(recipe.network, examples.classes, recipe.width)
    stack = fresh_stack(network.module, replicates, device)
    masks: dict[str, Tensor] = {n: torch.ones_like(stack[n], dtype=torch.bool) for n in network.prunable}
    return network, stack, masks, examples


def _protocol(
    recipe: Recipe, replicates: list[Replicate], device: torch.device, epochs: int, levels: Container[int],
    last: int, rounds: int, scale: float, unit: str,
) -> list[tuple]:  # fmt: skip
    """Prune a fifth a level up to the last, train some epochs before each, and return the rows of the levels timed."""
    network, stack, masks, examples = _start(recipe, replicates, device)
    rows = []
    for level in range(last + 1):
        if level in levels:
            rows.append(
                _level(
                    recipe.network,
                    network,
                    stack,
                    masks,
                    examples,
                    replicates,
                    recipe,
                    "float32",
                    rounds,
                    scale,
                    unit,
                )
            )
        train(
            network.module.to(device), Progress(0, stack, masks), examples, replicates, recipe, Part(epochs)
        )
        masks = _prune(network, stack, masks, 0.2)
        stack = {n: t * masks[n] if n in masks else t for n, t in stack.items()}
    return rows


def lenet(device: torch.device, quick: bool) -> list[tuple]:
    """Time the levels of LeNet on MNIST: 3 seeds at 4 noise levels as one stack, float32."""
    from papers.training_regularization.recipes import plan

    paper = plan("mnist-lenet", "paper")
    images, last = (1_000, 3) if quick else (14_500, 21)
    recipe = paper.recipe.but(data={"train": images})
    replicates = paper.replicates()
    scale = 58_000 / images / len(replicates)
    timed = {*range(0, last + 1, 3), last - 1}
    return _protocol(
        recipe, replicates, device, 2, timed, last, 2 if quick else 3, scale, "s per replicate and epoch"
    )


def vgg(device: torch.device, quick: bool) -> list[tuple]:
    """Time the levels of VGG-16 on CIFAR-10: one replicate, float32, a quarter of the standard width on a CPU."""
    from papers.training_regularization.recipes import plan

    resnet = plan("cifar10-resnet20", "paper").recipe
    images, epochs, last = (256, 1, 3) if quick else (2_048, 4, 21)
    width = 64 if device.type == "cuda" else 16
    data = {"train": images, "augmentation": "none"}
    recipe = resnet.but(network="cifar-vgg16", data=data, learning_rate=0.05, width=width, drop_epochs=())
    timed = {*range(0, last + 1, 3), last - 2, last - 1}
    scale = recipe.batch_size / images
    return _protocol(recipe, [Replicate(seed=0)], device, epochs, timed, last, 2, scale, "s per step")


def paths(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Measure both networks, and say what was measured."""
    table = pandas.DataFrame([*lenet(device, quick), *vgg(device, quick)], columns=list(COLUMNS))
    notes = [
        "LeNet: 3 seeds at noise 0, 5, 10 and 15 % as one stack, float32, pruned by a fifth a level after two epochs on "
        "14,500 images each; all replicates of a stack compute with as many units as the one that keeps most.",
        f"VGG-16: one replicate of width {64 if device.type == 'cuda' else 16}, float32, batches of 128, pruned by a fifth "
        "a level after four epochs on 2,048 images each, so its masks are not those of a full protocol.",
        "Both ways alternate; the shortest of the rounds counts.",
    ]
    return table, notes
