"""Where on the loss surface LN looks (sections 3.3 and 5), and how many networks are measured there at once.

Losses and errors are means over a fixed sample of the images, the same for all networks; training images have the labels
that were trained on. The points of a path or a slice are a stack (`lib.training.stack`), evaluated a part at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas
import torch
from torch import Tensor, nn

from lib.analysis.epoch_errors import BEST, by_seed_and_level
from lib.analysis.statistics import select
from lib.analysis.telling_levels import telling_levels
from lib.models import build
from lib.seeds import generator
from lib.stages import Entry, Results
from lib.training import Recipe, Replicate, arithmetic, evaluate, prepare
from lib.training.device import describe_device, find_device
from lib.training.examples import Images
from lib.training.stack import State, stack_limit

SAMPLE = 2_000  # images of each set; all of them where there are fewer
LOOKED_AT = ("overfitting", "best sweet spot", "last sweet spot")
ROLES = ("dense", *LOOKED_AT, "both sweet spots", "overfitting, best sweet spot")
"""What a network that is looked at may be called."""

BYTES_TOGETHER = {"cpu": 2**24, "cuda": 2**30}  # of parameters; on a CPU so that they stay near its caches


@dataclass(frozen=True)
class Sample:
    """Some images with labels.

    Attributes:
        images: uint8 [N, height, width, channels].
        labels: int64 [N].
        normalization: name of the constants.
    """

    images: Tensor
    labels: Tensor
    normalization: str


@dataclass(frozen=True)
class Surface:
    """What losses are measured with.

    Attributes:
        module: the computation; its own weights are not used.
        device: where it runs.
        train: replicate → training images with its labels.
        test: test images.
    """

    module: nn.Module
    device: torch.device
    train: Mapping[Replicate, Sample]
    test: Sample


def take_sample(images: Images, labels: Tensor, normalization: str, count: int = SAMPLE) -> Sample:
    """Draw images by a fixed seed: the same of a set of that size, for every network and replicate.

    Args:
        images: uint8 [N, height, width, channels].
        labels: int64 [N].
        normalization: name of the constants.
        count: how many; all N where there are fewer.
    """
    chosen = torch.randperm(len(labels), generator=generator(0, "loss landscape"))[:count].sort().values
    chosen = chosen.to(labels.device)
    return Sample(images[chosen], labels[chosen], normalization)


def find_surface(recipe: Recipe, replicates: Sequence[Replicate], trained_on: str = "") -> Surface:
    """Prepare network and samples of some replicates.

    Args:
        recipe: of the networks.
        replicates: whose training labels are needed.
        trained_on: device in words. Where this machine's CPU has trained, it measures; else the first device that is there.
    """
    cpu = torch.device("cpu")
    device = cpu if trained_on == describe_device(cpu) else find_device()
    examples = prepare(recipe.data, replicates, device)
    train = {
        replicate: take_sample(examples.train_images, labels, examples.normalization)
        for replicate, labels in zip(replicates, examples.train_labels, strict=True)
    }
    test = take_sample(examples.test_images, examples.test_labels, examples.normalization)
    network = build(recipe.network, examples.classes, recipe.width, recipe.width_scale)
    return Surface(network.module.to(device), device, train, test)


def parts(module: nn.Module, stack: State) -> Iterator[State]:
    """Yield a stack in parts that are measured together, name → [P, ...] on the device of the module.

    Args:
        module: the computation.
        stack: name → [S, ...] on any device.
    """
    device = next(module.parameters()).device
    count = next(iter(stack.values())).shape[0]
    size = sum(tensor[0].numel() * tensor.element_size() for tensor in stack.values())
    limit = BYTES_TOGETHER.get(device.type, BYTES_TOGETHER["cpu"]) // size
    together = min(stack_limit(module, device, count), max(1, limit))
    for start in range(0, count, together):
        yield {name: tensor[start : start + together].to(device) for name, tensor in stack.items()}


def measure_stack(module: nn.Module, stack: State, sample: Sample) -> tuple[Tensor, Tensor]:
    """Return mean loss in nats and error in percent of S networks on a sample, float64 [S] each.

    Args:
        module: the computation; left in eval mode.
        stack: name → [S, ...].
        sample: of images, on the device of the module.
    """
    losses, errors = [], []
    with arithmetic(next(module.parameters()).device, "float32"):
        for part in parts(module, stack):
            found = evaluate(module, part, sample.images, sample.labels, sample.normalization)
            losses.append(found.losses.double().mean(1))
            errors.append(100 * (1 - found.correct.double().mean(1)))
    return torch.cat(losses), torch.cat(errors)


def levels_looked_at(
    frame: pandas.DataFrame, quantities: pandas.DataFrame, algorithm: str, noise_percent: float
) -> dict[str, int]:
    """Choose the levels where paths and slices are measured: the overfitting one and the two sweet spots.

    Args:
        frame: a tidy table.
        quantities: with the best test errors (`lib.analysis.epoch_errors`).
        algorithm: the sparse networks.
        noise_percent: at which label noise.

    Returns:
        Level by name, see `lib.analysis.telling_levels`; without names of which there is none.
    """
    last = select(frame, algorithm, noise_percent, "test")
    best = by_seed_and_level(quantities, BEST, algorithm, noise_percent)
    found = {} if last.empty or best.empty else telling_levels(last, best)
    return {name: found[name] for name in LOOKED_AT if name in found}


def finished(results: Sequence[Results]) -> Iterator[tuple[dict, Replicate, tuple[Entry, ...]]]:
    """Yield, of every chain and replicate that reached its end, the columns that name it, and its stages."""
    for one in results:
        for replicate, entries in zip(one.replicates, one.entries, strict=True):
            if len(entries) == len(one.chain.stages) and not entries[-1].record["diverged"]:
                names = {
                    "algorithm": one.chain.algorithm,
                    "noise_percent": replicate.noise_percent,
                    "seed": replicate.seed,
                    "level": one.chain.stages[-1].level,
                    "stage_key": entries[-1].key,
                }
                yield names, replicate, entries


def series_rows(names: dict, quantity: str, positions: Tensor, values: Tensor) -> Iterator[dict]:
    """Yield numbers along a line as rows of quantities, rounded to four digits.

    Args:
        names: the columns that name the network.
        quantity: with its unit.
        positions, values: [S] each.
    """
    for position, value in zip(positions.tolist(), values.tolist(), strict=True):
        yield {**names, "quantity": quantity, "position": round(position, 6), "value": float(f"{value:.4g}")}


def roles(
    frame: pandas.DataFrame, quantities: pandas.DataFrame, algorithm: str, noise_percent: float
) -> dict[int, str]:
    """Name the levels of `levels_looked_at`, by level, ascending; a level with two names gets one of `ROLES` for both."""
    names: dict[int, list[str]] = {}
    for name, level in levels_looked_at(frame, quantities, algorithm, noise_percent).items():
        names.setdefault(level, []).append(name)
    both = {LOOKED_AT[1:]: ROLES[4], LOOKED_AT[:2]: ROLES[5]}
    return {level: both.get(tuple(names[level]), names[level][0]) for level in sorted(names)}


def by_seed_and_position(
    quantities: pandas.DataFrame, quantity: str, algorithm: str, noise_percent: float, level: int
) -> pandas.DataFrame:
    """Return a series of one network of a table as seeds × positions, both ascending; empty where it has none."""
    chosen = quantities[
        (quantities["quantity"] == quantity)
        & (quantities["algorithm"] == algorithm)
        & (quantities["noise_percent"] == noise_percent)
        & (quantities["level"] == level)
    ]
    return chosen.pivot(index="seed", columns="position", values="value")
