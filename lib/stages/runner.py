"""The runner: brings a chain to its end for a set of replicates, computing only the stages that the store lacks.

Replicates that miss the same stage train it as one stack; one that does not fit in memory is divided. A stage is trained
under the locks of its keys, so that two processes that ask for it train it once; meanwhile the other goes on with replicates
and chains that wait for nobody. A stage that turns out to be damaged when it is read is trained again.
"""

import gc
import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tqdm.auto import tqdm

from lib.errors import InputError
from lib.stages.entry import Damaged, Entry
from lib.stages.stage import Chain, Stage, stage_keys
from lib.stages.store import Store
from lib.stages.train_stage import RunContext, train_stage
from lib.training import Examples, Precision, Recipe, Replicate, network_of, prepare, processes, stack_limit
from lib.training.device import find_device
from lib.training.processor import prepare_processor


@dataclass(frozen=True)
class Execution:
    """How a machine computes.

    Attributes:
        device: see `lib.training.device.find_device`.
        precision: of the matrix products in training; part of every key. See `lib.stages.train_stage.computed_precision`.
        largest_stack: most replicates in a stack; with it set, each stack is brought to its end before the next begins,
            so that a run cut short leaves whole replicates.
        deterministic: on CUDA, repeat to the bit, see `lib.training.device.arithmetic`; a CPU always does.
    """

    device: str = "auto"
    precision: Precision = "float32"
    largest_stack: int | None = None
    deterministic: bool = False


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

    def reported(self) -> Iterator[tuple[Replicate, Stage, Entry]]:
        """Yield every network that has a level, with its replicate and its stage: replicate by replicate, in order."""
        for replicate, entries in zip(self.replicates, self.entries, strict=True):
            for stage, entry in zip(self.chain.stages, entries, strict=False):
                if stage.level is not None:
                    yield replicate, stage, entry


def run(
    chain: Chain, replicates: Sequence[Replicate], store: Store, execution: Execution | str = "auto",
    progress: bool | tqdm = True,
) -> Results:  # fmt: skip
    """Bring a chain to its end for all replicates.

    Args:
        chain: algorithm and recipe.
        replicates: R replicates; those that miss the same stages train as one stack where that is faster.
        store: where finished stages are looked for and kept.
        execution: how to compute, or just the name of a device.
        progress: show a bar; or a bar of several runs, which counts replicates and epochs and has them all as its total.

    Returns:
        The finished stages.

    Raises:
        InputError: for a device that is not there or lacks the precision, a replicate given twice, or a store that cannot
            be written.
        torch.OutOfMemoryError: if a single replicate does not fit.
    """
    (results,) = run_all([chain], replicates, store, execution, progress)
    return results


def run_all(
    chains: Sequence[Chain], replicates: Sequence[Replicate], store: Store, execution: Execution | str = "auto",
    progress: bool | tqdm = True,
) -> Iterator[Results]:  # fmt: skip
    """Yield the results of several chains in their order; else as `run`.

    What another process trains at this moment is left to it while there is other work, so that processes that are asked for
    the same networks share the work.
    """
    execution = Execution(execution) if isinstance(execution, str) else execution
    place = find_device(execution.device)
    if execution.precision == "tf32" and place.type != "cuda":
        raise InputError(
            f"precision 'tf32' was asked for on {place.type}, but only CUDA devices have it; allowed: float32, bfloat16"
        )
    prepare_processor()
    left = [_Run(chain, replicates, store, execution, place) for chain in chains]
    due = _epochs_missing(left)
    bar = progress
    if isinstance(bar, bool):
        bar = progress_bar(due, shown=bar and due > 0 and not processes.place())
    others = (bar.total or 0) - bar.n - due  # left to others when this is over
    while left:
        if left[0].waiting:
            next((one for one in left if one.has_work()), left[0]).go_on(bar)
        else:
            results = left.pop(0).results()
            bar.total = bar.n + others + _epochs_missing(left)  # after one that diverged nothing is trained
            if isinstance(progress, bool) and not left:
                bar.close()
            yield results


