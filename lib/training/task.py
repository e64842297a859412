"""What a network is trained for: the loss of a step, and for segmentation the score of a set of images.

Classification gives an image one of K classes; its score is in `lib.training.evaluation`. Segmentation gives each pixel one:

    loss = CE(out) + 0.5 CE(aux)    over the pixels of a step that count, aux being an auxiliary head's answer, if any
    IoU  = Cᵢᵢ / (Σⱼ Cᵢⱼ + Σⱼ Cⱼᵢ − Cᵢᵢ)

with C the confusion matrix of a whole set, a row for each true class. The score is the mean of IoU over the classes that
occur or are answered (LIP App. B.5; its program averages the means of batches instead, facts C.1, C.6, L28).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import data
from lib.data.segmentation_images import IGNORED, SegmentationImages, split_classes
from lib.training import processes
from lib.training.evaluation import cross_entropies, images_per_batch
from lib.training.stack import forward, stack_size

AUXILIARY_WEIGHT = 0.5

Answers = Tensor | Mapping[str, Tensor]
"""What R networks answer: logits [R, B, classes], or "out" and perhaps "aux", each [R, B, classes, H, W]."""


def losses_of_step(answers: Answers, labels: Tensor, exact: torch.dtype) -> Tensor:
    """Return the loss of each image of a step, [R, B], in nats and in `exact`.

    Args:
        answers: of R networks to B images.
        labels: int64 [R, B], or [R, B, H, W] with 255 for pixels that do not count. The mean over a replicate's B images is
            then the mean over all their pixels that count; of several processes, over those of all.
        exact: type of the result.
    """
    if isinstance(answers, Tensor):
        return cross_entropies(answers.to(exact), labels)
    # Filled on the device, since a copy to it could not be captured.
    images = processes.summed(torch.full((), labels.shape[1], device=labels.device))
    counted = processes.summed((labels != IGNORED).sum((1, 2, 3))).clamp(min=1)
    weights = {"out": 1.0, "aux": AUXILIARY_WEIGHT}
    summed = [weights[head] * _pixel_losses(logits.to(exact), labels).sum((2, 3)) for head, logits in answers.items()]
    return torch.stack(summed).sum(0) * images / counted[:, None]


def _pixel_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of each pixel, [R, B, H, W], 0 where it does not count."""
    each = cross_entropy(logits.flatten(0, 1), labels.flatten(0, 1), ignore_index=IGNORED, reduction="none")
    return each.view(labels.shape)


@dataclass(frozen=True)
class Segmented:
    """How R networks segment N images.

    Attributes:
        losses: mean cross-entropy of the pixels of each image that count, in nats, float32 [R, N], on the CPU.
        confusion: pixels of each true class (row) that were given each class (column), int64 [R, K, K], on the CPU.
    """

    losses: Tensor
    confusion: Tensor

    @property
    def pixel_error(self) -> Tensor:
        """Share of the pixels that count whose class is wrong, float64 [R]."""
        right = self.confusion.diagonal(dim1=1, dim2=2).sum(1).double()
        return 1 - right / self.confusion.sum((1, 2))

    @property
    def mean_iou(self) -> Tensor:
        """Mean over classes of intersection over union, float64 [R]."""
        both = self.confusion.diagonal(dim1=1, dim2=2).double()
        return (both / (self.confusion.sum(1) + self.confusion.sum(2) - both)).nanmean(1)


@torch.no_grad()
def evaluate_segmentation(
    module: nn.Module, stack: Mapping[str, Tensor], images: SegmentationImages, normalization: str, classes: int
) -> Segmented:
    """Score every image with every network, in eval mode, un-augmented, in float32.

    Args:
        module, stack, normalization: as for `lib.training.logits`.
        images: with their maps.
        classes: K.
    """
    module.eval()
    constants, replicates, found = data.normalization(normalization), stack_size(stack), []
    size = images_per_batch(module, replicates, images.shape[1:], images.device.type)
    confusion = torch.zeros(replicates, classes * classes, dtype=torch.int64, device=images.device)
    for batch in images.read(torch.arange(len(images)), size):
        pixels, labels = split_classes(batch)
        labels = labels.expand(replicates, *labels.shape)
        answers: Answers = forward(module, stack, data.normalize(pixels, constants))
        logits = (answers if isinstance(answers, Tensor) else answers["out"]).float()
        counts = labels != IGNORED
        found.append(_pixel_losses(logits, labels).sum((2, 3)) / counts.sum((2, 3)).clamp(min=1))
        # A pixel that does not count adds nothing to place 0.
        places = torch.where(counts, labels * classes + logits.argmax(2), 0).flatten(1)
        confusion.scatter_add_(1, places, counts.flatten(1).long())
    shape = replicates, classes, classes
    return Segmented(torch.cat(found, 1).cpu(), confusion.view(shape).cpu())
