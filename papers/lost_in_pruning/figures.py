"""The figures of LIP on test error, prune potential and excess error: what each of them shows. `lib.charts` draws.

Each takes tables of one benchmark, `page.tables`, of which the first is shown until the reader chooses another, and says in
words what is missing where no table has what it needs. Errors stand where the paper has accuracies. PR is the share of all
parameters that is gone; on horizontal axes it is averaged over parents.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy
import pandas
import torch

from lib import data
from lib.analysis.distributions import (
    CLEAN,
    FLOPS_REMOVED,
    NEW_TEST,
    NOISY,
    REMOVED,
    TestSet,
    benchmark_sets,
    corrupted,
    extra_sets,
    noisy,
)
from lib.analysis.excess_error import excess_points, nominal_split, slope
from lib.analysis.levels import TEST
from lib.analysis.prune_potential import DELTA, potential_rows
from lib.analysis.table import Table, rows
from lib.charts import dots, heatmap, images, lines
from lib.data.corruptions import SEVERITIES
from lib.errors import InputError
from lib.seeds import generator
from lib.widgets.page import or_what_is_missing
from papers.lost_in_pruning.names import FILTERS, NAMES, WEIGHTS
from papers.lost_in_pruning.picture import picture

Tables = Sequence[Table]

SEVERITY = 3
"""Of the paper."""

POTENTIAL, CHANGE, EXCESS = (
    "prune potential (%)",
    "change of test error (points)",
    "difference in excess error (points)",
)
MARGIN, IMAGES, NOISE = "margin (points)", "images", "noise level ε"
MARGINS = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Of a slider or menu, points of error."""
EVERY_MARGIN = tuple(step / 4 for step in range(21))

CORRUPTIONS = (*benchmark_sets(SEVERITY), *extra_sets(SEVERITY))
KINDS: Mapping[str, Sequence[str]] = {
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
    "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "gaussian_blur"),
    "weather": ("snow", "frost", "fog", "brightness", "spatter"),
    "digital": ("contrast", "elastic_transform", "pixelate", "jpeg_compression", "saturate"),
}
AVERAGE, MINIMUM = "corruptions, on average", "corruptions, the worst"
COUNTED = {False: "any cut", True: "cuts before the first failure"}
FIT, MEASURED = "least squares through 0", "mean over parents"
INTERVALS = {"points": "over_points", "parents": "over_parents"}
MANY_EPSILONS = tuple(step / 10 for step in range(8))
REMOVES = {**dict.fromkeys(WEIGHTS, "weights"), **dict.fromkeys(FILTERS, "filters")}
NETWORK = ["table", "benchmark", "scale", "algorithm", "seed", "level"]


# What pruning costs on the test set


@or_what_is_missing
def error_while_pruning(tables: Tables) -> Any:
    """Figures 2, 9, 10 and 11: test error against PR, and its change from the parent's."""
    names = algorithms(tables)
    found = along_pruning(tables, [TEST], names)
    changed = found.assign(value=found["value"] - of_parent(found), quantity=CHANGE)
    return lines(
        pandas.concat([found, changed], ignore_index=True), x=REMOVED, panels="quantity", colour="algorithm",
        domain=names, reference="dense, shared", title="What pruning costs on the test set",
        key="Above, the error on all test images; below, that of a network minus that of its own parent.",
    )  # fmt: skip


@or_what_is_missing
def flops_while_pruning(tables: Tables) -> Any:
    """Tables 4, 6 and 8: the share of FLOPs that goes with a share of the parameters."""
    names = algorithms(tables)
    return lines(
        along_pruning(tables, [FLOPS_REMOVED], names), x=REMOVED, colour="algorithm", domain=names, y_scale="zero",
        title="Parameters removed, and computation removed", key="FLOPs are multiplications by weights that remain.",
    )  # fmt: skip


# Prune potential


