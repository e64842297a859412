"""Pruning: a score per weight, then a selection of what remains."""

from lib.pruning.scores import find_score, magnitude
from lib.pruning.selection import select, weights_remaining

__all__ = ["find_score", "magnitude", "select", "weights_remaining"]
