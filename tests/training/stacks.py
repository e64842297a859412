"""A stack to train in a test."""

import torch

from lib.models import Network, build
from lib.training import Examples, Recipe, Replicate, fresh_stack, prepare
from lib.training.stack import State

CPU = torch.device("cpu")


def start(recipe: Recipe, replicates: list[Replicate]) -> tuple[Network, State, Examples]:
    """Return network, fresh stack and examples."""
    examples = prepare(recipe.data, replicates, CPU)
    network = build(recipe.network, examples.classes, recipe.width)
    return network, fresh_stack(network.module, replicates, CPU), examples
