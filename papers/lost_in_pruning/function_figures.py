"""The figures of LIP section 4: does a pruned network decide by the same pixels, and as its parent does under noise?

Each takes tables of one benchmark, `page.tables`, and says in words what is missing where no table has what it needs. The
networks that the paper compares are shown: those nearest to its prune ratios. PR counts all parameters; where a table has
no PR, it counts the weights that the methods can prune. At the end stand the figures of `lib.analysis.how_far`.
"""

from collections.abc import Sequence
from typing import Any

import pandas

from lib.analysis.distributions import REMOVED
from lib.analysis.function_distance import MATCHING, SEPARATE, SOFTMAX_DISTANCE
from lib.analysis.how_far import CLEAN as CLEAN_SET
from lib.analysis.how_far import HowFar
from lib.analysis.informative_pixels import CONFIDENCE, CONFIDENCE_CORRUPTED, SEPARATE_LEVEL, ShownImages, shown_images
from lib.analysis.prune_potential import DELTA
from lib.analysis.table import SIZE, Table, rows
from lib.charts import heatmap, lines, masks
from lib.data.image_sources import KNOWN
from lib.errors import InputError
from lib.widgets.page import or_what_is_missing
from papers.lost_in_pruning.figures import MARGINS
from papers.lost_in_pruning.names import NAMES
from papers.lost_in_pruning.recipes import PLANS

Tables = Sequence[Table]

METHODS = (*NAMES.values(),)
RATIOS = (15.0, 46.0, 69.0, 80.0, 95.0)
"""PR in percent of the networks of Figure 4; the nearest level to each is drawn."""
NOISE, WHICH, JUDGED = "noise ε", "compared with the parent", "judge and pixels"
PARENT, PRUNED = "parent", "pruned from it"
IMAGES = {CONFIDENCE: "test images", CONFIDENCE_CORRUPTED: "corrupted test images"}
CONFIDENCE_TITLE = "confidence in the true class"
PARENTS_PIXELS, PRUNEDS_PIXELS = "pruned network, parent's pixels", "parent, pruned network's pixels"
SEPARATE_ON_PARENTS = "separate network, parent's pixels"
SEPARATE_ON_PRUNEDS = "separate network, pruned network's pixels"
JUDGES = (PARENTS_PIXELS, PRUNEDS_PIXELS, SEPARATE_ON_PARENTS, SEPARATE_ON_PRUNEDS)

PICTURES, LEFT = 3, 102
"""Images whose masks are drawn, and pixels that are shown at the start, a tenth of 32 × 32."""


def ratios(table: Table) -> dict[tuple[str, int], float]:
    """Return the mean PR in percent of each algorithm and level that was pruned."""
    known: dict[tuple[str, int], float] = {}
    pruned: Any = table.frame[table.frame["level"] > 0]
    for quantity in (SIZE, REMOVED):
        found = pruned[pruned["quantity"] == quantity].groupby(["algorithm", "level"])["value"].mean()
        for (name, level), value in found.items():
            known[str(name), int(level)] = float(value if quantity == REMOVED else 100 - value)
    return known


def nearest(found: dict[tuple[str, int], float], algorithm: str, wanted: Sequence[float] = RATIOS) -> list[int]:
    """Return the levels of an algorithm that are nearest to some PRs."""
    own = {level: ratio for (name, level), ratio in found.items() if name == algorithm}
    return sorted({min(own, key=lambda level: abs(own[level] - ratio)) for ratio in wanted} if own else set())


# The same function?


@or_what_is_missing
def agreement_under_noise(tables: Tables) -> Any:
    """Figures 4 and 16 to 27: matching predictions and softmax distance to the parent, against noise."""
    pieces = []
    for found, table in _distances(tables):
        known = ratios(table)
        for method in _methods(found):
            own = found[(found["algorithm"] == method) & found["level"].isin(nearest(known, method))]
            removed = [round(known[method, level]) for level in own["level"]]
            alone = found[found["algorithm"] == SEPARATE]
            pieces += [own.assign(**{REMOVED: removed, WHICH: PRUNED})]
            pieces += [alone.assign(**{"algorithm": method, REMOVED: 0, WHICH: SEPARATE})]
    whole = pandas.concat(pieces).rename(columns={"position": NOISE})
    whole[WHICH] = pandas.Categorical(whole[WHICH], [PRUNED, SEPARATE], ordered=True)
    whole[REMOVED] = whole[REMOVED].astype(float)
    return lines(
        whole, x=NOISE, colour=REMOVED, dash=WHICH, panels="quantity", menus=["algorithm"],
        title="Agreement with the parent under noise",
        key="Above: as many predictions as the parent makes. Below: the distance of the class probabilities.",
    )  # fmt: skip


