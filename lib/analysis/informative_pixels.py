"""Informative pixels: which tenth of an image decides, and whether it decides for another network too (LIP section 4; C.8).

BackSelect (Carter et al. 2019) hides the pixels of an image one by one, always the one whose absence leaves most confidence
in a class c:

    hide  argmax_j  softmax f(x without the pixels hidden before and without j)_c        ties: the lowest index

until all are hidden. A hidden pixel is 0 in all channels of the normalized image, the mean colour (facts L15). What goes
last is informative; the paper takes a tenth. c is the class predicted on the whole image, or the label (L14).
An image of P pixels takes P (P + 1) / 2 passes, 524,800 for CIFAR-10. With `pixels_at_once` = k a step hides the k best
pixels together: k times as few passes, no longer exact. On one core an image takes a ResNet-20 of width 8 three minutes, and
1.6 seconds with k = 128.

A network that chose the pixels meets others that judge: their confidence in the true class on the image that shows nothing
but those pixels. Choosers and judges are a parent, what was pruned from it, and a separate network.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from lib import data
from lib.analysis.distributions import parameters_removed
from lib.analysis.experiments import Context, Measurement
from lib.analysis.files import REPOSITORY
from lib.analysis.function_distance import SEPARATE, families
from lib.analysis.part import file_name, read_detail
from lib.analysis.sizes import Numbers, by_scale
from lib.analysis.subject import Found, Subject, answers, find_subject, free_first, load_stack, networks_by_recipe
from lib.analysis.table import Table, table_folder
from lib.data.segmentation_images import SegmentationImages
from lib.errors import InputError, unknown
from lib.seeds import generator
from lib.stages import Entry
from lib.training import arithmetic
from lib.training.stack import State

SEPARATE_LEVEL = -1
"""Of the separate network, as chooser (level) and as judge (position)."""

CONFIDENCE = "confidence on informative pixels"
CONFIDENCE_CORRUPTED = "confidence on informative pixels of corrupted images"
"""Mean softmax of the true class, between 0 and 1. The level is the chooser's, the position the judge's."""

RATIOS = (15.0, 46.0, 69.0, 80.0, 98.0)
"""PR of the pruned networks, in percent; the level nearest to each is taken."""

Target = Literal["predicted", "label"]

PART = 128  # images that are judged together
VALUES_AT_ONCE = {"cpu": 2**19, "cuda": 2**26}  # of the images that are tried together; 170 of CIFAR on a CPU


@torch.no_grad()
def removal_order(
    network: Callable[[Tensor], Tensor], images: Tensor, classes: Tensor, pixels_at_once: int = 1
) -> Tensor:
    """Return BackSelect's order of the pixels, the first hidden first.

    Args:
        network: inputs [B, C, H, W] → logits [B, classes].
        images: network inputs [N, C, H, W].
        classes: int64 [N], the class whose confidence is kept.
        pixels_at_once: how many pixels a step hides.

    Returns:
        Int64 [N, H · W], row by row of the image.
    """
    count, channels, height, width = images.shape
    pixels, device = images.flatten(2), images.device
    shown = torch.ones(count, height * width, dtype=torch.bool, device=device)
    size = max(1, VALUES_AT_ONCE.get(device.type, VALUES_AT_ONCE["cpu"]) // images[0].numel())
    order = []
    while left := int(shown[0].sum()) if count else 0:
        candidates = shown.nonzero()[:, 1].view(count, left)
        found = []
        for tried in torch.arange(count * left, device=device).split(size):
            image, hidden = tried // left, candidates.flatten()[tried]
            keep = shown[image]
            keep[torch.arange(len(tried), device=device), hidden] = False
            inputs = (pixels[image] * keep.unsqueeze(1)).view(-1, channels, height, width)
            # In float64: near 1, float32 would make ties of many.
            found.append(network(inputs).double().softmax(-1).gather(1, classes[image].unsqueeze(1)))
        confidence = torch.cat(found).view(count, left)
        best = confidence.sort(dim=1, descending=True, stable=True).indices[:, : min(pixels_at_once, left)]
        gone = candidates.gather(1, best)
        shown.scatter_(1, gone, False)
        order.append(gone)
    return torch.cat(order, 1) if order else torch.empty(count, height * width, dtype=torch.long)


def reduced(images: Tensor, pixels: Tensor) -> Tensor:
    """Return network inputs [N, C, H, W] that show nothing but some pixels, int64 [N, K], of each."""
    shown = torch.zeros(len(images), images[0, 0].numel(), dtype=torch.bool, device=images.device)
    shown.scatter_(1, pixels.to(images.device), True)
    return images * shown.view(len(images), 1, *images.shape[2:])


def informative_pixels(
    images: int = 2000,
    pixels_at_once: int = 1,
    ratios: Sequence[float] = RATIOS,
    share: float = 0.1,
    target: Target = "predicted",
    corrupted: bool = False,
    severity: int = 3,
    seeds: int = 1,
    shown: int = 4,
    **scales: Mapping[str, Any],
) -> Measurement:
    """Return the measurement of the parents, of networks pruned from them, and of separate networks.

    Args:
        images: drawn from the test images, without regard to class; all where there are fewer.
        pixels_at_once: 1 is exact.
        ratios: PR in percent of the pruned networks of each algorithm.
        share: of the pixels that are informative.
        target: whose confidence BackSelect keeps: of the class "predicted" on the whole image, or of the "label".
        corrupted: take images with corruptions, one of the 19 drawn for each.
        severity: of these.
        seeds: first parents of the plan; the paper has one.
        shown: images whose whole order is kept beside the part, for a page to draw.
        scales: scale → what it has other numbers of, such as laptop={"images": 8, "pixels_at_once": 64}.

    Raises:
        InputError: a number that is not allowed, or an unknown target, scale or name of a number.
    """
    if target not in get_args(Target):
        raise unknown("target", target, get_args(Target))
    numbers = {
        "images": images, "pixels_at_once": pixels_at_once, "ratios": tuple(ratios), "share": share, "target": target,
        "severity": severity, "seeds": seeds, "shown": shown,
    }  # fmt: skip
    sizes = by_scale(_name(corrupted), numbers, scales)
    rows, detail = functools.partial(_rows, corrupted=corrupted), functools.partial(_detail, corrupted=corrupted)
    return Measurement(_name(corrupted), rows, 1, sizes=sizes, needs=("seeds",), detail=detail)


@dataclass(frozen=True)
class _Sample:
    """Network inputs [N, C, H, W], the images that they come from, uint8 [N, H, W, C], and their true classes, int64 [N]."""

    inputs: Tensor
    images: Tensor
    labels: Tensor


def _sample(subject: Subject, numbers: Numbers, corrupted: bool) -> _Sample:
    """Draw images by a fixed seed; fewer are the first ones of more."""
    if isinstance(subject.examples.test_images, SegmentationImages):
        raise InputError(f"{subject.recipe.image_set} has a class for each pixel; BackSelect needs one for each image")
    draw = generator(0, "informative pixels")
    places = torch.randperm(len(subject.examples.test_labels), generator=draw)[: numbers["images"]]
    images, labels = subject.clean(places)
    pixels = images[:].clone()
    if corrupted:
        names, drawn = [*data.CORRUPTIONS], generator(0, "informative pixels", 1)
        which = torch.randint(len(names), (len(subject.examples.test_labels),), generator=drawn)[: len(places)]
        for number in which.unique().tolist():
            own = which == number
            (changed, _), _ = subject.corrupted(names[number], numbers["severity"], places[own])
            pixels[own.to(pixels.device)] = changed[:]
    return _Sample(data.normalize(pixels, subject.constants), pixels, labels)


def _lineups(
    context: Context, subject: Subject, found: Sequence[Found], numbers: Numbers
) -> Iterator[dict[int, Found]]:
    """Yield the networks of each algorithm and parent by level: 0 is the parent, `SEPARATE_LEVEL` the separate network."""
    seeds = context.plan.seeds[: numbers["seeds"]]
    for parent, others in families(found):
        last = [one for one in others if one[0]["algorithm"] == SEPARATE]
        separate = {SEPARATE_LEVEL: last[0]} if last else {}
        for columns, entry in found:
            if entry.key != parent.key or columns["level"] or columns["seed"] not in seeds:
                continue
            own = [one for one in others if one[0]["algorithm"] == columns["algorithm"]]
            ratios = [parameters_removed(subject.module, pruned.masks()) for _, pruned in own]
            near = {min(range(len(own)), key=lambda i: abs(ratios[i] - ratio)) for ratio in numbers["ratios"] if own}  # noqa: B023
            yield {0: (columns, entry), **{own[i][0]["level"]: own[i] for i in sorted(near)}, **separate}


def _chosen(context: Context, subject: Subject, sample: _Sample, chooser: Entry, numbers: Numbers) -> dict[str, list]:
    """Return what a network finds informative, kept: pixels [N, K], and of the first images "orders" and "predictions"."""

    def compute() -> dict[str, list]:
        network = functools.partial(_alone, subject, load_stack(subject, [chooser]))
        predicted = torch.cat([network(part).argmax(-1) for part in sample.inputs.split(PART)])
        classes = predicted if numbers["target"] == "predicted" else sample.labels
        order = removal_order(network, sample.inputs, classes, numbers["pixels_at_once"])
        informative = order[:, -max(1, int(numbers["share"] * order.shape[1])) :]
        few = numbers["shown"]
        return {
            "pixels": informative.tolist(), "orders": order[:few].tolist(), "predictions": predicted[:few].tolist(),
        }  # fmt: skip

    with arithmetic(sample.inputs.device, "float32"):
        return context.measured([chooser], compute)


def _alone(subject: Subject, stack: State, inputs: Tensor) -> Tensor:
    return answers(subject.module, stack, inputs)[0]


def _judged(subject: Subject, sample: _Sample, pixels: list, judges: Sequence[Entry]) -> list[float]:
    """Return the mean confidence of each judge in the true class on what is left of the images."""
    stack, shown = load_stack(subject, judges), reduced(sample.inputs, torch.tensor(pixels))
    total = torch.zeros(len(judges), dtype=torch.float64)
    with arithmetic(shown.device, "float32"):
        for part, labels in zip(shown.split(PART), sample.labels.split(PART), strict=True):
            confidence = answers(subject.module, stack, part).softmax(-1)
            true = labels.expand(len(judges), -1).unsqueeze(-1)
            total += confidence.gather(-1, true).double().sum((1, 2)).cpu()
    return [round(value, 4) for value in (total / len(shown)).tolist()]


Searched = tuple[Subject, _Sample, list[dict[int, Found]], dict[str, dict[str, list]]]


def _searched(context: Context, corrupted: bool) -> Iterator[Searched]:
    """Yield subject, images and lineups of each recipe, and by key what each network of them finds informative."""
    numbers = context.numbers
    for recipe, found in networks_by_recipe(context).items():
        subject = find_subject(recipe, context)
        sample, lineups = _sample(subject, numbers, corrupted), [*_lineups(context, subject, found, numbers)]
        choosers = {entry.key: entry for lineup in lineups for _, entry in lineup.values()}
        order = free_first(choosers.values(), lambda one: context.is_being_measured([[one]]))
        yield subject, sample, lineups, {one.key: _chosen(context, subject, sample, one, numbers) for one in order}


def _rows(context: Context, corrupted: bool) -> Iterator[dict]:
    for subject, sample, lineups, chosen in _searched(context, corrupted):
        for lineup in lineups:
            judges = [entry for _, entry in lineup.values()]
            for level, (columns, chooser) in lineup.items():
                judge = functools.partial(_judged, subject, sample, chosen[chooser.key]["pixels"], judges)
                quantity = CONFIDENCE_CORRUPTED if corrupted else CONFIDENCE
                own = columns | {"algorithm": lineup[0][0]["algorithm"], "level": level, "quantity": quantity}
                for place, value in zip(lineup, context.measured([chooser, *judges], judge), strict=True):
                    yield own | {"position": float(place), "value": value}


def _detail(context: Context, corrupted: bool) -> dict[str, Any]:
    """Return a few images, their labels, and the orders in which networks hide their pixels, as JSON."""
    few, found_of_it = context.numbers["shown"], {}
    for subject, sample, lineups, chosen in _searched(context, corrupted):
        networks = []
        for lineup in lineups:
            for level, (columns, entry) in lineup.items():
                name = {"algorithm": lineup[0][0]["algorithm"], "seed": columns["seed"], "level": level}
                own = {key: chosen[entry.key][key] for key in ("orders", "predictions")}
                networks.append(name | {"removed": parameters_removed(subject.module, entry.masks())} | own)
        images, labels = sample.images[:few].tolist(), sample.labels[:few].tolist()
        found_of_it = {"images": images, "labels": labels, "networks": networks}
    return found_of_it


@dataclass(frozen=True)
class ShownImages:
    """Images with what networks find informative in them, to be drawn.

    Attributes:
        images: uint8 [N, H, W, 3].
        labels: true classes of N images.
        networks: for each its algorithm, seed, level (0 the parent, −1 the separate network) and removed (PR, %);
            "predictions" of N images, and "orders", N lists of pixels, row by row of the image, the first hidden first.
    """

    images: Tensor
    labels: list[int]
    networks: list[dict[str, Any]]


def shown_images(page: str, table: Table, corrupted: bool = False, root: Path = REPOSITORY) -> ShownImages | None:
    """Read the images that a page's measurement keeps beside a table; None where there are none."""
    folder = table_folder(table.paper, table.benchmark, table.scale, table.origin, root, table.changes)
    own = file_name(f"{_name(corrupted)}, {page}")  # or several parts, where algorithms were measured one by one
    parts = [kept for part in table.parts if part.startswith(own) and (kept := read_detail(folder, part))]
    if not parts:
        return None
    networks = {(one["algorithm"], one["seed"], one["level"]): one for kept in parts for one in kept["networks"]}
    return ShownImages(torch.tensor(parts[0]["images"], dtype=torch.uint8), parts[0]["labels"], [*networks.values()])


def _name(corrupted: bool) -> str:
    return "informative pixels" + (" of corrupted images" if corrupted else "")
