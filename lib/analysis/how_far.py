"""How far may I prune my model? Prune potential on a reader's own data, clean and shifted (LIP sections 1 and 5).

    found = how_far(network, images, labels, methods=("magnitude", "ft"))
    lines(found.rows(), x=REMOVED, colour="set")
    found.sentence(delta=0.5)

A trained network is pruned to each share of its parameters in turn, and its error measured on images that neither training
nor pruning saw: as they are, with corruptions, with uniform noise on the normalized image, and on what else the reader
expects to come. The paper trains again after every cut; so does this with a function `retrain`, and without one the
potential is that of pruning alone, which is lower.

The paper's guidelines (section 1), which `HowFar.sentence` follows: do not prune where shifts of the data are unknown; prune
moderately where some are known; prune to the full only where all are in training and in tests; and train with them.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pandas
import torch
from torch import Tensor, nn

from lib import data
from lib.analysis.distributions import REMOVED, parameters_removed, uniform_noise
from lib.analysis.prune_potential import DELTA, Curves, prune_potential
from lib.analysis.subject import CHUNK
from lib.data.corruptions import SMALLEST_SIDE
from lib.errors import InputError
from lib.models import prunable_weights
from lib.pruning import Batch
from lib.pruning.methods import check_method, prune_parameters
from lib.pruning.sensitivity import find_layers
from lib.seeds import generator
from lib.training.device import find_device

KEEPS = (0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.05)
"""Shares of all parameters that remain, one cut after the other."""

NOISE_LEVELS = (0.1, 0.2, 0.3)
CLEAN = "clean"
SAMPLE = 256  # images that data-informed methods look at ...
SAMPLE_SHARE = 0.2  # ... and at most this share of those given

Shifted = tuple[Any, Any]


@dataclass(frozen=True)
class HowFar:
    """What was measured of one network.

    Attributes:
        curves: errors on S sets by method; its only parent is the network as it was given.
        images: how many of them are in the clean set.
        retrained: whether every cut was followed by training.
    """

    curves: Mapping[str, Curves]
    images: int
    retrained: bool

    def rows(self) -> pandas.DataFrame:
        """Return all errors, to be drawn: columns method, set, `REMOVED`, value (%)."""
        pieces = []
        for method, own in self.curves.items():
            for name, errors in zip(own.sets, own.errors[:, 0], strict=True):
                columns = {REMOVED: own.removed[0], "value": errors}
                pieces.append(pandas.DataFrame(columns).assign(method=method, set=name))
        return pandas.concat(pieces, ignore_index=True).reindex(columns=["method", "set", REMOVED, "value"])

    def potential(self, delta: float = DELTA) -> pandas.DataFrame:
        """Return prune potentials in percent of all parameters: columns method, set, value."""
        pieces = []
        for method, own in self.curves.items():
            found = prune_potential(own, delta)[:, 0]
            pieces.append(pandas.DataFrame({"method": method, "set": own.sets, "value": found}))
        return pandas.concat(pieces, ignore_index=True)

    def sentence(self, delta: float = DELTA) -> str:
        """Say how far each method may go, what that rests on, and what it does not say."""
        return " ".join([*(self._of(method, delta) for method in self.curves), self._limits(delta)])

    def _of(self, method: str, delta: float) -> str:
        own = self.curves[method]
        found = dict(zip(own.sets, prune_potential(own, delta)[:, 0].tolist(), strict=True))
        clean, shifts = found[CLEAN], {name: value for name, value in found.items() if name != CLEAN}
        most = " (all that was tried)" if clean == own.removed.max() else ""
        said = f"By {method}, {clean:.0f} % of the parameters{most} can go before the error on clean images rises by "
        said += f"more than {delta:g} points"
        if not shifts:
            return f"{said}; no shifted images were measured, so that nothing is known beyond images like these."
        worst = min(shifts, key=lambda name: shifts[name])
        least, mean = shifts[worst], sum(shifts.values()) / len(shifts)
        said += f"; over {len(shifts)} shifts it is {mean:.0f} % on average and {least:.0f} % on the worst, {worst}. "
        if not clean:
            return f"{said}Not even the first cut is free: do not prune this network this way."
        if not least:
            return (
                f"{said}If such a shift may come, do not prune; if only clean images come, {clean:.0f} % is the limit."
            )
        if least < clean:
            return f"{said}If all these shifts may come, stop at {least:.0f} %; training with them may allow more."
        return f"{said}No shift that was measured asks for less pruning than clean images do."

    def _limits(self, delta: float) -> str:
        parent = float(next(iter(self.curves.values())).errors[0, 0, 0])
        uncertain = math.sqrt(max(0.0, parent * (100 - parent)) / self.images)
        said = f"Measured on one network and {self.images} images: its error of {parent:.1f} % is known to "
        said += f"± {uncertain:.1f} points, and {delta:g} points are {delta * self.images / 100:.2g} images."
        if not self.retrained:
            said += " Nothing was trained after a cut; with retraining more may go."
        return f"{said} Shifts that were not measured may allow less, down to nothing."


Retrain = Callable[[nn.Module], Any]


def how_far(
    module: nn.Module,
    images: Any,
    labels: Any,
    *,
    methods: Sequence[str] = ("magnitude", "ft"),
    keeps: Sequence[float] = KEEPS,
    corruptions: Sequence[str] = data.BENCHMARK_CORRUPTIONS,
    severity: int = 3,
    epsilons: Sequence[float] = NOISE_LEVELS,
    shifts: Mapping[str, Shifted] | None = None,
    retrain: Retrain | None = None,
    normalization: data.Normalization | str | None = None,
    device: str = "auto",
) -> HowFar:
    """Prune a trained network further and further, and measure it on clean and on shifted images.

    Args:
        module: any with convolutions or linear layers; left as it was.
        images: that it was not trained on: pixels, uint8 [N, H, W, C], or the network's inputs, float [N, ...], which get
            noise but no corruptions. A fifth, at most 256, become the sample of data-informed methods and are not tested on.
        labels: class numbers [N].
        methods: of `lib.pruning.methods`, or names of scores.
        keeps: falling shares of all parameters.
        corruptions, severity: of `lib.data.corrupt`; only images with three channels get them.
        epsilons: levels of uniform noise on the network's inputs.
        shifts: name → images and labels that the reader expects to come, given as the others are.
        retrain: trains the module that it is given, in place. What was pruned has the gradient 0, and is 0 afterwards.
        normalization: of pixels, as `lib.data.normalization` takes it; None for mean and deviation of the images.
        device: see `lib.training.device.find_device`.

    Raises:
        InputError: the network, the images or a setting cannot be used; the message names it.
    """
    place = find_device(device)
    falling = all(low < high for low, high in zip(keeps[1:], keeps[:-1], strict=True))
    if not methods or not keeps or not falling or not 0 < keeps[-1] < keeps[0] + 1e-9 or keeps[0] >= 1:
        raise InputError(
            f"methods={methods!r}, keeps={keeps!r}; allowed: at least one method, falling shares in (0, 1)."
        )
    for method in methods:
        check_method(method)
    whole = copy.deepcopy(module).to(place).eval()
    find_layers(whole, prunable_weights(whole))
    pixels, truth = _pair(images, labels, "images")
    if isinstance(normalization, str):
        normalization = data.normalization(normalization)
    if normalization is None and pixels.dtype == torch.uint8:
        normalization = data.constants_of(pixels)

    def inputs(some: Tensor) -> Tensor:
        return (data.normalize(some, normalization) if some.dtype == torch.uint8 and normalization else some).to(place)

    order = torch.randperm(len(pixels), generator=generator(0, "how far"))
    few = min(SAMPLE, max(1, int(SAMPLE_SHARE * len(pixels))))
    drawn, rest = order[:few], order[few:].sort().values
    batch = Batch(inputs(pixels[drawn]), truth[drawn].to(place), generator(0, "how far", 1))
    pixels, truth = pixels[rest], truth[rest]
    _try(whole, inputs(pixels[:2]), int(truth.max()))

    sets = {CLEAN: _Set(pixels, truth)}
    if pixels.dtype == torch.uint8 and pixels.shape[-1] == 3 and min(pixels.shape[1:3]) >= SMALLEST_SIDE:
        for name in corruptions:
            sets[name.replace("_", " ")] = _Set(data.corrupt(pixels, name, severity), truth)
    for epsilon in epsilons:
        sets[f"noise {epsilon:g}"] = _Set(pixels, truth, epsilon)
    for name, pair in (shifts or {}).items():
        sets[name] = _Set(*_pair(*pair, name))

    def measure(own: nn.Module) -> list[float]:
        return [_error(own, one, inputs) for one in sets.values()]

    found, before = {}, measure(whole)
    for method in methods:
        removed, errors = [0.0], [before]
        for pruned, masks in _cuts(whole, method, keeps, batch, retrain):
            removed.append(parameters_removed(pruned, masks))
            errors.append(measure(pruned.to(place).eval()))
        levels = tuple(range(len(removed)))
        found[method] = Curves(tuple(sets), (0,), levels, numpy.array([removed]), numpy.array(errors).T[:, None, :])
    return HowFar(found, len(truth), retrain is not None)


@dataclass(frozen=True)
class _Set:
    """Images as the reader gives them, their labels, and the level of noise on the network's inputs."""

    images: Tensor
    labels: Tensor
    epsilon: float = 0.0


