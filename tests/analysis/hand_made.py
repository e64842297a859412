"""Small tables made by hand, for tests of statistics and claims."""

import datetime
from collections.abc import Mapping, Sequence

from lib.analysis.schema import Provenance, tidy
from lib.analysis.tables import Origin, Table

LRR = "learning_rate_rewinding"


def provenance(
    benchmark: str = "mnist-lenet", scale: str = "paper", seeds: Sequence[int] = (0, 1, 2)
) -> Provenance:
    """A provenance that fits a hand-made table."""
    return Provenance.model_validate(
        {
            "benchmark": benchmark,
            "scale": scale,
            "page": "additional_regularization",
            "seeds": list(seeds),
            "device": "2 CPU cores (AMD EPYC)",
            "precision": "float32",
            "stacking": "stacked",
            "date": datetime.date(2026, 11, 20),
            "wall_clock_seconds": 12.5,
            "versions": {"python": "3.12", "torch": "2.9"},
            "numerics_version": 1,
            "recipe_hash": "c0ffee",
            "store_keys": 88,
        }
    )


def make(
    chains: Mapping[tuple[str, float], Sequence[Mapping[str, float]]],
    benchmark: str = "mnist-lenet",
    scale: str = "paper",
    seeds: Sequence[int] = (0, 1, 2),
    remaining: Sequence[float] = (100.0, 50.0, 8.0, 0.9),
    origin: Origin = "memory",
) -> Table:
    """Make a table.

    Args:
        chains: by algorithm and noise, one mapping per level from subset to its value: error in percent for
            "test" and "validation", cross-entropy in nats for training subsets. Replicates differ a little.
        benchmark: of the table.
        scale: of the table.
        seeds: replicates.
        remaining: weights remaining by level, in percent; not used by extended dense training.
        origin: of the table.
    """
    rows = [
        {
            "benchmark": benchmark,
            "scale": scale,
            "algorithm": algorithm,
            "noise_percent": float(noise),
            "seed": seed,
            "level": level,
            "weights_remaining_percent": remaining[level]
            if algorithm != "extended_dense_training"
            else 100.0,
            "epochs_trained": 60 * (level + 1),
            "subset": subset,
            "examples": 1000,
            "error_percent": value + (0.1 * (index % 3 - 1) * (level + 1) if subset == "test" else 0.0),
            "cross_entropy_nats": value + 0.01 * index * (level + 1),
            "diverged": False,
            "stage_key": f"{level:x}{seed:x}ab",
        }
        for (algorithm, noise), levels in chains.items()
        for index, seed in enumerate(seeds)
        for level, subsets in enumerate(levels)
        for subset, value in subsets.items()
    ]
    return Table(tidy(rows), provenance(benchmark, scale, seeds), origin)


def chain(
    test: Sequence[float], noisy: Sequence[float] = (), original: Sequence[float] = ()
) -> list[dict[str, float]]:
    """Levels of a chain; the validation error is the test error."""
    levels = [{"test": error, "validation": error} for error in test]
    for name, losses in (("train_noisy", noisy), ("train_original", original)):
        for level, loss in zip(levels, losses, strict=False):
            level[name] = loss
    return levels