@or_what_is_missing
def corrupted_images(number: int | None = None) -> Any:
    """All 19 corruptions of one picture, at the severity of a slider; of CIFAR-10's test image `number`, if one is given."""
    original = picture(number)
    shown, captions, told = [], [], []
    for severity in SEVERITIES:
        for name in ("", *data.CORRUPTIONS):
            made = data.corrupt(original.unsqueeze(0), name, severity)[0] if name else original
            shown.append(made.numpy())
            captions.append(name.replace("_", "\n") or "original")
            told.append({"severity": severity, "corruption": name.replace("_", " ") or "none"})
    return images(
        numpy.stack(shown), captions=captions, told=pandas.DataFrame(told), slider="severity",
        shown={"severity": SEVERITY}, columns=4, side=80, title="19 corruptions of one picture",
        key="The paper measures severity 3. Frost's textures are synthesized here, photographs in the published files.",
    )  # fmt: skip


@or_what_is_missing
def noisy_images(number: int | None = None) -> Any:
    """Figure 5: a picture under uniform noise, as it looks with pixel values cut to what a screen can show."""
    constants = data.normalization("cifar")
    inputs = data.normalize(picture(number).unsqueeze(0), constants)
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (constants.mean, constants.std))
    noise = 2 * torch.rand(inputs.shape, generator=generator(0, "noise of one picture")) - 1
    shown = [((inputs + epsilon * noise)[0] * std + mean).clamp(0, 1).numpy() for epsilon in MANY_EPSILONS]
    return images(
        numpy.stack(shown), captions=[f"ε = {epsilon:g}" for epsilon in MANY_EPSILONS], columns=4, side=80,
        title="Uniform noise on one picture", key="ε is in units of the network's normalized inputs.",
    )  # fmt: skip


@or_what_is_missing
def error_under_corruptions(tables: Tables) -> Any:
    """Figures 6a and 6d: test error against PR under single corruptions, a kind of them at a time."""
    pieces, domain = [], []
    for place, (kind, names) in enumerate(KINDS.items()):
        sets = [CLEAN, *(corrupted(name, SEVERITY) for name in names)]
        pieces.append(on_sets(tables, sets).assign(kind=kind))
        own = [CLEAN.name if not place else f"clean again {place}", *(one.name for one in sets[1:])]
        domain += [*own, *(f"none {kind} {more}" for more in range(6 - len(own)))]  # six colours begin anew
    found = pandas.concat([one.astype({IMAGES: str}) for one in pieces], ignore_index=True)
    return lines(
        found, x=REMOVED, y="test error (%)", colour=IMAGES, menus=["kind", "algorithm"], domain=domain,
        title="The same networks on corrupted images",
        key=f"Severity {SEVERITY}; clean are the same images without corruption.",
    )  # fmt: skip


@or_what_is_missing
def potential_under_noise(tables: Tables) -> Any:
    """Figures 1 and 28: prune potential against the level of uniform noise, for the margin of a slider."""
    pieces = []
    for one in tables:
        levels = sorted(one.frame.loc[one.frame["quantity"] == NOISY, "position"].unique())
        pieces += _potentials([one], [noisy(float(epsilon)) for epsilon in levels], MARGINS)
    found = _together(pieces).rename(columns={"position": NOISE})
    return lines(
        found, x=NOISE, y=POTENTIAL, colour="algorithm", domain=algorithms(tables), slider=MARGIN, shown={MARGIN: DELTA},
        y_scale="zero", title="How much can be pruned, under noise", key="Error may rise by at most the margin.",
    )  # fmt: skip


@or_what_is_missing
def potential_by_images(tables: Tables) -> Any:
    """Figures 6b, 6e, 7 and 29 to 37: prune potential on clean images, under each corruption and on new test images."""
    found = _together(_potentials(tables, [CLEAN, *CORRUPTIONS, NEW_TEST], MARGINS))
    return dots(
        _ordered(found, IMAGES), y=IMAGES, x=POTENTIAL, menus=["algorithm", MARGIN], shown={MARGIN: DELTA},
        title="How much can be pruned, by corruption",
        key=f"Severity {SEVERITY}. Speckle noise, gaussian blur, spatter and saturate are not among the benchmark's 15.",
    )  # fmt: skip


