"""A made-up table of LN: errors of each level are given, three replicates lie 0.3 points apart."""

import datetime
from collections.abc import Mapping, Sequence

from lib.analysis.part import Provenance, make_frame
from lib.analysis.table import EPOCHS, SIZE, Table, assemble

SPREAD = (-0.3, 0.0, 0.3)
KEPT = 0.4  # of the weights, at each level
WR = "weight rewinding"

LAST = [15.0, 16.0, 20.0, 26.0, 18.0, 8.0, 14.0, 45.0]
"""Test error in percent after the last epoch: overfitting at level 3, recovery and sweet spots at 5, underfitting at 7."""

BEST = [12.0, 12.5, 13.0, 11.0, 10.0, 7.0, 13.0, 44.0]
TRAIN = [0.0, 0.0, 0.2, 3.0, 12.0, 18.0, 25.0, 52.0]


def made_up(
    quantities: Mapping[str, Sequence[float]] | None = None,
    noises: Sequence[float] = (20.0,),
    algorithms: Sequence[str] = (WR,),
    seeds: Sequence[int] = (0, 1, 2),
    benchmark: str = "mnist-lenet",
    scale: str = "paper",
) -> Table:
    """Make a table in which every algorithm has the same numbers, by quantity a mean for each level."""
    if quantities is None:
        quantities = {"test error (%)": LAST, "best test error (%)": BEST, "training error (%)": TRAIN}
    found = []
    for algorithm in algorithms:
        for noise in noises:
            for seed, spread in zip(seeds, SPREAD, strict=False):
                for level in range(len(next(iter(quantities.values())))):
                    network = {"noise_percent": noise, "algorithm": algorithm, "seed": seed, "level": level}
                    network["stage_key"] = "0a"
                    found.append(network | {"quantity": SIZE, "value": 100 * KEPT**level})
                    found.append(network | {"quantity": EPOCHS, "value": 200.0 * (level + 1)})
                    for quantity, means in quantities.items():
                        found.append(network | {"quantity": quantity, "value": means[level] + spread})
    made = Provenance(
        seeds=tuple(seeds), device="a CPU", precision="float32", stacking="stacked", date=datetime.date(2026, 11, 1),
        training_seconds=1.0, versions={}, numerics_version=1, measurements={"errors": "1"}, algorithms=tuple(algorithms),
    )  # fmt: skip
    dimensions = ("noise_percent",)
    frame = make_frame(found, dimensions, "made up")
    return assemble("label_noise", benchmark, scale, dimensions, [frame], {"made up": made})
