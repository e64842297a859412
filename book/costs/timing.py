"""How the parts time things: a piece of work, and epochs of this book's loop.

The shortest of several times counts, since whatever else a machine does only adds to them.
"""

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch.utils.benchmark import Timer

from lib.models import Network, build
from lib.training import (
    Computation,
    Examples,
    Hooks,
    Part,
    Progress,
    Recipe,
    Replicate,
    arithmetic,
    evaluate,
    fresh_stack,
    prepare,
    train,
)
from lib.training.connected_units import ConnectedUnits


def shortest(work: Callable[[], object]) -> float:
    """Return the shortest time, in seconds, of a piece of work that is repeated for a second."""
    timer = Timer("work()", globals={"work": work}, num_threads=torch.get_num_threads())
    return min(timer.blocked_autorange(min_run_time=1.0).times)


def fresh(recipe: Recipe, replicates: list[Replicate], device: torch.device) -> tuple[Network, Examples, Progress]:
    """Return a recipe's network, its images, and an untrained stack."""
    examples = prepare(recipe.data, replicates, device)
    network = build(recipe.network, examples.classes, recipe.width)
    return network, examples, Progress(0, fresh_stack(network.module, replicates, device))


Way = tuple[ConnectedUnits, Computation]
"""Which units are trained, and how the numbers are computed."""


def in_turns(
    network: Network, progress: Progress, examples: Examples, replicates: list[Replicate], recipe: Recipe,
    ways: Sequence[Way], rounds: int, epochs: int = 2,
) -> list[float]:  # fmt: skip
    """Return the shortest epoch of the same stack and masks, in seconds, for each of some ways that take turns."""
    best = [float("inf")] * len(ways)
    for i, (units, computation) in [*enumerate(ways)] * rounds:
        stack = units.shrink({name: tensor.clone() for name, tensor in progress.stack.items()})
        start = Progress(0, stack, units.shrink(progress.masks))
        best[i] = min(best[i], epoch_seconds(network, examples, start, replicates, recipe, computation, epochs))
    return best


def epoch_seconds(
    network: Network,
    examples: Examples,
    progress: Progress,
    replicates: list[Replicate],
    recipe: Recipe,
    computation: Computation,
    epochs: int = 2,
    deterministic: bool = False,
    evaluated: bool = False,
) -> float:
    """Train some epochs and return the shortest of them but the first, so that what a stage does once stays out.

    Args:
        network, examples, progress, replicates, recipe, computation: see `lib.training.train`.
        epochs: how many, at least 2.
        deterministic: see `lib.training.arithmetic`.
        evaluated: each epoch ends with an evaluation of the test images.

    Returns:
        Seconds.
    """
    device = examples.train_images.device
    ends: list[float] = []

    def end(now: Progress) -> None:
        if evaluated:
            images, labels = examples.test_images, examples.test_labels
            evaluate(network.module, now.stack, images, labels, examples.normalization)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        ends.append(time.perf_counter())

    with arithmetic(device, computation.precision, deterministic):
        train(
            network.module.to(device), progress, examples, replicates, recipe, Part(progress.epoch + epochs),
            Hooks(after_epoch=end), computation,
        )  # fmt: skip
    return min(later - earlier for earlier, later in pairwise(ends))
