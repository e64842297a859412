"""Test errors on shifted data: 19 corruptions, new test images, uniform noise; and what pruning removed (LIP section 5).

    error under noise ε = mean over draws u ~ U(−1, 1) of the error on x + ε u

x are normalized images, and nothing is clipped (facts C.8, L16). One u serves all levels of noise and all networks, so that
their curves differ by the networks alone. Corrupted images are the published ones where their files are in the data folder,
and made by `lib.data.corrupt` otherwise; new test images need their files (`lib.data.corrupted_sets`).

    PR = 1 − parameters that remain / all parameters        FR = 1 − FLOPs / FLOPs of the network not pruned

both in percent, of all parameters with biases and normalization (facts C.3, L23). FLOPs: `lib.pruning.flops`.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lib import data
from lib.analysis.experiments import Context, Measurement
from lib.analysis.landscape import series_rows
from lib.analysis.sizes import Numbers, by_scale
from lib.analysis.subject import (
    Labelled,
    Subject,
    chunks,
    find_subject,
    load_stack,
    measured_together,
    networks_by_recipe,
    predictions,
    some_images,
)
from lib.data.corrupted_sets import CIFAR10_1, CIFAR10_C, IMAGENET_C
from lib.data.corruptions import SEVERITIES
from lib.data.folder_images import IMAGENET
from lib.data.segmentation_images import IGNORED, SegmentationImages
from lib.errors import unknown
from lib.pruning.budget import parameter_count, parameters_remaining
from lib.pruning.flops import flops
from lib.seeds import generator
from lib.stages import Entry
from lib.training import arithmetic
from lib.training.examples import Images
from lib.training.stack import State
from lib.training.task import Segmented

REMOVED, FLOPS_REMOVED = "parameters removed (%)", "FLOPs removed (%)"
NOISY = "test error under uniform noise (%)"
"""By position ε; at 0 the error on the clean images that all errors of this measurement are about."""
CIFAR101, OBJECTNET = "test error on CIFAR-10.1 (%)", "test error on ObjectNet (%)"
OFFICIAL = "official corrupted images"
"""The share of the sets of corrupted images that are the published ones; the others were made here."""

EPSILONS = tuple(step / 20 for step in range(15))
"""0 to 0.7, the paper's levels of noise."""

OBJECTNET_FOLDER = "objectnet-1.0"


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
    sizes = by_scale("distributions", numbers, scales)
    for own in sizes.values():
        if wrong := [one for one in own["severities"] if one not in SEVERITIES]:
            raise unknown("severity", str(wrong[0]), map(str, SEVERITIES))
    return Measurement("distributions", _rows, 1, sizes=sizes)


def _rows(context: Context) -> Iterator[dict]:
    if context.measurement and (there := published_sets()):  # files that were added make what is kept stale
        settings = {**context.measurement.settings, "published": " ".join(there)}
        context = replace(context, measurement=replace(context.measurement, settings=settings))
    for recipe, found in networks_by_recipe(context).items():
        subject = find_subject(recipe, context)
        measure = functools.partial(_measure, subject, numbers=context.numbers)
        for columns, own in measured_together(context, [((), found)], measure):
            yield from series_rows(columns, own)


def published_sets() -> list[str]:
    """Return which published sets of shifted images the data folder has."""
    folders = CIFAR10_C, CIFAR10_1, IMAGENET_C.lower(), OBJECTNET_FOLDER
    return [name for name in folders if (data.default_folder() / name).is_dir()]


def new_images(subject: Subject, count: int) -> Iterator[tuple[str, Labelled]]:
    """Yield quantity and images of new test sets whose files are there."""
    found, device = [], subject.examples.test_labels.device
    if subject.recipe.image_set == "cifar10" and data.has_cifar10_1():
        found.append((CIFAR101, data.cifar10_1()))
    if subject.recipe.image_set == IMAGENET and (data.default_folder() / OBJECTNET_FOLDER).is_dir():
        found.append((OBJECTNET, data.objectnet()))
    for quantity, one in found:
        places = torch.arange(min(count, len(one.labels)))
        yield quantity, (some_images(one.images, places, device), one.labels[places].long().to(device))


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
    subject: Subject, beside: Sequence[Entry], entries: Sequence[Entry], numbers: Numbers
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
