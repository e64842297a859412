"""FLOPs of a pruned network, as LIP counts them (facts C.3, L24).

    FLOPs = Σ over convolutions and linear layers: weights that remain × output positions

A multiplication and the addition after it count once; biases, normalization, activations and pooling are left out. Output
positions are height × width of a convolution's maps, and 1 for a linear layer on vectors.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lib.models import prunable_weights
from lib.pruning.sensitivity import layer_outputs


def flops(module: nn.Module, image: Sequence[int], masks: Mapping[str, Tensor] | None = None) -> int:
    """Return the FLOPs of a network for one image.

    Args:
        module: any with convolutions and linear layers.
        image: shape [C, H, W].
        masks: name → bool like the parameter, True where it remains; weights without one remain.

    Raises:
        InputError: as `lib.pruning.sensitivity.layer_outputs`.
    """
    total = 0
    for name, (_, positions) in layer_outputs(module, prunable_weights(module), image).items():
        mask = (masks or {}).get(name)
        remaining = module.get_parameter(name).numel() if mask is None else int(mask.sum())
        total += remaining * positions
    return total
