"""Empirical sensitivity: which share of a filter's sum a weight carries, on a sample of images (LIP section 3.1; facts C.4).

Let a_j(x, p) be the number that weight w_ij of filter i multiplies at output position p of image x. Numbers of both signs
count as two images, max(a, 0) and max(-a, 0). With k over the weights of filter i that have the sign of w_ij,

    g_ij(x, p) = |w_ij| a_j(x, p) / Σ_k |w_ik| a_k(x, p)         0 where the sum is (nearly) 0

    SiPP    s_ij = max_x mean_p g_ij(x, p)                       a score of weights, for `select`
    PFP     s_c  = max g_ij(x, p)                                a score of input channels: over x, p, all filters i, and
                                                                 the weights j of channel c

The released code is followed where the paper's table is shorter (facts L19, L20); `mean_contribution` is what the table
says for SiPP. A pruned weight is zero, and so are its scores.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil, log, prod
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from lib.errors import InputError, unknown
from lib.pruning.paths import evaluating
from lib.pruning.scores import Batch

Layer = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d

SMALLEST_SUM = torch.finfo(torch.float32).eps
VALUES_AT_ONCE = 2**18
"""Of a tensor inside, where one image allows it: 1 MB stays in a cache, which was 100 times as fast as 8 MB."""
SAMPLE_FACTOR, FAILURE = 3.0, 1e-16
"""C and γ, the probability that a bound does not hold (facts C.1)."""


def sipp(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return SiPP's sensitivity of each weight, a number in [0, 1]; a score as in `lib.pruning.scores`."""
    return sensitivity(module, names, batch, "mean")


