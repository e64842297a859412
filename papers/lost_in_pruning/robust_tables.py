"""The small tables of LIP's page on robust training: potentials beside Tables 12 and 13, and the split of Table 11."""

from collections.abc import Sequence
from typing import Any

import pandas

from lib.analysis.display import NOTHING, plus_minus
from lib.analysis.excess_error import SPLITS, robust_split
from lib.analysis.printed import printed
from lib.analysis.prune_potential import curves, over_sets, prune_potential
from lib.analysis.statistics import mean_and_std
from lib.analysis.table import Table
from papers.lost_in_pruning.claims import PAPER, TABLES_OF_POTENTIAL, nominal
from papers.lost_in_pruning.figures import algorithms, measured_sets
from papers.lost_in_pruning.names import MODELS, NAMES

PARTS = {"train": "seen", "test": "unseen"}


def potentials(tables: Sequence[Table], benchmark: str) -> pandas.DataFrame:
    """Set average and minimum potentials over seen and over unseen corruptions beside Tables 12 and 13.

    Args:
        tables: of the benchmark; of each scale the first counts. Without any, print stands alone.
        benchmark: whose printed numbers; it ends in "-robust".

    Returns:
        Text: scale, method, parents, and mean ± sample standard deviation in percent, each measured and printed.
    """
    rows = [row for name in TABLES_OF_POTENTIAL for row in printed(PAPER, name).to_dict("records")]
    own = [row for row in rows if row["model"] == MODELS.get(nominal(benchmark))]
    cells = {(row["method"], row["metric"]): plus_minus(row["mean"], row["std"], 1) for row in own}
    first = {one.scale: one for one in reversed(tables)}
    found = []
    for scale in dict.fromkeys(one.scale for one in tables) if tables else (NOTHING,):
        table = first.get(scale)
        there = algorithms([table]) if table else []
        for method in [*(name for name in NAMES.values() if name in there or (cells and not there))]:
            measured = _measured(table, method) if table else {}
            row: dict[str, Any] = {"scale": scale, "method": method, "parents": measured.pop("parents", NOTHING)}
            for part, called in PARTS.items():
                for over, short in (("average", "avg"), ("minimum", "min")):
                    row[f"{over}, {called}, measured"] = measured.get((part, over), NOTHING)
                    row[f"{over}, {called}, printed"] = cells.get(
                        (method, f"prune_potential_{short}_{part}_dist"), NOTHING
                    )
            found.append(row)
    return pandas.DataFrame(found)


def _measured(table: Table, method: str) -> dict[Any, str]:
    found: dict[Any, str] = {}
    for part, sets in zip(PARTS, robust_split(new_test=True), strict=True):
        if there := measured_sets(table, sets):
            own = curves(table, there, algorithm=method)
            for over, value in over_sets(prune_potential(own)).items():
                [one] = mean_and_std(pandas.Series(value)).to_dict("records")
                found[part, over] = plus_minus(one["mean"], one["std"], 1)
            found["parents"] = str(len(own.seeds))
    return found


def corruptions() -> pandas.DataFrame:
    """Return which corruptions belong to the train and to the test distribution, by Table 11 and by the released program."""
    return pandas.DataFrame([
        {
            "by": {"text": "Table 11", "code": "the released program"}[name],
            "seen in training": ", ".join(one.replace("_", " ") for one in ("none", *split.train)),
            "unseen": ", ".join(one.replace("_", " ") for one in (*split.test, "CIFAR-10.1")),
        }
        for name, split in SPLITS.items()
    ])  # fmt: skip
