"""One stage of one stack: its starting point, its training with checkpoints, and what is kept of it.

Each stage starts from what the store holds of its parents, so that a run that was killed goes on from the same bits as one
that was not.
"""

import datetime
import math
import platform
import time
import warnings
from collections.abc import Sequence

import numpy
import torch
from torch import Tensor
from tqdm.auto import tqdm

from lib import data
from lib.models import Network, build, initialize
from lib.pruning import Batch, find_score, select, weights_remaining
from lib.stages.stage import NUMERICS_VERSION, Chain, Stage, Subset
from lib.stages.store import Entry, Store
from lib.stages.subsets import choose
from lib.training import (
    Examples,
    Outcome,
    Precision,
    Progress,
    Recipe,
    Replicate,
    arithmetic,
    evaluate,
    stack_states,
    train,
    unstack,
)
from lib.training.device import describe_device
from lib.training.paths import Paths, decay_factor, find_paths
from lib.training.stack import State

CHECKPOINT_SECONDS = 60.0
EXAMPLES_PER_CLASS = 10  # that a score may look at (facts J17) ...
EXAMPLES_SCORED = 1000  # ... and as many of all classes: with more than 100 of them, fewer per class


def pack(flags: Tensor) -> Tensor:
    """Pack booleans into bits, eight a byte, uint8 [⌈n / 8⌉]."""
    return torch.from_numpy(numpy.packbits(flags.cpu().numpy().ravel()))


def unpack(bits: Tensor, shape: Sequence[int]) -> Tensor:
    """Undo `pack`: bool of the given shape."""
    count = int(numpy.prod(shape))
    return torch.from_numpy(numpy.unpackbits(bits.numpy(), count=count).astype(bool)).view(*shape)


def read_masks(entry: Entry, network: Network) -> State:
    """Return the masks of a finished stage, name → bool like the weight."""
    packed = entry.tensors("masks")
    return {name: unpack(packed[name], network.module.get_parameter(name).shape) for name in network.prunable}


