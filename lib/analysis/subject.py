"""Networks of a page with the images that they are measured on: side by side on a device, several at once.

What a measurement computes of a network is kept by the store of each by itself, so that pages share it.
"""

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from lib import data
from lib.analysis.experiments import Context, reported
from lib.analysis.landscape import parts
from lib.data.corrupted_sets import has_cifar10_c
from lib.data.segmentation_images import SegmentationImages, split_classes
from lib.stages import Entry
from lib.training import DataRecipe, Examples, Recipe, network_of, prepare
from lib.training.device import find_device
from lib.training.evaluation import images_per_batch
from lib.training.examples import Images
from lib.training.stack import State, forward, stack_size, stack_states
from lib.training.task import Answers

CHUNK, CHUNK_VALUES = 128, 2**22  # images, and at most their values, that are normalized and get their noise at once
NETWORKS_AT_ONCE, BYTES_LOADED = 12, 2**31  # that are measured together; another process takes the next ones meanwhile

Labelled = tuple[Images, Tensor]
"""N images, uint8 [N, H, W, C] or in files, and their labels, int64 [N]."""


def some_images(images: Images, places: Tensor, device: torch.device) -> Images:
    """Return images at some places, int64 [N], on a device, or still in their files."""
    if isinstance(images, Tensor):
        return images[places.to(images.device)].to(device)
    return images.some(places, device)


@functools.lru_cache(maxsize=1)
def _opened(name: str) -> data.ImageSet | data.FolderSet:
    return data.open_folders(name) if name in data.STREAMED else data.load(name)


@dataclass(frozen=True)
class Subject:
    """What networks of one recipe are measured with: the computation, on the device that measures, and the images."""

    module: nn.Module
    examples: Examples
    recipe: DataRecipe

    @property
    def constants(self) -> data.Normalization:
        """Of the images."""
        return data.normalization(self.examples.normalization)

    def first(self, count: int) -> Tensor:
        """Return the places of so many first test images, int64 [N]; of all where there are fewer."""
        return torch.arange(min(count, len(self.examples.test_labels)))

    def clean(self, places: Tensor) -> Labelled:
        """Return test images at some places."""
        images, labels = self.examples.test_images, self.examples.test_labels
        return some_images(images, places, labels.device), labels[places.to(labels.device)]

    def corrupted(self, name: str, severity: int, places: Tensor) -> tuple[Labelled, bool]:
        """Return the same images with a corruption, and whether they are published ones."""
        images, labels = self.clean(places)
        if isinstance(images, Tensor) and not has_cifar10_c(self.recipe.image_set, name):
            return (data.corrupted(images, name, severity), labels), False
        opened = _opened(self.recipe.image_set)
        found, order = data.test_distribution(opened, name, severity), torch.arange(len(opened.test_labels))
        if self.recipe.test not in (None, len(order)):
            order = data.split(len(order), self.recipe.test, self.recipe.split_seed)[1]
        return (some_images(found.images, order[places], labels.device), labels), found.published


def find_subject(recipe: Recipe, context: Context) -> Subject:
    """Return what the networks of a recipe are measured with."""
    device = find_device(context.device)
    examples = prepare(recipe.data, context.plan.replicates()[:1], device)
    module = network_of(recipe, examples.classes).module
    return Subject(module.to(device).eval(), examples, recipe.data)


Work = TypeVar("Work")
Found = tuple[dict, Entry]
"""Columns of a network, and its entry."""


def networks_by_recipe(context: Context) -> dict[Recipe, list[Found]]:
    """Return the reported networks of a page by the recipe that they were trained by."""
    found: dict[Recipe, list[Found]] = {}
    for results in context.results:
        found.setdefault(results.chain.recipe, []).extend(
            (columns, entry) for columns, _, _, entry in reported(results)
        )
    return found


