"""One stage of one stack: from what the store holds of its parents, through training with checkpoints, to the store.

A run that was killed goes on from the same bits as one that was not. A checkpoint is the progress of the whole stack: it
knows nothing of units that are left out while training, nor of the order in which replicates were asked for.
"""

import datetime
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm.auto import tqdm

from lib.models import Network
from lib.pruning import weights_remaining
from lib.stages.checkpoint import Checkpoint, on_device
from lib.stages.entry import Entry
from lib.stages.outcomes import Scored, course, groups, metrics, outcomes, relative_size
from lib.stages.prune_while_training import extra_masks, prune_while_training
from lib.stages.stage import NUMERICS_VERSION, Chain, Stage
from lib.stages.starting_point import starting_point
from lib.stages.store import Store
from lib.stages.subsets import chosen_examples
from lib.training import Examples, Part, Precision, Progress, Replicate, arithmetic, processes, train
from lib.training.connected_units import ConnectedUnits, decay_factors, everything_from, find_connected_units
from lib.training.device import describe_device
from lib.training.loop import NO_HOOKS, Computation, Hooks
from lib.training.sparse_products import few_remain
from lib.training.stack import stack_states, unstack


@dataclass(frozen=True)
class RunContext:
    """What the stages of one run share.

    Attributes:
        chain: what is run.
        network: whose module computes; it is on the CPU between stages.
        store: where checkpoints and finished stages are kept.
        precision: of the products in training, see `computed_precision`.
        bar: counts replicates and epochs.
        deterministic: on CUDA, repeat to the bit.
    """

    chain: Chain
    network: Network
    store: Store
    precision: Precision
    bar: tqdm
    deterministic: bool = False


def train_stage(
    context: RunContext, position: int, replicates: Sequence[Replicate], done: Sequence[Sequence[Entry]],
    keys: Sequence[str], examples: Examples,
) -> None:  # fmt: skip
    """Train one stage for a stack of R replicates and keep it in the store.

    Args:
        context: what all stages share.
        position: of the stage in the chain.
        replicates: R replicates.
        done: for each the entries of the stages before.
        keys: for each the key of this stage.
        examples: images, and labels of the R replicates.
    """
    checkpoint = Checkpoint(context.store, keys)
    rows = [keys.index(key) for key in checkpoint.keys]  # whoever is named first today
    replicates, done, keys = [replicates[i] for i in rows], [done[i] for i in rows], [keys[i] for i in rows]
    examples = examples[rows]
    network, recipe, device = context.network, context.chain.recipe, examples.train_images.device
    stage, saved = context.chain.stages[position], checkpoint.resume(device)
    start = _start(context, position, replicates, done, examples, saved)
    part = _part(stage, position, replicates, done, len(examples.train_images))
    hooks = NO_HOOKS
    if stage.filters:
        hooks = prune_while_training(stage.filters, network, replicates, examples, recipe, part)
    context = replace(context, precision=computed_precision(context, start.masks, hooks))
    try:
        network.module.to(device)
        with arithmetic(device, context.precision, context.deterministic):
            progress = _train(context, start, saved, part, replicates, examples, hooks, checkpoint)
        with arithmetic(device, "float32", context.deterministic):
            found = outcomes(network.module, progress.stack, examples, recipe)
    finally:
        network.module.cpu()  # the next stack, or this one divided, starts there
    if not processes.place():
        _keep(context, stage, replicates, keys, examples, progress, found, checkpoint)
    processes.agreed(None)  # that it is there


def computed_precision(context: RunContext, masks: Mapping[str, Tensor], hooks: Hooks) -> Precision:
    """Return what a stage is computed in: float32 instead of bfloat16 where products over the few weights that remain, which
    are float32, are no slower (`make bench`)."""
    constant = hooks is NO_HOOKS and processes.count() == 1
    if context.precision == "bfloat16" and constant and few_remain(context.network.module, masks):
        return "float32"
    return context.precision


def _keep(
    context: RunContext, stage: Stage, replicates: Sequence[Replicate], keys: Sequence[str], examples: Examples,
    progress: Progress, found: Mapping[str, Scored], checkpoint: Checkpoint,
) -> None:  # fmt: skip
    """Keep a stage that is trained and scored."""
    network, recipe, device = context.network, context.chain.recipe, examples.train_images.device
    shared = {"seconds": checkpoint.seconds() / len(replicates), **_provenance(context, replicates, device)}
    size = relative_size(network, recipe, examples.classes)
    prunable = {name: progress.masks[name] for name in network.prunable}
    entries = {}
    for index, (key, replicate) in enumerate(zip(keys, replicates, strict=True)):
        record = {
            "metrics": metrics(found, examples, index),
            "weights_remaining_percent": 100 * size * weights_remaining(unstack(prunable, index)),
            "replicate": replicate.model_dump(mode="json"),
            **course(progress, found["train"], index, stage, replicate),
            **shared,
        }
        entries[key] = (record, groups(found, progress.stack, progress.masks, index))
    context.store.put(entries)
    checkpoint.remove()


