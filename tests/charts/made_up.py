"""Tables made by hand, whose means, spread and optimum are known."""

from typing import Any

import numpy as np
import pandas as pd

from lib.analysis.schema import Provenance, tidy
from lib.analysis.tables import Table

ERRORS = {  # noise_percent: mean test error in percent, per level
    0.0: [2.0, 2.1, 2.0, 2.4],
    15.0: [13.8, 20.3, 8.6, 10.0],
}
OPTIMUM = {0.0: 1, 15.0: 2}  # by validation error, which at 0 % noise disagrees with test error on purpose
SPREAD = (-0.3, 0.0, 0.3)  # of three replicates: sample standard deviation 0.3


def table(scale="paper", seeds=(0, 1, 2), origin: Any = "committed", shift=0.0, **changed):
    """A tidy table of two noise levels and four levels; `changed` goes into its provenance."""
    rows = []
    for noise, errors in ERRORS.items():
        for seed, spread in zip(seeds, SPREAD, strict=False):
            for level, error in enumerate(errors):
                validation = 1.0 + abs(level - OPTIMUM[noise])
                subsets = {
                    "test": (error + shift + spread, 0.5),
                    "validation": (validation + spread, 0.5),
                    "train_original": (0.5, 0.1 * (level + 1)),
                }
                if noise:
                    subsets["train_noisy"] = (50.0, 0.55 + level)
                for subset, (percent, nats) in subsets.items():
                    rows.append(
                        {
                            "benchmark": changed.get("benchmark", "mnist-lenet"),
                            "scale": scale,
                            "algorithm": "learning_rate_rewinding",
                            "noise_percent": noise,
                            "seed": seed,
                            "level": level,
                            "weights_remaining_percent": 100 * 0.8**level,
                            "epochs_trained": 60 * (level + 1),
                            "subset": subset,
                            "examples": 1000,
                            "error_percent": percent,
                            "cross_entropy_nats": nats,
                            "diverged": False,
                            "stage_key": "0a",
                        }
                    )
    described = {
        "benchmark": "mnist-lenet",
        "scale": scale,
        "page": "additional_regularization",
        "seeds": seeds,
        "device": "2 CPU cores",
        "precision": "float32",
        "stacking": "stacked",
        "date": "2026-11-20",
        "wall_clock_seconds": 60.0,
        "versions": {},
        "numerics_version": 1,
        "recipe_hash": "ab",
        "store_keys": 24,
    }
    return Table(tidy(rows), Provenance(**{**described, **changed}), origin)


ALGORITHMS = {  # how much their test error lies above that of learning-rate rewinding, in points, but for the dense one
    "learning_rate_rewinding": 0.0,
    "weight_rewinding": -1.0,
    "extended_dense_training": 2.0,
    "random_pruning": -0.5,
    "snip_pruning": 0.5,
    "synflow_pruning": 1.0,
}


def algorithms(scale="paper", names=tuple(ALGORITHMS), **changed):
    """The same table with several algorithms, each a shift of the first; the dense network is shared."""
    made, pieces = table(scale, **changed), []
    for name in names:
        piece = made.frame.assign(algorithm=name)
        moved = (piece["subset"] == "test") & (piece["level"] > 0)
        piece.loc[moved, "error_percent"] += ALGORITHMS[name]
        if name == "extended_dense_training":
            piece["weights_remaining_percent"] = 100.0
        pieces.append(piece)
    return Table(pd.concat(pieces, ignore_index=True), made.provenance, made.origin)


def diverged(made, noise, seed, level):
    """The same table with one replicate diverged from a level on."""
    frame = made.frame.copy()
    hit = (frame["noise_percent"] == noise) & (frame["seed"] == seed) & (frame["level"] >= level)
    frame.loc[hit, "diverged"] = True
    frame.loc[hit, ["error_percent", "cross_entropy_nats"]] = np.nan
    return Table(frame, made.provenance, made.origin)


def rows_of(specification, needed):
    """The data sets of a specification that have a field."""
    return [row for rows in specification["datasets"].values() for row in rows if needed in row]


def texts(specification):
    """Every text that the chart draws: title, subtitle and notes, with line breaks as spaces."""
    title = specification["title"]
    parts = [*title["text"], *title["subtitle"]]
    parts += [row["note"] for row in rows_of(specification, "note")]
    return " ".join(" ".join(parts).split())