def _epochs_missing(runs: Sequence["_Run"]) -> int:
    """Return how many epochs are still to be trained; stages that chains share count once."""
    missing = {
        run.keys[i][position]: run.epochs[position] for run in runs for i in run.waiting for position in run.missing(i)
    }
    return sum(missing.values())


def progress_bar(epochs: int, shown: bool = True) -> tqdm:
    """Return a bar for the replicates' epochs of one run or of several; it says how long the rest takes."""
    layout = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} epochs, {elapsed} so far, {remaining} left{postfix}"
    return tqdm(total=epochs, unit="epoch", disable=not shown, bar_format=layout, smoothing=0.05)


class _Run:
    """A chain under way: what the store holds of it, how far each replicate has come, and which are not at the end."""

    context: RunContext
    examples: Examples

    def __init__(
        self, chain: Chain, replicates: Sequence[Replicate], store: Store, execution: Execution, place: torch.device
    ):  # fmt: skip
        self.chain, self.replicates, self.store, self.execution, self.place = chain, replicates, store, execution, place
        self.keys = [stage_keys(chain, r, execution.precision) for r in replicates]
        if twice := [r for i, r in enumerate(replicates) if self.keys[i] in self.keys[:i]]:
            raise InputError(f"{twice[0]} is there twice. Allowed: each replicate once.")
        store.hold(key for row in self.keys for key in row)
        self.found = {key: store.find(key) for row in self.keys for key in row}
        # What another run keeps at this moment, all processes see or none.
        there = set(processes.agreed([key for key, entry in self.found.items() if entry]))
        self.found |= {key: (entry or store.find(key)) if key in there else None for key, entry in self.found.items()}
        self.done: list[list[Entry]] = [[] for _ in replicates]
        self.epochs = [stage.to_epoch - stage.from_epoch for stage in chain.stages]
        self.waiting = [*range(len(replicates))]
        self.size = 0  # of a stack, once it is known

    def results(self) -> Results:
        """Return the finished stages."""
        return Results(self.chain, tuple(self.replicates), tuple(map(tuple, self.done)))

    def missing(self, i: int) -> Iterator[int]:
        """Yield the positions of a replicate's stages that are still to come; after one that diverged none does."""
        if self.is_over(i):
            return
        for position in range(len(self.done[i]), len(self.epochs)):
            entry = self.found[key := self.keys[i][position]]
            if entry is None and processes.count() == 1:  # those of torchrun look together, when they come to it
                entry = self.found[key] = self.store.find(key)
            if entry is None:
                yield position
            elif entry.record["diverged"]:
                return

    def is_taken(self, i: int) -> bool:
        """Say whether another process trains the stage that a replicate needs next; those of torchrun go on together."""
        position = next(self.missing(i), None) if processes.count() == 1 else None
        return position is not None and self.store.is_locked(self.keys[i][position])

    def has_work(self) -> bool:
        """Say whether there is a replicate that no other process is at work on."""
        return any(not self.is_taken(i) for i in self.waiting)

    def go_on(self, bar: tqdm) -> None:
        """Bring a stack as far as no other process is at work on it; where one is at work on all, only wait for a stage."""
        free = [i for i in self.waiting if not self.is_taken(i)]
        if not free:
            first = self.waiting[0]
            with self.store.locked(self.keys[first][position] for position in itertools.islice(self.missing(first), 1)):
                return
        if not self.size:
            incomplete = any(True for i in self.waiting for _ in self.missing(i))
            self.size = self.prepare(bar) if incomplete else len(self.replicates)
        stack = free[: self.size]
        if refused := _memory_refused(self, stack):
            gc.collect()  # here nothing of the failed stack is held any more
            if self.place.type == "cuda":
                torch.cuda.empty_cache()
            self.size = -(-len(stack) // 2)
            warnings.warn(
                f"a stack of {len(stack)} replicates does not fit in memory ({refused}); going on with stacks of "
                f"{self.size}",
                stacklevel=3,
            )
        self.waiting = [i for i in self.waiting if not self.is_over(i)]
        if not self.waiting:  # its results may wait for those of a chain before it, which need their memory
            vars(self).pop("examples", None)

    def is_over(self, i: int) -> bool:
        """Say whether a replicate is at the end of the chain, or has diverged."""
        return len(self.done[i]) == len(self.epochs) or bool(self.done[i] and self.done[i][-1].record["diverged"])

    def prepare(self, bar: tqdm) -> int:
        """Load the images and build the network; return how many replicates may train together."""
        recipe, how = self.chain.recipe, self.execution
        self.examples = prepare(recipe.data, self.replicates, self.place)
        _check_rewinding(recipe, len(self.examples.train_images))
        network = network_of(recipe, self.examples.classes)
        self.context = RunContext(self.chain, network, self.store, how.precision, bar, how.deterministic)
        everyone = len(self.replicates)
        limit = stack_limit(network.module, self.place, everyone, self.examples.train_images)
        return min(limit, how.largest_stack or everyone)

    def finish(self, stack: list[int]) -> None:
        """Bring a stack to the end of the chain, or to a stage that another process trains.

        What turns out to be damaged on the way is trained again, once.
        """
        mended: set[str] = set()
        while True:
            try:
                for position in range(len(self.chain.stages)):
                    if any(self.is_taken(i) for i in stack):
                        return
                    self.finish_stage(stack, position)
            except Damaged as error:
                if error.key in mended or error.key not in self.found or processes.count() > 1:
                    raise  # several processes end together; the next run finds that it is gone
                mended.add(error.key)
                warnings.warn(str(error), stacklevel=5)
                self.forget(error.key)
            else:
                return

    def finish_stage(self, stack: list[int], position: int) -> None:
        """Train one stage of those replicates of a stack that have come to it and lack it."""
        ready = [i for i in stack if len(self.done[i]) == position and not self.is_over(i)]
        key = {i: self.keys[i][position] for i in ready}
        absent = [i for i in ready if self.found[key[i]] is None]
        with self.store.locked(key[i] for i in absent if not processes.place()):
            for i in absent:  # another process may have finished it while this one waited
                self.found[key[i]] = self.store.find(key[i])
            absent = processes.agreed([i for i in absent if self.found[key[i]] is None])
            if absent:
                what = f"{self.chain.recipe.benchmark}, {self.chain.algorithm}"
                self.context.bar.set_description_str(what, refresh=False)
                train_stage(
                    self.context, position, [self.replicates[i] for i in absent], [self.done[i] for i in absent],
                    [key[i] for i in absent], self.examples[absent],
                )  # fmt: skip
        for i in ready:
            self.found[key[i]] = entry = self.found[key[i]] or self.store.find(key[i])
            assert entry is not None, "a stage that was just kept is in the store"
            self.done[i].append(entry)

    def forget(self, key: str) -> None:
        """Go back to before a stage that the store has lost."""
        self.found[key] = None
        for i, row in enumerate(self.keys):
            if key in row:
                position = row.index(key)
                self.done[i] = self.done[i][:position]
                self.context.bar.total += self.epochs[position]


def _check_rewinding(recipe: Recipe, images: int) -> None:
    """Raise InputError where the rewinding point is not inside the schedule: from there nothing would be trained."""
    steps = -(-images // recipe.batch_size)
    if recipe.rewind_epoch * steps + recipe.rewind_step >= recipe.epochs * steps:
        raise InputError(
            f"{recipe.benchmark} rewinds to step {recipe.rewind_step} of epoch {recipe.rewind_epoch}, and its schedule has "
            f"{recipe.epochs * steps} steps, {steps} an epoch; allowed is a point before its end"
        )


def _memory_refused(current: _Run, stack: list[int]) -> str:
    """Bring a stack to the end of its chain; where that takes more memory than there is, return what was said."""
    try:
        current.finish(stack)
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        if len(stack) == 1 or not (said := _said_of_memory(error)):
            raise
        return said
    return ""


def _said_of_memory(error: BaseException | None) -> str:
    """Return what an error says of memory that is full, or one behind it: a step that is captured fails with another."""
    while error and not (isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)):
        error = error.__cause__ or error.__context__
    return str(error).splitlines()[0] if error else ""
