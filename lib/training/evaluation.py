"""Evaluation: loss and correctness of every example, in eval mode, un-augmented, in float32 (facts J21)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import data
from lib.training.stack import forward

VALUES_PER_BATCH = 2**23  # of activations in a batch, so that they stay near the processor's caches


@dataclass(frozen=True)
class Outcome:
    """What R networks do with N examples.

    Attributes:
        losses: cross-entropy in nats, float32 [R, N], on the CPU.
        correct: bool [R, N], on the CPU.
    """

    losses: Tensor
    correct: Tensor


@torch.no_grad()
def evaluate(
    module: nn.Module, stack: Mapping[str, Tensor], images: Tensor, labels: Tensor, normalization: str
) -> Outcome:
    """Score every example with every network.

    Args:
        module: the computation; left in eval mode.
        stack: name → [R, ...].
        images: uint8 [N, height, width, channels].
        labels: int64 [R, N], or [N] for the same to all.
        normalization: name of the constants.
    """
    module.eval()
    constants = data.normalization(normalization)
    replicates = next(iter(stack.values())).shape[0]
    labels = labels.expand(replicates, -1)
    size = max(1, VALUES_PER_BATCH // (replicates * images[0].numel()))
    losses, correct = [], []
    for start in range(0, len(images), size):
        batch = data.normalize(images[start : start + size], constants)
        logits = forward(module, stack, batch).float()
        truth = labels[:, start : start + size]
        losses.append(
            cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none").view(truth.shape)
        )
        correct.append(logits.argmax(-1) == truth)
    return Outcome(torch.cat(losses, 1).cpu(), torch.cat(correct, 1).cpu())
