"""The images of a recipe on the device, and for each replicate its labels."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from lib import data
from lib.data.folder_images import RANDOM_PARTS, SEGMENTED
from lib.descriptions import Description
from lib.errors import InputError, unknown
from lib.seeds import generator
from lib.training.recipe import DataRecipe


class Replicate(Description):
    """One independent run.

    Attributes:
        seed: names all its random choices.
        noise_percent: share of the training labels that are wrong, in percent.
        shared: purpose → another seed, to hold one choice fixed over replicates or vary it alone; the purposes are
            "initialization", "data order", "label noise", "augmentation", "corruption".
        dimensions: name → value of what a paper varies besides, see `lib.stages.experiment_plan`; part of every key.
    """

    seed: int
    noise_percent: Annotated[float, Field(ge=0, le=100)] = 0.0
    shared: tuple[tuple[str, int], ...] = ()
    dimensions: tuple[tuple[str, str | int | float], ...] = ()

    def generator(self, purpose: str, *counters: int) -> torch.Generator:
        """Return the generator of one purpose of this replicate."""
        return generator(dict(self.shared).get(purpose, self.seed), purpose, *counters)


Images = Tensor | data.FolderImages


@dataclass(frozen=True)
class Examples:
    """Images shared by a stack of R replicates, and their labels.

    Attributes:
        train_images, validation_images, test_images: uint8 [N, height, width, channels], on the device or in files.
        train_labels: int64 [R, N], what each replicate trains on.
        noisy: bool [R, N], True where label noise replaced the label.
        original_labels: int64 [N], the labels before noise.
        validation_labels, test_labels: int64 [N], always clean.
        normalization: name of the constants.
        classes: number of classes.
    """

    train_images: Images
    train_labels: Tensor
    noisy: Tensor
    original_labels: Tensor
    validation_images: Images
    validation_labels: Tensor
    test_images: Images
    test_labels: Tensor
    normalization: str
    classes: int

    def __getitem__(self, replicates: list[int]) -> "Examples":
        """Return the same images with the labels of some of the replicates."""
        labels, noisy = self.train_labels[replicates], self.noisy[replicates]
        return dataclasses.replace(self, train_labels=labels, noisy=noisy)


@functools.lru_cache(maxsize=2)
def _images(name: str) -> data.ImageSet | data.FolderSet:
    return data.open_folders(name) if name in data.STREAMED else data.load(name)


def _some(indices: Tensor, count: int | None, seed: int) -> Tensor:
    if count is None or count == len(indices):
        return indices
    if count > len(indices):
        raise InputError(f"{count} images were asked for, but only {len(indices)} are left after the split")
    return indices[data.split(len(indices), count, seed)[1]]


def prepare(recipe: DataRecipe, replicates: Sequence[Replicate], device: torch.device) -> Examples:
    """Load, split and relabel the images for a stack of replicates.

    Args:
        recipe: which images.
        replicates: R replicates; each draws its label noise from its own generator.
        device: where the tensors live from now on.

    Raises:
        InputError: if the recipe asks for more images than there are, or for an augmentation that they do not have.
    """
    images = _images(recipe.image_set)
    in_files = isinstance(images, data.FolderSet)
    allowed = ("none", *(RANDOM_PARTS if in_files else ("flip-crop",)))
    if recipe.augmentation not in allowed:
        raise unknown(f"augmentation of {recipe.image_set}", recipe.augmentation, allowed)
    if recipe.corruptions and in_files:
        raise InputError(f"{recipe.image_set} stays in files; corruptions in training need images on the device")
    if recipe.image_set in SEGMENTED and any(replicate.noise_percent for replicate in replicates):
        raise InputError(f"{recipe.image_set} has a class for each pixel; label noise needs noise_percent=0 there")
    train, validation = data.split(len(images.train_labels), recipe.validation, recipe.split_seed)
    train = _some(train, recipe.train, recipe.split_seed)
    test = _some(torch.arange(len(images.test_labels)), recipe.test, recipe.split_seed)
    classes = len(images.class_names)
    clean = images.train_labels[train]
    noise = [
        data.add_label_noise(clean, r.noise_percent, recipe.noise, classes, r.generator("label noise"))
        for r in replicates
    ]

    def take(whole: Images, indices: Tensor) -> Images:
        if isinstance(whole, data.FolderImages):
            some = whole.some(indices, device)
            return some if recipe.augmentation == "none" else dataclasses.replace(some, random_part=recipe.augmentation)
        return whole[indices].to(device)

    return Examples(
        train_images=take(images.train_images, train),
        train_labels=torch.stack([n.labels for n in noise]).long().to(device),
        noisy=torch.stack([n.noisy for n in noise]).to(device),
        original_labels=clean.long().to(device),
        validation_images=take(images.train_images, validation),
        validation_labels=images.train_labels[validation].long().to(device),
        test_images=take(images.test_images, test),
        test_labels=images.test_labels[test].long().to(device),
        normalization=recipe.normalization,
        classes=classes,
    )
