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

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from lib.by_name import find_function
from lib.errors import InputError

# Of inputs: a part of 27 ImageNet images, whose gradient takes about 3 GB in ResNet-50.
VALUES_PER_PART = 2**22
OF_ONE_ANSWER = ("gradient", "snip", "synflow")
"""Scores that need a network with one tensor of logits for an image, so none of segmentation."""


class Batch:
    """What a score may look at besides the network.

    Args:
        images: network inputs [B, ...], or what has their shape and reads slices of them, when a score looks at them.
        labels: int64 [B].
        generator: CPU generator, the same at each run of the same replicate and stage.
    """

    def __init__(self, images: Any, labels: Tensor, generator: torch.Generator):
        self._images, self.labels, self.generator = images, labels, generator

    @property
    def images(self) -> Tensor:
        """All network inputs [B, ...], read anew each time."""
        return self._images[:]

    @property
    def shape(self) -> Sequence[int]:
        """Of `images`, which are not read for it."""
        return self._images.shape

    def parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images and labels, some at a time, for scores that add up over examples."""
        size = max(1, VALUES_PER_PART // math.prod(self.shape[1:]))
        for start in range(0, len(self.labels), size):
            part = slice(start, start + size)
            yield self._images[part], self.labels[part]


Score = Callable[[nn.Module, Sequence[str], Batch | None], dict[str, Tensor]]


def magnitude(module: nn.Module, names: Sequence[str], batch: Batch | None = None) -> dict[str, Tensor]:
    """Return |w| for each named weight tensor; the batch is not used."""
    return {name: module.get_parameter(name).detach().abs() for name in names}


def random(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return uniform numbers from the batch's generator, drawn tensor by tensor in the order of the names."""
    generator = _needed("random", batch).generator
    weights = ((name, module.get_parameter(name)) for name in names)
    return {name: torch.rand(w.shape, generator=generator).to(w.device) for name, w in weights}


def gradient(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return |w ∂L/∂w| as `snip` does, but in train mode: with the statistics of the batch itself (facts N2)."""
    batch = _needed("gradient", batch)
    whole = batch.images, lambda logits: cross_entropy(logits, batch.labels)  # in parts it would be another
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(batch.generator.initial_seed())
        return _sensitivity(module, names, _state(module), [whole], True)


def snip(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return |w ∂L/∂w| for the mean cross-entropy L of the batch, in eval mode (facts J17)."""
    batch = _needed("snip", batch)
    count = len(batch.labels)
    parts = (
        (images, lambda logits, own=labels: cross_entropy(logits, own) * (len(own) / count))
        for images, labels in batch.parts()
    )
    return _sensitivity(module, names, _state(module), parts)


def synflow(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return |w ∂R/∂w|, R the sum of the outputs for one input of ones, all parameters replaced by their absolute values.

    In float64, since R grows with the product of the layers' norms, and in eval mode (facts J17); running statistics stay as
    they are. Of the batch only the shape of an image is used.
    """
    device = next(module.parameters()).device
    ones = torch.ones(1, *_needed("synflow", batch).shape[1:], dtype=torch.float64, device=device)
    state = {n: t.double() if t.is_floating_point() else t for n, t in _state(module).items()}
    state |= {name: state[name].abs() for name, _ in module.named_parameters()}
    return _sensitivity(module, names, state, [(ones, torch.sum)])


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
    parts: Iterable[tuple[Tensor, Callable[[Tensor], Tensor]]],
    train_mode: bool = False,
) -> dict[str, Tensor]:
    """Return |w ∂/∂w Σ objective(f(inputs))| for the named tensors of a state, the sum over parts (inputs, objective)."""
    weights = [state[name].requires_grad_() for name in names]
    training = module.training
    gradients: list[Tensor] = []
    try:
        for inputs, objective in parts:
            outputs = functional_call(module.train(train_mode), state, (inputs,))
            found = torch.autograd.grad(objective(outputs), weights)
            gradients = [a + b for a, b in zip(gradients, found, strict=True)] if gradients else [*found]
    finally:
        module.train(training)
    return {name: (w * g).detach().abs() for name, w, g in zip(names, weights, gradients, strict=True)}


SCORES: dict[str, Score] = {f.__name__: f for f in (magnitude, random, gradient, snip, synflow)}
"""The book's own by name."""


def find_score(name: str) -> Score:
    """Return the score of a name in `SCORES` or of "package.module:function"; raise InputError if there is none."""
    return find_function("score", name, SCORES)
