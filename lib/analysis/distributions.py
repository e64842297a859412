"""Test errors on shifted data: 19 corruptions, new test images, uniform noise; and what pruning removed (LIP section 5).

    error under noise ε = mean over draws u ~ U(−1, 1) of the error on x + ε u

x are normalized images, and nothing is clipped (facts C.8, L16). One u serves all levels of noise and all networks, so that
their curves differ by the networks alone. Corrupted images are the published ones where their files are in the data folder,
and made by `lib.data.corrupt` otherwise; new test images need their files (`lib.data.corrupted_sets`).

    PR = 1 − parameters that remain / all parameters        FR = 1 − FLOPs / FLOPs of the network not pruned

both in percent, of all parameters with biases and normalization (facts C.3, L23). FLOPs: `lib.pruning.flops`.
"""

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lib import data
from lib.analysis.experiments import Context, Measurement, reported
from lib.analysis.landscape import parts, series_rows
from lib.analysis.sizes import Numbers, at_scale, by_scale
from lib.data.corrupted_sets import CIFAR10_1, CIFAR10_C, IMAGENET_C, has_cifar10_c
from lib.data.corruptions import SEVERITIES
from lib.data.folder_images import IMAGENET
from lib.data.segmentation_images import IGNORED, SegmentationImages, split_classes
from lib.errors import unknown
from lib.pruning.budget import parameter_count, parameters_remaining
from lib.pruning.flops import flops
from lib.seeds import generator
from lib.stages import Entry
from lib.training import DataRecipe, Examples, Recipe, arithmetic, network_of, prepare
from lib.training.device import find_device
from lib.training.evaluation import images_per_batch
from lib.training.examples import Images
from lib.training.stack import State, forward, stack_size, stack_states
from lib.training.task import Answers, Segmented

REMOVED, FLOPS_REMOVED = "parameters removed (%)", "FLOPs removed (%)"
NOISY = "test error under uniform noise (%)"
"""By position ε; at 0 the error on the clean images that all errors of this measurement are about."""
CIFAR101, OBJECTNET = "test error on CIFAR-10.1 (%)", "test error on ObjectNet (%)"
OFFICIAL = "official corrupted images"
"""The share of the sets of corrupted images that are the published ones; the others were made here."""

EPSILONS = tuple(step / 20 for step in range(15))
"""0 to 0.7, the paper's levels of noise."""

CHUNK, CHUNK_VALUES = 128, 2**22  # images, and at most their values, that are normalized and get their noise at once
OBJECTNET_FOLDER = "objectnet-1.0"
NETWORKS_AT_ONCE, BYTES_LOADED = 12, 2**31  # that are measured together; another process takes the next ones meanwhile


def error_under(corruption: str) -> str:
    """Return the quantity of the error on images with a corruption, such as "fog"; its position is the severity."""
    if corruption not in data.CORRUPTIONS:
        raise unknown("corruption", corruption, data.CORRUPTIONS)
    return f"test error under {corruption.replace('_', ' ')} (%)"


@dataclass(frozen=True)
class TestSet:
    """One set of test images, by name, and where the errors on it lie in a table."""

    __test__ = False  # to pytest

    name: str
    quantity: str
    position: float = 0.0


CLEAN = TestSet("clean", NOISY)
NEW_TEST = TestSet("CIFAR-10.1", CIFAR101)


def corrupted(corruption: str, severity: int = 3) -> TestSet:
    """Return the set of a corruption of `lib.data.CORRUPTIONS` at a severity."""
    return TestSet(corruption.replace("_", " "), error_under(corruption), float(severity))


def noisy(epsilon: float) -> TestSet:
    """Return the set with uniform noise of a level ε."""
    return TestSet(f"noise {epsilon:g}", NOISY, epsilon)


def benchmark_sets(severity: int = 3) -> tuple[TestSet, ...]:
    """Return the sets of the 15 corruptions of the benchmark."""
    return tuple(corrupted(name, severity) for name in data.BENCHMARK_CORRUPTIONS)


def extra_sets(severity: int = 3) -> tuple[TestSet, ...]:
    """Return the sets of the four corruptions that were meant for validation."""
    return tuple(corrupted(name, severity) for name in data.EXTRA_CORRUPTIONS)


