"""Chains of stages, the runner that computes what is missing, and the store that keeps it."""

from lib.stages.runner import Results, run
from lib.stages.stage import NUMERICS_VERSION, Chain, Prune, Stage, recipe_hash, stage_keys
from lib.stages.starting_point import read_masks
from lib.stages.store import Entry, Store, default_store

__all__ = [
    "NUMERICS_VERSION", "Chain", "Entry", "Prune", "Results", "Stage", "Store",
    "default_store", "read_masks", "recipe_hash", "run", "stage_keys",
]  # fmt: skip
