"""How near measured numbers come to printed ones where both follow the paper's own recipe, scale `paper`.

    z = (measured mean − printed mean) / printed standard deviation

Each network and quantity counts once, beside the table that prints it with the most digits; of equal ones the first. A
printed deviation counts as at least half a unit of the last printed digit: 0.00 may have been 0.005. "Optimum minus dense"
is the difference of two numbers that count already, and is left out.

What to expect: for two sets of n and m runs from one normal distribution, z / √(1/n + 1/m) has a t distribution with n − 1
degrees of freedom, since the printed deviation is itself an estimate from n = 3 runs (TR section 2). So z lies within 1 in
65 % and within 2 in 87 % of all cases, not in 68 and 95 %. Numbers of one table share dense networks; they are not
independent, and neither share comes with an interval.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas
from scipy import stats

from lib.analysis.display import NOTHING, plus_minus
from lib.analysis.levels import chosen_level
from lib.analysis.printed import printed
from lib.analysis.sentences import number
from lib.analysis.statistics import mean_and_std
from lib.analysis.table import SIZE, Table, values
from papers.training_regularization.names import DS, RANDOM, TEST, WD, WR
from papers.training_regularization.printed_tables import (
    CHANGE,
    DENSE,
    OPTIMUM,
    PAPER,
    PLACE,
    TABLES,
    measured_numbers,
    printed_numbers,
)

PRINTED_RUNS = 3  # TR section 2
LEVEL = 0.05  # of p, above which so few runs do not tell two means apart
BY_CHANCE = "so few runs do not tell the two means apart"
NETWORK = PLACE[1:]
"""The columns that name a network and quantity, whichever table prints it."""

Place = tuple[str, float, str, str, str]
"""Values of `NETWORK`: benchmark, noise in percent, algorithm, level, quantity."""

IN_PART = "in part another optimum: the sizes beside it validate as well, 1.3 and 1.9 deviations off; else open"
AS_GOOD = "another optimum: 5.5 and 4.4 % of the weights validate as well, 0.9 and 0.4 deviations off"
BETWEEN_SIZES = (
    "open: the sizes that validate as well are 2.2 and 2.9 deviations below print, the next denser one 4.7 above"
)
BELOW_ITS_JUDGE = (
    "open: each seed is 0.4 to 1.1 points below the dense network that chose; in print both means are alike"
)
WHY: Mapping[Place, str] = {
    ("mnist-lenet", 10.0, DS, DENSE, TEST): BELOW_ITS_JUDGE,
    ("mnist-lenet", 10.0, RANDOM, OPTIMUM, TEST): AS_GOOD,
    ("mnist-lenet", 5.0, WD, OPTIMUM, TEST): IN_PART,
    ("mnist-lenet", 10.0, WR, OPTIMUM, TEST): BETWEEN_SIZES,
}
"""What was found where a number is more than two printed deviations from print."""


def at_paper_scale(tables: Sequence[Table]) -> list[Table]:
    """Return the table of each benchmark by the paper's own recipe, the first where there are several."""
    found: dict[str, Table] = {}
    for table in tables:
        if table.scale == "paper" and not table.changes:
            found.setdefault(table.benchmark, table)
    return list(found.values())


def printed_once() -> pandas.DataFrame:
    """Return every printed number with a standard deviation, each network and quantity once.

    Returns:
        `printed_numbers`, `digits` after the point, and `least`: the deviation, at least half a unit of the last digit.
    """
    pieces = []
    for table, (file, _) in TABLES.items():
        digits = max(map(_digits, printed(PAPER, file)["mean"]))
        pieces.append(printed_numbers(table).assign(digits=digits))
    every: Any = pandas.concat(pieces, ignore_index=True)
    every = every[every["std"].notna() & (every["level"] != CHANGE)]
    every = every.sort_values("digits", ascending=False, kind="stable").drop_duplicates(NETWORK)
    every["least"] = every["std"].clip(lower=0.5 * 0.1 ** every["digits"])
    return every.sort_values(
        ["benchmark", "quantity", "algorithm", "noise_percent"], ascending=[True, False, True, True], kind="stable"
    )