@or_what_is_missing
def potential_of_methods(tables: Tables) -> Any:
    """The same for all methods side by side, for the margin of a slider."""
    found = _together(_potentials(tables, [CLEAN, *CORRUPTIONS, NEW_TEST], MARGINS))
    return heatmap(
        _ordered(_ordered(found, IMAGES), "algorithm", algorithms(tables)), x="algorithm", y=IMAGES, colour=POTENTIAL,
        slider=MARGIN, shown={MARGIN: DELTA}, limit=100.0, height=440, title="Every method, every corruption",
        key="White: any cut costs more than the margin.",
    )  # fmt: skip


@or_what_is_missing
def potential_by_margin(tables: Tables) -> Any:
    """Figure 38: prune potential for margins from 0 to 5 points, and whether recoveries count (facts L25)."""
    pieces = []
    for first, counted in COUNTED.items():
        found = _together(_potentials(tables, [CLEAN, *CORRUPTIONS], EVERY_MARGIN, first))
        clean = found[IMAGES] == CLEAN.name
        over = found[~clean].groupby(["table", "benchmark", "scale", "algorithm", "seed", MARGIN], sort=False)["value"]
        for name, own in ((AVERAGE, over.mean()), (MINIMUM, over.min())):
            pieces.append(own.reset_index().assign(**{IMAGES: name}, cuts=counted))
        pieces.append(found[clean].assign(cuts=counted))
    return lines(
        pandas.concat(pieces, ignore_index=True).assign(quantity=POTENTIAL), x=MARGIN, colour=IMAGES, dash="cuts",
        domain=[CLEAN.name, AVERAGE, MINIMUM], menus=["algorithm"], y_scale="zero", title="What the margin changes",
        rules=pandas.DataFrame({"x": [DELTA], "label": ["the paper's margin"]}),
    )  # fmt: skip


# Excess error


@or_what_is_missing
def clean_and_corrupted(tables: Tables) -> Any:
    """What excess error is the distance of: error on clean images, and its mean over all corruptions, against PR."""
    found = on_sets(tables, [CLEAN, *CORRUPTIONS]).astype({IMAGES: str})
    clean = found[IMAGES] == CLEAN.name
    mean = found[~clean].groupby([*NETWORK, REMOVED], as_index=False, sort=False)["value"].mean()
    both = [found[clean], mean.assign(quantity=TEST, **{IMAGES: AVERAGE})]
    return lines(
        pandas.concat(both, ignore_index=True), x=REMOVED, colour=IMAGES, domain=[CLEAN.name, AVERAGE],
        menus=["algorithm"], title="Two errors of the same networks", key="Excess error is the distance of the lines.",
    )  # fmt: skip


@or_what_is_missing
def excess_while_pruning(tables: Tables) -> Any:
    """Figures 6c, 6f and 39 to 47: difference in excess error against PR, with the line through the origin."""
    pieces = []
    for label, table, points in _excess(tables):
        for removes in dict.fromkeys(REMOVES.values()):
            own = points[[REMOVES.get(name, "weights") == removes for name in points["algorithm"]]]
            if len(own):
                case = {**of_table(table), "test images": label, "removed": removes}
                pieces += [with_line(own, over).assign(**case, interval=over) for over in INTERVALS]
    names = algorithms(tables)
    return lines(
        _together(pieces), x=REMOVED, y=EXCESS, colour="algorithm", domain=names, dash="line", reference=0.0,
        menus=["removed", "test images", "interval"], title="What shifted images cost beyond clean ones",
        key="Band of the fitted line: 95 % interval, by a bootstrap over points as in the paper, or over parents.",
    )  # fmt: skip


@or_what_is_missing
def spread_of_excess(tables: Tables) -> Any:
    """Figures 6c and 6f, their spread: standard deviation over parents of the difference in excess error, against PR."""
    pieces = []
    for label, table, points in _excess(tables):
        cut = points.groupby(["algorithm", "level"])
        own = (
            cut.agg(value=("value", "std"), removed=("removed", "mean"), runs=("seed", "nunique"))
            .reset_index()
            .dropna()
        )
        pieces.append(own.assign(seed=0, quantity="spread", **of_table(table), **{"test images": label}))
    pieces = [one for one in pieces if len(one)]
    if not pieces:
        raise InputError(_missing("difference in excess error of two parents"))
    found = _together(pieces).rename(columns={"removed": REMOVED}).drop(columns="level")
    return lines(
        found, x=REMOVED, y="standard deviation over parents (points)", colour="algorithm", domain=algorithms(tables),
        menus=["test images"], y_scale="zero", title="How differently parents fare",
        key="Of the difference in excess error, by n − 1.",
    )  # fmt: skip


