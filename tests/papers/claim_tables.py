"""Tables made by hand for claims: numbers by level of an algorithm at a noise level, replicates that differ a little."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from lib.analysis.part import Provenance, make_frame
from lib.analysis.table import SIZE, Table, assemble

PATTERN = (-1.0, 0.0, 1.0)
LEFT = (100.0, 50.0, 8.0, 0.9)

Levels = Mapping[str, Sequence[Any]]
"""Quantity → by level a number, a series (positions from 1, or given), or None where it was not measured."""


def table(
    cells: Mapping[tuple[str, Any], Levels],
    benchmark: str = "mnist-lenet",
    paper: str = "training_regularization",
    scale: str = "paper",
    seeds: Sequence[int] = (0, 1, 2),
    left: Sequence[float] = LEFT,
    step: float = 0.1,
) -> Table:
    """Make a table.

    Args:
        cells: by algorithm and noise in percent.
        benchmark, paper, scale, seeds: of the table.
        left: weights remaining by level, in percent.
        step: by how much single numbers of two replicates differ, times the level; the dense network is the same in all
            algorithms, the others spread each in its own order, as quantities do. Series differ by a thousandth.
    """
    order = {name: i for i, name in enumerate(dict.fromkeys(name for name, _ in cells))}
    found = []
    for (algorithm, noise), quantities in cells.items():
        sizes = list(left[: max(map(len, quantities.values()))])
        for turn, (quantity, levels) in enumerate({**quantities, SIZE: sizes}.items()):
            for level, value in enumerate(levels):
                for i, seed in enumerate(seeds):
                    own = PATTERN[(i + (order[algorithm] + turn if level else 0)) % 3] * (1 + order[algorithm] / 10)
                    shift = own * level * (quantity != SIZE)
                    series = (
                        value
                        if isinstance(value, Mapping)
                        else dict(enumerate(value, 1))
                        if isinstance(value, Sequence)
                        else {0: value}
                    )
                    small = 0.001 if isinstance(value, Sequence | Mapping) else step
                    found += [
                        {
                            "noise_percent": float(noise), "algorithm": algorithm, "seed": seed, "level": level,
                            "quantity": quantity, "position": float(position), "value": number + small * shift,
                            "stage_key": "0a",
                        }
                        for position, number in series.items() if number is not None
                    ]  # fmt: skip
    made = Provenance(
        seeds=tuple(seeds), device="2 CPU cores", precision="float32", stacking="stacked", date=datetime.date(2026, 11, 20),
        training_seconds=1.0, versions={}, numerics_version=1, measurements={"errors": "1"}, algorithms=tuple(order),
    )  # fmt: skip
    frame = make_frame(found, ["noise_percent"], "part")
    return assemble(paper, benchmark, scale, ("noise_percent",), [frame], {"part": made}, "committed")
