"""Where the loop takes its batches from: images on the device, or images streamed from files.

Both turn the order in which replicates see their examples into the tensors that each step starts from (`batches`), and
inside the step these into inputs and labels (`gather`). On the device a step starts from indices, so that a captured step
gathers the images itself; a streamed one starts from images that worker processes read and augmented ahead of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib import data
from lib.errors import InputError
from lib.training.examples import Examples, Replicate
from lib.training.recipe import Recipe


@dataclass(frozen=True)
class Resident:
    """Images on the device, normalized once, shared by R replicates.

    Attributes:
        images: [N, C, H, W] in the type of the products, or without augmentation [N, P, 1, 1], the pixels still read.
        labels: int64 [R, N].
        fill: what a black pixel is in `images`, [C].
        pixels: indices of those still read, which augmentation is followed by; None for all, or where images have no others.
        replicates, recipe, stage: what augmentation is drawn from.
    """

    images: Tensor
    labels: Tensor
    fill: Tensor
    pixels: Tensor | None
    replicates: Sequence[Replicate]
    recipe: Recipe
    stage: int

    @property
    def dtype(self) -> torch.dtype:
        """Type of the inputs."""
        return self.images.dtype

    def batches(self, order: Tensor, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield what each step of an epoch starts from, for the order of the examples, int64 [R, count]."""
        inputs = [order]
        size = self.recipe.batch_size
        if self.recipe.data.augmentation == "flip-crop":
            inputs.append(_draws(self.replicates, self.stage, epoch, order.shape[1], size))
        return zip(*(whole.to(self.images.device).split(size, 1) for whole in inputs), strict=True)

    def gather(self, chosen: Tensor, draws: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return inputs [R, B, C, H, W] and labels [R, B] of a step."""
        labels = self.labels.gather(1, chosen)
        batch = self.images.index_select(0, chosen.flatten()).view(*chosen.shape, *self.images.shape[1:])
        if draws is not None:
            batch = data.crop_and_flip(batch, draws, self.fill)
        if self.pixels is not None:
            batch = batch.flatten(2).index_select(2, self.pixels)[..., None, None]
        return batch, labels


@dataclass(frozen=True)
class Streamed:
    """Images in files, for one replicate.

    Attributes:
        images: N images in files.
        labels: int64 [1, N].
        constants: of the normalization.
        dtype: type of the inputs.
        replicate, recipe, stage: what augmentation is drawn from.
    """

    images: data.FolderImages
    labels: Tensor
    constants: data.Normalization
    dtype: torch.dtype
    replicate: Replicate
    recipe: Recipe
    stage: int

    def batches(self, order: Tensor, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield inputs [1, B, C, H, W] and labels [1, B] of each step of an epoch, for the order [1, count]."""
        size, seeds = self.recipe.batch_size, None
        if self.recipe.data.augmentation == "resized-crop":
            generator = self.replicate.generator("augmentation", self.stage, epoch)
            seeds = data.draw_seeds(order.shape[1], generator)
        labels = self.labels.gather(1, order.to(self.labels.device)).split(size, 1)
        for pixels, truth in zip(self.images.read(order[0], size, seeds), labels, strict=True):
            yield data.normalize(pixels, self.constants).to(self.dtype).unsqueeze(0), truth

    def gather(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs and labels of a step as they are."""
        return inputs, labels


def make_source(
    examples: Examples,
    replicates: Sequence[Replicate],
    recipe: Recipe,
    stage: int,
    dtype: torch.dtype = torch.float32,
    pixels: Tensor | None = None,
) -> Resident | Streamed:
    """Return where the batches of a stage come from.

    Args:
        examples: images and labels of the R replicates.
        replicates: whose generators give augmentation.
        recipe: batch size and augmentation.
        stage: position in the chain.
        dtype: of the inputs.
        pixels: indices of the pixels that the stack still reads, counted in [channel, height, width]; None for all.

    Raises:
        InputError: streamed images for several replicates or for some pixels only.
    """
    constants = data.normalization(examples.normalization)
    images = examples.train_images
    if isinstance(images, data.FolderImages):
        if len(replicates) != 1 or pixels is not None:
            raise InputError(
                f"{len(replicates)} replicates on images streamed from files; allowed: one at a time, reading all pixels"
            )
        return Streamed(images, examples.train_labels, constants, dtype, replicates[0], recipe, stage)
    late = pixels if recipe.data.augmentation == "flip-crop" else None  # a whole image is shifted
    inputs = as_inputs(images, examples.normalization, dtype, None if late is not None else pixels)
    fill = constants.black.to(inputs)
    return Resident(inputs, examples.train_labels, fill, late, replicates, recipe, stage)


def as_inputs(images: Tensor, normalization: str, dtype: torch.dtype, pixels: Tensor | None = None) -> Tensor:
    """Return normalized images [N, C, H, W] in the type of the products, or [N, P, 1, 1] with some pixels of each.

    Args:
        images: uint8 [N, height, width, channels].
        normalization: name of the constants.
        dtype: of the inputs.
        pixels: indices of those kept, counted in [channel, height, width]; None for all.
    """
    inputs = data.normalize(images, data.normalization(normalization))
    if pixels is not None:
        inputs = inputs.flatten(1).index_select(1, pixels).view(len(inputs), -1, 1, 1)
    return inputs.to(dtype)


def _draws(replicates: Sequence[Replicate], stage: int, epoch: int, examples: int, batch_size: int) -> Tensor:
    """Return flips and offsets of each replicate's images in one epoch, int64 [R, examples, 3], drawn batch by batch."""
    sizes = [min(batch_size, examples - start) for start in range(0, examples, batch_size)]
    generators = [r.generator("augmentation", stage, epoch) for r in replicates]
    return torch.stack([torch.cat([data.draw(size, one) for size in sizes]) for one in generators])