def _cuts(
    whole: nn.Module, method: str, keeps: Sequence[float], batch: Batch, retrain: Retrain | None
) -> Iterator[tuple[nn.Module, dict[str, Tensor]]]:
    """Yield a copy of a network, and its masks, after every cut."""
    module, masks = copy.deepcopy(whole), {}
    for keep in keeps:
        masks = prune_parameters(module, masks, method, keep, batch)
        _apply(module, masks)
        if retrain:
            own = dict(module.named_parameters())
            hooks = [own[n].register_hook(lambda slope, mask=mask: slope * mask) for n, mask in masks.items()]
            retrain(module)
            for hook in hooks:
                hook.remove()
            _apply(module, masks)
        yield module, masks


@torch.no_grad()
def _apply(module: nn.Module, masks: Mapping[str, Tensor]) -> None:
    for name, mask in masks.items():
        module.get_parameter(name).masked_fill_(~mask.to(module.get_parameter(name).device), 0)


@torch.no_grad()
def _error(module: nn.Module, one: _Set, inputs: Callable[[Tensor], Tensor]) -> float:
    """Return the error on a set, in percent; `inputs` makes network inputs of images."""
    wrong = 0
    for start in range(0, len(one.labels), CHUNK):
        batch, labels = inputs(one.images[start : start + CHUNK]), one.labels[start : start + CHUNK]
        if one.epsilon:
            batch = batch + one.epsilon * uniform_noise(batch, 0, start)
        wrong += int((module(batch).argmax(-1).cpu() != labels).sum())
    return 100 * wrong / len(one.labels)


