"""The converted tables hold every number of the old ones, and no other. It goes with the old format."""

import csv
from pathlib import Path

import pytest

from lib.analysis.convert import ALGORITHMS, QUANTITIES, SUBSETS
from lib.analysis.files import REPOSITORY
from lib.analysis.table import read_table

NUMBERS = {"error_percent": "error (%)", "cross_entropy_nats": "loss (nats)"}
SIZES = {"weights_remaining_percent": "weights remaining (%)", "epochs_trained": "epochs trained"}
OLD = [
    path
    for path in sorted(REPOSITORY.glob("papers/*/results/*/*_*.csv"))
    if "scale" in path.read_text()[:40] or path.name.endswith(".quantities.csv")
]
PLACES = sorted({(path.parents[2].name, *path.name.split(".")[0].rsplit("_", 1)) for path in OLD})


def old_numbers(path: Path):
    """Yield (network and quantity, value, stage key) of one old file, read without any code of the book."""
    for row in csv.DictReader(path.open(encoding="utf-8", newline="")):
        network = (
            float(row["noise_percent"]),
            ALGORITHMS[row["algorithm"]],
            int(row["seed"]),
            int(row["level"]),
        )
        if "quantity" in row:
            yield (
                (*network, QUANTITIES[row["quantity"]], float(row["position"])),
                float(row["value"]),
                row["stage_key"],
            )
            continue
        names = {old: f"{SUBSETS[row['subset']]} {new}" for old, new in NUMBERS.items()}
        if network[3] == 0:
            names["examples"] = f"{SUBSETS[row['subset']]} examples"
        for old, new in {**names, **(SIZES if row["subset"] == "test" else {})}.items():
            yield (*network, new, 0.0), float(row[old]), row["stage_key"]


@pytest.mark.parametrize(("paper", "benchmark", "scale"), PLACES)
def test_every_number_is_the_old_one(paper, benchmark, scale):
    table = read_table(paper, benchmark, scale, "committed")
    assert table is not None
    keys = ["noise_percent", "algorithm", "seed", "level", "quantity", "position"]
    frame = table.frame.loc[~table.frame["quantity"].str.endswith(" (level)")]
    new = {
        tuple(row[:6]): tuple(row[6:]) for row in frame[[*keys, "value", "stage_key"]].itertuples(index=False)
    }
    old = {}
    for path in OLD:
        if path.parents[2].name == paper and path.name.split(".")[0] == f"{benchmark}_{scale}":
            for key, *found in old_numbers(path):
                assert old.setdefault(key, tuple(found)) == tuple(found), f"two pages disagree on {key}"
    assert new == old and len(frame) == len(old) > 0
