"""What the page on section 2 of TR runs: learning-rate rewinding of one replicate, and the paper's benchmarks in a table.

The replicate is one of the page on label noise: the first seed at the highest noise. Their stages are the same, so whichever
page runs first trains them for both.
"""

import pandas

from lib.analysis.pages import Page
from lib.analysis.printed import printed
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes


def plan(benchmark: str, scale: str) -> Plan:
    """Return the plan of the other pages, for one seed and the highest noise alone.

    Raises:
        InputError: if benchmark or scale is unknown.
    """
    whole = recipes.plan(benchmark, scale)
    return whole.but(seeds=whole.seeds[:1], noise_percents=(max(whole.noise_percents),))


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan."""
    return [learning_rate_rewinding(plan.recipe, plan.levels, plan.prune)]


PAGE = Page("training_regularization", "preliminaries", plan, chains)


def hyperparameters() -> pandas.DataFrame:
    """Return the benchmarks of the paper and how it trains them, as printed in Table 1 (TR App. B.2).

    Returns:
        A row per benchmark, in printed order, all cells text: data set, network, epochs, batch, optimizer, learning rate, at
        which epochs it drops, weight decay, and the rewinding epoch t.
    """
    cells = printed("training_regularization", "table_01_hyperparameters")
    rows = []
    for network, dataset in dict.fromkeys(zip(cells["model"], cells["dataset"], strict=True)):
        own = cells[(cells["model"] == network) & (cells["dataset"] == dataset)]
        value = {
            metric: text or f"{mean:g}"
            for metric, text, mean in zip(own["metric"], own["text_value"], own["mean"], strict=True)
        }
        drops = [value[metric] for metric in value if metric.startswith("lr_drop_epoch_")]
        factor = value.get("lr_drop_factor", "")
        rows.append(
            {
                "data set": dataset,
                "network": network,
                "epochs": value["epochs"],
                "batch": value["batch_size"],
                "optimizer": value["optimizer"]
                + (f", momentum {value['momentum']}" if "momentum" in value else ""),
                "learning rate": value["learning_rate"],
                "drops": f"÷ {factor} at {', '.join(drops)}" if drops else value["lr_drop"],
                "weight decay": value["weight_decay"],
                "t": value["rewind_epoch"],
            }
        )
    return pandas.DataFrame(rows)
