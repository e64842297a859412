"""How far normalized activations are from a normal distribution, before and after training (GS App. B.2.2, Figure B.1).

    x̂ = (z − μ) / √(σ² + ε),    D = sup |F(x̂) − Φ(x̂)|

z are the maps that a convolution hands to its batch normalization, x̂ what they are before its scale γ and shift β; μ and
σ² are the running mean and variance of each channel. F is the distribution of x̂ over images, places and channels of a
layer, Φ the standard normal one, and D their Kolmogorov-Smirnov distance, between 0 and 1. From 10,000 values D is known
to about 0.01. Scores of filters by E[BN] take every channel's x̂ as normal (facts D.3); D pools the channels, as Figure B.1
does, and one of them may be further off.

Before training there are no running statistics yet: mean and variance are then those of the images themselves. A channel
that is the same everywhere, as a removed filter leaves it, has no distribution and is left out.
"""

import copy
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor, nn

from lib import data
from lib.analysis.experiments import Context, Measurement, reported
from lib.analysis.landscape import Sample, series, series_rows, take_sample
from lib.errors import InputError
from lib.seeds import generator
from lib.stages import Entry
from lib.stages.starting_point import initialize_replicate
from lib.training import Recipe, Replicate, arithmetic, network_of, prepare
from lib.training.device import find_device

LAYERS, IMAGES = 8, 512
VALUES = 10_000  # of a layer, drawn for the distance; all where there are fewer
REACH, BINS = 4.0, 41  # of a histogram: the centres of its first and last bin are −4 and 4
CENTRES = torch.linspace(-REACH, REACH, BINS, dtype=torch.float64)
BEFORE, AFTER = "before training", "after training"
DISTANCE, DENSITY = "distance from normal {}", "activation density of layer {} {}"


@dataclass(frozen=True)
class LayerNormality:
    """Normalized activations of one layer.

    Attributes:
        name: of the batch normalization in its network.
        distance: D; NaN where no channel varies.
        density: float64 [41], share of the activations per unit around each of `CENTRES`; its area misses what lies beyond.
    """

    name: str
    distance: float
    density: Tensor


@torch.no_grad()
def activation_normality(
    module: nn.Module, images: Tensor, layers: int = LAYERS, fresh_statistics: bool = False
) -> list[LayerNormality]:
    """Measure the last layers with batch normalization of any network, such as torchvision's; it stays as it is.

    Args:
        module: with at least one `torch.nn.BatchNorm2d`.
        images: network inputs [N, channels, height, width] on the module's device; they go through it at once.
        layers: how many, in the order of a forward pass; all where there are fewer.
        fresh_statistics: take means and variances from these images, as for a network before training.

    Returns:
        The layers, counted from the input.

    Raises:
        InputError: the network has no such layer.
    """
    module, found = copy.deepcopy(module).eval(), {}

    def look(layer: nn.BatchNorm2d, inputs: tuple[Tensor], name: str) -> None:
        activations = _normalized(layer, inputs[0].float(), layer.training)
        found[name] = LayerNormality(name, _distance(activations, len(found)), _density(activations))

    for name, layer in module.named_modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.train(fresh_statistics or layer.running_mean is None)
            layer.register_forward_pre_hook(functools.partial(look, name=name))
    module(images)
    if not found:
        raise InputError(f"{type(module).__name__} normalizes no maps; this needs a network with batch normalization")
    return list(found.values())[-layers:]


def _normalized(layer: nn.BatchNorm2d, maps: Tensor, fresh: bool) -> Tensor:
    """Return x̂, [n], of all channels that vary, of maps z, [N, channels, height, width]."""
    channels = maps.transpose(0, 1).flatten(1)
    varies = channels.amin(1) < channels.amax(1)
    if fresh:
        variance, mean = torch.var_mean(channels, dim=1, correction=0)
    else:
        assert layer.running_mean is not None and layer.running_var is not None
        variance, mean = layer.running_var, layer.running_mean
    channels, variance, mean = (tensor[varies] for tensor in (channels, variance, mean))
    return ((channels - mean[:, None]) / (variance[:, None] + layer.eps).sqrt()).flatten()


def _distance(activations: Tensor, place: int) -> float:
    """Return the Kolmogorov-Smirnov distance of activations, [n], to N(0, 1), from some of them."""
    if not len(activations):
        return math.nan
    if len(activations) > VALUES:
        drawn = torch.randint(len(activations), (VALUES,), generator=generator(0, "normality", place))
        activations = activations[drawn.to(activations.device)]
    return float(stats.kstest(activations.double().cpu().numpy(), "norm")[0])


def _density(activations: Tensor) -> Tensor:
    width = 2 * REACH / (BINS - 1)
    counts = torch.histc(activations.cpu(), BINS, -REACH - width / 2, REACH + width / 2)
    return counts.double() / (max(1, len(activations)) * width)


def normality(algorithm: str, layers: int = LAYERS, images: int = IMAGES) -> Measurement:
    """Return the measurement of an algorithm's last networks, on training images without augmentation.

    The position of a distance is the layer, 1 for the first of those that are looked at; that of a density, which only the
    first replicate has, is the activation.
    """
    rows = functools.partial(_rows, algorithm=algorithm, layers=layers, count=images)
    settings = {"layers": layers, "images": images, "values": VALUES, "bins": BINS}
    return Measurement(f"normality of {algorithm}", rows, 1, settings)


def _rows(context: Context, algorithm: str, layers: int, count: int) -> Iterator[dict]:
    for results in context.of(algorithm):
        recipe, device = results.chain.recipe, find_device(context.device)
        examples = prepare(recipe.data, results.replicates, device)
        sample = take_sample(examples.train_images, examples.train_labels[0], examples.normalization, count)
        module = network_of(recipe, examples.classes).module.to(device)
        last = {replicate: (columns, entry) for columns, replicate, _, entry in reported(results)}
        for replicate, (columns, entry) in last.items():
            measure = functools.partial(_both, module, sample, recipe, replicate, entry, layers)
            found = context.measured([entry], measure)
            if replicate != results.replicates[0]:
                found = {quantity: pairs for quantity, pairs in found.items() if "density" not in quantity}
            yield from series_rows(columns, found)


def _both(
    module: nn.Module, sample: Sample, recipe: Recipe, replicate: Replicate, entry: Entry, layers: int
) -> dict[str, list[tuple[float, float]]]:
    """Return distances and densities of one network before and after training, quantity → pairs of position and number."""
    images, device = data.normalize(sample.images, data.normalization(sample.normalization)), sample.images.device
    module.cpu()  # where weights are drawn
    initialize_replicate(module, recipe, replicate)
    found = {}
    with arithmetic(device, "float32"):
        for when in (BEFORE, AFTER):
            if when == AFTER:
                module.load_state_dict(entry.tensors("weights"))
            measured = activation_normality(module.to(device), images, layers, fresh_statistics=when == BEFORE)
            distances = torch.tensor([one.distance for one in measured], dtype=torch.float64)
            places, there = torch.arange(1, len(measured) + 1), ~distances.isnan()
            found[DISTANCE.format(when)] = series(places[there], distances[there])
            for place, one in enumerate(measured, 1):
                found[DENSITY.format(place, when)] = series(CENTRES, one.density)
    return found
