"""TR's figures of errors and losses: what is on the axes, in the colours and in the menus. `lib.charts` knows how to draw.

Each takes tables and says in words what they lack. The first that has what is compared is shown until the reader's menu
chooses another.
Figures of training examples are in `example_figures`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas

from lib.analysis.steps import Step
from lib.analysis.table import EPOCHS, SIZE, Table, comparing_first, rows
from lib.charts import comparison_table, dots, lines, scatter
from lib.charts.data import named
from lib.charts.steps import step_chart
from lib.errors import InputError
from lib.stages import Chain
from lib.training import learning_rate
from lib.widgets.page import or_what_is_missing
from papers.training_regularization.agreement import agreement
from papers.training_regularization.names import (
    DS,
    EDT,
    LONGER_WD,
    LRR,
    NOISY_LOSS,
    ONE_SHOT,
    ORIGINAL_LOSS,
    RAND,
    RANDOM,
    RND,
    RND_TENTH,
    SNIP,
    SYNFLOW,
    TEST,
    TIE,
    TIE_TENTH,
    TW,
    WD,
    WR,
)
from papers.training_regularization.printed_tables import measured_numbers, printed_numbers

Tables = Sequence[Table]

WAYS_TO_PRUNE = (LRR, WR, SYNFLOW, SNIP, RANDOM, EDT)
WAYS_TO_SHRINK = (LRR, EDT, WD, ONE_SHOT, LONGER_WD)
"""Algorithms in the order of their colours, the same in every figure of a page."""

CASE, CHOOSER = ("noise_percent", "network"), "weights remaining (%) in the network that chose"
PAIRED = ["table", "benchmark", "noise_percent", "seed"]


@or_what_is_missing
def printed_beside_measured(benchmark: str, tables: Tables, number: int) -> Any:
    """Tables 2 to 10: printed and measured numbers of a benchmark, a row for each share of wrong labels and network."""
    measured, printed = _beside(benchmark, tables, number)
    if measured is None:
        raise InputError(f"no table measures a number of Table {number}; run the page with recompute=True")
    return dots(
        measured,
        y=CASE,
        printed=printed.merge(measured[[*CASE]].drop_duplicates()),
        shown={"table": measured["table"].iloc[0]},
        x=str(printed["quantity"].iloc[0]),
        title=f"Measured beside printed: Table {number}",
    )


@or_what_is_missing
def printed_table(benchmark: str, tables: Tables, number: int, noise_percent: float | None = None) -> Any:
    """Return a printed table of a benchmark with what was measured and the differences, at one noise level or all."""
    measured, printed = _beside(benchmark, tables, number, noise_percent)
    cases = [*CASE, "quantity"] if printed["quantity"].nunique() > 1 else CASE
    return comparison_table(measured, y=cases, printed=printed, name=f"table-{number}")


def _beside(benchmark: str, tables: Tables, number: int, noise_percent: float | None = None) -> tuple[Any, Any]:
    printed: Any = printed_numbers(number)
    printed = printed[printed["benchmark"] == benchmark]
    if noise_percent is not None:
        printed = printed[printed["noise_percent"] == noise_percent]
    if printed.empty:
        raise InputError(f"Table {number} prints nothing of {benchmark}.")
    measured = measured_numbers(comparing_first(tables, printed["algorithm"]), printed)
    if measured.empty:
        return None, printed
    cases = [*CASE, "quantity"]  # what no table measures stands on the page of all numbers
    return measured, printed.merge(measured[cases].drop_duplicates(), on=cases)


@or_what_is_missing
def error_while_pruning(tables: Tables, title: str = "Test error while pruning", algorithm: str = LRR) -> Any:
    """Fig. 3: test error against weights remaining, a line for each share of wrong labels."""
    return lines(
        rows(tables, TEST, algorithm=algorithm),
        x=SIZE,
        colour="noise_percent",
        reference="dense",
        mark="optimum",
        title=title,
    )


@or_what_is_missing
def loss_of_noisy_examples(tables: Tables) -> Any:
    """Fig. 4: training loss on noisy and on original examples against weights remaining."""
    return lines(
        rows(tables, [NOISY_LOSS, ORIGINAL_LOSS], algorithm=LRR),
        x=SIZE,
        y="training loss (nats)",
        colour="noise_percent",
        dash="quantity",
        mark="optimum",
        domain=shares_of(tables),
        title="Training loss on noisy and on original examples",
    )


@or_what_is_missing
def error_against_training(tables: Tables) -> Any:
    """Fig. 6: test error of pruning and of extended dense training against epochs trained."""
    return errors_of(tables, (LRR, EDT), WAYS_TO_PRUNE, x=EPOCHS, title="Longer training, with and without pruning")


@or_what_is_missing
def error_of_five_ways(tables: Tables) -> Any:
    """Fig. 8: test error of five ways to prune, and of extended dense training after as many epochs."""
    title, key = "Five ways to prune, and longer training", f"{EDT.capitalize()}: after as many epochs."
    return errors_of(tables, WAYS_TO_PRUNE, WAYS_TO_PRUNE, title=title, key=key, first=min)


@or_what_is_missing
def error_of_weight_rewinding(tables: Tables) -> Any:
    """Fig. 14: weights that stay as they are, or go back to those of epoch t."""
    return errors_of(tables, (LRR, WR), WAYS_TO_PRUNE, title="Weights kept or set back")


@or_what_is_missing
def error_of_three_scores(tables: Tables) -> Any:
    """Fig. 15: pruning by magnitude, by SynFlow and at random."""
    title = "Which weights go: small ones, by SynFlow, any"
    return errors_of(tables, (LRR, SYNFLOW, RANDOM), WAYS_TO_PRUNE, title=title)


@or_what_is_missing
def error_of_narrower_networks(tables: Tables) -> Any:
    """Fig. 7 and 11: pruning and width down-scaling."""
    return errors_of(tables, (LRR, WD), WAYS_TO_SHRINK, title="Fewer weights, or narrower layers")


@or_what_is_missing
def error_after_equal_training(tables: Tables) -> Any:
    """Fig. 12: one-shot pruning and width down-scaling, both trained for two cycles."""
    title = "One cut, or narrower layers, trained as long"
    return errors_of(tables, (ONE_SHOT, LONGER_WD), WAYS_TO_SHRINK, title=title)


@or_what_is_missing
def error_on_correct_examples(tables: Tables) -> Any:
    """Fig. 10: dense networks trained on what a sparse network classifies correctly, and that network."""
    return errors_of(tables, (LRR, DS), (LRR, DS), title="Dense networks on what a sparse one gets right")


def errors_of(
    tables: Tables,
    algorithms: Sequence[str],
    coloured: Sequence[str],
    *,
    title: str,
    x: str = SIZE,
    key: str = "",
    first: Callable[..., float] = max,
) -> Any:
    """Draw the test error of several algorithms, one share of wrong labels at a time.

    Extended dense training keeps all weights. Against weights it stands where pruning does after as many epochs, as on TR's
    double axis (Fig. 8).

    Args:
        tables: measured.
        algorithms: whose lines to draw.
        coloured: all of the page, in the order of the colours.
        title, key: of the chart.
        x: `SIZE` or `EPOCHS`.
        first: which of the first table's shares of wrong labels is shown at the start.
    """
    found: Any = rows(comparing_first(tables, algorithms), TEST, algorithm=list(algorithms))
    found = found.sort_values("algorithm", key=lambda own: own.map(algorithms.index), kind="stable")
    if x == SIZE and EDT in algorithms:
        place = [*PAIRED, "level"]
        pruned = found.loc[found["algorithm"] == LRR, [*place, SIZE]]
        moved = found[found["algorithm"] == EDT].drop(columns=SIZE).merge(pruned, on=place)
        found = pandas.concat([found[found["algorithm"] != EDT], moved])
    return lines(
        found,
        x=x,
        colour="algorithm",
        menus=["noise_percent"],
        shown=at_start(found, first),
        reference="dense, shared",
        mark="optimum",
        domain=coloured,
        title=title,
        key=key,
    )


def shares_of(tables: Tables) -> list[str]:
    """Return all shares of wrong labels, as a legend names them, so that each has one colour on a page."""
    every = {noise for table in tables for noise in table.frame["noise_percent"]}
    return [named("noise_percent", noise) for noise in sorted(every)]


def at_start(found: Any, first: Callable[..., float]) -> Mapping[str, str]:
    """Return the share of wrong labels that a menu shows at the start: the first table's lowest or highest."""
    shares = found.loc[found["table"] == found["table"].iloc[0], "noise_percent"]
    return {"noise_percent": named("noise_percent", first(shares))}


