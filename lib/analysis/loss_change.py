"""What a pruning step does to the training loss before anything is trained again, and its linear estimate (LN eq. 1).

    ΔL       = L(w ∘ m′) − L(w ∘ m)                      w the final weights of a level, m its mask, m′ that of the next
    estimate = ∇L(w ∘ m)ᵀ (w ∘ (m′ − m)) = − Σ w ∂L/∂w    the sum over the weights that the step removes

L is the mean cross-entropy over all training examples, with the labels trained on, without augmentation and in eval mode:
a score may look at a single batch, what it does is measured on all of them. The estimate is the derivative of
L(w ∘ m + α w ∘ (m′ − m)) with respect to α at zero, so one number per network has a gradient and the weights need none kept.
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import data
from lib.analysis.experiments import Context, Measurement, network_columns
from lib.errors import InputError
from lib.models import Network
from lib.stages import Results
from lib.training import Examples, arithmetic, network_of, prepare, stack_limit, stack_states
from lib.training.device import find_device
from lib.training.stack import State, forward

CHANGE, ESTIMATE = "loss change by pruning (nats)", "first-order loss change by pruning (nats)"
VALUES_PER_BATCH = 2**22  # of all inputs of a stack: what the gradient of a ResNet-18 needs stays below 8 GB


def _rows(context: Context) -> Iterator[dict]:
    for results in context.results:
        cuts = [i for i, stage in enumerate(results.chain.stages) if stage.prune and stage.level is not None]
        if cuts:
            yield from _of_chain(context, results, cuts)


LOSS_CHANGE = Measurement("loss change", _rows)


def _of_chain(context: Context, results: Results, cuts: Sequence[int]) -> Iterator[dict]:
    """Yield both numbers of every pruning step, at the level after it; replicates that took it are measured together."""
    recipe, count, device = results.chain.recipe, len(results.replicates), find_device(context.device)
    examples = prepare(recipe.data, results.replicates, device)
    if not isinstance(examples.train_images, Tensor):
        raise InputError(
            f"the loss change of pruning needs images in memory; those of {recipe.data.image_set} are in files"
        )
    network = network_of(recipe, examples.classes)
    network.module.to(device)
    limit = stack_limit(network.module, device, count, examples.train_images)
    for position in cuts:
        stage = results.chain.stages[position]
        there = [i for i in range(count) if len(results.entries[i]) > position]
        for chosen in (there[start : start + limit] for start in range(0, len(there), limit)):
            entries = [results.entries[i][position] for i in chosen]
            step = functools.partial(_step, results, network, examples, chosen, position)
            for i, entry, pair in zip(chosen, entries, context.measured(entries, step), strict=True):
                columns = network_columns(results.replicates[i], results.chain, stage, entry)
                for quantity, value in zip((CHANGE, ESTIMATE), pair, strict=True):
                    yield columns | {"quantity": quantity, "value": float(f"{value:.5g}")}


def _step(
    results: Results, network: Network, examples: Examples, chosen: Sequence[int], position: int
) -> list[list[float]]:
    """Return change and estimate of one pruning step for some replicates."""
    device = next(network.module.parameters()).device
    before = stack_states([results.entries[i][position - 1].tensors("weights") for i in chosen])
    after = stack_states([results.entries[i][position].masks() for i in chosen])
    stack, masks = ({name: tensor.to(device) for name, tensor in state.items()} for state in (before, after))
    images, labels = examples.train_images, examples.train_labels[chosen]
    assert isinstance(images, Tensor)
    with arithmetic(device, "float32"):
        found = loss_changes(network.module, stack, masks, images, labels, examples.normalization)
    return torch.stack(found, 1).tolist()


def loss_changes(
    module: nn.Module, stack: State, next_masks: State, images: Tensor, labels: Tensor, normalization: str
) -> tuple[Tensor, Tensor]:
    """Return the change of the mean loss in nats by one pruning step of R networks, and its first-order estimate, [R] each.

    Args:
        module: the computation; left in eval mode.
        stack: name → [R, ...], the weights before the step, zero where they were pruned earlier.
        next_masks: name → bool [R, ...] of the prunable weights, False where pruned after the step.
        images, labels: uint8 [N, height, width, channels] and int64 [R, N].
        normalization: name of the constants.
    """
    module.eval()
    constants, (replicates, count) = data.normalization(normalization), labels.shape
    steps = {name: stack[name] * (mask.to(stack[name]) - 1) for name, mask in next_masks.items()}
    after = {**stack, **{name: stack[name] + step for name, step in steps.items()}}
    change, estimate = (torch.zeros(replicates, dtype=torch.float64) for _ in range(2))
    size = max(1, VALUES_PER_BATCH // (replicates * math.prod(images.shape[1:])))
    for batch, truth in zip(images.split(size), labels.split(size, 1), strict=True):
        inputs = data.normalize(batch, constants)
        alpha = torch.zeros(replicates, device=inputs.device, requires_grad=True)
        moved = {n: stack[n] + alpha.view(-1, *[1] * (s.dim() - 1)) * s for n, s in steps.items()}
        before = _sums(module, {**stack, **moved}, inputs, truth)
        estimate += torch.autograd.grad(before.sum(), alpha)[0].double().cpu()
        with torch.no_grad():
            change += (_sums(module, after, inputs, truth) - before).double().cpu()
    return change / count, estimate / count


def _sums(module: nn.Module, stack: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of each network summed over a batch, float64 [R]."""
    logits = forward(module, stack, inputs).float()
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.view(labels.shape).double().sum(1)
