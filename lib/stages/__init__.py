"""Chains of stages, the runner that computes what is missing, and the store that keeps it."""

from lib.stages.entry import Entry
from lib.stages.runner import Execution, Results, run, run_all
from lib.stages.stage import NUMERICS_VERSION, Chain, Prune, Stage, stage_keys
from lib.stages.store import Store, default_store

__all__ = [
    "NUMERICS_VERSION", "Chain", "Entry", "Execution", "Prune", "Results", "Stage", "Store",
    "default_store", "run", "run_all", "stage_keys",
]  # fmt: skip
