"""Paths: what a network with masks still computes with.

A parameter has a path if the input reaches it and the output depends on it. Both are asked of a network of the same shape
whose numbers are random and positive where the mask is True, and zero elsewhere: what has no path has the gradient 0 there,
exactly. So the answer depends on masks alone, neither on data nor on weights (LIP; facts C.3, L32).

    batch normalization   a channel that is zero everywhere stays zero: its shift goes with the filter (facts L22)
    other normalization   mixes channels, so that all that enters and leaves it has a path
    bias                  of a layer without inputs stays, where the output depends on it

It holds for networks whose steps between layers do not fall where their input rises: ReLU and its like, pooling, sums,
products, concatenation, attention.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

MIXING = nn.LayerNorm | nn.GroupNorm | _InstanceNorm | nn.LocalResponseNorm | nn.RMSNorm


def with_paths(module: nn.Module, masks: Mapping[str, Tensor], image: Sequence[int]) -> dict[str, Tensor]:
    """Return the masks without what has no path, for all parameters.

    Args:
        module: whose first input is a batch of images; left as it was.
        masks: name → bool like the parameter, True where it remains; parameters without one remain.
        image: shape [C, H, W] of one input.

    Returns:
        name → bool like the parameter, of all parameters. One that the module does not use keeps its mask.
    """
    generator = torch.Generator().manual_seed(0)

    def positive(shape: Sequence[int], device: torch.device) -> Tensor:
        return (0.5 + torch.rand(*shape, generator=generator, dtype=torch.float64) / 2).to(device)

    before = whole_masks(module, masks)
    values = {}
    for name, mask in before.items():
        inputs = mask[0].numel() if mask.dim() > 1 else 10  # sums stay below one, where no activation is flat
        values[name] = (positive(mask.shape, mask.device) / inputs * mask).requires_grad_()
    buffers = {n: b.double() if b.is_floating_point() else b for n, b in module.named_buffers()}
    images = positive((2, *image), next(iter(before.values())).device)
    with evaluating(module, _normalizations(module)), torch.enable_grad():
        outputs = functional_call(module, {**values, **buffers}, (images,))
        total = torch.stack(
            [(one * positive(one.shape, one.device)).sum() for one in tensors(outputs) if one.requires_grad]
        ).sum()
        gradients = torch.autograd.grad(total, [*values.values()], allow_unused=True)
    pairs = zip(before.items(), gradients, strict=True)
    return {name: mask if slope is None else mask & _whole_kernels(slope != 0) for (name, mask), slope in pairs}


def whole_masks(module: nn.Module, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the masks of all parameters; those that had none remain."""
    return {n: masks.get(n, torch.ones_like(p, dtype=torch.bool)) for n, p in module.named_parameters()}


@contextmanager
def evaluating(module: nn.Module, hooks: Iterable[tuple[nn.Module, Callable[..., Any]]]) -> Iterator[None]:
    """Put a module into eval mode, with forward hooks (layer, positional, named, output) on some of its layers."""
    modes = [(part, part.training) for part in module.modules()]
    handles = [layer.register_forward_hook(hook, with_kwargs=True) for layer, hook in hooks]
    try:
        module.eval()
        yield
    finally:
        for handle in handles:
            handle.remove()
        for part, training in modes:
            part.training = training


def _whole_kernels(used: Tensor) -> Tensor:
    """Return what is used, and all positions of a kernel of which one is: some see nothing but the border of a small map."""
    return used.flatten(2).any(2).view(*used.shape[:2], *[1] * (used.dim() - 2)) if used.dim() > 2 else used


def _normalizations(module: nn.Module) -> list[tuple[nn.Module, Callable[..., Tensor]]]:
    kinds = (_BatchNorm, _one_by_one), (MIXING, _mixing)
    return [(part, hook) for part in module.modules() for kind, hook in kinds if isinstance(part, kind)]


def _one_by_one(layer: _BatchNorm, given: tuple[Tensor, ...], named: dict[str, Tensor], outputs: Tensor) -> Tensor:
    """Return what batch normalization would give to channels of deviation one, and zero for those that are zero."""
    maps = given[0] if given else named["input"]
    alive = (maps.detach() != 0).transpose(0, 1).flatten(1).any(1)
    shape = (1, -1, *[1] * (maps.dim() - 2))
    largest = maps.detach().abs().max()
    maps = maps / torch.where(largest > 0, largest, 1)
    if layer.affine:
        maps = maps * layer.weight.view(shape) + layer.bias.view(shape)
    return maps * alive.view(shape)


def _mixing(layer: nn.Module, given: tuple[Tensor, ...], named: dict[str, Tensor], outputs: Tensor) -> Tensor:
    maps = given[0] if given else named["input"]
    return maps + maps.mean() + 1


def tensors(values: Any) -> list[Tensor]:
    """Return the tensors among what a module takes or gives, which may lie in lists, tuples or mappings."""
    if isinstance(values, Tensor):
        return [values]
    parts = values.values() if isinstance(values, Mapping) else values if isinstance(values, list | tuple) else ()
    return [tensor for part in parts for tensor in tensors(part)]
