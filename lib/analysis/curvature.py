"""First and second derivatives of a network's mean loss by the parameters that remain, without ever forming a matrix.

    H = ∂²L/∂θ²    L = mean of ℓ over some images    C = mean of ∇ℓ ∇ℓᵀ

ℓ is the cross-entropy in eval mode, with running statistics. θ are the n parameters that masks let remain, flattened one
after the other in module order; a pruned weight is no direction. H is only multiplied by vectors (Pearlmutter 1994;
curvlinops): from products, Lanczos iteration finds eigenvalues (SciPy's `eigsh`), Hutchinson's estimate the trace.
"""

import copy
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from lib import data
from lib.analysis.landscape import Sample
from lib.errors import InputError, unknown
from lib.seeds import generator

with warnings.catch_warnings(action="ignore", category=FutureWarning):  # it uses torch.jit, and so does PyTorch below
    from curvlinops import HessianLinearOperator

TOLERANCE = 1e-4  # residual of an eigenvector, relative to its eigenvalue (facts S1)
IMAGES_TOGETHER = 128  # in a product; with a VGG-11 it takes 2 GB
GRADIENT_BYTES = 2**29  # of single gradients held together, a third of what they need meanwhile


@dataclass(frozen=True)
class MeanLoss:
    """The mean loss on a sample around a network; `mean_loss` makes it.

    Attributes:
        module: the network, in eval mode, masked entries zero.
        remaining: bool [P], of all parameters flattened; n are True.
        sample: images and labels, on the device of the module.
    """

    module: nn.Module
    remaining: Tensor
    sample: Sample

    def by_name(self, vector: Tensor) -> dict[str, Tensor]:
        """Return a vector, [n], as name → tensor like the parameter, zero where it is masked."""
        named = dict(self.module.named_parameters())
        whole = vector.new_zeros(len(self.remaining)).masked_scatter_(self.remaining, vector)
        pieces = whole.split([parameter.numel() for parameter in named.values()])
        return {name: piece.view_as(named[name]) for name, piece in zip(named, pieces, strict=True)}


def mean_loss(module: nn.Module, state: Mapping[str, Tensor], masks: Mapping[str, Tensor], sample: Sample) -> MeanLoss:
    """Return the mean loss around a network.

    Args:
        module: the computation; copied, and so left as it is.
        state: name → parameters and buffers.
        masks: name → bool like the parameter, True where it remains; parameters without one remain whole.
        sample: of images, on the device of the module.

    Raises:
        InputError: a mask of no parameter or of another shape, or no images.
    """
    if not len(sample.labels):
        raise InputError("a mean loss of no images was asked for; give one or more")
    own = copy.deepcopy(module).eval()
    own.load_state_dict(dict(state))
    parameters, flags = dict(own.named_parameters()), []
    for name, mask in masks.items():
        if name not in parameters:
            raise unknown("parameter with a mask", name, parameters)
        if mask.shape != parameters[name].shape:
            shapes = [list(tensor.shape) for tensor in (mask, parameters[name])]
            raise InputError(
                f"the mask of {name} has the shape {shapes[0]}; allowed is that of the parameter, {shapes[1]}"
            )
    for name, parameter in parameters.items():
        flag = masks[name].to(parameter.device) if name in masks else torch.ones_like(parameter, dtype=torch.bool)
        parameter.data.masked_fill_(~flag, 0)
        flags.append(flag.flatten())
    return MeanLoss(own, torch.cat(flags), sample)


def _inputs(loss: MeanLoss) -> Tensor:
    """Return the images as the network reads them, in the type of its parameters."""
    images = data.normalize(loss.sample.images, data.normalization(loss.sample.normalization))
    return images.to(next(loss.module.parameters()).dtype)


def hessian_product(loss: MeanLoss) -> Callable[[Tensor], Tensor]:
    """Return the function v → H v, [n] → [n]."""
    batches = zip(_inputs(loss).split(IMAGES_TOGETHER), loss.sample.labels.split(IMAGES_TOGETHER), strict=True)
    parameters = list(loss.module.parameters())
    hessian = HessianLinearOperator(
        loss.module, nn.CrossEntropyLoss(), parameters, list(batches), check_deterministic=False
    )

    def product(vector: Tensor) -> Tensor:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            pieces: Any = hessian @ list(loss.by_name(vector).values())
        return torch.cat([piece.flatten() for piece in pieces])[loss.remaining]

    return product


