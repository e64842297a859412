"""What sparsity pays, per level: masks alone, only what still has a path, only what remains.

Masks alone hold pruned weights at zero and compute with everything. Units without a path are left out
(`lib.training.connected_units`), and products of linear layers run over the weights that remain
(`lib.training.sparse_products`). The same masks, replicates and steps are timed in all three ways, in turns, and the
shortest time of some rounds counts; an epoch counts with its evaluation. Both networks are pruned as in the papers'
protocol, a fifth of the weights a level, with a few epochs of training before each.
"""

import math
from collections.abc import Container

import numpy
import pandas
import torch

from book.costs.tables import COLUMNS
from book.costs.timing import fresh, in_turns
from lib.models import Network
from lib.pruning import magnitude, select
from lib.training import Computation, Examples, Part, Progress, Recipe, Replicate, stack_states, train
from lib.training.connected_units import ConnectedUnits, find_connected_units
from lib.training.masked_weights import COMPRESS_BELOW
from lib.training.sparse_products import SPARSE_BELOW
from lib.training.stack import State, unstack
from papers.training_regularization.recipes import plan


def _prune(network: Network, stack: State, masks: State, fraction: float) -> State:
    """Remove a fraction of each replicate's remaining weights, by magnitude."""
    pruned = []
    for r in range(len(next(iter(stack.values())))):
        network.module.cpu().load_state_dict(unstack(stack, r))
        pruned.append(select(magnitude(network.module, network.prunable, None), unstack(masks, r), fraction))
    device = next(iter(stack.values())).device
    return {n: m.to(device) for n, m in stack_states(pruned).items()}


def level_seconds(
    network: Network,
    progress: Progress,
    examples: Examples,
    replicates: list[Replicate],
    recipe: Recipe,
    rounds: int,
) -> tuple[float, list[float], float]:
    """Time an epoch of a stack with masks alone, with units left out, and with products of what remains, in turns.

    Returns:
        Weights remaining (%), the three times in seconds, and the weights (%) that the second still computes with.
    """
    stack, masks = progress.stack, progress.masks
    units = find_connected_units(network.units, stack, masks)
    shares = (ConnectedUnits(), 0.0, 0.0), (units, COMPRESS_BELOW, 0.0), (units, COMPRESS_BELOW, SPARSE_BELOW)
    ways = [
        (kept, Computation("float32", kept.pixels, compress_below=share, sparse_below=sparse))
        for kept, share, sparse in shares
    ]
    best = in_turns(network, progress, examples, replicates, recipe, ways, rounds)
    count = sum(m.numel() for m in masks.values())
    remaining = sum(int(m.sum()) for m in masks.values()) / count
    computed = sum(t.numel() for t in units.shrink(masks).values()) / count
    return 100 * remaining, best, 100 * computed


def _protocol(
    recipe: Recipe, replicates: list[Replicate], device: torch.device, epochs: int, levels: Container[int],
    last: int, rounds: int, scale: float, unit: str,
) -> list[tuple]:  # fmt: skip
    """Prune a fifth a level up to the last, train some epochs before each, and return the rows of the levels timed."""
    network, examples, progress = fresh(recipe, replicates, device)
    progress.masks = {n: torch.ones_like(progress.stack[n], dtype=torch.bool) for n in network.prunable}
    rows = []
    for level in range(last + 1):
        if level in levels:
            remaining, seconds, computed = level_seconds(network, progress, examples, replicates, recipe, rounds)
            times = [round(scale * one, 4) for one in seconds]
            faster = round(seconds[1] / seconds[2], 2)
            rows.append((recipe.network, round(remaining, 3), *times, unit, faster, round(computed, 1)))
        train(network.module.to(device), progress, examples, replicates, recipe, Part(epochs))
        masks = _prune(network, progress.stack, dict(progress.masks), 0.2)
        progress = Progress(0, {n: t * masks[n] if n in masks else t for n, t in progress.stack.items()}, masks)
    return rows


def lenet(device: torch.device, quick: bool) -> list[tuple]:
    """Time the levels of LeNet on MNIST: 3 seeds at 4 noise levels as one stack, float32."""
    paper = plan("mnist-lenet", "paper")
    images, test, last = (1_000, 170, 3) if quick else (14_500, 2_500, 30)
    recipe = paper.recipe.but(data={"train": images, "test": test}, record_epochs=True)
    replicates = paper.replicates()
    scale = 58_000 / images / len(replicates)
    timed = {*range(0, last + 1, 3), *((10, 13, 17) if last > 17 else ())}  # 10 %, 5 % and 2 % are asked for most
    return _protocol(recipe, replicates, device, 2, timed, last, 2 if quick else 3, scale, "s per replicate and epoch")


def vgg(device: torch.device, quick: bool) -> list[tuple]:
    """Time the levels of VGG-16 on CIFAR-10: one replicate, float32, a quarter of the standard width on a CPU."""
    resnet = plan("cifar10-resnet20", "paper").recipe
    images, epochs, last = (256, 1, 3) if quick else (2_048, 4, 21)
    width = 64 if device.type == "cuda" else 16
    data = {"train": images, "augmentation": "none"}
    recipe = resnet.but(network="cifar-vgg16", data=data, learning_rate=0.05, width=width, drop_epochs=())
    timed = {*range(0, last + 1, 3), last - 2, last - 1}
    scale = recipe.batch_size / images
    return _protocol(recipe, [Replicate(seed=0)], device, epochs, timed, last, 2, scale, "s per step")


def _protocols(rows: pandas.DataFrame) -> str:
    """Say how much faster the levels of both papers are together, those between two that were timed interpolated."""
    timed = [math.log(share / 100) / math.log(0.8) for share in rows["weights_remaining_percent"]]
    said = []
    for paper, levels in (("TR", 22), ("LN", 31)):
        if max(timed) >= levels - 1.5:
            ways = rows["left_out_seconds"], rows["sparse_seconds"]
            before, after = (numpy.interp(range(levels), timed, way).sum() for way in ways)
            said.append(f"{before / after:.2f} times faster over the {levels} levels of {paper}'s protocol")
    return f"Products of what remains make LeNet {' and '.join(said)}." if said else "Too few levels for a protocol."


def paths(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Measure both networks, and say what was measured."""
    table = pandas.DataFrame([*lenet(device, quick), *vgg(device, quick)], columns=list(COLUMNS["paths"]))
    notes = [
        _protocols(table.loc[table["network"] == "lenet-300-100"]),
        "LeNet: 3 seeds at noise 0, 5, 10 and 15 % as one stack, float32, pruned by a fifth a level after two epochs on "
        "14,500 images each, 2,500 test images scored each epoch; all replicates of a stack compute with as many units as "
        "the one that keeps most.",
        f"VGG-16: one replicate of width {64 if device.type == 'cuda' else 16}, float32, batches of 128, pruned by a fifth "
        "a level after four epochs on 2,048 images each, so its masks are not those of a full protocol.",
        "All ways alternate; the shortest of the rounds counts. Times faster compares the last two.",
    ]
    return table, notes