def agreement(tables: Sequence[Table]) -> pandas.DataFrame:
    """Set each number that was measured at paper scale beside the printed one.

    Returns:
        `printed_once`, and of the measurement: table (its label), values (a list), measured, measured_std, n,
        difference in the unit of the quantity, and z.
    """
    numbers = printed_once()
    single: Any = measured_numbers(at_paper_scale(tables), numbers)
    found = []
    for place, own in single.groupby([*PLACE, "table"], sort=False):
        mean, std, n = mean_and_std(own["value"]).iloc[0]
        if n:
            found.append([*place, list(own["value"]), mean, std, int(n)])
    columns = [*PLACE, "table", "values", "measured", "measured_std", "n"]
    measured: Any = pandas.DataFrame(found, columns=columns).astype(numbers[PLACE].dtypes)
    both: Any = numbers.merge(measured, on=PLACE)
    difference = both["measured"] - both["mean"]
    return both.assign(difference=difference, z=difference / both["least"])


def expected_share(deviations: float, runs: int) -> float:
    """Return how often two measurements of one thing are at most so many printed deviations apart.

    Args:
        deviations: z, above 0.
        runs: behind the measured mean; the printed one has three.
    """
    return float(2 * stats.t.cdf(deviations / math.sqrt(1 / PRINTED_RUNS + 1 / runs), PRINTED_RUNS - 1) - 1)


def shares(found: pandas.DataFrame) -> pandas.DataFrame:
    """Count, for each network and quantity over the shares of wrong labels, and for each quantity in all.

    Args:
        found: as `agreement` returns it.

    Returns:
        network ("all" for the last row of a quantity), quantity, numbers, within 1 and within 2 printed deviations, and the
        mean difference in the unit of the quantity, with its sign.
    """
    lines = []
    for quantity, own in found.groupby("quantity", sort=False):
        for network, some in [*own.groupby("network", sort=False), ("all", own)]:
            within = [int((some["z"].abs() <= limit).sum()) for limit in (1, 2)]
            lines.append([network, quantity, len(some), *within, some["difference"].mean()])
    return pandas.DataFrame(
        lines, columns=["network", "quantity", "numbers", "within 1", "within 2", "mean difference"]
    )


def outliers(tables: Sequence[Table], found: pandas.DataFrame) -> pandas.DataFrame:
    """Look into every number that is more than two printed deviations from print.

    Returns:
        As text: benchmark, noise (%), network, quantity, printed, seeds, p (Welch's test of the two means), the nearest
        level at which the printed number was measured, and what was found: `WHY`, else `BY_CHANCE`, else "open".
    """
    by_benchmark = {table.benchmark: table for table in at_paper_scale(tables)}
    lines = []
    far: Any = found[found["z"].abs() > 2]
    for row in far.to_dict("records"):
        both = (row["mean"], row["least"], PRINTED_RUNS, row["measured"], row["measured_std"], row["n"])
        p = stats.ttest_ind_from_stats(*both, equal_var=False)[1] if row["n"] > 1 else math.nan
        lines.append(
            {
                "benchmark": row["benchmark"],
                "noise (%)": f"{row['noise_percent']:g}",
                "network": row["network"],
                "quantity": row["quantity"],
                "printed": plus_minus(row["mean"], row["std"], row["digits"]),
                "measured, by seed": ", ".join(f"{one:.{row['digits']}f}" for one in row["values"]),
                "p": NOTHING if math.isnan(p) else number(p),
                "measured so at": _elsewhere(by_benchmark[row["benchmark"]], row),
                "what was found": WHY.get(tuple(row[name] for name in NETWORK), BY_CHANCE if p > LEVEL else "open"),
            }
        )
    return pandas.DataFrame(lines)


def _elsewhere(table: Table, row: Mapping[str, Any]) -> str:
    """Name the level nearest to the chosen one whose mean is within a printed deviation of print; a dash for none."""
    if row["level"] != OPTIMUM:
        return NOTHING
    where = {"algorithm": row["algorithm"], "noise_percent": row["noise_percent"]}
    chosen = chosen_level(table, OPTIMUM, **where)
    means, sizes = values(table, row["quantity"], **where).mean(), values(table, SIZE, **where).mean()
    near: list[Any] = [
        level for level, mean in means.items() if abs(mean - row["mean"]) <= row["least"] and level != chosen
    ]
    if chosen is None or not near:
        return NOTHING
    best = min(near, key=lambda level: abs(level - chosen))
    return f"{sizes[best]:.3g} % of the weights, not {sizes[chosen]:.3g} %"


def _digits(value: float) -> int:
    return len(repr(float(value)).partition(".")[2]) if value == value else 0
