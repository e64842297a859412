"""What the page on appendix A.2.3 of LN runs, and how high the peak is that a reader of each experiment would see."""

from collections.abc import Sequence

import pandas

from lib.analysis.pages import Page
from lib.analysis.statistics import compare, select
from lib.analysis.tables import Table
from lib.charts.wording import algorithm_name, noise_name
from lib.stages.algorithms import fine_tuning, weight_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.label_noise import recipes
from papers.label_noise.cases import FINE_TUNING, WR

FINE_TUNED_SHARE = 4
"""Fine-tuning takes the last quarter of the schedule."""

KEPT = (1, 2, 4)
"""Every level, every second, every fourth."""


def chains(plan: Plan) -> list[Chain]:
    """Return weight rewinding and fine-tuning, by magnitude both."""
    epochs = max(1, plan.recipe.epochs // FINE_TUNED_SHARE)
    return [
        weight_rewinding(plan.recipe, plan.levels, plan.prune),
        fine_tuning(plan.recipe, plan.levels, plan.prune, epochs),
    ]


def peak_above_dense(table: Table, algorithm: str, noise_percent: float, every: int = 1) -> pandas.Series:
    """Return how far the highest test error that is followed by a lower one stands above the dense network's.

    Args:
        table: a measured table.
        algorithm: whose rows.
        noise_percent: at which label noise.
        every: only every n-th level is looked at.

    Returns:
        Percentage points by seed, at the level whose mean over replicates is highest among those before the lowest one; 0
        where no level lies between the dense network and that lowest one, since then nothing rises.
    """
    errors = select(table.frame, algorithm, noise_percent, "test").dropna(axis="columns")
    errors = errors.loc[:, [level % every == 0 for level in errors.columns]]
    means = dict(zip(errors.columns.tolist(), errors.to_numpy().mean(axis=0).tolist(), strict=True))
    sparse = [level for level in means if level > 0]
    lowest = min(sparse, key=means.__getitem__, default=0)
    before = [level for level in sparse if level < lowest]
    peak = max(before, key=means.__getitem__, default=0)
    return errors.loc[:, peak] - errors.loc[:, 0]


def peaks_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Say for each experiment how high its peak stands above the dense network, and whether that differs from nothing.

    Args:
        tables: of one benchmark, one per scale.

    Returns:
        Text: scale, label noise, algorithm, levels looked at, peak above the dense network in percentage points (mean ± one
        standard deviation over replicates), and whether one sees a rise (`lib.analysis.statistics.compare`).
    """
    seen = {"higher": "yes", "lower": "no", "match": "no", "undecided": "undecided"}
    rows = []
    for table in tables:
        there = set(table.frame["algorithm"])
        for noise in sorted(set(table.frame["noise_percent"])):
            for name, every in [*((WR, n) for n in KEPT), (FINE_TUNING, 1)]:
                if name in there:
                    rise = peak_above_dense(table, name, float(noise), every)
                    found = compare(rise, rise * 0)
                    spread = f" ± {found.std:.2f}" if found.n > 1 else ""
                    rows.append(
                        {
                            "scale": table.provenance.scale,
                            "label noise": noise_name(float(noise)),
                            "algorithm": algorithm_name(name),
                            "levels": "all" if every == 1 else f"every {every}th".replace("2th", "2nd"),
                            "peak above dense (points)": f"{found.mean:.2f}{spread}",
                            "a rise is seen": seen[found.verdict],
                        }
                    )
    return pandas.DataFrame(rows)


PAGE = Page("label_noise", "missed_double_descent", recipes.plan, chains)
