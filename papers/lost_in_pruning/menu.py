"""The networks of LIP: which of its figures show each, where that is measured, and what the exact recipe costs.

    images passed = networks × epochs × training images        multiply-adds = 3 × those of one image × images passed

A step of training costs about three passes forward. FLOPs of one image are those of the network not pruned
(`lib.pruning.flops`): masked weights are multiplied all the same.
"""

import re
from collections.abc import Sequence

import pandas
import torch

from lib.analysis.experiments import committed_tables
from lib.analysis.inventory import MAPPED, read_experiments
from lib.analysis.table import Table
from lib.pruning.flops import flops
from lib.scales import SCORED
from lib.stages.experiment_plan import Plan
from lib.training import network_of
from papers.lost_in_pruning.experiments import SHOWS
from papers.lost_in_pruning.recipes import BENCHMARKS, PLANS

PAPER = "lost_in_pruning"
SETS = {"cifar10": (50_000, 10, 32), "imagenet": (1_281_167, 1000, 224), "sbd": (8_498, 21, 513)}
"""Training images, classes, and pixels of a side as the network sees them."""


def shown(benchmark: str) -> list[str]:
    """Return the ids of the paper's figures and tables that show the network of a benchmark."""
    return [one.id for one in read_experiments(PAPER) if one.kind in MAPPED and benchmark in SHOWS[one.id]]


def called(identities: Sequence[str]) -> str:
    """Name figures and tables in short: "Fig. 1, 6a; Tab. 2"."""
    names = [re.fullmatch(r"LIP-(fig|tab)(\d+)([a-z]?)", one) for one in identities]
    said = []
    for kind, word in (("fig", "Fig."), ("tab", "Tab.")):
        own = [f"{int(name[2])}{name[3]}" for name in names if name and name[1] == kind]
        said += [f"{word} {', '.join(own)}"] if own else []
    return "; ".join(said)


def passes(plan: Plan) -> tuple[int, float]:
    """Return how many networks a plan trains, and the images that pass through all of them in training, in billions."""
    recipe, networks = plan.recipe, len(plan.seeds) * (1 + len(plan.scores) * plan.levels)
    images = recipe.data.train or SETS[recipe.data.image_set][0] - recipe.data.validation
    return networks, networks * recipe.epochs * images / 1e9


def flops_of(plan: Plan) -> int:
    """Return the FLOPs of a plan's network for one image; nothing is computed."""
    recipe = plan.recipe
    _, classes, side = SETS[recipe.data.image_set]
    with torch.device("meta"):
        module = network_of(recipe, classes).module
        return flops(module.eval(), (3, side, side))


def networks(tables: Sequence[Table] | None = None) -> pandas.DataFrame:
    """Return a row for each benchmark.

    Args:
        tables: what was measured; by default what is committed.

    Returns:
        Text: benchmark, the figures and tables of the paper that it stands for, scales measured; and at paper scale the
        number of networks, images passed and multiply-adds.
    """
    if tables is None:
        tables = committed_tables(PAPER)
    found = []
    for benchmark in BENCHMARKS:
        plan = PLANS[benchmark]["paper"]
        count, images = passes(plan)
        scales = {one.scale for one in tables if one.benchmark == benchmark}
        found.append({
            "benchmark": benchmark,
            "in the paper": called(shown(benchmark)),
            "measured": ", ".join(one for one in reversed(SCORED) if one in scales) or "not yet",
            "networks": f"{count:,}",
            "images passed (10⁹)": f"{images:.2g}",
            "multiply-adds (10¹⁸)": f"{float(f'{3 * flops_of(plan) * images / 1e9:.2g}'):g}",
        })  # fmt: skip
    return pandas.DataFrame(found)
