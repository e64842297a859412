"""Prune potential: how much can be pruned before the error on some data rises by more than δ (LIP section 5; facts L25).

    P(D, δ) = max { PR of level k : error(level k, D) ≤ error(parent, D) + δ },    0 if no level qualifies

for one parent and the networks that were pruned from it and trained again, in percent of all parameters; δ in points, 0.5 in
the paper. A later level counts also where an earlier one fails. `first_crossing` stops at the first failure instead.
Over the sets of a distribution it is averaged, or its minimum taken, for each parent; then come mean and sample standard
deviation over parents (L31). Where δ is a slider, one call computes all its values.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pandas
from numpy.typing import ArrayLike, NDArray

from lib.analysis.distributions import REMOVED, TestSet
from lib.analysis.table import Table, values
from lib.errors import InputError

DELTA = 0.5
"""Points of error, the paper's choice."""

SMALLEST_DIFFERENCE = 1e-6  # points of error; tables keep four digits

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Curves:
    """Errors of parents and of what was pruned from them, on several sets of images.

    Attributes:
        sets: names of S sets.
        seeds: of P parents.
        levels: L of them in order; the first is 0, the parent.
        removed: PR in percent of all parameters, float64 [P, L].
        errors: in percent, float64 [S, P, L]; NaN where a network diverged or was not measured.
    """

    sets: tuple[str, ...]
    seeds: tuple[int, ...]
    levels: tuple[int, ...]
    removed: Floats
    errors: Floats


def curves(table: Table, sets: Sequence[TestSet], **where: Any) -> Curves:
    """Read the curves of one algorithm from a table.

    Args:
        table: with the measurement `lib.analysis.distributions`.
        sets: at least one.
        **where: algorithm, and other dimensions of the table where it has several values.

    Raises:
        InputError: the table has no such numbers, or not of the parent; the message names the set.
    """
    removed = values(table, REMOVED, **where)
    frames = []
    for one in sets:
        found = values(table, one.quantity, position=one.position, **where)
        if 0 not in found.columns:
            raise InputError(
                f"{table.benchmark}, {table.scale}: the parent's error on {one.name!r} is not in the table."
            )
        frames.append(found.reindex(index=removed.index, columns=removed.columns))
    if not frames:
        raise InputError("prune potential needs at least one set of images.")
    errors = numpy.stack([frame.to_numpy(dtype="float64") for frame in frames])
    seeds, levels = (tuple(int(one) for one in axis) for axis in (removed.index, removed.columns))
    return Curves(tuple(one.name for one in sets), seeds, levels, removed.to_numpy(dtype="float64"), errors)


def prune_potential(found: Curves, delta: ArrayLike = DELTA, first_crossing: bool = False) -> Floats:
    """Return P in percent for every set and parent.

    Args:
        found: errors of S sets and P parents.
        delta: points of error, one number or [D].
        first_crossing: count only levels before the first one that fails.

    Returns:
        Float64 [S, P], or [D, S, P]; NaN where the parent has no error.
    """
    allowed = numpy.asarray(delta, dtype="float64")[..., None, None, None] + SMALLEST_DIFFERENCE
    parent = found.errors[..., :1]
    passes = found.errors <= parent + allowed
    passes |= found.removed <= 0  # the parent itself, also for a negative δ
    if first_crossing:
        passes = numpy.logical_and.accumulate(passes, axis=-1)
    potential = numpy.where(passes, found.removed, 0.0).max(-1)
    return numpy.where(numpy.isnan(parent[..., 0]), numpy.nan, potential)


def over_sets(potential: Floats) -> dict[str, Floats]:
    """Return "average" and "minimum" over the sets of a distribution, [..., P] of [..., S, P]."""
    return {"average": potential.mean(-2), "minimum": potential.min(-2)}


def potential_rows(
    table: Table,
    sets: Sequence[TestSet],
    algorithms: Iterable[str],
    deltas: Sequence[float] = (DELTA,),
    first_crossing: bool = False,
    **where: Any,
) -> pandas.DataFrame:
    """Return the potential of every parent on every set and for every δ, to be drawn.

    Returns:
        Columns algorithm, seed, set, position (of the set: its severity, or ε), delta, value (%).
    """
    pieces = []
    for algorithm in algorithms:
        found = curves(table, sets, algorithm=algorithm, **where)
        potential = prune_potential(found, deltas, first_crossing)
        axes = [list(deltas), range(len(sets)), found.seeds]
        index = pandas.MultiIndex.from_product(axes, names=["delta", "place", "seed"])
        piece = pandas.DataFrame({"value": potential.ravel()}, index=index).reset_index()
        piece["set"] = [found.sets[place] for place in piece["place"]]
        piece["position"] = [sets[place].position for place in piece["place"]]
        pieces.append(piece.drop(columns="place").assign(algorithm=algorithm))
    columns = ["algorithm", "seed", "set", "position", "delta", "value"]
    return (
        pandas.concat(pieces, ignore_index=True).reindex(columns=columns)
        if pieces
        else pandas.DataFrame(columns=columns)
    )
