"""Scores: one number per weight; the lowest are pruned first.

Each score is a pure function (module, names, batch) → {name: tensor like the weight}. A chain names one of `SCORES` by its
name, or any other as "package.module:function".

    magnitude   s(w) = |w|                          Han et al. 2015; TR section 2, LN section 3.2
    random      s(w) ~ U[0, 1)                      TR App. J.2 (facts J18: one threshold over all layers)
    gradient    s(w) = |w ∂L/∂w|, L in train mode   LN section 3.2 (facts N2)
    snip        s(w) = |w ∂L/∂w|, L mean loss       Lee et al. 2019; TR App. C
    synflow     s(w) = |w ∂R/∂w|, R = Σ f_|θ|(1)    Tanaka et al. 2020; TR App. C and J.2

The module's pruned weights are zero, so the last three are zero there. All leave the module as it was.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from lib.by_name import find_function
from lib.errors import InputError


class Batch(NamedTuple):
    """What a score may look at besides the network.

    Attributes:
        images: network inputs [B, ...].
        labels: int64 [B].
        generator: CPU generator, the same at each run of the same replicate and stage.
    """

    images: Tensor
    labels: Tensor
    generator: torch.Generator


Score = Callable[[nn.Module, Sequence[str], Batch | None], dict[str, Tensor]]


def magnitude(module: nn.Module, names: Sequence[str], batch: Batch | None = None) -> dict[str, Tensor]:
    """Return |w| for each named weight tensor; the batch is not used."""
    return {name: module.get_parameter(name).detach().abs() for name in names}


def random(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return uniform numbers from the batch's generator, drawn tensor by tensor in the order of the names."""
    generator = _needed("random", batch).generator
    weights = {name: module.get_parameter(name) for name in names}
    return {name: torch.rand(w.shape, generator=generator).to(w.device) for name, w in weights.items()}


def gradient(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return |w ∂L/∂w| as `snip` does, but in train mode: with the statistics of the batch itself (facts N2)."""
    images, labels, generator = _needed("gradient", batch)
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(generator.initial_seed())
        state = _state(module)
        return _sensitivity(module, names, state, images, lambda logits: cross_entropy(logits, labels), True)


def snip(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return |w ∂L/∂w| for the mean cross-entropy L of the batch, in eval mode (facts J17)."""
    images, labels, _ = _needed("snip", batch)
    state = _state(module)
    return _sensitivity(module, names, state, images, lambda logits: cross_entropy(logits, labels))


def synflow(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return |w ∂R/∂w|, R the sum of the outputs for one input of ones, all parameters replaced by their absolute values.

    In float64, since R grows with the product of the layers' norms, and in eval mode (facts J17); running statistics stay as
    they are. Of the batch only the shape of an image is used.
    """
    images = _needed("synflow", batch).images
    ones = torch.ones_like(images[:1], dtype=torch.float64)
    parameters = {name for name, _ in module.named_parameters()}
    state = {
        name: (tensor.abs() if name in parameters else tensor).double()
        if tensor.is_floating_point()
        else tensor
        for name, tensor in _state(module).items()
    }
    return _sensitivity(module, names, state, ones, torch.sum)


def _needed(score: str, batch: Batch | None) -> Batch:
    if batch is None:
        raise InputError(f"the score {score!r} needs a batch: lib.pruning.Batch(images, labels, generator)")
    return batch


def _state(module: nn.Module) -> dict[str, Tensor]:
    """Return copies of all parameters and buffers."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def _sensitivity(
    module: nn.Module,
    names: Sequence[str],
    state: dict[str, Tensor],
    inputs: Tensor,
    objective: Callable[[Tensor], Tensor],
    train_mode: bool = False,
) -> dict[str, Tensor]:
    """Return |w ∂/∂w objective(f(inputs))| for the named tensors of a state."""
    weights = [state[name].requires_grad_() for name in names]
    training = module.training
    try:
        gradients = torch.autograd.grad(
            objective(functional_call(module.train(train_mode), state, (inputs,))), weights
        )
    finally:
        module.train(training)
    return {name: (w * g).detach().abs() for name, w, g in zip(names, weights, gradients, strict=True)}


SCORES: dict[str, Score] = {
    "magnitude": magnitude,
    "random": random,
    "gradient": gradient,
    "snip": snip,
    "synflow": synflow,
}
"""The book's own by name."""


def find_score(name: str) -> Score:
    """Return the score function of a name in `SCORES`, or of "package.module:function" for one of the reader's own.

    Raises:
        InputError: if there is no such function.
    """
    return find_function("score", name, SCORES)
