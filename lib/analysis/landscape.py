"""Losses of many networks on a sample of the images, as the points of a path or a slice need them (LN sections 3.3 and 5).

Losses and errors are means over a fixed sample, the same for all networks; training images have the labels that were trained
on. The points are a stack (`lib.training.stack`), evaluated a part at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lib.analysis.experiments import Context
from lib.seeds import generator
from lib.training import Replicate, arithmetic, evaluate, network_of, prepare
from lib.training.device import find_device
from lib.training.examples import Images
from lib.training.stack import State, stack_limit, stack_size

SAMPLE = 2_000  # images of each set; all of them where there are fewer
BYTES_TOGETHER = {"cpu": 2**24, "cuda": 2**30}  # of parameters; on a CPU so that they stay near its caches


@dataclass(frozen=True)
class Sample:
    """Some images, uint8 [N, height, width, channels], their labels, int64 [N], and the name of their normalization."""

    images: Tensor
    labels: Tensor
    normalization: str


@dataclass(frozen=True)
class Surface:
    """What losses are measured with.

    Attributes:
        module: the computation, on the device that measures; its own weights are not used.
        train: replicate → training images with its labels.
        test: test images.
    """

    module: nn.Module
    train: Mapping[Replicate, Sample]
    test: Sample


def find_surface(context: Context) -> Surface:
    """Prepare network and samples of the replicates that were run."""
    recipe, replicates = context.plan.recipe, context.results[0].replicates
    device = find_device(context.device)
    examples = prepare(recipe.data, replicates, device)
    train = {
        replicate: take_sample(examples.train_images, labels, examples.normalization)
        for replicate, labels in zip(replicates, examples.train_labels, strict=True)
    }
    test = take_sample(examples.test_images, examples.test_labels, examples.normalization)
    network = network_of(recipe, examples.classes)
    return Surface(network.module.to(device), train, test)


def take_sample(images: Images, labels: Tensor, normalization: str, count: int = SAMPLE) -> Sample:
    """Draw images by a fixed seed, the same of sets of one size; all where there are fewer."""
    chosen = torch.randperm(len(labels), generator=generator(0, "loss landscape"))[:count].sort().values
    chosen = chosen.to(labels.device)
    return Sample(images[chosen], labels[chosen], normalization)


def along_axis(positions: Tensor, like: Tensor) -> Tensor:
    """Return positions, [S], in type and shape to be multiplied with one tensor of a network, as [S, 1, …]."""
    return positions.to(like).view(-1, *[1] * like.dim())


def parts(module: nn.Module, stack: State) -> Iterator[State]:
    """Yield a stack, name → [S, ...] on any device, in parts that are measured together, on the device of the module."""
    device = next(module.parameters()).device
    count = stack_size(stack)
    size = sum(tensor[0].numel() * tensor.element_size() for tensor in stack.values())
    limit = BYTES_TOGETHER.get(device.type, BYTES_TOGETHER["cpu"]) // size
    together = min(stack_limit(module, device, count), max(1, limit))
    for start in range(0, count, together):
        yield {name: tensor[start : start + together].to(device) for name, tensor in stack.items()}


def measure_stack(module: nn.Module, stack: State, sample: Sample) -> tuple[Tensor, Tensor]:
    """Return mean loss in nats and error in percent of a stack, name → [S, ...], on a sample, float64 [S] each.

    The sample is on the device of the module, which is left in eval mode.
    """
    losses, errors = [], []
    with arithmetic(next(module.parameters()).device, "float32"):
        for part in parts(module, stack):
            found = evaluate(module, part, sample.images, sample.labels, sample.normalization)
            losses.append(found.losses.double().mean(1))
            errors.append(100 * (1 - found.correct.double().mean(1)))
    return torch.cat(losses), torch.cat(errors)


def series(positions: Tensor, measured: Tensor) -> list[tuple[float, float]]:
    """Return pairs of position and number of S points, [S] each, rounded as tables keep them: numbers to four digits."""
    pairs = zip(positions.tolist(), measured.tolist(), strict=True)
    return [(round(position, 6), float(f"{value:.4g}")) for position, value in pairs]


def series_rows(columns: dict, found: Mapping[str, Sequence[Sequence[float]]]) -> Iterator[dict]:
    """Yield series of one network, quantity → pairs of position and number, as rows."""
    for quantity, pairs in found.items():
        for position, value in pairs:
            yield columns | {"quantity": quantity, "position": position, "value": value}
