"""The recipe's optimizer, fused into one pass over all parameters."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

from lib.training.recipe import Recipe


def make_optimizer(recipe: Recipe, parameters: Iterable[Tensor], rate: Tensor) -> Optimizer:
    """Return a fresh optimizer.

    Args:
        recipe: which optimizer and its constants.
        parameters: what it updates.
        rate: learning rate; a tensor can be changed while a captured step goes on reading it.
    """
    if recipe.optimizer == "adam":
        capturable = rate.device.type == "cuda"
        return torch.optim.Adam(
            parameters, lr=rate, weight_decay=recipe.weight_decay, fused=True, capturable=capturable
        )
    return torch.optim.SGD(
        parameters, lr=rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True
    )
