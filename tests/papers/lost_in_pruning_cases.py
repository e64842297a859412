"""Made-up tables of LIP: parents and what was pruned from them, with errors that give known potentials."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib import data
from lib.analysis.distributions import FLOPS_REMOVED, NOISY, REMOVED, error_under
from lib.analysis.levels import TEST
from lib.analysis.part import Provenance, make_frame
from lib.analysis.table import SIZE, Table, assemble
from papers.lost_in_pruning.names import WT

PATTERN = (-1.0, 0.2, 0.8)
LEFT = (0.0, 40.0, 85.0, 97.0)
"""PR by level, in percent."""
NOISES = (0.0, 0.3, 0.7)

Rise = float | Sequence[float]
"""A prune potential in percent, above which the error jumps by `STEP`; or by how much it rises at each level."""
STEP = 10.0


@dataclass(frozen=True)
class Networks:
    """What a method made of its parents.

    Attributes:
        clean: on clean images; corrupted: on all corruptions but those in `sets`, by name; noise: by ε.
        error: of parents on corrupted images, in percent; on clean images it is 10.
        scatter: of parents, in points, at each level; errors under corruptions share it.
        extra: quantity → (level, position) → value.
    """

    clean: Rise = 97.0
    corrupted: Rise = 40.0
    sets: Mapping[str, Rise] = field(default_factory=dict)
    noise: Mapping[float, Rise] = field(default_factory=dict)
    error: float = 20.0
    scatter: Rise = 0.01
    removed: Sequence[float] = LEFT
    extra: Mapping[str, Mapping[tuple[int, float], float]] = field(default_factory=dict)

    def rise(self, given: Rise, level: int) -> float:
        """By how much the error rises at a level."""
        if isinstance(given, Sequence):
            return given[level]
        return STEP * (self.removed[level] > given)


def table(
    methods: Mapping[str, Networks], benchmark: str = "cifar10-resnet20", parents: int = 3, scale: str = "paper"
) -> Table:
    """Make a table of some methods."""
    found = []
    for algorithm, own in methods.items():
        for seed in range(parents):
            for level, ratio in enumerate(own.removed):
                scatter = own.scatter[level] if isinstance(own.scatter, Sequence) else own.scatter
                off = scatter * PATTERN[seed % 3]
                values = {
                    (SIZE, 0.0): 100 - ratio, (REMOVED, 0.0): ratio, (FLOPS_REMOVED, 0.0): 0.8 * ratio,
                    (TEST, 0.0): 10 + 0.01 * PATTERN[seed % 3] * (level + 1) + own.rise(own.clean, level),
                }  # fmt: skip
                values |= {
                    (NOISY, epsilon): 10 + 40 * epsilon + own.rise(own.noise.get(epsilon, own.clean), level)
                    for epsilon in NOISES
                }
                values |= {
                    (error_under(name), 3.0): own.error + off + own.rise(own.sets.get(name, own.corrupted), level)
                    for name in data.CORRUPTIONS
                }
                found += [_row(algorithm, seed, level, *place, value) for place, value in values.items()]
            found += [
                _row(algorithm, seed, level, quantity, position, value + 0.001 * PATTERN[seed % 3])
                for quantity, cells in own.extra.items()
                for (level, position), value in cells.items()
            ]
    if not any(own.removed for own in methods.values()):
        found += [_row(WT, 0, 0, TEST, 0.0, 10.0)]
    made = Provenance(
        seeds=tuple(range(parents)), device="2 CPU cores", precision="float32", stacking="sequential",
        date=datetime.date(2026, 11, 22), training_seconds=1.0, versions={}, numerics_version=1,
        measurements={"errors": "1"}, algorithms=tuple(methods),
    )  # fmt: skip
    frame = make_frame(found, ["noise_percent"], "runs")
    return assemble("lost_in_pruning", benchmark, scale, ("noise_percent",), [frame], {"runs": made}, "committed")


def _row(algorithm: str, seed: int, level: int, quantity: str, position: float, value: float) -> dict:
    return {
        "noise_percent": 0.0, "algorithm": algorithm, "seed": seed, "level": level, "quantity": quantity,
        "position": position, "value": value, "stage_key": f"{algorithm} {seed} {level}",
    }  # fmt: skip


def only(extra: Mapping[str, Mapping[tuple[int, float], float]]) -> Networks:
    """Return networks of which nothing but some numbers was measured, as of a separate network."""
    return Networks(removed=(), extra=extra)