@or_what_is_missing
def excess_by_corruption(tables: Tables) -> Any:
    """Which corruption costs a pruned network more than it costs the parent: ê − e with one corruption as test set."""
    found = on_sets(tables, [CLEAN, *CORRUPTIONS])
    is_clean = found[IMAGES] == CLEAN.name
    both = found[~is_clean].merge(found.loc[is_clean, [*NETWORK, "value"]], on=NETWORK, suffixes=("", " clean"))
    both["value"] -= both["value clean"]
    both["value"] -= of_parent(both)
    both = both[both["level"] > 0].drop(columns="value clean").assign(quantity=EXCESS)
    return heatmap(
        _ordered(both.rename(columns={"level": "cut"}), IMAGES), x="cut", y=IMAGES, colour="ê − e (points)",
        menus=["algorithm"], height=440, title="Which corruptions cost a pruned network more",
        key="Cuts from the mildest to the hardest. Brown: it costs the pruned network less than its parent.",
    )  # fmt: skip


# What they share


def algorithms(tables: Tables) -> list[str]:
    """Return the pruning methods that tables have, the paper's first, so that they keep their colours."""
    frames = [one.frame for one in tables]
    there = dict.fromkeys(n for one in frames for n in one.loc[one["quantity"] == REMOVED, "algorithm"].unique())
    ours = [name for name in NAMES.values() if name in there]
    return [*ours, *(name for name in there if name not in ours)]


def along_pruning(tables: Tables, quantities: Sequence[str], names: Sequence[str]) -> Any:
    """Return quantities of every network with `REMOVED`, the mean PR over parents, as a column."""
    try:
        found: Any = rows(list(tables), [*quantities, REMOVED], algorithm=[*names])
    except InputError:
        raise InputError(_missing(quantities[0])) from None
    place = ["table", "benchmark", "algorithm", "level"]
    gone = found[found["quantity"] == REMOVED]
    mean = gone.groupby(place, as_index=False)["value"].mean().rename(columns={"value": REMOVED})
    found = found[found["quantity"].isin(quantities)].merge(mean, on=place)
    if found.empty:
        raise InputError(_missing(quantities[0] if len(gone) else REMOVED))
    return found


def on_sets(tables: Tables, sets: Sequence[TestSet]) -> Any:
    """Return errors of every network on those sets of images that tables have, named in `IMAGES`; quantity is `TEST`."""
    called = {(one.quantity, one.position): one.name for one in sets}
    found = along_pruning(tables, list(dict.fromkeys(one.quantity for one in sets)), algorithms(tables))
    found[IMAGES] = [called.get(place) for place in zip(found["quantity"], found["position"], strict=True)]
    found = found.dropna(subset=[IMAGES]).assign(quantity=TEST)
    there = set(found[IMAGES])
    if CLEAN.name in called.values() and not {CLEAN.name} < there:
        raise InputError(_missing("error on corrupted images"))
    return _ordered(found, IMAGES, [name for name in called.values() if name in there])


def measured_sets(table: Table, sets: Iterable[TestSet]) -> list[TestSet]:
    """Return those sets of images on which a table has the error of parents."""
    dense = table.frame[table.frame["level"] == 0]
    there = set(zip(dense["quantity"], dense["position"], strict=True))
    return [one for one in sets if (one.quantity, one.position) in there]


def shifted_sets(table: Table) -> dict[str, list[TestSet]]:
    """Return the test sets of excess error and potentials by name: 19 corruptions, the benchmark's 15, with CIFAR-10.1."""
    every, new = measured_sets(table, nominal_split(SEVERITY)[1]), measured_sets(table, [NEW_TEST])
    benchmark = measured_sets(table, benchmark_sets(SEVERITY))
    found = {f"{len(every)} corruptions": every, f"{len(benchmark)} of the benchmark": benchmark}
    if new:
        found[f"{len(every)} corruptions and {NEW_TEST.name}"] = [*every, *new]
    return {name: sets for name, sets in found.items() if sets}


