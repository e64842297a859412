"""Initial weights (facts A.2): w ~ N(0, 2 / fan_in) for every convolution and linear layer, the output layer included.

Biases are uniform within ± 1 / √fan_in, as PyTorch leaves them, or zero (LN App. A.1, facts N4). The scale of batch
normalization is uniform on [0, 1) for TR and LN, which follow the code base they use, or constant one. GS draws its VGG's
convolutions from N(0, 2 / fan_out) and its ResNet-18 as PyTorch does, uniform within ± 1 / √fan_in (facts D.1). All of LIP's
convolutions are from N(0, 2 / fan_out) too, and the linear layer of its VGG from N(0, 0.01²) (facts C.2).
"""

from typing import Literal

import torch
from torch import nn

from lib.models.layers import WEIGHTED

SMALL_DEVIATION = 0.01


@torch.no_grad()
def initialize(
    module: nn.Module,
    generator: torch.Generator,
    normalization_scale: Literal["uniform", "one"] = "uniform",
    bias: Literal["uniform", "zero"] = "uniform",
    weights: Literal["fan-in", "fan-out", "fan-out-small-linear", "uniform"] = "fan-in",
) -> None:
    """Draw all parameters of a network anew, in place, from one generator.

    Args:
        module: any network; other layers keep their values.
        generator: of all random numbers, used in module order.
        normalization_scale: distribution of the scale γ of batch normalization; its shift is zero.
        bias: distribution of the biases of convolutions and linear layers.
        weights: of convolutions and linear layers: normal with variance 2 / fan_in; the same with fan_out for
            convolutions, linear layers and their biases being uniform, or linear layers being normal with standard
            deviation 0.01; or uniform for all.
    """
    for layer in module.modules():
        if isinstance(layer, WEIGHTED):
            bound = layer.weight[0].numel() ** -0.5
            linear = isinstance(layer, nn.Linear)
            if weights == "uniform" or (weights == "fan-out" and linear):
                layer.weight.uniform_(-bound, bound, generator=generator)
            elif weights == "fan-out-small-linear" and linear:
                layer.weight.normal_(0, SMALL_DEVIATION, generator=generator)
            else:
                mode = "fan_in" if weights == "fan-in" else "fan_out"
                nn.init.kaiming_normal_(layer.weight, mode=mode, nonlinearity="relu", generator=generator)
            if layer.bias is not None and bias == "zero" and not (weights == "fan-out" and linear):
                layer.bias.zero_()
            elif layer.bias is not None:
                layer.bias.uniform_(-bound, bound, generator=generator)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.reset_running_stats()
            if layer.affine:
                layer.bias.zero_()
                if normalization_scale == "uniform":
                    layer.weight.uniform_(generator=generator)
                else:
                    layer.weight.fill_(1)
