"""Pruning: a score per weight or filter, then a selection of what remains."""

from lib.pruning.scores import SCORES, Batch, find_score, gradient, magnitude, random, snip, synflow
from lib.pruning.selection import select, weights_remaining

__all__ = [
    "SCORES", "Batch", "find_score", "gradient", "magnitude", "random", "select", "snip",
    "synflow", "weights_remaining",
]  # fmt: skip
