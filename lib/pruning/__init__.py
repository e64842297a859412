"""Pruning: a score per weight, then a selection of what remains."""

from lib.pruning.scores import Batch, find_score, gradient, magnitude, random, snip, synflow
from lib.pruning.selection import select, weights_remaining

__all__ = [
    "Batch",
    "find_score",
    "gradient",
    "magnitude",
    "random",
    "select",
    "snip",
    "synflow",
    "weights_remaining",
]
