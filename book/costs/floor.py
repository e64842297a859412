"""How fast a machine could be at best: operations over its rate, bytes over its bandwidth, both measured here.

    seconds ≥ max(operations / rate, bytes / bandwidth)

Operations are the multiply-adds of the matrix products and convolutions of training (2 each; forward, and backward without
the gradient of the images) and of the evaluation. Bytes are those that the optimizer must move: Adam reads weight, gradient
and two moments and writes weight and moments, 28 bytes a parameter and step in float32, momentum SGD 20. Activations stay
out, so that this is a bound from below. The rate is that of one large product in the same precision.
"""

import torch
from torch.utils.flop_counter import FlopCounterMode

from book.costs.timing import shortest
from lib.models import build, initialize
from lib.training import Precision, Recipe, forward, stack_states

BYTES_PER_PARAMETER = {"adam": 28, "sgd": 20}


def operations_per_second(device: torch.device, precision: Precision) -> float:
    """Return the rate of one large matrix product."""
    size = 8192 if device.type == "cuda" else 2048
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / shortest(lambda: left @ right)


def bytes_per_second(device: torch.device) -> float:
    """Return the bandwidth of adding one large vector to another: two reads and a write."""
    left, right = (torch.zeros(2**26, device=device) for _ in range(2))
    return 3 * left.numel() * 4 / shortest(lambda: left.add_(right))


def operations_per_image(recipe: Recipe, classes: int) -> tuple[float, float]:
    """Return the operations of training on one image, and of evaluating it."""
    module = build(recipe.network, classes, recipe.width).module
    initialize(module, torch.Generator().manual_seed(0))
    stack = stack_states([{n: t.detach() for n, t in module.state_dict().items()}])
    parameters = {n for n, _ in module.named_parameters()}
    stack = {n: t.requires_grad_() if n in parameters else t for n, t in stack.items()}
    shape = (1, 28, 28) if recipe.data.normalization == "mnist" else (3, 32, 32)
    images = torch.zeros(2, *shape)
    with FlopCounterMode(display=False) as counter:
        logits = forward(module, stack, images)
    evaluation = counter.get_total_flops() / 2
    with counter:
        logits.sum().backward()
    backward = counter.get_total_flops() / 2
    return evaluation + backward, evaluation


def floor(
    recipe: Recipe, classes: int, images: tuple[int, int], rates: tuple[float, float, float]
) -> tuple[float, str]:
    """Return the least seconds of an epoch of one replicate with its evaluation, and what sets it.

    Args:
        recipe: of the training.
        classes: outputs of the network.
        images: numbers of training and test images.
        rates: operations a second in training and in float32, bytes a second.
    """
    training, evaluation = operations_per_image(recipe, classes)
    computing = training * images[0] / rates[0] + evaluation * images[1] / rates[1]
    module = build(recipe.network, classes, recipe.width).module
    parameters = sum(p.numel() for p in module.parameters())
    steps = images[0] / recipe.batch_size
    moving = steps * parameters * BYTES_PER_PARAMETER[recipe.optimizer] / rates[2]
    return max((computing, "operations"), (moving, "bytes"))
