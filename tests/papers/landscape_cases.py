"""Tables of LN section 5 made by hand: sparse and re-dense networks with paths, slices and distances that are known."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from lib.analysis import loss_path, loss_slice
from lib.analysis.distance import DISTANCE, MASKED_DISTANCE
from lib.analysis.epoch_errors import BEST
from lib.analysis.schema import QUANTITIES, tidy
from lib.analysis.tables import Table
from papers.label_noise.cases import REDENSE, WR
from tests.analysis.hand_made import provenance

REMAINING = (100.0, 51.2, 26.2, 13.4, 6.87, 3.52)
SPARSE_ERRORS = (10.0, 14.0, 20.0, 8.0, 5.0, 30.0)  # overfitting at level 2, last sweet spot at level 4
REDENSE_ERRORS = (10.0, 12.0, 14.0, 13.0, 13.0, 14.0)
BEST_ERRORS = (5.0, 5.2, 5.4, 4.0, 4.5, 20.0)  # best sweet spot at level 3
SPARSE_DISTANCES = (7.5, 6.0, 5.0, 3.0, 2.0, 1.0)  # crosses the other between levels 2 and 3
REDENSE_DISTANCES = (7.0, 5.5, 4.5, 4.0, 3.0, 2.5)

ALPHA = numpy.linspace(0, 1, loss_path.POINTS)
FALLING = tuple(2 - 1.5 * ALPHA)
BARRIER = tuple(2 - 1.5 * ALPHA + 1.0 * numpy.sin(numpy.pi * ALPHA) ** 8)
RISE = {0: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}  # curvature by level, 0 the dense network

Rows = list[dict]


def table(
    benchmark: str = "mnist-lenet",
    noise: float = 20.0,
    seeds: Sequence[int] = (0, 1, 2),
    sparse_errors: Sequence[float] = SPARSE_ERRORS,
    redense_errors: Sequence[float] = REDENSE_ERRORS,
    sparse_distances: Sequence[float] = SPARSE_DISTANCES,
    redense_distances: Sequence[float] = REDENSE_DISTANCES,
    path: Sequence[float] | None = FALLING,
    rise: Mapping[int, float] | None = RISE,
    scale: str = "paper",
) -> Table:
    """Make a table of both networks at six levels; replicates differ a little."""
    rows: Rows = []
    numbers: Rows = []
    for index, seed in enumerate(seeds):
        for algorithm, errors, distances in (
            (WR, sparse_errors, sparse_distances),
            (REDENSE, redense_errors, redense_distances),
        ):
            for level, error in enumerate(errors):
                named = {
                    "algorithm": algorithm, "noise_percent": noise, "seed": seed, "level": level,
                    "stage_key": "ab",
                }  # fmt: skip
                for subset in ("test", "train"):
                    rows.append(
                        {
                            **named,
                            "benchmark": benchmark,
                            "scale": scale,
                            "weights_remaining_percent": REMAINING[level],
                            "epochs_trained": 40,
                            "subset": subset,
                            "examples": 1000,
                            "error_percent": error + 0.1 * (index - 1) * (level + 1),
                            "cross_entropy_nats": 0.5,
                            "diverged": False,
                        }
                    )
                best = BEST_ERRORS[level] + 0.01 * index
                numbers.append({**named, "quantity": BEST, "position": 0.0, "value": best})
                if distances:
                    for quantity, factor in ((DISTANCE, 1.0), (MASKED_DISTANCE, 0.5)):
                        value = factor * distances[level] + 0.01 * index * (level + 1)
                        numbers.append({**named, "quantity": quantity, "position": 0.0, "value": value})
                series: list[tuple[str, Any, Any]] = []
                if algorithm == REDENSE and level in (2, 3, 4) and path:
                    some = slice(None, None, loss_path.EVERY)
                    series += [
                        (loss_path.TRAIN_LOSS, ALPHA, path),
                        (loss_path.TRAIN_ERROR, ALPHA[some], [20 * p for p in path[some]]),
                        (loss_path.TEST_LOSS, ALPHA[some], [p + level for p in path[some]]),
                        (loss_path.TEST_ERROR, ALPHA[some], [5 + p for p in path[some]]),
                    ]
                if rise and (level in (2, 3, 4) if algorithm == REDENSE else level == 0):
                    steps = numpy.linspace(-1, 1, loss_slice.POINTS)
                    factor = rise[level] * (1 + 0.01 * index)
                    series.append((loss_slice.TRAIN_LOSS, steps, 0.2 + factor * steps**2))
                numbers += [
                    {**named, "quantity": quantity, "position": round(float(x), 6), "value": float(value)}
                    for quantity, positions, values in series
                    for x, value in zip(positions, values, strict=True)
                ]
    return Table(tidy(rows), provenance(benchmark, scale, seeds), "memory", tidy(numbers, QUANTITIES))