def measured_together(
    context: Context,
    families: Sequence[tuple[Sequence[Entry], Sequence[Found]]],
    measure: Callable[[Sequence[Entry], Sequence[Entry]], Sequence[Any]],
) -> Iterator[tuple[dict, Any]]:
    """Yield the columns of each network and what was measured of it: several at once, and kept of each by itself.

    Args:
        context: whose store keeps it.
        families: networks, and before them those that each of them is compared with, if any; a network of several
            algorithms, such as their parent, is measured once.
        measure: what is compared with, networks → a JSON value of each network.
    """
    unique = ((beside, list({entry.key: entry for _, entry in found}.values())) for beside, found in families)
    work = [[[*beside, entry] for entry in group] for beside, entries in unique for group in _groups(entries)]
    kept: dict[tuple[str, ...], Any] = {}
    for several in free_first(work, context.is_being_measured):

        def compute(missing: Sequence[int], several: Any = several) -> Sequence[Any]:
            return measure(several[0][:-1], [several[i][-1] for i in missing])

        for entries, value in zip(several, context.measured_all(several, compute), strict=True):
            kept[_keys(entries)] = value
    for beside, found in families:
        for columns, entry in found:
            yield columns, kept[_keys([*beside, entry])]


def _keys(entries: Sequence[Entry]) -> tuple[str, ...]:
    return tuple(entry.key for entry in entries)


def free_first(work: Iterable[Work], is_taken: Callable[[Work], bool]) -> Iterator[Work]:
    """Yield all of some work, that which no other process is at work on first."""
    left = [*work]
    while left:
        yield left.pop(next((i for i, one in enumerate(left) if not is_taken(one)), 0))


def _groups(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """Divide networks into those that are measured at once."""
    if not entries:
        return []
    size = sum(tensor.numel() * tensor.element_size() for tensor in entries[0].tensors("weights").values())
    count = min(NETWORKS_AT_ONCE, max(1, BYTES_LOADED // max(1, size)))
    return [entries[place : place + count] for place in range(0, len(entries), count)]


def load_stack(subject: Subject, entries: Sequence[Entry]) -> State:
    """Return the networks of some entries side by side, name → [S, …], on the device."""
    device = next(subject.module.parameters()).device
    return {n: t.to(device) for n, t in stack_states([entry.tensors("weights") for entry in entries]).items()}


@torch.no_grad()
def answers(module: nn.Module, stack: State, inputs: Tensor) -> Tensor:
    """Return what S networks answer to network inputs [B, C, H, W]: logits, float32 [S, B, classes]."""
    return torch.cat([torch.cat([*own], 1) for own in _answers(module, stack, inputs)])


@torch.no_grad()
def predictions(module: nn.Module, stack: State, inputs: Tensor) -> Tensor:
    """Return the classes that S networks predict: int64 [S, B], or of each pixel [S, B, H, W]."""
    return torch.cat([torch.cat([one.argmax(2) for one in own], 1) for own in _answers(module, stack, inputs)])


def _answers(module: nn.Module, stack: State, inputs: Tensor) -> Iterator[Iterator[Tensor]]:
    """Yield for some networks after the other the logits of some inputs after the other."""

    def own(part: State) -> Iterator[Tensor]:
        size = images_per_batch(module, stack_size(part), inputs.shape[1:], inputs.device.type)
        for piece in inputs.split(size):
            found: Answers = forward(module, part, piece)
            yield (found if isinstance(found, Tensor) else found["out"]).float()

    return (own(part) for part in parts(module, stack))


def chunks(subject: Subject, images: Images, labels: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield images as network inputs with their labels, a few at a time, and the place of the first.

    Of images with a class for each pixel the labels are those, int64 [B, H, W], 255 where none counts.
    """
    size = max(1, min(CHUNK, CHUNK_VALUES // math.prod(images.shape[1:])))
    batches = images.split(size) if isinstance(images, Tensor) else images.read(torch.arange(len(images)), size)
    for place, batch in enumerate(batches):
        own = labels[place * size : (place + 1) * size]
        if isinstance(images, SegmentationImages):
            batch, own = split_classes(batch)
        yield place * size, data.normalize(batch, subject.constants), own
