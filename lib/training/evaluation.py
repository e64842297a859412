"""Evaluation: loss, correctness and error vector of every example, in eval mode, un-augmented, in float32 (facts J21).

The norm of the error vector, ‖softmax(z) − y‖₂ with y the label as a one-hot vector, is what the EL2N score averages over
networks (Paul et al. 2021; TR App. B.3).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import data
from lib.training.examples import Images
from lib.training.stack import forward, stack_size

VALUES_PER_BATCH = 2**23
"""Of the pixels in a batch."""
VALUES_PER_MAPS = 2**22
"""On a processor, of the first convolution's maps too, usually the largest: with more of them in a batch they leave the
caches between layers. With 2,730 images of CIFAR-10 at a time a ResNet-20 took half as long again, and a VGG-11 a fifth."""


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
def logits(module: nn.Module, stack: Mapping[str, Tensor], images: Images, normalization: str) -> Iterator[Tensor]:
    """Yield what R networks answer to all images in order, float32 [R, B, classes], B images at a time, without gradients.

    Args:
        module: the computation; left in eval mode.
        stack: name → [R, ...].
        images: uint8 [N, height, width, channels], on the device or in files.
        normalization: name of the constants.
    """
    module.eval()
    constants = data.normalization(normalization)
    size = images_per_batch(module, stack_size(stack), images.shape[1:], images.device.type)
    streamed = isinstance(images, data.FolderImages)
    for batch in images.read(torch.arange(len(images)), size) if streamed else images.split(size):
        yield forward(module, stack, data.normalize(batch, constants)).float()


def images_per_batch(module: nn.Module, replicates: int, shape: Sequence[int], kind: str) -> int:
    """Return how many images of a shape, without the first axis, go through a stack at a time.

    Args:
        module: the computation.
        replicates: R of the stack.
        shape: of an image, channels first or last.
        kind: of the device: "cpu", "cuda", ...
    """
    pixels = math.prod(shape)
    most = VALUES_PER_BATCH // pixels
    first = next((layer for layer in module.modules() if isinstance(layer, nn.Conv2d)), None)
    if first and kind == "cpu":
        maps = pixels // first.in_channels * first.out_channels // math.prod(first.stride)
        most = min(most, VALUES_PER_MAPS // maps)
    return max(1, most // replicates)


def evaluate(
    module: nn.Module, stack: Mapping[str, Tensor], images: Images, labels: Tensor, normalization: str
) -> Outcome:
    """Score every example with every network.

    Args:
        module, stack, images, normalization: as for `logits`.
        labels: int64 [R, N], or [N] for the same to all.
    """
    return evaluate_each(module, stack, images, [labels], normalization)[0]


@torch.no_grad()
def evaluate_each(
    module: nn.Module, stack: Mapping[str, Tensor], images: Images, label_sets: Sequence[Tensor], normalization: str
) -> list[Outcome]:  # fmt: skip
    """Score every example against several sets of labels in one pass; arguments and outcomes are those of `evaluate`."""
    whole = [labels.expand(stack_size(stack), -1) for labels in label_sets]
    found: list[list[tuple[Tensor, ...]]] = [[] for _ in whole]
    start = 0
    for answers in logits(module, stack, images, normalization):
        end = start + answers.shape[1]
        for labels, parts in zip(whole, found, strict=True):
            parts.append(_score(answers, labels[:, start:end]))
        start = end
    return [Outcome(*(torch.cat(part, 1).cpu() for part in zip(*parts, strict=True))) for parts in found]


def cross_entropies(answers: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy in nats of each example, [R, B], for logits [R, B, classes] and labels int64 [R, B].

    Logits with the batch last in memory, as stacked linear layers give them, are not copied for it.
    """
    if answers.mT.is_contiguous():
        return cross_entropy(answers.mT, labels, reduction="none")
    return cross_entropy(answers.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)


def predicted(answers: Tensor) -> Tensor:
    """Return the class that each example is given, [R, B], the first of equals, for logits [R, B, classes].

    It is `argmax`, which was twenty times slower where the classes are not last in memory.
    """
    return answers.max(-1).indices


def _score(answers: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return losses, correctness and error norms, [R, B] each, of logits [R, B, classes]."""
    losses = cross_entropies(answers, labels)
    minus = torch.full_like(labels, -1, dtype=answers.dtype).unsqueeze(-1)
    norms = answers.softmax(-1).scatter_add(-1, labels.unsqueeze(-1), minus).norm(dim=-1)
    return losses, predicted(answers) == labels, norms
