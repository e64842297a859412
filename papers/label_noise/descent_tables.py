"""The small tables of the page on section 4 of LN: its telling levels beside print, thresholds, and pruning efficacy."""

import re
from collections.abc import Mapping, Sequence

import pandas
import torch

from lib.analysis.epoch_errors import BEST, by_seed_and_level
from lib.analysis.printed import printed
from lib.analysis.pruning_efficacy import efficacy_level, interpolation_level, mean_by_level
from lib.analysis.statistics import select
from lib.analysis.tables import Table
from lib.analysis.telling_levels import NAMES, telling_levels
from lib.charts.wording import noise_name
from lib.models import build
from lib.training import Recipe
from papers.label_noise.cases import WD, WR
from papers.label_noise.descent_claims import SCORES

DATASETS = {
    "mnist-lenet": "MNIST",
    "cifar10-resnet18": "CIFAR-10",
    "cifar100-resnet18": "CIFAR-100",
}
CLASSES = {"mnist-lenet": 10, "cifar10-resnet18": 10, "cifar100-resnet18": 100}
NOTHING = "–"


def printed_levels(benchmark: str) -> dict[tuple[float, str], list[float]]:
    """Return the weights remaining in percent that LN prints, by noise level and name of the level (facts B.7).

    Figures that show five sparsities are read, and of these only panels whose place is certain; the first is the dense
    network. The paper does not say which of its two sweet spots is which: they are taken as the one of the best epoch and
    that of the last, in this order. Figures do not always agree, so there may be several values.
    """
    rows = printed("label_noise", "quoted_in_text")
    rows = rows.loc[(rows["metric"] == "sparsity") & (rows["dataset"] == DATASETS[benchmark])]
    found: dict[tuple[float, str], set[float]] = {}
    for row in rows.to_dict("records"):
        place = re.search(r"point (\d) of 5$", str(row["statement"]))
        if place and str(row["noise_percent"]).isdigit():
            name = NAMES[int(place[1]) - 1]
            weights = round(100 - float(str(row["value"])), 2)
            found.setdefault((float(str(row["noise_percent"])), name), set()).add(weights)
    return {key: sorted(values, reverse=True) for key, values in found.items() if key[1] != "dense"}


def levels_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Set the measured telling levels of weight rewinding by magnitude beside the printed ones.

    Args:
        tables: of one benchmark, one per scale.

    Returns:
        Text: scale, label noise, level, and weights remaining in percent, measured and printed.
    """
    rows = []
    for table in tables:
        made = table.provenance
        print_ = printed_levels(made.benchmark)
        for noise in _noises(table):
            weights = mean_by_level(table.frame, WR, noise, "test", "weights_remaining_percent")
            last, best = (
                select(table.frame, WR, noise, "test"),
                by_seed_and_level(table.quantities, BEST, WR, noise),
            )
            found = telling_levels(last, best) if len(best) else {}
            for name in NAMES[1:]:
                rows.append(
                    {
                        "scale": made.scale,
                        "label noise": noise_name(noise),
                        "level": name,
                        "measured (% of weights left)": f"{weights[found[name]]:.4g}"
                        if name in found
                        else NOTHING,
                        "printed (%)": " or ".join(f"{one:g}" for one in print_.get((noise, name), []))
                        or NOTHING,
                    }
                )
    return pandas.DataFrame(rows)


def efficacy_table(tables: Sequence[Table], recipes: Mapping[str, Recipe]) -> pandas.DataFrame:
    """Say how small each score, and the family of narrower networks, can make the network.

    Args:
        tables: of one benchmark, one per scale.
        recipes: recipe by scale, for the number of weights.

    Returns:
        Text: scale, label noise, how the network gets small, its dense training error, and weights remaining at its pruning
        efficacy and at its interpolation threshold, the latter also as their number.
    """
    rows = []
    for table in tables:
        scale = table.provenance.scale
        whole = prunable_weights(recipes[scale])
        for noise in _noises(table):
            for name, kind in {
                **{n: f"{score} score" for n, score in SCORES.items()},
                WD: "narrower layers",
            }.items():
                if name not in set(table.frame["algorithm"]):
                    continue
                weights = mean_by_level(table.frame, name, noise, "test", "weights_remaining_percent")
                dense = mean_by_level(table.frame, name, noise, "train").get(0)
                efficacy = efficacy_level(table.frame, name, noise)
                threshold = interpolation_level(table.frame, name, noise)
                rows.append(
                    {
                        "scale": scale,
                        "label noise": noise_name(noise),
                        "made smaller by": kind,
                        "dense training error (%)": NOTHING if dense is None else f"{dense:.2f}",
                        "efficacy (% of weights left)": _percent(weights, efficacy),
                        "threshold (% of weights left)": _percent(weights, threshold),
                        "weights at threshold": NOTHING
                        if threshold is None
                        else f"{round(whole * weights[threshold] / 100):,}",
                    }
                )
    return pandas.DataFrame(rows)


def prunable_weights(recipe: Recipe) -> int:
    """Return how many prunable weights a recipe's network has at its standard width."""
    with torch.device("meta"):  # shapes only
        network = build(recipe.network, CLASSES[recipe.benchmark], recipe.width)
    return sum(network.module.get_parameter(name).numel() for name in network.prunable)


def _percent(weights: Mapping[int, float], level: int | None) -> str:
    return NOTHING if level is None else f"{weights[level]:.3g}"


def _noises(table: Table) -> list[float]:
    rows = table.frame.loc[table.frame["algorithm"] == WR, "noise_percent"]
    return sorted({float(noise) for noise in rows})