def mean_contribution(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return max_x mean_p |w_ij| a_j(x, p) for each weight: SiPP without its denominator (LIP Table 1)."""
    return sensitivity(module, names, batch, "mean", relative=False)


def channel_sensitivity(module: nn.Module, names: Sequence[str], batch: Batch | None) -> dict[str, Tensor]:
    """Return PFP's sensitivity of the input channels of each layer: weight name → [inputs], in [0, 1]."""
    found, layers = sensitivity(module, names, batch, "max"), find_layers(module, names)
    return {name: by_channel(layers[name], score).amax((1, 3)).flatten() for name, score in found.items()}


def sensitivity(
    module: nn.Module,
    names: Sequence[str],
    batch: Batch | None,
    positions: Literal["mean", "max"],
    relative: bool = True,
) -> dict[str, Tensor]:
    """Return the largest g over images for each weight of some layers, from one pass in eval mode.

    A layer that is called several times, as one with shared weights, has the largest of all calls.

    Args:
        module: any with linear layers and convolutions of one to three dimensions, in groups or not; left as it was.
        names: of weights.
        batch: the sample S; its labels are not used.
        positions: "mean" or "max" over output positions.
        relative: whether to divide by the sum over k.

    Returns:
        name → tensor like the weight.

    Raises:
        InputError: there is no batch, `find_layers` refuses a name, the module does not call a layer, or the first axis of
            a layer's input does not count images.
    """
    if batch is None or not len(batch.labels):
        raise InputError("a sensitivity needs images: lib.pruning.Batch(images, labels, generator)")
    layers = find_layers(module, names)
    found = {name: torch.zeros_like(by_group(layer)) for name, layer in layers.items()}
    images_given = 0

    def see(name: str, inputs: Tensor, outputs: Tensor) -> None:
        layer, weight = layers[name], by_group(layers[name])
        if len(inputs) != images_given:
            raise InputError(
                f"the first axis of the input of {name!r} has {len(inputs)} entries for {images_given} images; "
                "allowed: layers whose input keeps the images apart. Leave the name out"
            )
        entries = max(weight.numel(), weight[:, 0].numel() * _positions(layer, outputs))
        for part in inputs.split(max(1, VALUES_AT_ONCE // entries)):
            largest = _largest(weight, _unfolded(layer, part), positions, relative)
            found[name] = torch.maximum(found[name], largest)

    with watch(module, layers, see):
        for images, _ in batch.parts():
            images_given = len(images)
            module(images)
    return {name: found[name].view_as(layer.weight) for name, layer in layers.items()}


def sample_size(module: nn.Module, names: Sequence[str], image: Sequence[int], failure: float = FAILURE) -> int:
    """Return how many images S has: ⌈3 ln(8 η* η / γ)⌉ for layers of η outputs in all and η* in the largest (facts C.1).

    Args:
        module, names: the layers that are pruned.
        image: shape [C, H, W] of one input.
        failure: γ, inside (0, 1).
    """
    outputs = [size for size, _ in layer_outputs(module, names, image).values()]
    return ceil(SAMPLE_FACTOR * (log(8 * max(outputs) * sum(outputs)) - log(probability(failure))))


def layer_outputs(module: nn.Module, names: Sequence[str], image: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Return, in the order of their first calls, each layer's outputs and output positions for one image [C, H, W]."""
    found: dict[str, tuple[int, int]] = {}
    layers = find_layers(module, names)

    def see(name: str, inputs: Tensor, outputs: Tensor) -> None:
        size, positions = found.get(name, (0, 0))
        found[name] = size + outputs.numel(), positions + _positions(layers[name], outputs)

    weight = layers[names[0]].weight
    with watch(module, layers, see):
        module(torch.zeros(1, *image, dtype=weight.dtype, device=weight.device))
    return found


def call_order(module: nn.Module, image: Sequence[int]) -> list[str]:
    """Return the names of the weights of all layers that the module calls, in the order of their first calls."""
    order: dict[str, None] = {}

    def hook(name: str) -> Callable[..., None]:
        def called(*_: Any) -> None:
            order[name] = None

        return called

    layers, weight = _layers(module), next(module.parameters())
    with evaluating(module, [(layer, hook(name)) for name, layer in layers.items()]), torch.no_grad():
        module(torch.zeros(1, *image, dtype=weight.dtype, device=weight.device))
    return [*order]


def find_layers(module: nn.Module, names: Sequence[str]) -> dict[str, Layer]:
    """Return the layers of some weights, by the weight's name.

    Raises:
        InputError: there is no name, a name is not of the weight of a linear layer or a convolution that is not transposed,
            or two layers have the same weight.
    """
    known = _layers(module)
    if not names:
        raise InputError(f"no weights are named; allowed: {', '.join(known) or '(none)'}")
    for name in names:
        if name not in known:
            raise unknown("weight of a linear layer or a convolution that is not transposed", name, known)
    refuse_tied(module, names)
    return {name: known[name] for name in names}


def refuse_tied(module: nn.Module, names: Sequence[str]) -> None:
    """Raise InputError where two names are of the same tensor."""
    owners: dict[int, str] = {}
    for name in names:
        if (other := owners.setdefault(id(module.get_parameter(name)), name)) != name:
            raise InputError(f"{other!r} and {name!r} are the same tensor; call one layer twice, or leave both out")


def probability(failure: float) -> float:
    """Return γ; InputError if it is not inside (0, 1)."""
    if not 0 < failure < 1:
        raise InputError(f"failure={failure!r} must lie inside (0, 1), such as {FAILURE}")
    return failure


def by_group(layer: Layer) -> Tensor:
    """Return the weights apart by groups, [groups, filters of each, weights of a filter]."""
    groups = 1 if isinstance(layer, nn.Linear) else layer.groups
    return layer.weight.detach().flatten(1).unflatten(0, (groups, -1))


def by_channel(layer: Layer, values: Tensor) -> Tensor:
    """Return a tensor like the layer's weight as [groups, filters of each, inputs of each, kernel positions]."""
    groups = 1 if isinstance(layer, nn.Linear) else layer.groups
    return values.reshape(groups, -1, layer.weight.shape[1], layer.weight[0, 0].numel())


@contextmanager
def watch(module: nn.Module, layers: dict[str, Layer], see: Callable[[str, Tensor, Tensor], None]) -> Iterator[None]:
    """Call `see` with name, input and output of each call of some layers; in eval mode, without gradients.

    Raises:
        InputError: at the end, for a layer that was not called.
    """
    called: set[str] = set()

    def hook(name: str) -> Callable[..., None]:
        def seen(layer: nn.Module, given: Any, named: dict[str, Any], outputs: Tensor) -> None:
            called.add(name)
            see(name, given[0] if given else named["input"], outputs)

        return seen

    with evaluating(module, [(layer, hook(name)) for name, layer in layers.items()]), torch.no_grad():
        yield
    if missing := layers.keys() - called:
        raise InputError(f"{min(missing)!r} belongs to a layer that the module never calls; leave the name out")


def _layers(module: nn.Module) -> dict[str, Layer]:
    return {f"{n}.weight" if n else "weight": layer for n, layer in module.named_modules() if isinstance(layer, Layer)}


def _positions(layer: Layer, outputs: Tensor) -> int:
    """Return at how many positions of one image a layer computes its filters."""
    return outputs[0].numel() // layer.weight.shape[0]


def _unfolded(layer: Layer, inputs: Tensor) -> Tensor:
    """Return what each weight of a filter is multiplied with, [images, groups, weights of a filter, positions]."""
    if isinstance(layer, nn.Linear):
        return inputs.reshape(len(inputs), 1, -1, inputs.shape[-1]).mT
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    maps = pad(inputs, layer._reversed_padding_repeated_twice, mode)
    kernel: Iterable[tuple[int, int, int]] = zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
    for axis, (size, stride, dilation) in enumerate(kernel, start=2):
        maps = maps.unfold(axis, (size - 1) * dilation + 1, stride)[..., ::dilation]
    axes = len(layer.kernel_size)  # maps are [images, inputs, positions on each axis, kernel on each axis]
    positions = prod(maps.shape[2 : 2 + axes])
    maps = maps.permute(0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))
    return maps.reshape(len(maps), layer.groups, -1, positions)


def _largest(weight: Tensor, inputs: Tensor, positions: str, relative: bool) -> Tensor:
    """Return the largest g over images, like the weights [groups, F, K], for inputs [images, groups, K, positions]."""
    found, space = torch.zeros_like(weight), torch.empty_like(inputs)
    for half in (inputs, -inputs):
        half = half.clamp(min=0)
        if not half.any():
            continue
        for own in (weight.clamp(min=0), (-weight).clamp(min=0)):  # zero, as their g, for the other sign
            sums = own @ half
            factor = torch.where(sums <= SMALLEST_SUM, 0.0, 1 / sums) if relative else torch.ones_like(sums)
            if positions == "mean":
                each = factor @ half.mT / half.shape[-1]
            else:
                rows = (torch.mul(half, row[:, :, None], out=space).amax(-1) for row in factor.unbind(2))
                each = torch.stack([*rows], 2)
            found = torch.maximum(found, own * each.amax(0))
    return found
