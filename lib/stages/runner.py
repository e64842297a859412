"""The runner: brings a chain to its end for a set of replicates, computing only the stages that the store lacks.

Replicates that miss the same stage train it as one stack; one that does not fit in memory is divided. A stage is trained
under the locks of its keys, so that two processes that ask for it train it once.
"""

import gc
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tqdm.auto import tqdm

from lib.errors import InputError
from lib.models import build
from lib.stages.stage import Chain, stage_keys
from lib.stages.store import Entry, Store
from lib.stages.train_stage import RunContext, train_stage
from lib.training import Precision, Replicate, prepare, stack_limit
from lib.training.device import find_device
from lib.training.processor import prepare_processor


@dataclass(frozen=True)
class Results:
    """The finished stages of a chain.

    Attributes:
        chain: what was run.
        replicates: R replicates.
        entries: for each replicate the entries of its stages in order; fewer than the chain has if it diverged.
    """

    chain: Chain
    replicates: tuple[Replicate, ...]
    entries: tuple[tuple[Entry, ...], ...]


def run(
    chain: Chain,
    replicates: Sequence[Replicate],
    store: Store,
    device: str = "auto",
    precision: Precision = "float32",
    largest_stack: int | None = None,
    progress: bool = True,
    deterministic: bool = False,
) -> Results:
    """Bring a chain to its end for all replicates.

    Args:
        chain: algorithm and recipe.
        replicates: R replicates; those that miss the same stages train as one stack where that is faster.
        store: where finished stages are looked for and kept.
        device: see `lib.training.device.find_device`.
        precision: of the matrix products in training; part of every key.
        largest_stack: most replicates in a stack; with it set, each stack is brought to its end before the next begins,
            so that a run cut short leaves whole replicates.
        progress: show a bar.
        deterministic: on CUDA, repeat to the bit, see `lib.training.device.arithmetic`; a CPU always does.

    Returns:
        The finished stages.

    Raises:
        InputError: for a device that is not there or lacks the precision, or a store that cannot be written.
        torch.OutOfMemoryError: if a single replicate does not fit.
    """
    place = find_device(device)
    if precision == "tf32" and place.type != "cuda":
        raise InputError(
            f"precision 'tf32' was asked for on {place.type}, but only CUDA devices have it; allowed: float32, bfloat16"
        )
    prepare_processor()
    keys = [stage_keys(chain, r, precision) for r in replicates]
    found = {key: store.find(key) for row in keys for key in row}
    epochs = [stage.to_epoch - stage.from_epoch for stage in chain.stages]
    missing = sum(n for row in keys for n, key in zip(epochs, row, strict=True) if found[key] is None)
    done: list[list[Entry]] = [[] for _ in replicates]
    bar = tqdm(
        total=missing,
        unit="epoch",
        disable=not (progress and missing),
        desc=f"{chain.recipe.benchmark} {chain.algorithm}",
    )
    everyone = list(range(len(replicates)))
    size, network, examples = len(replicates), None, None
    if any(entry is None for entry in found.values()):
        recipe = chain.recipe
        examples = prepare(recipe.data, replicates, place)
        network = build(recipe.network, examples.classes, recipe.width, recipe.width_scale)
        limit = stack_limit(network.module, place, len(replicates), examples.train_images)
        size = min(limit, largest_stack or len(replicates))

    def advance(stack: list[int], position: int) -> None:
        """Bring one stack past one stage."""
        alive = [
            i for i in stack if len(done[i]) == position and not (done[i] and done[i][-1].record["diverged"])
        ]
        wanted = [i for i in alive if found[keys[i][position]] is None]
        with store.locked(keys[i][position] for i in wanted):
            for i in wanted:  # another process may have finished it while this one waited
                found[keys[i][position]] = store.find(keys[i][position])
            absent = [i for i in wanted if found[keys[i][position]] is None]
            if absent and network and examples:
                context = RunContext(chain, network, store, precision, bar, deterministic)
                train_stage(
                    context, position, [replicates[i] for i in absent], [done[i] for i in absent],
                    [keys[i][position] for i in absent], examples[absent],
                )  # fmt: skip
                for i in absent:
                    found[keys[i][position]] = store.find(keys[i][position])
        for i in alive:
            entry = found[keys[i][position]]
            assert entry is not None, "a stage that was just kept is in the store"
            done[i].append(entry)

    waiting = _chunks(everyone, size)
    while waiting:
        stack = waiting.pop(0)
        refused = None
        try:
            for position in range(len(chain.stages)):
                advance(stack, position)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if len(stack) == 1 or not _is_out_of_memory(error):
                raise
            refused = str(error).splitlines()[0]
        if refused:  # outside of the handler, so that nothing of the failed stack is held any more
            gc.collect()
            if place.type == "cuda":
                torch.cuda.empty_cache()
            size = -(-len(stack) // (-(-len(stack) // size) + 1))
            warnings.warn(
                f"a stack of {len(stack)} replicates does not fit in memory ({refused}); going on with stacks of {size}",
                stacklevel=2,
            )
            waiting = _chunks([*stack, *(i for other in waiting for i in other)], size)
    bar.close()
    return Results(chain, tuple(replicates), tuple(map(tuple, done)))


def _chunks(replicates: list[int], size: int) -> list[list[int]]:
    return [replicates[start : start + size] for start in range(0, len(replicates), size)]


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether a device, or the allocator of the CPU, refused memory."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
