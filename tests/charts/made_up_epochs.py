"""A table with errors of every epoch, whose telling levels are known.

Five levels: dense, overfitting, both sweet spots, underfitting; at 40 % noise one level is both sweet spots. Errors
go straight to their last value, from 60 % in a sparse network; a re-dense one ends where the dense one does.
"""

from typing import Any

from lib.analysis.epoch_curves import SUBSETS, epoch_error
from lib.analysis.epoch_errors import BEST, UNSTEADINESS
from lib.analysis.schema import QUANTITIES, tidy
from lib.analysis.tables import Table

from . import made_up

WR, REDENSE = "weight_rewinding", "redense_training"
EPOCHS = 20
REMAINING = (100.0, 26.2, 6.9, 1.8, 0.47)
LAST = {20.0: (12.0, 18.0, 8.0, 6.0, 20.0), 40.0: (30.0, 35.0, 10.0, 12.0, 13.0)}
BESTS = {20.0: (5.0, 5.5, 4.0, 4.5, 19.0), 40.0: (9.0, 9.5, 8.0, 9.0, 10.0)}
LEVELS = {
    20.0: {"dense": 0, "overfitting": 1, "best sweet spot": 2, "last sweet spot": 3, "underfitting": 4},
    40.0: {"dense": 0, "overfitting": 1, "best sweet spot": 2, "last sweet spot": 2, "underfitting": 4},
}
SPREAD = (-0.3, 0.0, 0.3)
NOISY = (2.0, 5.0, 40.0, 60.0, 80.0)  # error on noisy examples after the last epoch, by level
ORIGINAL = (0.5, 1.0, 3.0, 5.0, 18.0)
RESTORED = (70.0, 75.0, 30.0, 20.0, 25.0)


def last_error(subset, noise, level, algorithm):
    """Error in percent after the last epoch, without the spread of replicates."""
    by_level = {
        "test": LAST[noise],
        "train": LAST[noise],
        "train_noisy": NOISY,
        "train_original": ORIGINAL,
        "train_restored": RESTORED,
    }[subset]
    return by_level[0] if algorithm == REDENSE else by_level[level]


def table(scale="paper", seeds=(0, 1, 2), origin: Any = "committed", algorithms=(WR,), **changed):
    """The made-up table; `changed` goes into its provenance."""
    described = made_up.table(scale, seeds, origin, **changed)
    rows, more = [], []
    for algorithm in algorithms:
        for noise, lasts in LAST.items():
            for seed, spread in zip(seeds, SPREAD, strict=False):
                for level in range(len(lasts)):
                    place = {
                        "algorithm": algorithm,
                        "noise_percent": noise,
                        "seed": seed,
                        "level": level,
                        "stage_key": "0a",
                    }
                    for subset in SUBSETS:
                        end = last_error(subset, noise, level, algorithm)
                        rows.append(
                            place
                            | {
                                "benchmark": described.provenance.benchmark,
                                "scale": scale,
                                "weights_remaining_percent": REMAINING[level],
                                "epochs_trained": EPOCHS * (level + 1),
                                "subset": subset,
                                "examples": 1000,
                                "error_percent": end + spread,
                                "cross_entropy_nats": 0.5,
                                "diverged": False,
                            }
                        )
                        if level not in LEVELS[noise].values():
                            continue
                        begin = 60.0 if algorithm == WR else last_error(subset, noise, level, WR)
                        start = EPOCHS * (algorithm == REDENSE)
                        more += [
                            place
                            | {
                                "quantity": epoch_error(subset),
                                "position": float(start + epoch),
                                "value": end + spread + (begin - end) * (1 - epoch / EPOCHS),
                            }
                            for epoch in range(1, EPOCHS + 1)
                        ]
                    if algorithm == WR:
                        best = BESTS[noise][level] + spread
                        for quantity, value in ((BEST, best), (UNSTEADINESS, 0.4 + 0.1 * level)):
                            more.append(place | {"quantity": quantity, "position": 0.0, "value": value})
    return Table(tidy(rows), described.provenance, origin, tidy(more, QUANTITIES))
