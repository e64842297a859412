"""Evaluation: loss, correctness and error vector of every example, in eval mode, un-augmented, in float32 (facts J21).

The norm of the error vector, ‖softmax(z) − y‖₂ with y the label as a one-hot vector, is what the EL2N score averages over
networks (Paul et al. 2021; TR App. B.3).
"""

import math
from collections.abc import Iterable, Mapping
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
        error_norms: L2 norm of softmax minus one-hot label, float32 [R, N], between 0 and √2, on the CPU.
    """

    losses: Tensor
    correct: Tensor
    error_norms: Tensor


@torch.no_grad()
def evaluate(
    module: nn.Module,
    stack: Mapping[str, Tensor],
    images: Tensor | data.FolderImages,
    labels: Tensor,
    normalization: str,
) -> Outcome:
    """Score every example with every network.

    Args:
        module: the computation; left in eval mode.
        stack: name → [R, ...].
        images: uint8 [N, height, width, channels], on the device or in files.
        labels: int64 [R, N], or [N] for the same to all.
        normalization: name of the constants.
    """
    module.eval()
    constants = data.normalization(normalization)
    replicates = next(iter(stack.values())).shape[0]
    labels = labels.expand(replicates, -1)
    size = max(1, VALUES_PER_BATCH // (replicates * math.prod(images.shape[1:])))
    losses, correct, norms = [], [], []
    for batch, truth in zip(_batches(images, size), labels.split(size, 1), strict=True):
        logits = forward(module, stack, data.normalize(batch, constants)).float()
        losses.append(
            cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none").view(truth.shape)
        )
        correct.append(logits.argmax(-1) == truth)
        minus = torch.full_like(truth, -1, dtype=logits.dtype).unsqueeze(-1)
        norms.append(logits.softmax(-1).scatter_add(-1, truth.unsqueeze(-1), minus).norm(dim=-1))
    return Outcome(*(torch.cat(parts, 1).cpu() for parts in (losses, correct, norms)))


def _batches(images: Tensor | data.FolderImages, size: int) -> Iterable[Tensor]:
    """Return all images in order, uint8 [B, height, width, channels] at a time."""
    if isinstance(images, data.FolderImages):
        return images.read(torch.arange(len(images)), size)
    return images.split(size)