@or_what_is_missing
def agreement_by_ratio(tables: Tables) -> Any:
    """The same against the prune ratio, a line for each method; a slider sets the noise (LIP-C03)."""
    pieces = []
    for found, table in _distances(tables):
        known = ratios(table)
        pruned = found[found["algorithm"].isin(METHODS)]
        removed = [known[name, level] for name, level in zip(pruned["algorithm"], pruned["level"], strict=True)]
        pieces.append(pruned.assign(**{REMOVED: removed}))
        alone = found[found["algorithm"] == SEPARATE]
        pieces += [alone.assign(**{REMOVED: end}) for end in (min(removed), max(removed))]
    whole = pandas.concat(pieces).rename(columns={"position": NOISE})
    there = [name for name in (SEPARATE, *METHODS) if name in set(whole["algorithm"])]
    whole["algorithm"] = pandas.Categorical(whole["algorithm"], there, ordered=True)
    return lines(
        whole, x=REMOVED, colour="algorithm", panels="quantity", slider=NOISE, shown={NOISE: 0.1},
        domain=(SEPARATE, *METHODS), title="Agreement with the parent, cut after cut",
        key="The flat line is a network with other initial weights; nothing of it is pruned.",
    )  # fmt: skip


def _distances(tables: Tables) -> list[tuple[Any, Table]]:
    """Return the rows of both distances, table by table; InputError where no table has them."""
    there = [one for one in tables if {MATCHING, SOFTMAX_DISTANCE} & set(one.frame["quantity"])]
    found = [(rows(one, [MATCHING, SOFTMAX_DISTANCE]), one) for one in there]
    found = [(own, one) for own, one in found if _methods(own)]
    if not found:
        raise InputError("no table has distances to the parent; run the page with recompute=True.")
    return found


def _methods(found: Any) -> list[str]:
    return [name for name in METHODS if name in set(found["algorithm"])]


def _place(name: str) -> int:
    """Return where a method stands in the paper's order; a reader's own come last."""
    return METHODS.index(name) if name in METHODS else len(METHODS)


def shown_methods(kept: ShownImages) -> list[str]:
    """Return whose networks were asked about images, in the paper's order."""
    return sorted(dict.fromkeys(one["algorithm"] for one in kept.networks), key=_place)


# Which pixels decide


@or_what_is_missing
def confidence_grid(tables: Tables) -> Any:
    """Figures 3 and 12 to 15: confidence of every network on the tenth of the pixels that each network chose."""
    pieces = []
    for table in tables:
        if not _has_confidences(table):
            continue
        known, found = ratios(table), _confidences([table])
        for method in _methods(found):
            own = found[found["algorithm"] == method]
            places = sorted({*own["level"]}, key=lambda level: (level == SEPARATE_LEVEL, level))
            called = {level: network(known, method, level) for level in places}
            own = own.assign(judge=own["position"].map(called), chooser=own["level"].map(called))
            order = [(places.index(a), places.index(b)) for a, b in zip(own["level"], own["position"], strict=True)]
            pieces.append(own.iloc[sorted(range(len(own)), key=order.__getitem__)])
    if not pieces:
        raise InputError(NO_CONFIDENCE)
    whole = pandas.concat(pieces)
    names = {"chooser": "pixels chosen by", "judge": "judged by"}
    return heatmap(
        whole.rename(columns=names), x=names["judge"], y=names["chooser"], colour=CONFIDENCE_TITLE,
        menus=["algorithm", "images"], title="What is left of the confidence on a tenth of the pixels",
        key="Point at a cell for its number. Percentages: parameters removed.", height=360,
    )  # fmt: skip


@or_what_is_missing
def confidence_by_ratio(tables: Tables) -> Any:
    """Parent, pruned and separate network on one another's pixels, against the prune ratio (LIP-C04 to C06)."""
    pieces = []
    for table in tables:
        if not _has_confidences(table):
            continue
        known = ratios(table)
        found = _confidences([table])
        found = found[found["algorithm"].isin(METHODS)]
        found = found.sort_values("algorithm", key=lambda names: names.map(_place), kind="stable")
        for (method, level), own in found.groupby(["algorithm", "level"], sort=False):
            if level > 0:
                at = {0: PRUNEDS_PIXELS, SEPARATE_LEVEL: SEPARATE_ON_PRUNEDS}
                pieces.append(own[own["position"].isin([*at])].assign(**{
                    JUDGED: lambda one, at=at: one["position"].map(at), REMOVED: known[method, level]}))  # fmt: skip
            if level == 0:
                for judge in {*own["position"]} - {0.0, float(SEPARATE_LEVEL)}:
                    removed = known[method, int(judge)]
                    for place, name in ((judge, PARENTS_PIXELS), (float(SEPARATE_LEVEL), SEPARATE_ON_PARENTS)):
                        some = own[own["position"] == place]
                        pieces.append(some.assign(**{JUDGED: name, REMOVED: removed}))
    if not pieces:
        raise InputError(NO_CONFIDENCE)
    return lines(
        pandas.concat(pieces), x=REMOVED, y=CONFIDENCE_TITLE, colour=JUDGED, domain=JUDGES, menus=["algorithm", "images"],
        title="One network's pixels, another network's confidence",
    )  # fmt: skip


