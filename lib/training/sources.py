"""Where the loop takes its batches from: which examples each replicate sees when, and their images.

Images lie on the device or are streamed from files. Both sources turn the order of the examples into the tensors that each
step starts from (`batches`), and inside the step these into inputs and labels (`gather`). On the device a step starts from
indices, so that a captured step gathers the images itself; a streamed one starts from images that worker processes read and
augmented ahead of it.
"""

import functools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lib import data
from lib.data.segmentation_images import SegmentationImages, split_classes
from lib.errors import InputError
from lib.training import processes
from lib.training.device import arithmetic
from lib.training.examples import Examples, Replicate
from lib.training.pixel_reader import PixelReader
from lib.training.recipe import DataRecipe, Recipe

CORRUPTION_SEED = 1  # test images are corrupted with 0


def data_order(
    replicates: Sequence[Replicate], stage: int, epoch: int, count: int, subsets: Sequence[Tensor] = ()
) -> Tensor:
    """Return which examples each replicate sees in one epoch, in which order, int64 [R, count].

    A replicate passes over its examples again and again, each time in a new order. Epochs cut this endless sequence into
    pieces of equal length, so that replicates with subsets of different sizes take the same steps.

    Args:
        replicates: whose generators give the order.
        stage, epoch: which piece.
        count: examples in an epoch.
        subsets: for each replicate the indices of its examples; empty for the first `count`.
    """
    rows = []
    for replicate, subset in zip(replicates, subsets or [torch.arange(count)] * len(replicates), strict=True):
        start, size = epoch * count, len(subset)
        passes = range(start // size, -(-(start + count) // size))
        orders = [torch.randperm(size, generator=replicate.generator("data order", stage, p)) for p in passes]
        rows.append(subset[torch.cat(orders)][start - passes[0] * size :][:count])
    return torch.stack(rows)


def augmentation_draws(
    replicates: Sequence[Replicate], stage: int, epoch: int, examples: int, batch_size: int
) -> Tensor:
    """Return flips and offsets of each replicate's images in one epoch, int64 [R, examples, 3], drawn batch by batch."""
    sizes = [min(batch_size, examples - start) for start in range(0, examples, batch_size)]
    generators = [r.generator("augmentation", stage, epoch) for r in replicates]
    return torch.stack([torch.cat([data.draw(size, one) for size in sizes]) for one in generators])


def corruption_draws(
    replicates: Sequence[Replicate], stage: int, epoch: int, examples: int, recipe: DataRecipe
) -> Tensor:
    """Return which version each replicate sees of each image in one epoch, int64 [R, examples]: 0 for the clean one, else
    1 + its place in `corrupted_versions`.

    With one severity and k corruptions, all k + 1 versions are as likely; with several, all severities are, 0 being clean.
    """
    kinds, severities = len(recipe.corruptions), recipe.severities
    rows = []
    for generator in (r.generator("corruption", stage, epoch) for r in replicates):
        if len(severities) == 1:
            rows.append(torch.randint(kinds + 1, (examples,), generator=generator))
            continue
        level = torch.randint(len(severities), (examples,), generator=generator)
        kind = torch.randint(kinds, (examples,), generator=generator)
        first = torch.tensor([1 + kinds * sum(0 < other < one for other in severities) for one in severities])
        rows.append(torch.where(torch.tensor(severities)[level] == 0, 0, first[level] + kind))
    return torch.stack(rows)


def corrupted_versions(images: Tensor, recipe: DataRecipe) -> list[Tensor]:
    """Return corrupted copies of all images, uint8 like them: severities ascending, and at each one the corruptions.

    They are made once, in float32, and kept in the data folder, see `lib.data.corrupted`.
    """
    levels = sorted(severity for severity in recipe.severities if severity)
    with arithmetic(images.device, "float32"):  # the same images whatever the precision of training
        return [data.corrupted(images, name, one, CORRUPTION_SEED) for one in levels for name in recipe.corruptions]


class Resident:
    """Images on the device, shared by R replicates: normalized once, or with their corrupted versions as bytes, which are
    normalized as they are chosen. Arguments are those of `make_source`."""

    def __init__(
        self, examples: Examples, replicates: Sequence[Replicate], recipe: Recipe, stage: int,
        dtype: torch.dtype, pixels: Tensor | None,
    ):  # fmt: skip
        assert isinstance(examples.train_images, Tensor)
        self._replicates, self._stage, self._labels = replicates, stage, examples.train_labels
        self._size, self._recipe, self._moved = recipe.batch_size, recipe.data, recipe.data.augmentation == "flip-crop"
        # A whole image is corrupted and moved, then some of it is read.
        self._pixels, at_once = (pixels, None) if self._moved or recipe.data.corruptions else (None, pixels)
        self._images, self._read = examples.train_images, None
        if pixels is not None and pixels.dim() == 2:
            self._read = PixelReader(self._images, examples.normalization, pixels, dtype)
            return
        self._as_inputs = functools.partial(
            as_inputs, normalization=examples.normalization, dtype=dtype, pixels=at_once
        )
        if recipe.data.corruptions:
            self._images = torch.cat([self._images, *corrupted_versions(self._images, recipe.data)])
        else:
            self._images = self._as_inputs(self._images)
        self._black = data.normalization(examples.normalization).black.to(self._images.device, dtype)

    def batches(self, order: Tensor, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield what each step of an epoch starts from, for the order of the examples, int64 [R, count]."""
        inputs, count = [order], order.shape[1]
        if self._recipe.corruptions:
            inputs.append(corruption_draws(self._replicates, self._stage, epoch, count, self._recipe))
        if self._moved:
            inputs.append(augmentation_draws(self._replicates, self._stage, epoch, count, self._size))
        return zip(*(whole.to(self._images.device).split(self._size, 1) for whole in inputs), strict=True)

    def gather(self, chosen: Tensor, *draws: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs [R, B, C, H, W], or [R, B, P, 1, 1] where only P pixels are read, and labels [R, B] of a step."""
        if self._read:
            return self._read(chosen), self._labels.gather(1, chosen)
        if self._recipe.corruptions:
            places = chosen + self._labels.shape[1] * draws[0]
            batch = self._as_inputs(self._images.index_select(0, places.flatten()))
        else:
            batch = self._images.index_select(0, chosen.flatten())
        batch = batch.view(*chosen.shape, *batch.shape[1:])
        if self._moved:
            batch = data.crop_and_flip(batch, draws[-1], self._black)
        if self._pixels is not None:
            batch = batch.flatten(2).index_select(2, self._pixels)[..., None, None]
        return batch, self._labels.gather(1, chosen)


class Streamed:
    """Images in files, for one replicate. Arguments are those of `make_source`."""

    def __init__(
        self, examples: Examples, replicates: Sequence[Replicate], recipe: Recipe, stage: int,
        dtype: torch.dtype, pixels: Tensor | None,
    ):  # fmt: skip
        if len(replicates) != 1 or pixels is not None:
            found = f"{len(replicates)} replicates on images streamed from files"
            raise InputError(f"{found}; allowed: one at a time, reading all pixels")
        self._examples, self._replicate, self._recipe = examples, replicates[0], recipe
        self._stage, self._dtype = stage, dtype

    def batches(self, order: Tensor, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield inputs [1, B, C, H, W] and labels [1, B], or [1, B, H, W] of pixels, of each step of an epoch, for the
        order [1, count]; of several processes, this one's share (`lib.training.processes`)."""
        whole, seeds, images = self._recipe.batch_size, None, self._examples.train_images
        assert isinstance(images, data.FolderImages)
        if self._recipe.data.augmentation != "none":
            generator = self._replicate.generator("augmentation", self._stage, epoch)
            seeds = processes.share(data.draw_seeds(order.shape[1], generator), whole)
        own, size = processes.share(order[0], whole), len(processes.share(torch.arange(whole), whole))
        constants, labels = data.normalization(self._examples.normalization), self._examples.train_labels
        labels = labels[:, own.to(labels.device)].split(size, 1)
        for pixels, truth in zip(images.read(own, size, seeds), labels, strict=True):
            if isinstance(images, SegmentationImages):
                pixels, of_pixels = split_classes(pixels)
                truth = of_pixels.unsqueeze(0)
            yield data.normalize(pixels, constants).to(self._dtype).unsqueeze(0), truth

    def gather(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs and labels of a step as they are."""
        return inputs, labels


def make_source(
    examples: Examples, replicates: Sequence[Replicate], recipe: Recipe, stage: int,
    dtype: torch.dtype = torch.float32, pixels: Tensor | None = None,
) -> Resident | Streamed:  # fmt: skip
    """Return where the batches of a stage come from.

    Args:
        examples: images and labels of the R replicates.
        replicates: whose generators give augmentation.
        recipe: batch size and augmentation.
        stage: position in the chain.
        dtype: of the inputs.
        pixels: indices of the pixels that the stack still reads, counted in [channel, height, width]; None for all. Of bytes
            that are neither moved nor corrupted (`lib.training.pixel_reader`) each replicate may read others, [R, m].

    Raises:
        InputError: streamed images for several replicates or for some pixels only, others for several processes.
    """
    source = Streamed if isinstance(examples.train_images, data.FolderImages) else Resident
    if source is Resident and processes.count() > 1:
        raise InputError(
            f"{processes.count()} processes were given images that lie on the device. Allowed: one process, which trains "
            "replicates as a stack; several share images that are streamed from files. Give each device pages of its own."
        )
    return source(examples, replicates, recipe, stage, dtype, pixels)


def as_inputs(images: Tensor, normalization: str, dtype: torch.dtype, pixels: Tensor | None = None) -> Tensor:
    """Return normalized images [N, C, H, W], or some pixels of each [N, P, 1, 1]; arguments as for `make_source`."""
    inputs = data.normalize(images, data.normalization(normalization))
    if pixels is not None:
        inputs = inputs.flatten(1).index_select(1, pixels).view(len(inputs), -1, 1, 1)
    return inputs.to(dtype)
