"""How an algorithm changes the training loss of each group of examples (TR section 3, App. L).

With L_g the mean training loss of group g, the change is ΔL_g = L_g[level k] − L_g[level 0], paired by replicate:
negative where the network of level k fits the group better than the dense network does. Groups are those of
`lib.analysis.example_groups`, numbered 1 (easiest) to 20 (hardest); their losses lie beside a table, as quantities.
"""

import math

import pandas

from lib.analysis.example_groups import GROUP_LOSS, GROUP_SCORE
from lib.analysis.tables import Table

TOP_SHARE = 0.2  # TR section 3: "the top 20 % EL2N scores"


def measured_levels(table: Table, algorithm: str, noise_percent: float) -> list[int]:
    """Return the levels with losses of groups, in increasing order, 0 among them; empty where there are none."""
    return sorted({int(level) for level in _rows(table, algorithm, noise_percent)["level"]})


def group_values(
    table: Table, algorithm: str, noise_percent: float, level: int, quantity: str = GROUP_LOSS
) -> pandas.DataFrame:
    """Lay out a quantity of the groups of one level.

    Args:
        table: with quantities.
        algorithm: which chain.
        noise_percent: at which label noise.
        level: which level.
        quantity: `GROUP_LOSS` or `GROUP_SCORE`.

    Returns:
        One row per seed, one column per group (1 the easiest), both ascending; empty where nothing was measured.
    """
    rows = _rows(table, algorithm, noise_percent, quantity)
    rows = rows.loc[rows["level"] == level]
    return rows.assign(group=rows["position"].astype("int64")).pivot(
        index="seed", columns="group", values="value"
    )


def mean_scores(table: Table, noise_percent: float) -> pandas.Series:
    """Return the mean EL2N of each group, averaged over replicates, by group; empty where it was not measured."""
    frame = table.quantities
    own = frame.loc[(frame["quantity"] == GROUP_SCORE) & (frame["noise_percent"] == noise_percent)]
    return own.groupby(own["position"].astype("int64"))["value"].mean()


def loss_changes(table: Table, algorithm: str, noise_percent: float, level: int) -> pandas.DataFrame:
    """Return the change of each group's training loss against the dense network, in nats.

    Args:
        table: with losses of groups among its quantities.
        algorithm: which chain; its level 0 is the dense network.
        noise_percent: at which label noise.
        level: which level.

    Returns:
        One row per seed that has both networks, one column per group, ascending.
    """
    after, before = (group_values(table, algorithm, noise_percent, k) for k in (level, 0))
    return (after - before).dropna(how="all")


def top_and_bottom(changes: pandas.Series) -> tuple[pandas.Series, pandas.Series]:
    """Split one value per group, ascending, into the hardest 20 % of the groups and the others."""
    cut = len(changes) - round(TOP_SHARE * len(changes))
    return changes.iloc[cut:], changes.iloc[:cut]


def effect_ratio(changes: pandas.Series) -> float:
    """Tell by how much a change concentrates on hard examples: mean |ΔL| of the hardest 20 % over that of the rest.

    TR does not say whether it takes the magnitude of single examples or of groups; here it is that of groups.

    Args:
        changes: ΔL_g per group, ascending.

    Returns:
        The ratio; NaN where the rest does not change at all.
    """
    top, rest = (part.abs().mean() for part in top_and_bottom(changes))
    return float(top / rest) if rest > 0 else math.nan


def _rows(table: Table, algorithm: str, noise_percent: float, quantity: str = GROUP_LOSS) -> pandas.DataFrame:
    frame = table.quantities
    return frame.loc[
        (frame["algorithm"] == algorithm)
        & (frame["noise_percent"] == noise_percent)
        & (frame["quantity"] == quantity)
    ]
