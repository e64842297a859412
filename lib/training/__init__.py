"""Training: recipes and schedules, the loop for a stack of replicates, evaluation."""

from lib.training.device import arithmetic
from lib.training.evaluation import Outcome, evaluate, evaluate_each, logits
from lib.training.examples import Examples, Replicate, prepare
from lib.training.loop import Computation, Hooks, Part, Progress, train
from lib.training.recipe import DataRecipe, Precision, Recipe, learning_rate, network_of
from lib.training.stack import forward, fresh_stack, stack_limit, stack_states, unstack

__all__ = [
    "Computation", "DataRecipe", "Examples", "Hooks", "Outcome", "Part", "Precision", "Progress", "Recipe", "Replicate",
    "arithmetic", "evaluate", "evaluate_each", "forward", "fresh_stack", "learning_rate", "logits",
    "network_of", "prepare", "stack_limit", "stack_states", "train", "unstack",
]  # fmt: skip
