"""Made-up tables of GS: a mean of each quantity for each configuration, and runs that scatter around it."""

import datetime
from collections.abc import Mapping, Sequence

import numpy

from lib.analysis.part import Provenance, make_frame
from lib.analysis.stability import BEST, LAST, STABILITY
from lib.analysis.table import SIZE, Table, assemble
from papers.generalization_stability.names import NONE

Means = Mapping[str, float | Mapping[float, float]]
"""Quantity → its mean over runs, or means by position."""


def table(
    cells: Mapping[str, Means],
    benchmark: str = "cifar10-vgg11",
    runs: int = 6,
    spread: float = 0.02,
    scale: str = "paper",
) -> Table:
    """Make a table of configurations; every number scatters by itself, 100 stays what it is."""
    draw, found = numpy.random.default_rng(0), []
    for name, means in cells.items():
        for quantity, mean in {**means, SIZE: 100.0}.items():
            series = mean if isinstance(mean, Mapping) else {0.0: mean}
            for seed in range(runs):
                offset = 0.0 if mean == 100 else spread * float(draw.standard_normal())
                found += [
                    {
                        "noise_percent": 0.0, "algorithm": name, "seed": seed, "level": int(name != NONE),
                        "quantity": quantity, "position": position, "value": value + offset, "stage_key": f"{name} {seed}",
                    }
                    for position, value in series.items()
                ]  # fmt: skip
    made = Provenance(
        seeds=tuple(range(runs)), device="2 CPU cores", precision="float32", stacking="sequential",
        date=datetime.date(2026, 11, 22), training_seconds=1.0, versions={}, numerics_version=1,
        measurements={"errors": "1"}, algorithms=tuple(cells),
    )  # fmt: skip
    frame = make_frame(found, ["noise_percent"], "runs")
    return assemble(
        "generalization_stability", benchmark, scale, ("noise_percent",), [frame], {"runs": made}, "committed"
    )


def configurations(names: Sequence[str], stabilities: Sequence[float], accuracies: Sequence[float]) -> dict[str, Means]:
    """Return a mean stability and a mean accuracy, best and last, of each configuration."""
    return {
        name: {STABILITY: stable, BEST: accuracy, LAST: accuracy - 0.5}
        for name, stable, accuracy in zip(names, stabilities, accuracies, strict=True)
    }