@or_what_is_missing
def error_without_examples(tables: Tables) -> Any:
    """Fig. 9: dense networks trained without the most improved examples, or without as many random ones."""
    share = {TIE: "20 %", RND: "20 %", TIE_TENTH: "10 %", RND_TENTH: "10 %"}
    which = {TIE: "most improved", RND: "random", TIE_TENTH: "most improved", RND_TENTH: "random"}
    found: Any = rows(comparing_first(tables, share), TEST, algorithm=list(share))
    found = found[found["level"] > 0].assign(
        share=lambda own: own["algorithm"].map(share), left_out=lambda own: own["algorithm"].map(which)
    )
    pruned = pruning_beside(found, tables)
    return lines(
        found.rename(columns={SIZE: CHOOSER}),
        x=CHOOSER,
        x_scale="size",
        colour="left_out",
        menus=["noise_percent", "share"],
        shown={"share": "20 %"},
        reference=pruned[pruned["level"] == 0],
        shade=pruned,
        title="Examples left out",
        key="Horizontal rule: dense network, all examples.",
    )


def pruning_beside(found: Any, tables: Tables) -> Any:
    """Return the test errors of learning-rate rewinding in the tables, and at the noise, of other rows."""
    pruned: Any = rows(tables, TEST, algorithm=LRR)
    return pruned.merge(found[["table", "noise_percent"]].drop_duplicates(), on=["table", "noise_percent"])


