"""Validation examples held out of the training set, at random and without noise.

TR Appendix B.1 holds out 2,000 of CIFAR-10's 50,000 training images; of MNIST's 60,000 that leaves 58,000.
Validation labels stay clean: noise is added after the split, to the training part only.
"""

import torch
from torch import Tensor

from lib.errors import InputError
from lib.seeds import generator


def split(count: int, validation: int, seed: int) -> tuple[Tensor, Tensor]:
    """Divide the numbers from 0 to count - 1 into training and validation indices.

    Returns:
        Training indices, int64 [count - validation], and validation indices, int64 [validation]; both ascending.

    Raises:
        InputError: `validation` is not in 0 to `count` - 1.
    """
    if not 0 <= validation < count:
        allowed = f"0 to {max(count - 1, 0)}, so that at least one example is left to train on"
        raise InputError(f"{validation} validation examples of {count}; allowed: {allowed}.")
    order = torch.randperm(count, generator=generator(seed, "validation split"))
    return order[validation:].sort().values, order[:validation].sort().values