def distributions(
    severities: Sequence[int] = (3,),
    images: int = 10_000,
    epsilons: Sequence[float] = EPSILONS,
    draws: int = 1,
    **scales: Mapping[str, Any],
) -> Measurement:
    """Return the measurement of every network on all sets.

    Args:
        severities: of every corruption.
        images: first test images, of every set; all where there are fewer.
        epsilons: levels of noise; 0 is added, it means the clean images.
        draws: of the noise.
        scales: scale → what it has other numbers of, such as laptop={"images": 1000}.

    Raises:
        InputError: a severity, level or number that is not allowed, or an unknown scale or name of a number.
    """
    numbers = {"severities": tuple(severities), "images": images, "epsilons": tuple(epsilons), "draws": draws}
    settings, sizes = by_scale("distributions", numbers, scales)
    for own in sizes.values():
        if wrong := [one for one in own["severities"] if one not in SEVERITIES]:
            raise unknown("severity", str(wrong[0]), map(str, SEVERITIES))
    return Measurement("distributions", functools.partial(_rows, sizes=sizes), 1, settings)


def _rows(context: Context, sizes: Mapping[str, Numbers]) -> Iterator[dict]:
    context, numbers = at_scale(context, sizes)
    if context.measurement and (there := published_sets()):  # files that were added make what is kept stale
        settings = {**context.measurement.settings, "published": " ".join(there)}
        context = replace(context, measurement=replace(context.measurement, settings=settings))
    for recipe, found in networks_by_recipe(context).items():
        subject = find_subject(recipe, context)
        measure = functools.partial(_measure, subject, numbers=numbers)
        for columns, own in measured_together(context, found, measure):
            yield from series_rows(columns, own)


Labelled = tuple[Images, Tensor]
"""N images, uint8 [N, H, W, C] or in files, and their labels, int64 [N]."""


def _some(images: Images, places: Tensor, device: torch.device) -> Images:
    if isinstance(images, Tensor):
        return images[places.to(images.device)].to(device)
    return images.some(places, device)


@functools.lru_cache(maxsize=1)
def _opened(name: str) -> data.ImageSet | data.FolderSet:
    return data.open_folders(name) if name in data.STREAMED else data.load(name)


def published_sets() -> list[str]:
    """Return which published sets of shifted images the data folder has."""
    folders = CIFAR10_C, CIFAR10_1, IMAGENET_C.lower(), OBJECTNET_FOLDER
    return [name for name in folders if (data.default_folder() / name).is_dir()]


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
        return _some(images, places, labels.device), labels[places.to(labels.device)]

    def corrupted(self, name: str, severity: int, places: Tensor) -> tuple[Labelled, bool]:
        """Return the same images with a corruption, and whether they are published ones."""
        images, labels = self.clean(places)
        if isinstance(images, Tensor) and not has_cifar10_c(self.recipe.image_set, name):
            return (data.corrupted(images, name, severity), labels), False
        opened = _opened(self.recipe.image_set)
        found, order = data.test_distribution(opened, name, severity), torch.arange(len(opened.test_labels))
        if self.recipe.test not in (None, len(order)):
            order = data.split(len(order), self.recipe.test, self.recipe.split_seed)[1]
        return (_some(found.images, order[places], labels.device), labels), found.published


def find_subject(recipe: Recipe, context: Context) -> Subject:
    """Return what the networks of a recipe are measured with."""
    device = find_device(context.device)
    examples = prepare(recipe.data, context.plan.replicates()[:1], device)
    module = network_of(recipe, examples.classes).module
    return Subject(module.to(device).eval(), examples, recipe.data)


def new_images(subject: Subject, count: int) -> Iterator[tuple[str, Labelled]]:
    """Yield quantity and images of new test sets whose files are there."""
    found, device = [], subject.examples.test_labels.device
    if subject.recipe.image_set == "cifar10" and data.has_cifar10_1():
        found.append((CIFAR101, data.cifar10_1()))
    if subject.recipe.image_set == IMAGENET and (data.default_folder() / OBJECTNET_FOLDER).is_dir():
        found.append((OBJECTNET, data.objectnet()))
    for quantity, one in found:
        places = torch.arange(min(count, len(one.labels)))
        yield quantity, (_some(one.images, places, device), one.labels[places].long().to(device))


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
    found: Sequence[Found],
    measure: Callable[[Sequence[Entry]], Sequence[Any]],
    beside: Sequence[Entry] = (),
) -> Iterator[tuple[dict, Any]]:
    """Yield the columns of each network and what was measured of it: several at once, and kept of each by itself.

    What another process measures at this moment comes last.

    Args:
        context: whose store keeps it.
        found: the networks; one of several algorithms, such as their parent, is measured once.
        measure: entries → a JSON value of each.
        beside: networks that each is compared with.
    """
    ready = {}

    def compute(entry: Entry, others: Sequence[Entry]) -> Any:
        if entry.key not in ready:  # the others were not measured either, unless by a page of other networks
            ready.update(zip((one.key for one in others), measure(others), strict=True))
        return ready.pop(entry.key)

    groups, kept = _groups(list({entry.key: entry for _, entry in found}.values())), {}
    while groups:
        free = (i for i, group in enumerate(groups) if not context.is_being_measured([*beside, group[0]]))
        group = groups.pop(next(free, 0))
        for i, entry in enumerate(group):
            kept[entry.key] = context.measured([*beside, entry], functools.partial(compute, entry, group[i:]))
    for columns, entry in found:
        yield columns, kept[entry.key]


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