def _scoring_batch(examples: Examples, count: int | None, generator: torch.Generator) -> Batch:
    """Return training images of the only replicate, on the CPU, for scores that look at data.

    Args:
        examples: of one replicate.
        count: how many, drawn from all; None for some of each label.
        generator: for the draw and for the score.
    """
    labels = examples.train_labels[0].cpu()
    order = torch.randperm(len(labels), generator=generator)
    chosen = order[:count]
    if count is None:
        each = min(EXAMPLES_PER_CLASS, max(1, EXAMPLES_SCORED // examples.classes))
        chosen = torch.cat([order[labels[order] == label][:each] for label in range(examples.classes)])
    images = examples.train_images[chosen.to(examples.train_images.device)].cpu()
    inputs = data.normalize(images, data.normalization(examples.normalization))
    return Batch(inputs, labels[chosen], generator)


def _starting_point(
    network: Network,
    chain: Chain,
    position: int,
    replicate: Replicate,
    done: Sequence[Entry],
    examples: Examples,
) -> tuple[State, State]:
    """Return weights and masks with which one replicate, the only one of the examples, enters a stage."""
    stage, module = chain.stages[position], network.module
    if done and not stage.lift_masks:
        masks = read_masks(done[-1], network)
    else:
        masks = {
            name: torch.ones_like(module.get_parameter(name), dtype=torch.bool) for name in network.prunable
        }
    if stage.prune:
        module.load_state_dict(done[-1].tensors("weights"))
        batch = _scoring_batch(examples, stage.prune.examples, replicate.generator("score", position))
        scores = find_score(stage.prune.score)(module, network.prunable, batch)
        masks = select(scores, masks, stage.prune.fraction, stage.prune.scope)
    if stage.start == "fresh":
        initialize_replicate(module, chain.recipe, replicate, position)
        weights = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    else:
        weights = done[-1 if stage.start == "previous" else 0].tensors("weights")
    for name, mask in masks.items():
        weights[name] = weights[name] * mask
    return weights, masks


def _subset(subset: Subset, done: Sequence[Entry], replicate: Replicate, count: int) -> Tensor:
    """Return which of its `count` training examples one replicate trains on."""
    judge = done[subset.judge].tensors("examples")
    before = done[subset.reference].tensors("examples")["train_losses"]
    correct = unpack(judge["train_correct"], (count,))
    generator = replicate.generator(
        "subset", subset.judge
    )  # alike for all rules and stages that have this judge
    return choose(subset, before, judge["train_losses"], correct, generator)


def initialize_replicate(
    module: torch.nn.Module, recipe: Recipe, replicate: Replicate, position: int = 0
) -> None:
    """Draw the weights with which a replicate enters the stage at a position that starts fresh."""
    generator = replicate.generator("initialization", position)
    initialize(module, generator, recipe.normalization_scale, recipe.initial_bias)


def _outcomes(network: Network, stack: State, examples: Examples, deterministic: bool) -> dict[str, Outcome]:
    """Evaluate a stack in float32 on each set of images that has any."""
    sets = {
        "train": (examples.train_images, examples.train_labels),
        "validation": (examples.validation_images, examples.validation_labels),
        "test": (examples.test_images, examples.test_labels),
    }
    with arithmetic(examples.train_images.device, "float32", deterministic):
        return {
            name: evaluate(network.module, stack, images, labels, examples.normalization)
            for name, (images, labels) in sets.items()
            if len(images)
        }


def _restored(
    network: Network, stack: State, examples: Examples, recipe: Recipe, deterministic: bool
) -> Outcome | None:
    """Evaluate a stack on its training images against their original labels, where LN's kind of noise replaced any."""
    if recipe.data.noise != "any" or not examples.noisy.any():
        return None
    with arithmetic(examples.train_images.device, "float32", deterministic):
        return evaluate(
            network.module, stack, examples.train_images, examples.original_labels, examples.normalization
        )


def _metrics(
    outcomes: dict[str, Outcome], restored: Outcome | None, examples: Examples, replicate: int
) -> list[dict]:
    """Return a row of error and loss for each subset that has examples."""
    noisy = examples.noisy[replicate].cpu()
    subsets: dict[str, tuple[Outcome, slice | Tensor]] = {n: (o, slice(None)) for n, o in outcomes.items()}
    if noisy.any():
        subsets |= {"train_noisy": (outcomes["train"], noisy), "train_original": (outcomes["train"], ~noisy)}
        subsets |= {"train_restored": (restored, noisy)} if restored else {}
    rows = []
    for subset, (outcome, chosen) in subsets.items():
        correct, losses = outcome.correct[replicate][chosen], outcome.losses[replicate][chosen].double()
        if len(correct):
            error = 100 * (1 - correct.double().mean().item())
            rows.append(
                {"subset": subset, "examples": len(correct), "error_percent": error,
                 "cross_entropy_nats": losses.mean().item()}
            )  # fmt: skip
    return rows


def _course(progress: Progress, train: Outcome, index: int, stage: Stage, replicate: Replicate) -> dict:
    """Return how training went for one replicate: loss and recorded errors of each epoch, whether and when it diverged."""
    losses = [epoch[index] for epoch in progress.train_losses]
    diverged = not bool(torch.isfinite(train.losses[index]).all())
    first = progress.epoch - len(losses)
    first += next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    if diverged:
        warnings.warn(
            f"seed {replicate.seed}, noise {replicate.noise_percent:g} %: the loss is no longer finite in epoch {first} "
            f"of level {stage.level or 0}; this replicate ends here, the others go on",
            stacklevel=3,
        )
    course = {"train_losses": losses, "diverged": diverged, "diverged_in_epoch": first if diverged else None}
    if progress.errors:
        course["epoch_errors"] = {
            subset: [round(epoch[index], 4) for epoch in errors]
            for subset, errors in progress.errors.items()
            if math.isfinite(errors[0][index])  # a subset without examples has no errors
        }
    return course


def _relative_size(network: Network, recipe: Recipe, classes: int) -> float:
    """Return how many prunable weights a network has, as a share of those at the standard width."""
    if recipe.width_scale == 1:
        return 1.0
    with torch.device("meta"):  # shapes only
        standard = build(recipe.network, classes, recipe.width)
    own, whole = (sum(n.module.get_parameter(w).numel() for w in n.prunable) for n in (network, standard))
    return own / whole


def _paths(network: Network, recipe: Recipe, stack: State, masks: State) -> Paths:
    """Return what a stage trains; everything where leaving out could change what remains (Adam with weight decay)."""
    if recipe.optimizer == "adam" and recipe.weight_decay:
        return Paths()
    return find_paths(network.units, stack, masks)


def train_stage(
    network: Network,
    chain: Chain,
    position: int,
    replicates: Sequence[Replicate],
    done: Sequence[Sequence[Entry]],
    keys: Sequence[str],
    examples: Examples,
    store: Store,
    precision: Precision,
    bar: tqdm,
    deterministic: bool = False,
) -> None:
    """Train one stage for a stack of replicates and keep it in the store."""
    stage, device = chain.stages[position], examples.train_images.device
    started = time.perf_counter()
    seeds = sorted({r.seed for r in replicates})
    noises = sorted({r.noise_percent for r in replicates})
    who = f"seed {', '.join(map(str, seeds))}, noise {', '.join(f'{n:g}' for n in noises)} %"
    starts = [
        _starting_point(network, chain, position, replicate, entries, examples[[i]])
        for i, (replicate, entries) in enumerate(zip(replicates, done, strict=True))
    ]
    whole = {n: t.to(device) for n, t in stack_states([w for w, _ in starts]).items()}
    masks = {n: m.to(device) for n, m in stack_states([m for _, m in starts]).items()}
    paths = _paths(network, chain.recipe, whole, masks)
    checkpoint = store.checkpoint_path(keys)
    network.module.to(device)
    count, subsets = len(examples.train_images), []
    if stage.examples:
        subsets = [_subset(stage.examples, e, r, count) for e, r in zip(done, replicates, strict=True)]
        count = count if stage.examples.equal_steps else len(subsets[0])
    steps = -(-count // chain.recipe.batch_size)
    trained = range(
        stage.from_epoch * steps + stage.from_step, stage.to_epoch * steps + stage.to_step
    )  # of the recipe's schedule
    first_epoch, last_epoch = trained.start // steps, -(-trained.stop // steps)
    start = paths.shrink(whole)
    saved = store.load_checkpoint(checkpoint)
    if saved and {n: t.shape for n, t in saved["stack"].items()} == {n: t.shape for n, t in start.items()}:
        spent = saved.pop("seconds")
        progress = Progress(**saved)
        progress.stack = {name: tensor.to(device) for name, tensor in progress.stack.items()}
        bar.total -= (progress.epoch - first_epoch) * len(replicates)  # so that its speed stays true
    else:
        spent = 0.0
        progress = Progress(first_epoch, start)
    last = time.perf_counter()

    def after_epoch(now: Progress) -> None:
        nonlocal last
        bar.set_postfix_str(
            f"level {stage.level or 0}, epoch {now.epoch} of {last_epoch}, {who}", refresh=False
        )
        bar.update(len(replicates))
        if now.epoch < last_epoch and time.perf_counter() - last > CHECKPOINT_SECONDS:
            stack = {name: tensor.detach() for name, tensor in now.stack.items()}
            state = {
                "epoch": now.epoch,
                "stack": stack,
                "optimizer": now.optimizer,
                "train_losses": now.train_losses,
                "errors": now.errors,
            }
            store.save_checkpoint(checkpoint, state | {"seconds": spent + time.perf_counter() - started})
            last = time.perf_counter()

    dense = all(bool(mask.all()) for mask in masks.values())
    with arithmetic(device, precision, deterministic):
        train(
            network.module, progress, examples, replicates, chain.recipe, last_epoch,
            {} if dense else paths.shrink(masks), position, precision, after_epoch, paths.pixels,
            subsets=subsets, count=count, first_step=trained.start, last_step=trained.stop,
        )  # fmt: skip
    factor = decay_factor(chain.recipe, trained, steps)
    progress.stack = paths.scatter(
        progress.stack, whole, {name: factor for name, _ in network.module.named_parameters()}
    )
    outcomes = _outcomes(network, progress.stack, examples, deterministic)
    restored = _restored(network, progress.stack, examples, chain.recipe, deterministic)
    network.module.cpu()
    shared = {
        "seconds": (spent + time.perf_counter() - started) / len(replicates),
        "stacked": len(replicates),
        "threads": torch.get_num_threads(),
        "precision": precision,
        "deterministic": device.type == "cpu" or deterministic,
        "device": describe_device(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "numerics_version": NUMERICS_VERSION,
        "date": datetime.date.today().isoformat(),
    }
    size = _relative_size(network, chain.recipe, examples.classes)
    entries = {}
    for index, (key, replicate) in enumerate(zip(keys, replicates, strict=True)):
        own_masks = unstack(masks, index)
        record = {
            "metrics": _metrics(outcomes, restored, examples, index),
            "weights_remaining_percent": 100 * size * weights_remaining(own_masks),
            "replicate": replicate.model_dump(mode="json"),
            **_course(progress, outcomes["train"], index, stage, replicate),
            **shared,
        }
        groups = {
            "weights": unstack(progress.stack, index),
            "masks": {name: pack(mask) for name, mask in own_masks.items()},
            "examples": {f"{subset}_losses": o.losses[index].half() for subset, o in outcomes.items()}
            | {f"{subset}_correct": pack(o.correct[index]) for subset, o in outcomes.items()}
            | {"train_error_norms": outcomes["train"].error_norms[index].half()},
        }
        entries[key] = (record, groups)
    store.put(entries)
    checkpoint.unlink(missing_ok=True)
