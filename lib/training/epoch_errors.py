"""The errors of every epoch, counted while a stack trains (LN section 3.2 and Figs 2 to 4).

A training example is scored by the step that trains on it, with that step's weights, mode and augmentation. Test images are
scored after each epoch, in evaluation mode and in the precision of training.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from lib import data
from lib.errors import InputError
from lib.training.evaluation import images_per_batch, predicted
from lib.training.examples import Examples
from lib.training.pixel_reader import PixelReader
from lib.training.sources import as_inputs
from lib.training.stack import forward

UNSEEN = -1


class EpochErrors:
    """What R networks answer in an epoch, and how often that is wrong.

    Args:
        module: the computation.
        examples, dtype, pixels: as for `lib.training.sources.make_source`.

    Raises:
        InputError: for images streamed from files, whose batches do not say which examples they are.
    """

    def __init__(self, module: nn.Module, examples: Examples, dtype: torch.dtype, pixels: Tensor | None):
        if isinstance(examples.train_images, data.FolderImages):
            raise InputError("record_epochs needs images on the device, but these are streamed from files")
        assert isinstance(examples.test_images, Tensor)
        self._module, self._examples = module, examples
        self._answers = torch.full_like(examples.train_labels, UNSEEN)
        images, normalization = examples.test_images, examples.normalization
        self._read, self._test = None, images
        if pixels is not None and pixels.dim() == 2:
            self._read = PixelReader(images, normalization, pixels, dtype)
        else:
            self._test = as_inputs(images, normalization, dtype, pixels)

    def note(self, chosen: Tensor, logits: Tensor) -> None:
        """Write down the answers to training examples `chosen`, int64 [R, B], from logits [R, B, classes]."""
        self._answers.scatter_(1, chosen, predicted(logits))

    def _inputs(self, places: Tensor) -> Tensor:
        """Return some test images in a row as network inputs."""
        if self._read:
            return self._read(places.repeat(len(self._answers), 1))
        return self._test[places[0] : places[-1] + 1]

    @torch.no_grad()
    def finish(self, weights: Callable[[], Mapping[str, Tensor]]) -> dict[str, list[float]]:
        """Return the errors of an epoch in percent, R for each of "train", "train_noisy", "train_original",
        "train_restored" and "test", and begin the next.

        Args:
            weights: gives the tensors to compute with; called where there are test images.
        """
        e, seen = self._examples, self._answers != UNSEEN
        wrong, restored = self._answers != e.train_labels, self._answers != e.original_labels
        found = {
            "train": _share(wrong, seen),
            "train_noisy": _share(wrong, seen & e.noisy),
            "train_original": _share(wrong, seen & ~e.noisy),
            "train_restored": _share(restored, seen & e.noisy),
        }
        if len(self._test):
            self._module.eval()
            stack = weights()
            shape, kind = self._test.shape[1:], self._test.device.type
            parts = torch.arange(len(self._test)).split(images_per_batch(self._module, len(self._answers), shape, kind))
            answers = (predicted(forward(self._module, stack, self._inputs(part))) for part in parts)
            missed = [(given != e.test_labels[part]).sum(1) for given, part in zip(answers, parts, strict=True)]
            found["test"] = torch.stack(missed).sum(0) / len(self._test)
        self._answers.fill_(UNSEEN)
        return {name: (100 * share).tolist() for name, share in found.items()}


def _share(wrong: Tensor, among: Tensor) -> Tensor:
    """Return the share of the examples in question that are wrong, [R], NaN where there is none."""
    return (wrong & among).sum(1) / among.sum(1)