def _start(
    context: RunContext, position: int, replicates: Sequence[Replicate], done: Sequence[Sequence[Entry]], examples: Examples,
    saved: Progress | None,
) -> Progress:  # fmt: skip
    """Return the stack as it enters a stage, on the device of the examples; its epoch is set when training begins.

    With the masks of what was saved of it, where training goes on.
    """
    scored = {name: mask.cpu() for name, mask in saved.masks.items()} if saved else None
    starts = [
        starting_point(
            context.network, context.chain, position, replicate, entries, examples[[i]], scored and unstack(scored, i)
        )
        for i, (replicate, entries) in enumerate(zip(replicates, done, strict=True))
    ]
    device, filters = examples.train_images.device, context.chain.stages[position].filters
    weights, masks = (on_device(stack_states(list(states)), device) for states in zip(*starts, strict=True))
    weights, masks = processes.agree_on(weights), processes.agree_on(masks)  # a GPU need not draw the same mask twice
    whole = extra_masks(context.network.module, filters, weights) if filters else {}  # where nothing was pruned before
    return Progress(0, weights, {**whole, **masks})


def _part(
    stage: Stage, position: int, replicates: Sequence[Replicate], done: Sequence[Sequence[Entry]], count: int
) -> Part:
    """Return which part of the schedule a stage trains, on which of `count` examples."""
    subsets = []
    if stage.examples:
        pairs = zip(done, replicates, strict=True)
        subsets = [chosen_examples(stage.examples, entries, r, count) for entries, r in pairs]
        count = count if stage.examples.equal_steps else len(subsets[0])
    return Part(stage.to_epoch, stage.from_epoch, stage.from_step, stage.to_step, position, subsets, count)


Whole = Callable[[Progress], Progress]
"""Makes the progress of the whole stack from that of the part that is trained."""


def _train(
    context: RunContext, start: Progress, saved: Progress | None, part: Part, replicates: Sequence[Replicate],
    examples: Examples, hooks: Hooks, checkpoint: Checkpoint,
) -> Progress:  # fmt: skip
    """Train a part of the schedule from the start, or from what was saved.

    Units without a path are left out, unless hooks may change masks, or that could change what remains (Adam with weight
    decay). Where they have running statistics, the last steps are taken with everything: these are what they would be.
    """
    network, recipe = context.network, context.chain.recipe
    steps_per_epoch = -(-(part.examples_per_epoch or len(examples.train_images)) // recipe.batch_size)
    epochs = part.epochs(steps_per_epoch)
    progress = saved or replace(start, epoch=epochs.start)
    context.bar.total -= (progress.epoch - epochs.start) * len(replicates)  # so that its speed stays true
    where = f"level {context.chain.stages[part.stage].level or 0}, epoch {{}} of {epochs.stop}, {_who(replicates)}"

    def go_on(now: Progress, part: Part, pixels: Tensor | None, whole: Whole) -> Progress:
        def after_epoch(now: Progress) -> None:
            if hooks.after_epoch:
                hooks.after_epoch(now)
            context.bar.set_postfix_str(where.format(now.epoch), refresh=False)
            context.bar.update(len(replicates))
            if checkpoint.due() and not processes.place():
                checkpoint.save(whole(now))

        own, computation = replace(hooks, after_epoch=after_epoch), Computation(context.precision, pixels)
        return train(network.module, now, examples, replicates, recipe, part, own, computation)

    units = ConnectedUnits()
    if hooks is NO_HOOKS and not (recipe.optimizer == "adam" and recipe.weight_decay):
        units = find_connected_units(network.units, start.stack, start.masks)
    whole_from = everything_from(units, network.module, epochs, steps_per_epoch)
    if progress.epoch < whole_from:
        names = {name for name, _ in network.module.named_parameters()}

        def whole(small: Progress) -> Progress:
            steps = part.steps(steps_per_epoch)
            taken = range(steps.start, min(steps.stop, small.epoch * steps_per_epoch))
            return units.take_back(small, start, names, decay_factors(recipe, taken, steps_per_epoch))

        first = part if whole_from == epochs.stop else replace(part, to_epoch=whole_from, to_step=0)
        progress = whole(go_on(units.leave_out(progress), first, units.pixels, whole))
    if progress.epoch < epochs.stop and not progress.diverged:
        progress = go_on(progress, part, None, lambda now: now)
    return progress


def _who(replicates: Sequence[Replicate]) -> str:
    seeds, noises = sorted({r.seed for r in replicates}), sorted({r.noise_percent for r in replicates})
    return f"seed {', '.join(map(str, seeds))}, noise {', '.join(f'{n:g}' for n in noises)} %"


def _provenance(context: RunContext, replicates: Sequence[Replicate], device: torch.device) -> dict:
    """Return how a stage was computed."""
    return {
        "stacked": len(replicates),
        "processes": processes.count(),
        "threads": torch.get_num_threads(),
        "precision": context.precision,
        "deterministic": device.type == "cpu" or context.deterministic,
        "device": describe_device(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "numerics_version": NUMERICS_VERSION,
        "date": datetime.date.today().isoformat(),
    }
