"""The figures of LN: what each of them shows. How anything is drawn stands in `lib.charts`.

Each takes tables of one benchmark, `page.tables`, and says in words what is missing where no table has what it needs. Of
those that have it the first is shown, until the reader chooses another.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from lib.analysis.distance import crossings
from lib.analysis.levels import BEST_TEST, DESCENT, TEST
from lib.analysis.table import SIZE, Table, comparing_first, rows
from lib.charts import lines
from lib.errors import InputError
from lib.widgets.page import or_what_is_missing
from lib.widgets.page import worst_fitted_images as worst_fitted_images
from papers.label_noise.names import FINE_TUNING, REDENSE, SCORES, WR

Tables = Sequence[Table]

TRAINING, ERROR = "training error (%)", "error (%)"
ERRORS = {TRAINING: "training error", TEST: "last test error", BEST_TEST: "best test error"}
EXAMPLES = {
    "test": "test set",
    "training": "training set",
    "noisy training": "noisy examples",
    "original training": "original examples",
    "restored training": "restored examples",
}
"""What figures call a set of images, in the order of the colours."""
DISTANCES = {
    "initialization": "distance from initialization",
    "masked initialization": "distance from masked initialization",
}
NETWORKS = {WR: "sparse", REDENSE: "re-dense"}
NOISE, PLACE, DISTANCE = "noise_percent", "network from dense to sparse", "distance, no unit"
ALPHA, STEP = "α: 0 is sparse, 1 is re-dense", "place on the path"
PATHS = ["loss on path (nats)", "error on path (%)"]
NAMED = ("dense", *DESCENT, "denser level", "sparser level")


@or_what_is_missing
def test_error_by_noise(tables: Tables) -> Any:
    """The thesis in one chart: the last test error of pruning by magnitude, a line for each share of wrong labels."""
    found = _rows(tables, [WR], quantity={TEST: TEST})
    return lines(
        found, x=SIZE, y="test error after the last epoch (%)", colour=NOISE, reference="dense",
        title="Test error while pruning, trained on wrong labels",
    )  # fmt: skip


@or_what_is_missing
def errors_while_pruning(tables: Tables) -> Any:
    """Figures 1 and 8: training error, last and best test error of one score at a time, the ends of the fall ringed."""
    found = _rows(tables, _scored(tables), error=ERRORS)
    found.loc[found["quantity"] != TEST, ["overfitting", "recovery"]] = False
    return lines(
        found.assign(quantity=ERROR), x=SIZE, y=ERROR, colour="error", domain=[*ERRORS.values()],
        menus=["score", NOISE], shown=_noise(found), rings=["overfitting", "recovery"],
        reference=found[(found["level"] == 0) & (found["quantity"] == TEST)].drop(columns="error"),
        title="Errors while pruning under label noise",
        key="Dashed: last test error of the dense network. Rings: its largest fall, from overfitting to recovery.",
    )  # fmt: skip


@or_what_is_missing
def errors_by_score(tables: Tables) -> Any:
    """Figures 1 and 8: training and test error of pruning by three scores."""
    tables = comparing_first(tables, SCORES)
    found = _rows(
        tables, _scored(tables), error={BEST_TEST: "test error", TEST: "test error", TRAINING: "training error"}
    )
    # Training errors stand beside either test error.
    pieces = [found[found["quantity"].isin([TRAINING, one])].assign(test=ERRORS[one]) for one in (TEST, BEST_TEST)]
    return lines(
        pandas.concat(pieces).sort_values("error", kind="stable").assign(quantity=ERROR), x=SIZE, y=ERROR,
        colour="score", domain=_called_scores(tables), dash="error", menus=[NOISE, "test"], shown=_noise(found),
        title="Three scores for the same pruning",
    )  # fmt: skip


@or_what_is_missing
def loss_change_by_score(tables: Tables) -> Any:
    """Equation 1: what each pruning step does to the training loss, and its linear estimate."""
    tables = comparing_first(tables, SCORES)
    sides = {
        "loss change by pruning (nats)": "measured",
        "first-order loss change by pruning (nats)": "linear estimate",
    }
    found = _rows(tables, _scored(tables), change=sides).sort_values("change", ascending=False, kind="stable")
    return lines(
        found, x=SIZE, y="change of training loss (nats)", colour="score", domain=_called_scores(tables), dash="change",
        menus=[NOISE], shown=_noise(found),
        reference=0.0, title="What a pruning step does to the training loss",
        key="Measured after the step, before weights are rewound and trained again.",
    )  # fmt: skip


@or_what_is_missing
def errors_over_epochs(tables: Tables) -> Any:
    """Figures 2 and 9: test and training error over the epochs of the networks that tell the story."""
    found = _over_epochs(tables, [WR], ["test", "training"])
    return lines(
        _all_called(found), x="epoch", colour="network", domain=_present(found),
        menus=[NOISE, "examples"], shown=_noise(found) | {"examples": EXAMPLES["test"]},
        title="A few networks over the epochs",
    )  # fmt: skip


@or_what_is_missing
def errors_by_examples(tables: Tables) -> Any:
    """Figures 3, 10 and 12: what one network at a time learns of noisy, original and restored examples."""
    found = _over_epochs(tables, [WR], ["noisy training", "original training", "restored training"])
    return lines(
        found.assign(caption=found["called"]), x="epoch", colour="examples", domain=[*EXAMPLES.values()],
        menus=[NOISE], slider=PLACE, shown=_noise(found),
        title="What a network learns of its labels",
    )  # fmt: skip


@or_what_is_missing
def errors_over_the_lift(tables: Tables) -> Any:
    """Figures 4, 11 and 13: the same over sparse training and on through re-dense training."""
    found = _over_epochs(tables, [WR, REDENSE], ["test", "noisy training", "original training"])
    found = found[found["table"].isin(found.loc[found["algorithm"] == REDENSE, "table"])]
    if found.empty:
        raise InputError(f"no table has the epochs of {REDENSE}; run the page with recompute=True.")
    ends = found[found["algorithm"] == WR].groupby("table", sort=False)["epoch"].max()
    recovered = found.loc[found["network"] == "recovery", PLACE]
    return lines(
        found.assign(caption=found["called"]), x="epoch", colour="examples", domain=[*EXAMPLES.values()], menus=[NOISE],
        slider=PLACE, shown=_noise(found) | {PLACE: int(recovered.iloc[0]) if len(recovered) else 1},
        rules=ends.rename("x").reset_index().assign(label="masks lifted"), title="Before and after the lift",
    )  # fmt: skip


@or_what_is_missing
def sparse_and_redense(tables: Tables) -> Any:
    """The ends of figures 4, 11 and 13 at every level: the last errors of sparse networks and of what became of them."""
    subsets = ("test", "noisy training", "original training")
    there = [table for table in tables if REDENSE in set(table.frame["algorithm"])]
    found = _rows(there, [WR, REDENSE], examples={f"{one} error (%)": EXAMPLES[one] for one in subsets})
    dense = found[(found["level"] == 0) & (found["algorithm"] == WR)]
    return lines(
        found, x=SIZE, y="error after the last epoch (%)", colour="algorithm", domain=[WR, REDENSE],
        menus=[NOISE, "examples"], shown=_noise(found), reference=dense.drop(columns="algorithm"),
        title="Sparse, and dense again",
        key="Dashed: the dense network, trained once. By the weights remaining before the masks are lifted.",
    )  # fmt: skip


@or_what_is_missing
def loss_along_paths(tables: Tables) -> Any:
    """Figures 5 and 14: loss and error on the straight line from sparse networks to the re-dense ones."""
    found = _on_paths(tables)
    return lines(
        _all_called(found), x=ALPHA, colour="network", domain=_present(found), dash="images", panels="quantity",
        menus=[NOISE], shown=_noise(found), title="From the sparse to the re-dense network",
        key="Training images have the labels trained on.",
    )  # fmt: skip


@or_what_is_missing
def along_one_path(tables: Tables) -> Any:
    """Figures 5 and 14, one path at a time: a slider walks along it, and the numbers of the place stand above."""
    found = _on_paths(tables)
    found[STEP] = found.groupby(["table", "images", "quantity"])[ALPHA].rank("dense").astype(int) - 1
    found["path from"] = found["network"]
    shown: dict[str, Any] = {**_noise(found), STEP: 0}
    if "recovery" in set(found["network"]):
        shown["path from"] = "recovery"
    return lines(
        _told_at_every_step(found), x=ALPHA, colour="images", domain=["training images", "test images"],
        panels="quantity", menus=[NOISE, "path from"], slider=STEP, rings=[STEP], shown=shown,
        title="A walk from the sparse to the re-dense network", key="Training images have the labels trained on.",
    )  # fmt: skip


@or_what_is_missing
def loss_along_direction(tables: Tables) -> Any:
    """Figure 6: training loss around dense and re-dense networks along a filter-normalized random direction."""
    x = "x, in units of each filter's norm"
    found = _rows(tables, [WR, REDENSE], quantity={"training loss along direction (nats)": "training loss (nats)"})
    found = _with_networks(found, tables).rename(columns={"position": x})
    return lines(
        _all_called(found), x=x, y_scale="log", colour="network", domain=_present(found), menus=[NOISE], shown=_noise(found),
        title="How steeply the loss rises around a minimum",
        key="Dense: trained once, never pruned. The others: re-dense, by the level that they began at.",
    )  # fmt: skip


@or_what_is_missing
def distance_and_error(tables: Tables) -> Any:
    """Figure 7: distance from initialization above last test error, of sparse and re-dense networks."""
    found = _distances(tables)
    return lines(
        found, x=SIZE, colour="network", domain=[*NETWORKS.values()], panels="quantity", menus=[NOISE, "distance from"],
        shown=_noise(found), rules=_crossings(found), title="Distance from initialization, and test error",
        key="Vertical rules: the two cross. Re-dense networks by the weights that remained before.",
    )  # fmt: skip


@or_what_is_missing
def differences(tables: Tables) -> Any:
    """What decides LN-C17: distance and error of sparse networks minus those of re-dense ones, paired by seed."""
    found = _distances(tables)
    keys = ["table", "benchmark", NOISE, "distance from", "quantity", "seed", "level", SIZE]
    wide = found.pivot_table(index=keys, columns="network", values="value", sort=False)
    gap = (wide["sparse"] - wide["re-dense"]).dropna().rename("value").reset_index()
    called = {DISTANCE: "difference of distance", TEST: "difference of error (points)"}
    return lines(
        gap.replace({"quantity": called}), x=SIZE, panels="quantity", menus=[NOISE, "distance from"], shown=_noise(found),
        reference=0.0, rules=_crossings(found).replace({"quantity": called}), title="Sparse minus re-dense",
        key="Above zero the sparse network is farther from its initialization, or worse. Vertical rules: the sign changes.",
    )  # fmt: skip


@or_what_is_missing
def error_at_few_levels(tables: Tables) -> Any:
    """Appendix A.2.3: one curve through every n-th level only."""
    found = _rows(tables, [WR], quantity={TEST: TEST})
    pieces = [found[found["level"] % n == 0].assign(**{"every n-th level": n}) for n in range(1, 6)]
    return lines(
        pandas.concat(pieces), x=SIZE, colour=NOISE, slider="every n-th level", reference="dense",
        title="Test error, at every n-th level",
    )  # fmt: skip


@or_what_is_missing
def rewinding_and_fine_tuning(tables: Tables) -> Any:
    """Appendix A.2.3: the last test error where weights are set back after each cut, and where they are kept."""
    both = [WR, FINE_TUNING]
    found = _rows(comparing_first(tables, both), both, quantity={TEST: TEST})
    return lines(
        found, x=SIZE, colour="algorithm", domain=both, menus=[NOISE], shown=_noise(found),
        reference="dense, shared", title="Rewinding and fine-tuning",
    )  # fmt: skip


def _rows(tables: Tables, algorithms: Sequence[str], **called: Mapping[str, str]) -> Any:
    """Return rows of quantities, with a column of what they are called, and `score` where algorithms differ in that."""
    [(column, names)] = called.items()
    found = rows(tables, [*names], algorithm=[*algorithms])
    found[column] = [names[quantity] for quantity in found["quantity"]]
    found["score"] = [_score(algorithm) for algorithm in found["algorithm"]]
    return found


def _scored(tables: Tables) -> list[str]:
    """Return what differs from weight rewinding in nothing but the score: the paper's three, then a reader's own."""
    there = [name for table in tables for name in table.frame["algorithm"].unique() if name.startswith(f"{WR}, ")]
    return list(dict.fromkeys([*SCORES, *there]))


def _score(algorithm: str) -> str:
    return SCORES.get(algorithm, algorithm.removeprefix(f"{WR}, "))


def _called_scores(tables: Tables) -> list[str]:
    return [_score(algorithm) for algorithm in _scored(tables)]


def _noise(found: Any) -> dict[str, str]:
    """Open at the lowest noise level of the first table, of which the observations speak."""
    return {NOISE: f"{found.loc[found['table'] == found['table'].iloc[0], NOISE].min():g} %"}


def _with_networks(found: Any, tables: Tables) -> Any:
    """Name every network by its level, as the sparse networks choose it.

    Adds `network`, the first name of its level; `called`, all of its names and the weights remaining; and `PLACE`, which
    of the networks of its table and noise level it is, from dense to sparse. Other levels than those of today's rules, as an
    earlier measurement kept them, are called denser or sparser.
    """
    at = ["table", NOISE, "level"]
    names = _rows(tables, [WR], quantity={TEST: TEST}).drop_duplicates(at)[[*at, SIZE, *DESCENT]]
    sparsest = names[names[[*DESCENT]].any(axis="columns")].groupby(at[:2])["level"].max()
    names["named"] = [
        ["dense"] if level == 0 else [name for name, is_it in zip(DESCENT, named, strict=True) if is_it]
        or ["sparser level" if level > sparsest.get((table, noise), 0) else "denser level"]
        for table, noise, level, _, *named in names.itertuples(index=False)
    ]  # fmt: skip
    names["network"] = names["named"].str[0]
    names["called"] = [
        f"{' and '.join(one)}: {size:.3g} % left" for one, size in zip(names["named"], names[SIZE], strict=True)
    ]
    found = found.drop(columns=[*DESCENT]).merge(names[[*at, "network", "called"]], on=at)
    place = found.groupby(at[:2])["level"].rank("dense").astype(int)
    return found.assign(**{PLACE: place})


def _all_called(found: Any) -> Any:
    """Write above a chart how all of its networks are called."""
    one = found.sort_values("level").drop_duplicates(["table", NOISE, "level"])
    called = one.groupby(["table", NOISE])["called"].agg("; ".join).rename("caption")
    return found.join(called, on=["table", NOISE])


def _on_paths(tables: Tables) -> Any:
    """Return losses and errors at those α where both training and test images were measured."""
    images = {f"{one} {kind}": f"{one} images" for one in ("training", "test") for kind in PATHS}
    found = _with_networks(_rows(tables, [REDENSE], images=images), tables).rename(columns={"position": ALPHA})
    found = found[found[ALPHA].isin(found.loc[found["images"] == "test images", ALPHA])].reset_index(drop=True)
    found["quantity"] = found["quantity"].str.replace("training |test | on path", "", regex=True)
    return found


def _told_at_every_step(found: Any) -> Any:
    """Write above a chart what the network is at each place of its path: α, and mean loss and error there."""
    case = ["table", NOISE, "path from", STEP]
    means = found.groupby([*case, ALPHA, "called", "images", "quantity"], as_index=False, sort=False)["value"].mean()
    means["said"] = [
        f"{one.images.removesuffix(' images')} {one.quantity.partition(' (')[0]} "
        f"{one.value:.3g} {'%' if one.quantity.startswith('error') else 'nats'}"
        for one in means.itertuples()
    ]
    said = means.groupby([*case, ALPHA, "called"], as_index=False, sort=False)["said"].agg(", ".join)
    said["caption"] = said["called"] + "\nα = " + said[ALPHA].map("{:.2f}: ".format) + said["said"] + "."
    return found.merge(said[[*case, "caption"]], on=case)


def _over_epochs(tables: Tables, algorithms: Sequence[str], subsets: Sequence[str]) -> Any:
    """Return errors of every epoch with `epoch`, `examples`, and the columns of `_with_networks`."""
    called = {f"{subset} error by epoch (%)": EXAMPLES[subset] for subset in subsets}
    found = _rows(tables, algorithms, examples=called).rename(columns={"position": "epoch"})
    return _with_networks(found.assign(quantity=ERROR), tables)


def _present(found: Any) -> list[str]:
    """Return the names of networks in the order of the colours, dense first in every figure."""
    return [name for name in NAMED if name in {"dense", *found["network"]}]


def _distances(tables: Tables) -> Any:
    """Return both distances and, for each of them again, the test error."""
    pieces = []
    for name, quantity in DISTANCES.items():
        there = [table for table in tables if quantity in set(table.frame["quantity"])]
        found = _rows(there, [WR, REDENSE], quantity={quantity: DISTANCE, TEST: TEST})
        found["network"] = [NETWORKS[algorithm] for algorithm in found["algorithm"]]
        pieces.append(found.assign(**{"distance from": name}))
    if not any((piece["algorithm"] == REDENSE).any() for piece in pieces):
        raise InputError(f"no table has the distances of {REDENSE}; run the page with recompute=True.")
    return pandas.concat(pieces, ignore_index=True).sort_values("quantity", kind="stable")


def _crossings(found: Any) -> pandas.DataFrame:
    """Find where the mean curves of both networks cross."""
    case, points = ["table", NOISE, "distance from", "quantity"], []
    for place, own in found.groupby(case, sort=False):
        means = own.pivot_table(index=SIZE, columns="network", values="value").sort_index(ascending=False)
        if not {*NETWORKS.values()} <= {*means}:
            continue  # a table without re-dense networks
        points += [[*place, at, f"{at:.2g} %"] for at in crossings(means["sparse"], means["re-dense"])]
    return pandas.DataFrame(points, columns=[*case, "x", "label"])