def of_table(table: Table) -> dict[str, str]:
    """Return a table's columns of the rows that charts draw."""
    return {"table": table.label, "benchmark": table.benchmark, "scale": table.scale}


def _missing(what: str) -> str:
    return f"no {what} was measured yet; the note above the figures says what is missing"


def of_parent(found: Any) -> Any:
    """Return the value of each network's parent, for rows of one quantity and any sets of images."""
    run = [name for name in ("table", "algorithm", "seed", IMAGES) if name in found]
    own = found.astype({IMAGES: str}) if IMAGES in found else found
    dense = own[own["level"] == 0].set_index(run)["value"]
    return own.set_index(run).index.map(dense).to_numpy(dtype="float64")


def _potentials(
    tables: Tables, sets: Sequence[TestSet], deltas: Sequence[float], first_crossing: bool = False
) -> list[Any]:
    pieces = []
    for table in tables:
        try:
            found = potential_rows(table, measured_sets(table, sets), algorithms([table]), deltas, first_crossing)
        except InputError:
            continue
        found = found.rename(columns={"set": IMAGES, "delta": MARGIN})
        pieces.append(found.assign(quantity=POTENTIAL, **of_table(table)))
    return [one for one in pieces if len(one)]


def _excess(tables: Tables) -> list[tuple[str, Table, Any]]:
    """Return differences in excess error by distribution of test images and table."""
    found = []
    for table in tables:
        for label, sets in shifted_sets(table).items():
            try:
                points = excess_points(table, [CLEAN], sets, algorithms([table]))
            except InputError:
                continue
            if len(points):
                found.append((label, table, points))
    if not found:
        raise InputError(_missing("excess error"))
    return found


def with_line(points: Any, over: str) -> Any:
    """Return points and the fitted line of each algorithm, with spread and interval as `low` and `high`."""
    pieces, told = [], []
    for name, own in points.groupby("algorithm", sort=False):
        fit, cut = slope(own), own.groupby("level")
        place, mean, std = (
            cut["removed"].transform("mean"),
            cut["value"].transform("mean"),
            cut["value"].transform("std"),
        )
        measured = {REMOVED: place, "seed": own["seed"], "value": own["value"], "low": mean - std, "high": mean + std}
        pieces.append(pandas.DataFrame(measured).assign(line=MEASURED, algorithm=name))
        grid = numpy.linspace(0, own["removed"].max(), 11)
        low, high = getattr(fit, INTERVALS[over])
        line = {REMOVED: grid, "seed": 0, "value": fit.value * grid, "low": low * grid, "high": high * grid}
        pieces.append(pandas.DataFrame(line).assign(line=FIT, algorithm=name))
        told.append(f"{name}: {in_words(fit.value, (low, high))}")
    caption = f"Slope in points for each 10 points of PR. {'; '.join(told)}."
    return pandas.concat(pieces, ignore_index=True).assign(quantity=EXCESS, caption=caption)


def in_words(slope_value: float, interval: tuple[float, float]) -> str:
    """Write a slope and its interval, in points of error for each 10 points of PR."""
    low, high = (f"{10 * end:.2f}".replace("-", "−") for end in interval)
    spread = "" if numpy.isnan(interval).any() else f" ({low} to {high})"
    return f"{10 * slope_value:.2f}".replace("-", "−") + spread


def _together(pieces: Sequence[Any]) -> Any:
    if not pieces:
        raise InputError(_missing("error on shifted images"))
    return pandas.concat(pieces, ignore_index=True)


def _ordered(found: Any, column: str, values: Iterable[str] = ()) -> Any:
    """Put the values of a column into an order that charts keep: that of `values`, else that of the sets of images."""
    order = [*values] or [one.name for one in (CLEAN, *CORRUPTIONS, NEW_TEST) if one.name in set(found[column])]
    return found.assign(**{column: pandas.Categorical(found[column].astype(str), order, ordered=True)})
