"""Excess error: what a change of the data costs, and how much more it costs a pruned network (LIP section 5; facts C.9).

    e = mean error over test sets − mean error over train sets        ê − e = of a pruned network minus of its parent

Train sets are those of the distribution that a network was trained on: clean images, and for a robust network also the
corruptions that it saw. Over networks the paper fits a line through the origin,

    slope b = Σ x y / Σ x²        x = PR, y = ê − e

in points of error for each point of PR. Its 95 % interval resamples points, as in the paper, and beside it parents with all
their networks: points of one parent depend on each other, so that the first interval is too narrow (facts L30).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pandas

from lib import data
from lib.analysis.distributions import CLEAN, NEW_TEST, TestSet, benchmark_sets, corrupted, extra_sets
from lib.analysis.prune_potential import Curves, Floats, curves
from lib.analysis.statistics import bootstrap_interval
from lib.analysis.table import Table
from lib.errors import unknown


@dataclass(frozen=True)
class Split:
    """Corruptions, as in `lib.data.CORRUPTIONS`, that robust training sees, and those that only tests have."""

    train: tuple[str, ...]
    test: tuple[str, ...]


SEEN = (
    "impulse_noise", "shot_noise", "motion_blur", "zoom_blur", "snow", "contrast", "elastic_transform", "pixelate",
)  # fmt: skip
UNSEEN = tuple(name for name in data.BENCHMARK_CORRUPTIONS if name not in SEEN)
SPLITS = {
    "text": Split(SEEN, UNSEEN),
    "code": Split((*SEEN, "gaussian_blur"), (*UNSEEN, "saturate", "spatter", "speckle_noise")),
}
"""Eight and seven corruptions by Table 11; nine and ten in the released code (facts L11)."""

Sets = tuple[TestSet, ...]


def nominal_split(severity: int = 3, extra: bool = True, new_test: bool = False) -> tuple[Sets, Sets]:
    """Return train and test sets of networks that saw clean images alone.

    Args:
        severity: of the corruptions.
        extra: all 19 corruptions, as in the paper, or the benchmark's 15.
        new_test: also CIFAR-10.1, where it was measured.
    """
    more = (*(extra_sets(severity) if extra else ()), *((NEW_TEST,) if new_test else ()))
    return (CLEAN,), (*benchmark_sets(severity), *more)


def robust_split(name: str = "text", severity: int = 3, new_test: bool = False) -> tuple[Sets, Sets]:
    """Return train and test sets of networks that saw corrupted images; InputError for a name that is not in `SPLITS`."""
    if name not in SPLITS:
        raise unknown("split of corruptions", name, SPLITS)
    train, test = (tuple(corrupted(one, severity) for one in some) for some in (SPLITS[name].train, SPLITS[name].test))
    return (CLEAN, *train), (*test, *((NEW_TEST,) if new_test else ()))


def excess_error(train: Curves, test: Curves) -> Floats:
    """Return e in points for every parent and level, float64 [P, L], of curves of the same networks."""
    return test.errors.mean(0) - train.errors.mean(0)


def excess_points(
    table: Table, train: Sequence[TestSet], test: Sequence[TestSet], algorithms: Iterable[str], **where: Any
) -> pandas.DataFrame:
    """Return ê − e of every pruned network.

    Args:
        table, **where: as for `lib.analysis.prune_potential.curves`.
        train, test: sets of images.
        algorithms: pruning methods.

    Returns:
        Columns algorithm, seed, level, removed (PR, %), value (points); networks that diverged are left out.
    """
    pieces = []
    for algorithm in algorithms:
        both = [curves(table, sets, algorithm=algorithm, **where) for sets in (train, test)]
        excess = excess_error(*both)
        index = pandas.MultiIndex.from_product([both[0].seeds, both[0].levels], names=["seed", "level"])
        numbers = {"removed": both[0].removed.ravel(), "value": (excess - excess[:, :1]).ravel()}
        piece = pandas.DataFrame(numbers, index=index).reset_index().assign(algorithm=algorithm)
        pieces.append(piece.loc[piece["level"] > 0])
    columns = ["algorithm", "seed", "level", "removed", "value"]
    if not pieces:
        return pandas.DataFrame(columns=columns)
    return pandas.concat(pieces).reindex(columns=columns).dropna().reset_index(drop=True)


@dataclass(frozen=True)
class Slope:
    """A line through the origin, in points of error for each point of PR.

    Attributes:
        value: b; NaN without points.
        over_points, over_parents: 95 % interval of b, each by its bootstrap; NaN over a single parent. At PR x the line's
            interval is x times this.
        points, parents: how many.
    """

    value: float
    over_points: tuple[float, float]
    over_parents: tuple[float, float]
    points: int
    parents: int


def slope(points: pandas.DataFrame) -> Slope:
    """Fit ê − e of one algorithm; `points` as `excess_points` returns them."""
    x, y = (points[name].to_numpy(dtype="float64") for name in ("removed", "value"))
    seeds = points["seed"].to_numpy()
    own = numpy.unique(seeds)
    sums = [numpy.array([(one[seeds == seed]).sum() for seed in own]) for one in (x * y, x * x)]
    nothing = (numpy.nan, numpy.nan)
    over_points = _interval(x * y, x * x) if len(x) > 1 else nothing
    over_parents = _interval(*sums) if len(own) > 1 else nothing
    value = sums[0].sum() / sums[1].sum() if len(x) else numpy.nan
    return Slope(float(value), over_points, over_parents, len(x), len(own))


def _interval(products: Floats, squares: Floats) -> tuple[float, float]:
    def statistic(rows: numpy.ndarray) -> numpy.ndarray:
        return products[rows].sum(1) / squares[rows].sum(1)

    return bootstrap_interval(statistic, [numpy.arange(len(products))])