def hessian_eigenvalues(loss: MeanLoss, count: int, tolerance: float = TOLERANCE) -> Tensor:
    """Return the eigenvalues of largest magnitude, signs kept, in order of falling magnitude, float64 [count].

    A hundred take about 300 products and, in float32, 600 bytes of memory for each parameter.

    Args:
        loss: around a network.
        count: below the number of parameters that remain.
        tolerance: relative; 0 for the precision of the parameters.

    Raises:
        InputError: a count that is not allowed.
    """
    values, _ = _lanczos(loss, count, "LM", tolerance)
    return values[values.abs().argsort(descending=True, stable=True)]


def sharpest_directions(loss: MeanLoss, count: int, tolerance: float = TOLERANCE) -> tuple[Tensor, Tensor]:
    """Return the largest eigenvalues, the most negative ones being the smallest, in falling order, and their eigenvectors.

    Arguments and errors are those of `hessian_eigenvalues`.

    Returns:
        Eigenvalues, float64 [count], and eigenvectors of length one whose largest entry is positive, [count, n].
    """
    values, vectors = _lanczos(loss, count, "LA", tolerance)
    order = values.argsort(descending=True, stable=True)
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return values[order], (vectors * largest.sign())[order].to(loss.remaining.device)


def _lanczos(loss: MeanLoss, count: int, which: Literal["LM", "LA"], tolerance: float) -> tuple[Tensor, Tensor]:
    """Return eigenvalues, float64 [count], in any order, and of the largest ("LA") also eigenvectors, [count, n]."""
    size, like = int(loss.remaining.sum()), next(loss.module.parameters())
    if not 1 <= count < size:
        raise InputError(f"{count} eigenvalues of {size} remaining parameters were asked for; allowed: 1 to {size - 1}")
    product = hessian_product(loss)
    start = torch.randn(size, generator=generator(0, "Lanczos iteration"), dtype=like.dtype)
    start /= start.norm()
    # ARPACK takes what is far below 1 for converged, and the loss of a fitted network bends less than that.
    scale = math.sqrt(size) * float(product(start.to(like.device)).norm())
    if not math.isfinite(scale):
        raise InputError("the Hessian is not finite here; allowed are networks with a finite loss on all images")
    if not scale:
        return torch.zeros(count, dtype=torch.float64), torch.eye(count, size, dtype=like.dtype)

    def multiply(vector: numpy.ndarray) -> numpy.ndarray:
        return (product(torch.tensor(vector, device=like.device).flatten()) / scale).cpu().numpy()

    how: dict[str, Any] = {"v0": start.numpy(), "tol": tolerance}
    how["ncv"] = min(size, count + max(20, count // 2))  # vectors that are kept in memory
    operator = LinearOperator((size, size), matvec=multiply, dtype=how["v0"].dtype)  # pyright: ignore
    found: Any = eigsh(operator, count, which=which, return_eigenvectors=which == "LA", **how)
    values, vectors = found if which == "LA" else (found, numpy.zeros((size, 0)))
    return torch.from_numpy(values).double() * scale, torch.from_numpy(vectors).T


def hutchinson_trace(loss: MeanLoss, draws: int) -> tuple[float, float]:
    """Return an unbiased estimate of Tr H, the mean of vᵀ H v over random signs v (Hutchinson 1990), and its standard error.

    Raises:
        InputError: fewer than two draws.
    """
    if draws < 2:
        raise InputError(f"{draws} draws have no standard error; give two or more")
    product, like, found = hessian_product(loss), next(loss.module.parameters()), []
    for draw in range(draws):
        size = (int(loss.remaining.sum()),)
        signs = torch.randint(0, 2, size, generator=generator(0, "Hutchinson's estimate", draw))
        vector = (2 * signs - 1).to(like)
        found.append(float(vector @ product(vector)))
    return float(numpy.mean(found)), float(numpy.std(found, ddof=1) / math.sqrt(draws))


def gradient_covariance_trace(loss: MeanLoss) -> float:
    """Return Tr C, uncentred: the mean over examples of ‖∇ℓ‖²."""
    parameters = {name: tensor.detach() for name, tensor in loss.module.named_parameters()}
    flags = loss.by_name(torch.ones_like(loss.remaining[loss.remaining], dtype=_inputs(loss).dtype))

    def example_loss(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return cross_entropy(functional_call(loss.module, weights, (image[None],)), label[None])

    def squared_length(image: Tensor, label: Tensor) -> Tensor:
        gradients = grad(example_loss)(parameters, image, label)
        return torch.stack([(gradients[name] * flag).square().sum() for name, flag in flags.items()]).sum()

    size = sum(tensor.numel() * tensor.element_size() for tensor in parameters.values())
    lengths = vmap(squared_length, chunk_size=max(1, GRADIENT_BYTES // size))(_inputs(loss), loss.sample.labels)
    return float(lengths.double().mean())
