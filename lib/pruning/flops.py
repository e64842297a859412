"""FLOPs of a pruned network, as LIP counts them (facts C.3, L24).

    FLOPs = Σ over convolutions and linear layers: weights that remain × positions

A multiplication and the addition after it count once; biases, normalization, activations and pooling are left out. Positions
are height × width of a convolution's output maps, or of its input maps if it is transposed, and 1 for a linear layer on
vectors. What is computed outside of such layers, as in attention, is not counted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from lib.models import prunable_weights
from lib.pruning.paths import evaluating


def flops(module: nn.Module, image: Sequence[int], masks: Mapping[str, Tensor] | None = None) -> int:
    """Return the FLOPs of a network for one image.

    Args:
        module: any with convolutions and linear layers; one that is called twice counts twice.
        image: shape [C, H, W].
        masks: name → bool like the parameter, True where it remains; weights without one remain.

    Raises:
        InputError: if the module has no convolution and no linear layer.
    """
    total, remaining = 0, {id(module.get_parameter(name)): mask.sum() for name, mask in (masks or {}).items()}

    def count(layer: Any, given: tuple[Tensor, ...], named: dict[str, Tensor], outputs: Tensor) -> None:
        nonlocal total
        maps = (given[0] if given else named["input"]) if isinstance(layer, _ConvTransposeNd) else outputs
        total += int(remaining.get(id(layer.weight), layer.weight.numel())) * maps.numel() // layer.weight.shape[0]

    layers = [module.get_submodule(name.rpartition(".")[0]) for name in prunable_weights(module)]
    weight = next(module.parameters())
    with evaluating(module, [(layer, count) for layer in layers]), torch.no_grad():
        module(torch.zeros(1, *image, dtype=weight.dtype, device=weight.device))
    return total