@or_what_is_missing
def masks_on_images(tables: Tables) -> Any:
    """BackSelect on single images: what each network would hide last, drawn on the image."""
    for table in tables:
        if (kept := shown_images("informative_pixels", table)) and kept.networks:
            return _masks(table, kept)
    raise InputError("no table has images with the order of their pixels; run the page with recompute=True.")


def _masks(table: Table, kept: ShownImages) -> Any:
    names = KNOWN[PLANS[table.benchmark][table.scale].recipe.data.image_set].class_names
    seed = kept.networks[0]["seed"]
    found = []
    for method in shown_methods(kept):
        own = [one for one in kept.networks if one["algorithm"] == method and one["seed"] == seed]
        pruned = sorted((one for one in own if one["level"] > 0), key=lambda one: one["level"])
        some = [pruned[i] for i in sorted({0, len(pruned) // 2, len(pruned) - 1})] if pruned else []
        ends = [[one for one in own if one["level"] == level] for level in (0, SEPARATE_LEVEL)]
        for place, label in enumerate(kept.labels[:PICTURES]):
            case = {
                "image": f"{place + 1}: {names[label]}",
                "picture": place,
                "algorithm": method,
                "table": table.label,
            }
            found.append(case | {"caption": "the image", "order": []})
            for one in [*ends[0], *some, *ends[1]]:
                called = network({(method, one["level"]): one["removed"]}, method, one["level"])
                predicted = names[one["predictions"][place]]
                found.append(case | {"caption": f"{called}: {predicted}", "order": one["orders"][place]})
    pictures = {place: image.numpy() for place, image in enumerate(kept.images[:PICTURES])}
    return masks(
        pandas.DataFrame(found), pictures, remaining=LEFT, menus=["image", "algorithm"], columns=3,
        title="The pixels that each network needs most", notes={table.label: f"{table.benchmark}, {table.label}."},
        key="Below each picture: the network, and the class that it predicts on the whole image. What is grey is hidden.",
    )  # fmt: skip


def network(known: dict[tuple[str, int], float], method: str, level: int) -> str:
    """Return what a network is called: "parent", "85 % removed", "separate network"."""
    return {0: PARENT, SEPARATE_LEVEL: SEPARATE}.get(level) or f"{known[method, level]:.0f} % removed"


NO_CONFIDENCE = "no table has confidence on informative pixels; run the page with recompute=True."


def _has_confidences(table: Table) -> bool:
    return bool({*IMAGES} & set(table.frame["quantity"]))


def _confidences(tables: Tables) -> Any:
    found: Any = rows(tables, [*IMAGES])
    return found.assign(images=found["quantity"].map(IMAGES), quantity=CONFIDENCE_TITLE)


# How far may I prune my model?

MARGIN = "margin δ"


@or_what_is_missing
def errors_on_shifts(found: HowFar, delta: float = DELTA) -> Any:
    """Error against parameters removed, on clean images and on one set of shifted ones; rules are what δ allows."""
    whole: Any = found.rows()
    clean, pieces = whole[whole["set"] == CLEAN_SET], []
    for name, own in whole.groupby("set", sort=False):
        if name != CLEAN_SET:
            pieces += [one.assign(images=kind, shift=name) for one, kind in ((clean, "clean"), (own, "shifted"))]
    drawn = pandas.concat(pieces or [clean.assign(images="clean", shift="none")])
    drawn["algorithm"] = [NAMES.get(method, method) for method in drawn["method"]]
    allowed = drawn[drawn[REMOVED] == 0].assign(value=lambda one: one["value"] + delta)
    return lines(
        drawn.assign(quantity="error (%)"), x=REMOVED, y="error (%)", colour="images", menus=["shift", "algorithm"],
        reference=allowed.drop(columns=REMOVED), y_scale="zero", title="How the error grows with pruning",
        key=f"Horizontal rules: the error of the network not pruned, and {delta:g} points.",
    )  # fmt: skip


@or_what_is_missing
def potential_of_sets(found: HowFar, delta: float = DELTA) -> Any:
    """Prune potential on every set of images and by every method; a slider sets δ."""
    margins = sorted({*MARGINS, delta})
    whole = pandas.concat([found.potential(one).assign(**{MARGIN: one}) for one in margins])
    whole["algorithm"] = [NAMES.get(method, method) for method in whole["method"]]
    names = {"set": "images", "algorithm": "pruned by"}
    return heatmap(
        whole.rename(columns=names), x=names["algorithm"], y=names["set"], slider=MARGIN, shown={MARGIN: delta},
        colour="potential (%)", limit=100.0, title="Prune potential", height=30 + 18 * len(set(whole["set"])),
        key="The paler, the less can go before the error rises by more than δ points. Point at a cell for its number.",
    )  # fmt: skip
