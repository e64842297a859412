"""How flat the loss is around a trained network, and how much its gradients scatter (GS App. E; facts D.7, S1, S18, S19).

    λ₁, …, λ₁₀₀ of H    Tr H₁₀₀ = Σ λᵢ    Tr C    information criterion proxy: Tr C / Tr H₁₀₀
    tolerated perturbation: the least |ε| for which L(θ + ε vᵢ) ≥ L(θ) + 0.1 for one of the ten sharpest eigenvectors vᵢ

H and C are those of `lib.analysis.curvature`, on the first 512 test images as in GS, and beside them on the first 512
training images with the labels trained on. Takeuchi's criterion is Tr(C H⁻¹). GS looks at epoch 315 of 325; here it is the
final network of every reported stage.
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from lib.analysis.curvature import (
    MeanLoss,
    gradient_covariance_trace,
    hessian_eigenvalues,
    hutchinson_trace,
    mean_loss,
    sharpest_directions,
)
from lib.analysis.experiments import Context, Measurement, reported
from lib.analysis.landscape import Sample, measure_stack, series, series_rows
from lib.analysis.loss_slice import along
from lib.analysis.sizes import by_scale
from lib.errors import InputError
from lib.stages import Entry, Results
from lib.training import Examples, arithmetic, network_of, prepare
from lib.training.device import find_device

EIGENVALUE, EIGENVALUE_SUM = "Hessian eigenvalue", "Hessian trace of largest eigenvalues"
TRACE, TRACE_ERROR = "Hessian trace by Hutchinson", "Hessian trace by Hutchinson, standard error"
COVARIANCE, CRITERION = "gradient covariance trace", "information criterion proxy"
"""Quantities of "test" and of "training" images; the name begins with either."""
TOLERATED, ALONG = "test tolerated perturbation", "test loss along eigenvector {} (nats)"

RISE, STEP, REACH = 0.1, 0.01, 0.40  # in nats, and of ε (facts D.7)
DIRECTIONS, DRAWN = 10, (1, 2, 5, 10)  # eigenvectors that are followed, and those whose curves are kept
CURVE = [index / 50 for index in range(-6, 7)]  # |ε| < 0.13 as in GS Fig. E.4
FIRST, MOST_SPECTRA = 10, 3  # eigenvalues reported of every network; seeds of which all are


def flatness(
    *algorithms: str,
    images: int = 512,
    eigenvalues: int = 100,
    draws: int = 32,
    evaluated: int = 10_000,
    seeds: int = 10,
    **scales: Mapping[str, int],
) -> Measurement:
    """Return the measurement of every reported network; the position is the eigenvalue's, from 1, or ε, or 0.

    Eigenvalues are ordered by falling magnitude, signs kept; those after the tenth are reported of the plan's first three
    seeds only, so that a committed part stays near a megabyte. A full-width VGG-11 takes 700 products with its Hessian and,
    along its eigenvectors, hundreds of losses: hours on one core, which smaller numbers make minutes.

    Args:
        algorithms: whose networks; none for all.
        images: first test and first training images; all where there are fewer.
        eigenvalues: how many.
        draws: of Hutchinson's estimate.
        evaluated: first test images, on which losses along eigenvectors are measured.
        seeds: first ones of the plan, that are measured at all.
        scales: scale → what it has other numbers of, such as laptop={"images": 128, "eigenvalues": 20}.

    Raises:
        InputError: a number that is too small, or an unknown scale or name of a number.
    """
    if seeds < 1:
        raise InputError(f"flatness with seeds={seeds}: allowed is 1 or more")
    numbers = {"images": images, "eigenvalues": eigenvalues, "draws": draws, "evaluated": evaluated}
    sizes = by_scale("flatness", numbers, scales, least={"draws": 2})
    rows = functools.partial(_rows, algorithms=algorithms, seeds=seeds)
    return Measurement("flatness", rows, 1, sizes=sizes)


def _rows(context: Context, algorithms: Sequence[str], seeds: int) -> Iterator[dict]:
    measured, whole = context.plan.seeds[:seeds], context.plan.seeds[:MOST_SPECTRA]
    for results in context.of(*algorithms) if algorithms else context.results:
        module, examples = _prepare(results, context.device)
        for columns, replicate, _, entry in reported(results):
            if replicate.seed in measured:
                place = results.replicates.index(replicate)
                measure = functools.partial(_flatness, module, entry, examples[[place]], **context.numbers)
                found = context.measured([entry], measure)
                if replicate.seed not in whole:
                    found = {name: pairs if "along" in name else pairs[:FIRST] for name, pairs in found.items()}
                yield from series_rows(columns, found)


def _prepare(results: Results, device: str) -> tuple[nn.Module, Examples]:
    """Return the computation and the images of a chain."""
    recipe, place = results.chain.recipe, find_device(device)
    examples = prepare(recipe.data, results.replicates, place)
    if not isinstance(examples.train_images, Tensor):
        raise InputError(f"flatness needs images in memory; those of {recipe.data.image_set} are in files")
    return network_of(recipe, examples.classes).module.to(place), examples


def _flatness(
    module: nn.Module, entry: Entry, examples: Examples, images: int, eigenvalues: int, draws: int, evaluated: int
) -> dict[str, list]:
    """Return what is measured of one network, quantity → pairs of position and number."""
    state, masks, found = entry.tensors("weights"), entry.masks(), {}

    sets = {"test": (examples.test_images, examples.test_labels)}
    sets["training"] = examples.train_images, examples.train_labels[0]

    def around(name: str, count: int) -> MeanLoss:
        chosen, labels = (tensor[:count] for tensor in sets[name])
        return mean_loss(module, state, masks, Sample(chosen, labels, examples.normalization))

    def number(value: float) -> list[tuple[float, float]]:
        return series(torch.zeros(1), torch.tensor([value], dtype=torch.float64))

    with arithmetic(next(module.parameters()).device, "float32"):
        for name in ("test", "training"):
            loss = around(name, images)
            values, (trace, error) = hessian_eigenvalues(loss, eigenvalues), hutchinson_trace(loss, draws)
            total, covariance = float(values.sum()), gradient_covariance_trace(loss)
            found[f"{name} {EIGENVALUE}"] = series(torch.arange(1, eigenvalues + 1), values)
            numbers = {EIGENVALUE_SUM: total, TRACE: trace, TRACE_ERROR: error, COVARIANCE: covariance}
            numbers[CRITERION] = covariance / total if total else math.nan
            found |= {f"{name} {quantity}": number(value) for quantity, value in numbers.items()}
        _, vectors = sharpest_directions(around("test", images), DIRECTIONS)
    loss = around("test", evaluated)
    found[TOLERATED] = number(tolerated_perturbation(loss, vectors))
    for place in DRAWN:
        losses = loss_along(loss, vectors[place - 1], CURVE)
        found[ALONG.format(place)] = series(torch.tensor(CURVE, dtype=torch.float64), losses)
    return found


def loss_along(loss: MeanLoss, direction: Tensor, steps: Sequence[float]) -> Tensor:
    """Return L(θ + ε v) in nats, float64 [S], for S steps ε along a direction v, [n], of the parameters that remain."""
    state, tensors = loss.module.state_dict(), loss.by_name(direction)
    found = [measure_stack(loss.module, along(state, tensors, torch.tensor([step])), loss.sample)[0] for step in steps]
    return torch.cat(found)


def tolerated_perturbation(
    loss: MeanLoss, directions: Tensor, rise: float = RISE, step: float = STEP, reach: float = REACH
) -> float:
    """Return the least |ε| at which the loss has risen, along ε v or −ε v of any direction.

    Where it has not within reach, one step more is returned: ranks of networks stay right, means are then too small.

    Args:
        loss: around a network.
        directions: [V, n], of length one, of the parameters that remain.
        rise: in nats.
        step, reach: ε = step, 2 step, …, reach.
    """
    limit = float(loss_along(loss, directions[0], [0.0])) + rise
    count = round(reach / step)
    for index in range(1, count + 1):
        for direction in directions:
            for sign in (1, -1):
                if not float(loss_along(loss, direction, [sign * index * step])) < limit:  # NaN has risen as well
                    return index * step
    return (count + 1) * step
