"""What TR prints of its groups of examples, set beside what is measured: two sparsities, and a range of ratios.

TR draws the losses of groups and prints no number of them, but for the range of the effect ratio over its five networks
and the highest improving sparsity of two.
"""

import math
from collections.abc import Iterable

import pandas

from lib.analysis.group_changes import effect_ratio, loss_changes
from lib.analysis.levels import highest_improving_level
from lib.analysis.printed import PLACE, beside, printed
from lib.analysis.statistics import at_level, optimal_level
from lib.analysis.tables import Table
from lib.analysis.verdicts import usable_noise
from papers.training_regularization.cases import LRR
from papers.training_regularization.comparison import BENCHMARKS, PAPER, table_6

SPARSITY = "sparsity_of_the_sparsest_that_improves"


def highest_improving_sparsity(table: Table) -> pandas.DataFrame:
    """Set the highest sparsity that lowers the test error, without noise, beside what section 4 of TR prints of it.

    Args:
        table: measured.

    Returns:
        Columns as in `comparison.table_6`; one row, with the sparsity in percent. It has no standard deviation: one
        level is chosen for all replicates.
    """
    record = printed(PAPER, "quoted_in_text")
    record = record.loc[record["section"].eq("4 / Fig. 2b") & record["metric"].eq("sparsity")]
    names = [BENCHMARKS[pair] for pair in zip(record["model"], record["dataset"], strict=True)]
    own = dict(zip(names, record["value"].astype("float64"), strict=True))
    benchmark, level = table.provenance.benchmark, highest_improving_level(table.frame, LRR, 0.0)
    place = dict(zip(PLACE, (benchmark, 0.0, SPARSITY), strict=True))
    left = place | {"printed_mean": own.get(benchmark, math.nan), "printed_std": math.nan}
    sparsity, replicates = math.nan, 0
    if level is not None:
        remaining = at_level(table.frame, LRR, 0.0, level, value="weights_remaining_percent").dropna()
        sparsity, replicates = 100 - float(remaining.mean()), len(remaining)
    right = place | {"measured_mean": sparsity, "measured_std": math.nan, "replicates": replicates}
    both = beside(pandas.DataFrame([left]), pandas.DataFrame([right]))
    return both.assign(scale=table.provenance.scale)


def without_noise(table: Table) -> pandas.DataFrame:
    """Set the test errors of the dense and of the optimally sparse network without noise, and the highest improving
    sparsity, beside print; columns as in `comparison.table_6`, all numbers in percent."""
    errors = table_6(table)
    clean = errors["noise_percent"].eq(0) & ~errors["quantity"].str.endswith("weight_rewinding")
    return pandas.concat([errors.loc[clean], highest_improving_sparsity(table)], ignore_index=True)


def effect_ratios(tables: Iterable[Table]) -> str:
    """Say how much more the hardest 20 % change than the rest at the optimum without noise, printed and measured.

    Args:
        tables: measured, with losses of groups.

    Returns:
        Two sentences: the printed range over five networks, and one measured ratio for each table.
    """
    record = printed(PAPER, "quoted_in_text").set_index("metric")["value"]
    ends = [record[f"effect_ratio_top20_vs_bottom80_{end}"] for end in ("low", "high")]
    parts = []
    for table in tables:
        made = table.provenance
        if usable_noise(table, [LRR], [0.0]):
            level = optimal_level(table.frame, LRR, 0.0)
            ratio = effect_ratio(loss_changes(table, LRR, 0.0, level).mean())
            said = f"{ratio:.3g}" if level else "none, since the dense network is best"
        else:
            said = "none, since nothing was measured without noise"
        parts.append(f"{said} ({made.benchmark}, {made.scale} scale)")
    return f"Printed: {ends[0]} to {ends[1]}, over five networks. Measured: {'; '.join(parts)}."
