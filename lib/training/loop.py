"""The training loop for a stack of replicates.

Images stay on the device; a step gathers each replicate's batch by index, adds up the mean losses and updates all
replicates by one fused optimizer. Pruned weights are held at zero by masking the gradient: from a fresh optimizer a zero
weight with zero gradient stays exactly zero under Adam and SGD, weight decay included (facts J16). Within an
epoch nothing waits for the device: losses add up there and are read once an epoch.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import data
from lib.training.examples import Examples, Replicate
from lib.training.recipe import Precision, Recipe, learning_rate
from lib.training.stack import State, forward


@dataclass
class Progress:
    """Where a stack stands between two epochs; all that is needed to go on.

    Attributes:
        epoch: next epoch of the recipe's schedule.
        stack: parameters and buffers, name → [R, ...].
        optimizer: the optimizer's state, or None before the first step.
        train_losses: mean loss of each finished epoch while training, a list of R numbers an epoch.
    """

    epoch: int
    stack: State
    optimizer: dict | None = None
    train_losses: list[list[float]] = field(default_factory=list)


def make_optimizer(recipe: Recipe, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
    """Return the recipe's optimizer, fused into one pass over the parameters."""
    if recipe.optimizer == "adam":
        return torch.optim.Adam(
            parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
    return torch.optim.SGD(
        parameters,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def autocast(precision: Precision, device: torch.device) -> contextlib.AbstractContextManager:
    """Return the context in which the network is applied while training."""
    if precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def batch_indices(replicates: Sequence[Replicate], stage: int, epoch: int, examples: int) -> Tensor:
    """Return the order in which each replicate sees its examples in one epoch, int64 [R, examples]."""
    orders = [torch.randperm(examples, generator=r.generator("data order", stage, epoch)) for r in replicates]
    return torch.stack(orders)


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

    Returns:
        The progress. A replicate whose loss is no longer finite shows it in `train_losses`; when all are so, training stops.
    """
    device = examples.train_images.device
    count = len(examples.train_images)
    steps = -(-count // recipe.batch_size)
    constants = data.normalization(examples.normalization)
    images = data.normalize(examples.train_images, constants)
    if precision == "bfloat16":
        images = images.bfloat16()  # autocast would round them at every step
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    fill = constants.black.to(images)
    trainable = {name for name, _ in module.named_parameters()}
    parameters = {n: t.requires_grad_() for n, t in progress.stack.items() if n in trainable}
    optimizer = make_optimizer(recipe, list(parameters.values()))
    if progress.optimizer is not None:
        optimizer.load_state_dict(progress.optimizer)
    multipliers = {name: mask.to(torch.float32) for name, mask in masks.items()}
    module.train()
    while progress.epoch < until:
        order = batch_indices(replicates, stage, progress.epoch, count).to(device)
        shuffled = examples.train_labels.gather(1, order)
        draws = [r.generator("augmentation", stage, progress.epoch) for r in replicates]
        total = torch.zeros(len(replicates), device=device)
        for step in range(steps):
            rate = learning_rate(recipe, progress.epoch * steps + step, steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            chosen = slice(step * recipe.batch_size, (step + 1) * recipe.batch_size)
            labels = shuffled[:, chosen]
            batch = images[order[:, chosen]]
            if recipe.data.augmentation == "flip-crop":
                batch = data.augment(batch, draws, fill=fill)
            with autocast(precision, device):
                logits = forward(module, progress.stack, batch)
            losses = cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), reduction="none")
            losses = losses.view(labels.shape)
            losses.mean(1).sum().backward()
            for name, multiplier in multipliers.items():
                parameters[name].grad *= multiplier  # pyright: ignore[reportOperatorIssue]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            total += losses.detach().sum(1)
        progress.epoch += 1
        progress.optimizer = optimizer.state_dict()
        progress.train_losses.append((total / count).tolist())
        after_epoch(progress)
        if not any(map(torch.isfinite, torch.tensor(progress.train_losses[-1]))):
            break
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = (
            False  # evaluation is float32
        )
    for tensor in parameters.values():
        tensor.requires_grad_(False)
    return progress