def _pair(images: Any, labels: Any, name: str) -> tuple[Tensor, Tensor]:
    """Return images and labels as tensors on the CPU, checked."""
    pixels, truth = torch.as_tensor(images).cpu(), torch.as_tensor(labels).cpu()
    whole = pixels.dtype == torch.uint8
    right = pixels.ndim == 4 if whole else pixels.is_floating_point() and pixels.ndim > 1
    if not right or truth.shape != pixels.shape[:1] or len(truth) < 2 or truth.is_floating_point():
        given = f"{pixels.dtype} {list(pixels.shape)} with labels {truth.dtype} {list(truth.shape)}"
        raise InputError(
            f"{name}: {given}; allowed: pixels, uint8 [N, H, W, C], or inputs, float [N, ...], and N > 1 class numbers."
        )
    return pixels if whole else pixels.float(), truth.long()


@torch.no_grad()
def _try(module: nn.Module, inputs: Tensor, largest: int) -> None:
    """Raise InputError unless the network answers with logits of all classes."""
    kind = type(module).__name__
    try:
        answer = module(inputs)
    except Exception as problem:  # whatever a reader's code raises
        first = str(problem).strip().splitlines()[:1]
        raise InputError(f"{kind} cannot take inputs {list(inputs.shape)}: {' '.join(first)}") from problem
    shape = list(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
    if not isinstance(answer, Tensor) or answer.ndim != 2 or len(answer) != len(inputs) or answer.shape[1] <= largest:
        raise InputError(
            f"{kind} returns {shape} for {len(inputs)} images; allowed: [{len(inputs)}, classes], {largest + 1} or more."
        )