def uniform_noise(like: Tensor, draw: int, start: int) -> Tensor:
    """Return u ~ U(−1, 1) for a chunk of inputs, the same for every network and level of noise."""
    drawn = torch.rand(like.shape, generator=generator(0, "uniform noise", draw, start))
    return (2 * drawn - 1).to(like.device)


def errors_under_noise(
    subject: Subject, stack: State, images: Images, labels: Tensor, epsilons: Sequence[float], draws: int
) -> Tensor:
    """Return the mean error in percent of S networks at E levels of noise, float64 [E, S]; segmenting, 100 − mean IoU."""
    counts: list[Any] = [0] * len(epsilons)
    for start, inputs, own in chunks(subject, images, labels):
        for draw in range(draws):
            noise = uniform_noise(inputs, draw, start)
            for place, epsilon in enumerate(epsilons):
                if epsilon or not draw:  # without noise all draws are alike
                    found = predictions(subject.module, stack, inputs + epsilon * noise)
                    counts[place] += _count(found, own, subject.examples.classes) * (1 if epsilon else draws)
    if isinstance(images, SegmentationImages):
        return 100 * (1 - torch.stack([Segmented(torch.empty(0), one.cpu()).mean_iou for one in counts]))
    return 100 * torch.stack(counts).double().cpu() / (draws * len(images))


def _count(found: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return how many predictions [S, B] are wrong, [S]; of pixels, [S, B, H, W], the confusion matrices, [S, K, K]."""
    if found.dim() == 2:
        return (found != labels).sum(1)
    counted = labels != IGNORED
    places = (labels * classes + found)[:, counted]
    return torch.stack([own.bincount(minlength=classes * classes).view(classes, classes) for own in places])


def errors(subject: Subject, stack: State, images: Images, labels: Tensor) -> Tensor:
    """Return the error in percent of S networks on some images, float64 [S]."""
    return errors_under_noise(subject, stack, images, labels, [0.0], 1)[0]


def _measure(
    subject: Subject, entries: Sequence[Entry], numbers: Numbers
) -> list[dict[str, list[tuple[float, float]]]]:
    """Return what is measured of each network, quantity → pairs of position and number."""
    places, stack = subject.first(numbers["images"]), load_stack(subject, entries)
    found, official = [_removed(subject, entry) for entry in entries], []

    def keep(quantity: str, position: float, measured: Tensor) -> None:
        for own, value in zip(found, measured.tolist(), strict=True):
            own.setdefault(quantity, []).append((position, round(value, 4)))

    with arithmetic(next(subject.module.parameters()).device, "float32"):
        for name in data.CORRUPTIONS:
            for severity in numbers["severities"]:
                own, published = subject.corrupted(name, severity, places)
                official.append(published)
                keep(error_under(name), float(severity), errors(subject, stack, *own))
        for quantity, own in new_images(subject, len(places)):
            keep(quantity, 0.0, errors(subject, stack, *own))
        epsilons = sorted({0.0, *numbers["epsilons"]})
        noise = errors_under_noise(subject, stack, *subject.clean(places), epsilons, numbers["draws"])
    for epsilon, measured in zip(epsilons, noise, strict=True):
        keep(NOISY, epsilon, measured)
    keep(OFFICIAL, 0.0, torch.full((len(found),), sum(official) / max(1, len(official))))
    return found


def parameters_removed(module: nn.Module, masks: Mapping[str, Tensor]) -> float:
    """Return PR in percent."""
    return round(100 * (1 - parameters_remaining(module, masks) / parameter_count(module)), 4)


def _removed(subject: Subject, entry: Entry) -> dict[str, list[tuple[float, float]]]:
    """Return PR and FR of a network."""
    masks, module = entry.masks(), subject.module
    height, width, channels = subject.examples.test_images.shape[1:]
    left = flops(module, (channels, height, width), masks) / flops(module, (channels, height, width))
    both = {REMOVED: parameters_removed(module, masks), FLOPS_REMOVED: round(100 * (1 - left), 4)}
    return {quantity: [(0.0, value)] for quantity, value in both.items()}
