"""What a pruning step does to the training loss before anything is trained again, and its linear estimate (LN eq. 1).

    ΔL       = L(w ∘ m′) − L(w ∘ m)                      w the final weights of a level, m its mask, m′ that of the next
    estimate = ∇L(w ∘ m)ᵀ (w ∘ (m′ − m)) = − Σ w ∂L/∂w    the sum over the weights that the step removes

L is the mean cross-entropy over all training examples, with the labels trained on, without augmentation and in eval mode:
a score may look at a single batch, what it does is measured on all of them. The estimate is the derivative of
L(w ∘ m + α w ∘ (m′ − m)) with respect to α at zero, so one number per network has a gradient and the weights need none kept.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import data
from lib.errors import InputError
from lib.models import Network, build
from lib.stages import Results
from lib.training import Replicate, arithmetic, prepare, stack_limit, stack_states
from lib.training.device import find_device
from lib.training.stack import State, forward

LOSS_CHANGE = "loss_change_nats"
FIRST_ORDER = "first_order_loss_change_nats"
VALUES_PER_BATCH = 2**22  # of all inputs of a stack: what the gradient of a ResNet-18 needs stays below 8 GB


def loss_changes(
    module: nn.Module,
    stack: Mapping[str, Tensor],
    next_masks: Mapping[str, Tensor],
    images: Tensor,
    labels: Tensor,
    normalization: str,
) -> tuple[Tensor, Tensor]:
    """Measure one pruning step of R networks.

    Args:
        module: the computation; left in eval mode.
        stack: name → [R, ...], the weights before the step, zero where they were pruned earlier.
        next_masks: name → bool [R, ...] of the prunable weights, False where pruned after the step.
        images: uint8 [N, height, width, channels].
        labels: int64 [R, N].
        normalization: name of the constants.

    Returns:
        Change of the mean loss in nats and its first-order estimate, float64 [R] each, on the CPU.
    """
    module.eval()
    constants, (replicates, count) = data.normalization(normalization), labels.shape
    steps = {name: stack[name] * (mask.to(stack[name]) - 1) for name, mask in next_masks.items()}
    after = {**stack, **{name: stack[name] + step for name, step in steps.items()}}
    change, estimate = (torch.zeros(replicates, dtype=torch.float64) for _ in range(2))
    size = max(1, VALUES_PER_BATCH // (replicates * math.prod(images.shape[1:])))
    for batch, truth in zip(images.split(size), labels.split(size, 1), strict=True):
        inputs = data.normalize(batch, constants)
        share = torch.zeros(
            replicates, device=inputs.device, requires_grad=True
        )  # α of the module's docstring
        moved = {n: stack[n] + share.view(-1, *[1] * (s.dim() - 1)) * s for n, s in steps.items()}
        before = _sums(module, {**stack, **moved}, inputs, truth)
        estimate += torch.autograd.grad(before.sum(), share)[0].double().cpu()
        with torch.no_grad():
            change += (_sums(module, after, inputs, truth) - before).double().cpu()
    return change / count, estimate / count


def _sums(module: nn.Module, stack: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of each network summed over a batch, float64 [R]."""
    logits = forward(module, stack, inputs).float()
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.view(labels.shape).double().sum(1)


def loss_change_rows(results: Sequence[Results], device: str = "auto") -> Iterator[dict]:
    """Yield both numbers of every pruning step of some finished chains, as rows of quantities at the level after the step.

    Nothing is trained. A step reads the training images once; replicates that took it are measured as one stack.

    Args:
        results: finished chains; those that prune nothing have no rows.
        device: see `lib.training.device.find_device`.

    Raises:
        InputError: if the images are streamed from files.
    """
    for one in results:
        steps = [i for i, stage in enumerate(one.chain.stages) if stage.prune and stage.level is not None]
        if steps:
            yield from _rows_of(one, steps, find_device(device))


def _rows_of(results: Results, steps: Sequence[int], device: torch.device) -> Iterator[dict]:
    """Yield the rows of one chain, whose stages at these positions prune."""
    recipe = results.chain.recipe
    examples = prepare(recipe.data, results.replicates, device)
    images = examples.train_images
    if not isinstance(images, Tensor):
        raise InputError(
            f"the loss change of pruning needs images on the device; those of {recipe.data.image_set} are in files"
        )
    network = build(recipe.network, examples.classes, recipe.width, recipe.width_scale)
    network.module.to(device)
    whole = range(len(results.replicates))
    limit = stack_limit(network.module, device, len(whole), images)
    for position in steps:
        there = [i for i in whole if len(results.entries[i]) > position]
        for chosen in (there[start : start + limit] for start in range(0, len(there), limit)):
            weights, masks = zip(*(_step(results, network, i, position) for i in chosen), strict=True)
            stack, later = (_on(device, stack_states(list(states))) for states in (weights, masks))
            labels = examples.train_labels[chosen]
            with arithmetic(device, "float32"):
                found = loss_changes(network.module, stack, later, images, labels, examples.normalization)
            for index, i in enumerate(chosen):
                replicate: Replicate = results.replicates[i]
                for quantity, values in zip((LOSS_CHANGE, FIRST_ORDER), found, strict=True):
                    yield {
                        "algorithm": results.chain.algorithm,
                        "noise_percent": replicate.noise_percent,
                        "seed": replicate.seed,
                        "level": results.chain.stages[position].level,
                        "quantity": quantity,
                        "position": 0.0,
                        "value": float(f"{values[index].item():.5g}"),
                        "stage_key": results.entries[i][position].key,
                    }


def _step(results: Results, network: Network, replicate: int, position: int) -> tuple[State, State]:
    """Return one replicate's weights before a pruning step, and its masks after it."""
    entries = results.entries[replicate]
    return entries[position - 1].tensors("weights"), entries[position].masks()


def _on(device: torch.device, state: State) -> State:
    return {name: tensor.to(device) for name, tensor in state.items()}
