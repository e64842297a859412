"""What the book keeps of the page's own run: python -m book.prune_your_own.kept RUNS copies a newer one here.

A table is current for what a reader asks if it has every network that would be trained, by its key.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from lib.analysis.part import read_part
from lib.analysis.prune_your_own import PAPER, SCALE, own_chains, own_plan
from lib.analysis.table import Table, assemble
from lib.errors import InputError
from lib.stages.experiment_plan import plan_keys

RESULTS = Path(__file__).parent / "results"


def kept(folder: Path = RESULTS) -> Table:
    """Return the book's table; raise InputError where there is none."""
    found = [(path.stem, *read_part(path)) for path in sorted(folder.glob("*.csv"))]
    if not found:
        raise InputError("the book keeps no table of this page; set recompute = True to measure one")
    frames, parts = [frame for _, frame, _ in found], {name: made for name, _, made in found}
    return assemble(PAPER, "a_small_network", SCALE, ("noise_percent",), frames, parts, "committed")


def kept_if_asked(*network_and_images: Any, **settings: Any) -> Table:
    """Return the book's table; say so where this is not what `prune_your_own` would measure for these arguments."""
    table, plan = kept(), own_plan(*network_and_images, **settings)
    chains = own_chains(plan, settings["scores"])
    reported = {key for chain in chains for key in plan_keys(plan, [chain])} & set(table.frame["stage_key"])
    if len(reported) < len(plan.replicates()) * (1 + len(chains) * plan.levels):
        print(
            "This is the book's table. Network, images or settings are others now: set recompute = True to train them."
        )
    return table


def main(runs: str) -> None:
    """Copy the parts of a table of this machine into `RESULTS`."""
    for path in sorted((Path(runs) / "tables" / PAPER / f"a_small_network_{SCALE}").iterdir()):
        shutil.copy(path, RESULTS / path.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
