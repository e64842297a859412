"""The training loop for a stack of replicates.

Images stay on the device, or are streamed from files (`lib.training.sources`); a step takes each replicate's batch, adds up
the mean losses and updates all replicates by one fused optimizer. Pruned weights are held at zero by masking the gradient:
from a fresh optimizer a zero weight with zero gradient stays exactly zero under Adam and SGD, weight decay included (facts
J16). Where few weights remain, only those are handed to the optimizer, which is the same and faster
(`lib.training.remaining`). Within an epoch nothing waits for the device: losses add up there and are read once an epoch.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from lib.training.examples import Examples, Replicate
from lib.training.recipe import Precision, Recipe, learning_rate
from lib.training.records import Records
from lib.training.remaining import SHARE, Remaining
from lib.training.repeated import Repeated, record_cuda_graph
from lib.training.sources import make_source
from lib.training.stack import State, forward


@dataclass
class Progress:
    """Where a stack stands between two epochs; all that is needed to go on.

    Attributes:
        epoch: next epoch of the recipe's schedule.
        stack: parameters and buffers, name → [R, ...].
        optimizer: the optimizer's state, or None before the first step.
        train_losses: mean loss of each finished epoch while training, a list of R numbers an epoch.
        errors: of each finished epoch, where they are recorded: subset → a list of R numbers in percent an epoch.
    """

    epoch: int
    stack: State
    optimizer: dict | None = None
    train_losses: list[list[float]] = field(default_factory=list)
    errors: dict[str, list[list[float]]] = field(default_factory=dict)


def make_optimizer(
    recipe: Recipe, parameters: Sequence[Tensor], rate: Tensor | float | None = None
) -> Optimizer:
    """Return the recipe's optimizer, fused into one pass over the parameters.

    Args:
        recipe: which optimizer and its constants.
        parameters: what it updates.
        rate: learning rate; a tensor can be changed while a recorded step goes on reading it. None takes the recipe's.
    """
    rate = recipe.learning_rate if rate is None else rate
    if recipe.optimizer == "adam":
        capturable = parameters[0].device.type == "cuda"
        return torch.optim.Adam(
            parameters, lr=rate, weight_decay=recipe.weight_decay, fused=True, capturable=capturable
        )
    return torch.optim.SGD(
        parameters, lr=rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True
    )


def product_parameters(module: nn.Module) -> set[str]:
    """Return the names of the parameters that enter products: weights and biases of convolutions and linear layers."""
    return {
        f"{name}.{parameter}" if name else parameter
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd)
        for parameter, _ in layer.named_parameters(recurse=False)
    }


def batch_indices(replicates: Sequence[Replicate], stage: int, epoch: int, examples: int) -> Tensor:
    """Return the order in which each replicate sees its examples in one epoch, int64 [R, examples]."""
    orders = [torch.randperm(examples, generator=r.generator("data order", stage, epoch)) for r in replicates]
    return torch.stack(orders)


def subset_indices(
    replicates: Sequence[Replicate], subsets: Sequence[Tensor], stage: int, epoch: int, count: int
) -> Tensor:
    """Return what each replicate sees in one epoch of `count` examples, when it trains on some of them only.

    A replicate passes over its subset again and again, each time in a new order. Epochs cut this endless sequence into
    pieces of equal length, so that replicates with subsets of different sizes take the same steps.

    Args:
        replicates: R replicates.
        subsets: R subsets, the indices of each.
        stage, epoch: which piece.
        count: examples in an epoch.

    Returns:
        Indices of examples, int64 [R, count].
    """
    rows = []
    for replicate, subset in zip(replicates, subsets, strict=True):
        start, size = epoch * count, len(subset)
        passes = range(start // size, -(-(start + count) // size))
        orders = [torch.randperm(size, generator=replicate.generator("data order", stage, p)) for p in passes]
        rows.append(subset[torch.cat(orders)][start - passes[0] * size :][:count])
    return torch.stack(rows)


def train(
    module: nn.Module,
    progress: Progress,
    examples: Examples,
    replicates: Sequence[Replicate],
    recipe: Recipe,
    until: int,
    masks: Mapping[str, Tensor],
    stage: int = 0,
    precision: Precision = "float32",
    after_epoch: Callable[[Progress], None] = lambda progress: None,
    pixels: Tensor | None = None,
    record: bool = True,
    share: float = SHARE,
    subsets: Sequence[Tensor] = (),
    count: int | None = None,
    first_step: int = 0,
    last_step: int | None = None,
) -> Progress:
    """Train a stack from `progress.epoch` to the end of epoch `until` of the recipe's schedule.

    Args:
        module: the computation; its own weights are not used.
        progress: where the stack stands; advanced in place.
        examples: images and labels of the R replicates.
        replicates: whose generators give data order and augmentation.
        recipe: optimizer, schedule, batch size, augmentation.
        until: epoch of the schedule at which to stop.
        masks: name → bool [R, ...] for pruned tensors; empty for a dense stack.
        stage: position in the chain, so that each stage has its own data order.
        precision: of the matrix products; weights and optimizer are float32 always.
        after_epoch: called after each epoch with the progress, for bars and checkpoints.
        pixels: indices of the pixels that the stack still reads, counted in [channel, height, width]; None for all.
        record: on CUDA, replay a recorded step; False launches every kernel of every step.
        share: of a weight that remains, below which only what remains is handed to the optimizer.
        subsets: for each replicate the indices of the examples that it trains on; empty for all.
        count: examples in an epoch; None for as many as there are images.
        first_step: of the whole schedule; the steps before it are left out.
        last_step: of the whole schedule, at which to stop; None for the end of the last epoch.

    Returns:
        The progress. A replicate whose loss is no longer finite shows it in `train_losses`; when all are so, training stops.
    """
    device = examples.train_images.device
    count = count or len(examples.train_images)
    steps = -(-count // recipe.batch_size)
    source = make_source(examples, replicates, recipe, stage, precision, pixels)
    rounded = product_parameters(module) if precision == "bfloat16" else set()
    few = {
        name: Remaining(progress.stack[name], mask, source.dtype)
        for name, mask in masks.items()
        if mask.float().mean() < share
    }
    multipliers = {name: mask.to(torch.float32) for name, mask in masks.items() if name not in few}
    trainable = {name for name, _ in module.named_parameters()}
    parameters = {n: t.requires_grad_() for n, t in progress.stack.items() if n in trainable and n not in few}
    computing = {**progress.stack, **{name: remaining.dense for name, remaining in few.items()}}
    rate = torch.tensor(0.0, device=device)
    optimizer = make_optimizer(recipe, [*parameters.values(), *(r.values for r in few.values())], rate)
    if progress.optimizer is not None:
        optimizer.load_state_dict(progress.optimizer)
        for group in optimizer.param_groups:
            group["lr"] = rate
    total = torch.zeros(len(replicates), device=device)
    records = Records(module, examples, source.dtype, pixels) if recipe.record_epochs else None

    def factors() -> State:
        return {name: t.to(source.dtype) if name in rounded else t for name, t in computing.items()}

    def step(*tensors: Tensor) -> None:
        batch, labels = source.gather(*tensors)
        optimizer.zero_grad(set_to_none=True)
        logits = forward(module, factors(), batch)
        losses = cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), reduction="none")
        losses = losses.view(labels.shape)
        losses.mean(1).sum().backward()
        for name, multiplier in multipliers.items():
            parameters[name].grad *= multiplier  # pyright: ignore[reportOperatorIssue]
        for remaining in few.values():
            remaining.gather()
        optimizer.step()
        for remaining in few.values():
            remaining.scatter()
        total.add_(losses.detach().sum(1))
        if records:
            records.note(tensors[0], logits)

    advance = Repeated(step, record_cuda_graph if device.type == "cuda" and record else None)
    while progress.epoch < until:
        module.train()
        if subsets:
            order = subset_indices(replicates, subsets, stage, progress.epoch, count)
        else:
            order = batch_indices(replicates, stage, progress.epoch, count)
        total.zero_()
        start = progress.epoch * steps
        first, last = max(0, first_step - start), min(steps, last_step - start if last_step else steps)
        batches = itertools.islice(source.batches(order, progress.epoch), first, last)
        for position, batch in enumerate(batches, start + first):
            rate.fill_(learning_rate(recipe, position, steps))
            advance(*batch)
        for name, remaining in few.items():
            remaining.scatter(progress.stack[name])
        progress.epoch += 1
        progress.optimizer = optimizer.state_dict()
        seen = min(last * recipe.batch_size, count) - first * recipe.batch_size
        progress.train_losses.append((total / seen).tolist())
        if records:
            for name, errors in records.finish(factors).items():
                progress.errors.setdefault(name, []).append(errors)
        after_epoch(progress)
        if not any(map(math.isfinite, progress.train_losses[-1])):
            break
    for tensor in parameters.values():
        tensor.requires_grad_(False)
    return progress
