"""Training one network as a textbook has it: what the loop for stacks (`lib.training.loop`) has to be equal to.

Nothing here is fast. Data order and augmentation come from the replicate's own generators, as in the loop.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import data
from lib.training.examples import Replicate
from lib.training.recipe import Recipe, learning_rate


def train_plainly(
    module: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    replicate: Replicate,
    masks: Mapping[str, Tensor],
) -> list[float]:
    """Train a network over the recipe's whole schedule, in place.

    Args:
        module: with the weights to start from.
        images: uint8 [N, height, width, channels].
        labels: int64 [N].
        recipe: optimizer, schedule, batch size, augmentation.
        replicate: whose generators are drawn from.
        masks: name → bool like the weight, False where it is pruned; empty for a dense network.

    Returns:
        Mean loss of each epoch.
    """
    constants = data.normalization(recipe.data.normalization)
    inputs = data.normalize(images, constants).to(next(module.parameters()).dtype)
    parameters, rate, decay = module.parameters(), recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adam":
        optimizer = torch.optim.Adam(parameters, rate, weight_decay=decay)
    else:
        optimizer = torch.optim.SGD(parameters, rate, recipe.momentum, weight_decay=decay, nesterov=recipe.nesterov)
    steps_per_epoch = -(-len(labels) // recipe.batch_size)
    epoch_losses = []
    module.train()
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(labels), generator=replicate.generator("data order", 0, epoch))
        augmentation = replicate.generator("augmentation", 0, epoch)
        loss_sum = 0.0
        for number, chosen in enumerate(order.split(recipe.batch_size)):
            batch = inputs[chosen]
            if recipe.data.augmentation == "flip-crop":
                batch = data.crop_and_flip(batch, data.draw(len(chosen), augmentation), constants.black)
            step = epoch * steps_per_epoch + number
            optimizer.param_groups[0]["lr"] = learning_rate(recipe, step, steps_per_epoch)
            optimizer.zero_grad()
            loss = cross_entropy(module(batch), labels[chosen])
            loss.backward()
            for name, mask in masks.items():  # a zero weight without gradient stays zero
                module.get_parameter(name).grad *= mask  # pyright: ignore[reportOperatorIssue]
            optimizer.step()
            loss_sum += loss.item() * len(chosen)
        epoch_losses.append(loss_sum / len(labels))
    return epoch_losses
