"""Small tables made by hand."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lib.analysis.part import Provenance, make_frame
from lib.analysis.table import Table, assemble

WR = "weight rewinding"
TEST, VALIDATION, BEST = "test error (%)", "validation error (%)", "best test error (%)"


def provenance(**changes: Any) -> Provenance:
    """Return a provenance that fits a hand-made part."""
    given: dict[str, Any] = {
        "seeds": (0, 1, 2), "device": "2 CPU cores", "precision": "float32", "stacking": "stacked",
        "date": datetime.date(2026, 11, 20), "training_seconds": 12.5, "versions": {"torch": "2.9"}, "numerics_version": 1,
        "measurements": {"errors": "1"}, "algorithms": (WR,),
    }  # fmt: skip
    return Provenance(**{**given, **changes})


def rows_of(
    numbers: Mapping[str, Sequence[Sequence[float]]], algorithm: str = WR, noise_percent: float = 20.0
) -> Iterable[dict]:
    """Yield rows of one algorithm: quantity → seeds × levels."""
    for quantity, seeds in numbers.items():
        for seed, levels in enumerate(seeds):
            for level, value in enumerate(levels):
                yield {
                    "noise_percent": noise_percent, "algorithm": algorithm, "seed": seed, "level": level,
                    "quantity": quantity, "value": float(value), "stage_key": f"{algorithm} {seed} {level}",
                }  # fmt: skip


def table_of(numbers: Mapping[str, Sequence[Sequence[float]]], **where: Any) -> Table:
    """Return a table of one algorithm: quantity → seeds × levels."""
    frame = make_frame(rows_of(numbers, **where), ["noise_percent"], "part")
    return assemble("toy", "digits", "laptop", ("noise_percent",), [frame], {"part": provenance()})