@or_what_is_missing
def difference_with_worsened_examples(tables: Tables) -> Any:
    """Fig. 17: by how much the most worsened examples raise the test error more than random ones do."""
    found: Any = rows(tables, TEST, algorithm=[TW, RAND])
    place = [*PAIRED, "level"]
    randomly = found.loc[found["algorithm"] == RAND, [*place, "value"]]
    found = found[(found["algorithm"] == TW) & (found["level"] > 0)]
    found = found.merge(randomly, on=place, suffixes=("", "_random"))
    found["value"] -= found["value_random"]
    return lines(
        found.assign(quantity="difference in test error (points)").rename(columns={SIZE: CHOOSER}),
        x=CHOOSER,
        x_scale="size",
        menus=["noise_percent"],
        reference=0.0,
        shade=pruning_beside(found, tables),
        title="A hundredth of the examples put in: most worsened minus random",
    )


@or_what_is_missing
def network_level_by_level(done: Sequence[Step], note: str) -> Any:
    """Section 2: one network, what each cut takes from it and what training does to the rest, a slider over levels."""
    if not done:
        raise InputError("the network is not in the store; set recompute = True to train it")
    return step_chart(done, note=note)


def learning_rate_while_pruning(chain: Chain) -> Any:
    """Section 2: the learning rate over the levels of a chain, with a rule where weights are removed."""
    found, cuts, left = [], [], 1.0
    for stage in chain.stages:
        if stage.prune:
            left *= 1 - stage.prune.fraction
            cuts.append({"x": len(found), "label": f"{100 * left:.3g} %"})
        found += [learning_rate(chain.recipe, epoch, 1) for epoch in range(stage.from_epoch, stage.to_epoch)]
    frame = pandas.DataFrame({"value": found, "epochs over all levels": range(len(found))})
    return lines(
        frame.assign(quantity="learning rate", seed=0, table=""),
        x="epochs over all levels",
        y_scale="log",
        rules=pandas.DataFrame(cuts),
        title="Learning rate while pruning",
        key=f"{chain.recipe.benchmark}: the recipe, nothing trained. Vertical rules: cuts, with the weights that remain.",
    )


def paired_runs(examples: Mapping[str, Mapping[str, pandas.Series]]) -> Any:
    """Section 2: the errors of two algorithms by replicate, a menu of examples (name → algorithm → error by seed)."""
    found = [
        {"example": example, "source": name, "replicate": f"replicate {seed}", "mean": error}
        for example, pair in examples.items()
        for name, errors in pair.items()
        for seed, error in errors.items()
    ]
    return dots(
        printed=pandas.DataFrame(found).assign(std=float("nan")),
        y="replicate",
        menus=["example"],
        x=TEST,
        title="Two algorithms, the same seeds",
        key="Numbers made up for this example.",
    )


@or_what_is_missing
def measured_against_printed(tables: Tables) -> Any:
    """Every number measured by the paper's own recipe against the printed one, a point for each network."""
    return scatter(
        _agreement(tables).rename(columns={"mean": "printed", "n": "runs"}),
        x="printed",
        y="measured",
        colour="noise_percent",
        menus=["quantity"],
        shown={"quantity": TEST},
        equal=True,
        title="Measured against printed, by the paper's own recipe",
    )


@or_what_is_missing
def printed_deviations(tables: Tables) -> Any:
    """The same differences in printed standard deviations, a row for each network."""
    found = _agreement(tables)
    return dots(
        printed=found.assign(
            mean=found["z"], std=float("nan"), source=[f"{one:g} % noise" for one in found["noise_percent"]]
        ).drop(columns=["values", "n"]),
        y="network",
        menus=["quantity"],
        shown={"quantity": TEST},
        x="z (printed deviations)",
        reference=0.0,
        title="How many printed standard deviations apart",
        key="z: measured minus printed mean, in printed standard deviations.",
    )


def _agreement(tables: Tables) -> Any:
    found = agreement(tables)
    if found.empty:
        raise InputError("no table has a printed number at paper scale")
    return found
