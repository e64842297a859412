"""The small tables of TR's pages: recipes, the sizes at which examples are ranked, ranked examples, quoted numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from lib.analysis.display import NOTHING, plus_minus
from lib.analysis.example_groups import effect_ratio, group_changes
from lib.analysis.levels import chosen_level
from lib.analysis.printed import printed
from lib.analysis.ranked_examples import CATEGORIES, NOISY, SCORE, levels_at, quantity
from lib.analysis.statistics import difference
from lib.analysis.table import SIZE, Table, values
from papers.training_regularization.names import LRR
from papers.training_regularization.printed_tables import BENCHMARKS, PAPER


def hyperparameters() -> pandas.DataFrame:
    """Return the benchmarks of the paper and how it trains them, as printed in Table 1 (TR App. B.2), all cells text."""
    cells: Any = printed(PAPER, "table_01_hyperparameters")
    found = []
    for (network, dataset), own in cells.groupby(["model", "dataset"], sort=False):
        texts = zip(own["metric"], own["text_value"], own["mean"], strict=True)
        value = {metric: text or f"{mean:g}" for metric, text, mean in texts}
        drops = ", ".join(value[metric] for metric in value if metric.startswith("lr_drop_epoch_"))
        momentum = f", momentum {value['momentum']}" if "momentum" in value else ""
        found.append(
            {
                "data set": dataset,
                "network": network,
                "epochs": value["epochs"],
                "batch": value["batch_size"],
                "optimizer": value["optimizer"] + momentum,
                "learning rate": value["learning_rate"],
                "drops": f"÷ {value['lr_drop_factor']} at {drops}" if drops else value["lr_drop"],
                "weight decay": value["weight_decay"],
                "t": value["rewind_epoch"],
            }
        )
    return pandas.DataFrame(found)


def paired_differences(examples: Mapping[str, Mapping[str, pandas.Series]]) -> pandas.DataFrame:
    """Compare the first of two algorithms with the second in each example (name → algorithm → error by seed), as text."""
    found = []
    for name, pair in examples.items():
        paired = difference(*pair.values())
        found.append(
            {
                "example": name,
                "mean difference": plus_minus(paired.mean, signed=True),
                "standard deviation": f"{paired.std:.2f}",
                "pairs": str(paired.n),
                f"{' against '.join(pair)}": paired.verdict,
            }
        )
    return pandas.DataFrame(found)


def ranked_sizes(benchmark: str, tables: Sequence[Table]) -> pandas.DataFrame:
    """Set the sizes at which examples are ranked without noise beside TR's Table 4, in percent of weights remaining.

    Args:
        benchmark: whose printed sizes.
        tables: of this benchmark.

    Returns:
        Text: a row per category with the printed range and, by scale, the measured one.
    """
    cells = printed(PAPER, "table_04_sparsities_for_example_ranking")
    found = []
    for category in CATEGORIES:
        ends = [
            f"{cell['mean']:g}"
            for cell in cells.to_dict("records")
            if BENCHMARKS[cell["model"], cell["dataset"]] == benchmark
            and cell["method"].lower().replace("-", " ") == category
        ]
        sizes = {table.scale: size_range(table, category, 0.0) for table in tables}
        found.append({"examples": category, "printed (Table 4)": _between(ends), **sizes})
    return pandas.DataFrame(found)


def ranked_groups(tables: Sequence[Table]) -> pandas.DataFrame:
    """Say how hard the ranked examples are, and how many of their labels are wrong.

    Args:
        tables: of one benchmark.

    Returns:
        Text: a row per scale and category with the mean EL2N without noise, and by noise level the share of wrong labels.
    """
    noises = sorted({float(noise) for table in tables for noise in table.frame["noise_percent"] if noise > 0})
    found = []
    for table in tables:
        for category in CATEGORIES:
            score = _mean(table, quantity(category, SCORE), 0.0)
            row = {
                "scale": table.scale,
                "examples": category,
                "mean EL2N": plus_minus(score, digits=3),
            }
            for noise in noises:
                share = _mean(table, quantity(category, NOISY), noise)
                row[f"{noise:g} % noise"] = NOTHING if math.isnan(share) else f"{share:.0f} %"
            found.append(row)
    return pandas.DataFrame(found)


def size_range(table: Table, category: str, noise_percent: float) -> str:
    """Say at which sizes a category is ranked, in percent of weights remaining: "22–1.06"."""
    where = {"algorithm": LRR, "noise_percent": noise_percent}
    sizes = values(table, SIZE, **where)
    return _between([f"{sizes[level].mean():.3g}" for level in levels_at(table, **where)[category]])


def quoted_numbers(benchmark: str, tables: Sequence[Table]) -> pandas.DataFrame:
    """Set what sections 3 and 4 of TR quote beside what was measured without noise, as text.

    Args:
        benchmark: whose printed sparsity.
        tables: of this benchmark.

    Returns:
        How many times more the hardest 20 % of the examples change than the rest, in magnitude, at the optimum (over five
        networks in print; TR does not say whether it takes single examples or groups, here it is groups), and the highest
        sparsity that lowers the test error.
    """
    record: Any = printed(PAPER, "quoted_in_text")
    by_metric = record.set_index("metric")["value"]
    ends = [by_metric[f"effect_ratio_top20_vs_bottom80_{end}"] for end in ("low", "high")]
    sparsity = record[record["section"].eq("4 / Fig. 2b") & record["metric"].eq("sparsity")]
    own = [
        cell["value"] for cell in sparsity.to_dict("records") if BENCHMARKS[cell["model"], cell["dataset"]] == benchmark
    ]
    rows = [
        {
            "quantity": "change of the hardest 20 %, times that of the rest",
            "printed": f"{ends[0]} to {ends[1]}",
        },
        {"quantity": "highest sparsity that lowers the test error (%)", "printed": own[0] if own else NOTHING},
    ]
    for table in tables:
        highest = chosen_level(table, "highest improving", algorithm=LRR, noise_percent=0.0)
        rows[0][table.scale] = concentration(table)
        sizes = values(table, SIZE, algorithm=LRR, noise_percent=0.0)
        rows[1][table.scale] = "none" if highest is None else f"{100 - sizes[highest].mean():.4g}"
    return pandas.DataFrame(rows)


def concentration(table: Table) -> str:
    """Say by how much the change at the optimum without noise concentrates on hard examples."""
    where = {"algorithm": LRR, "noise_percent": 0.0}
    level = chosen_level(table, "optimum", **where)
    if not level:
        return "not measured" if level is None else "none: the dense network is best"
    changes = group_changes(table, level, **where).mean()
    return f"{effect_ratio(changes):.3g}" if len(changes) else "not measured"


def _mean(table: Table, name: str, noise_percent: float) -> float:
    found = values(table, name, algorithm=LRR, noise_percent=noise_percent).to_numpy().ravel()
    return float(pandas.Series(found).mean())


def _between(ends: Sequence[str]) -> str:
    return "–".join(dict.fromkeys((ends[0], ends[-1]))) if ends else "none"
