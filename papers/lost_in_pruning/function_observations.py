"""What the figures of LIP section 4 show, said with the numbers of the table that they draw.

The data choose the words (`lib.analysis.sentences`), so that they hold at every scale; where they speak against the paper
they say so. Spread is the sample standard deviation over parents. With fewer than three parents nothing is called a
difference; the words count how the means lie.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportReturnType=false, reportArgumentType=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportOperatorIssue=false

from collections.abc import Sequence
from dataclasses import dataclass

import pandas
from scipy.stats import spearmanr

from lib.analysis.display import Markdown
from lib.analysis.function_distance import MATCHING, SEPARATE, SOFTMAX_DISTANCE
from lib.analysis.how_far import HowFar
from lib.analysis.informative_pixels import CONFIDENCE, CONFIDENCE_CORRUPTED, SEPARATE_LEVEL, ShownImages, shown_images
from lib.analysis.levels import TEST
from lib.analysis.prune_potential import DELTA, SMALLEST_DIFFERENCE, Curves, prune_potential
from lib.analysis.sentences import learned, listed, mean_std, number, observed, read
from lib.analysis.statistics import FEWEST_REPLICATES, difference
from lib.analysis.table import Table, values
from lib.errors import InputError
from papers.lost_in_pruning.function_figures import LEFT, METHODS, PARENT, nearest, network, ratios, shown_methods
from papers.lost_in_pruning.names import FILTERS, NAMES, WEIGHTS

LOW_NOISE = 0.1
"""Where sentences look; the nearest level of noise that was measured."""


# The same function?


@observed
def agreement_under_noise(table: Table) -> str:
    """Agreement of the least and the most pruned network beside that of the separate one, and how many agree more."""
    known, at = ratios(table), _noise(table)
    alone = read(table, MATCHING, 0, SEPARATE, position=at)
    told = []
    for method in _methods(table, MATCHING):
        levels = nearest(known, method)
        ends = [levels[0], levels[-1]] if len(levels) > 1 else levels
        said = [
            f"{mean_std(read(table, MATCHING, level, method, position=at))} with {known[method, level]:.0f} % removed"
            for level in ends
        ]
        told.append(f"{method} {listed(said)}")
    words = (
        f"Predictions that are the parent's at ε = {at:g}: {'; '.join(told)}; of a separate network {mean_std(alone)}. "
    )
    words = f"{words}{_count(_agreements(table, MATCHING), 'agree with the parent more')}"
    near = _agreements(table, SOFTMAX_DISTANCE)
    return f"{words} {_count(near, 'have probabilities nearer to the parent')}" if near else words


@observed
def agreement_by_ratio(table: Table) -> str:
    """How agreement and distance run with the prune ratio."""
    at, told, orders = _noise(table), [], {}
    for method in _methods(table, MATCHING):
        matching, distance = (_by_ratio(table, quantity, method, at) for quantity in (MATCHING, SOFTMAX_DISTANCE))
        if len(matching) > 1:
            told.append(f"from {number(matching.iloc[0])} to {number(matching.iloc[-1])} % ({method})")
            orders[method] = _rank_correlation(matching) < 0, _rank_correlation(distance) > 0
    if not told:
        raise InputError(f"a single cut was measured at {table.scale} scale, which shows no course")
    said = []
    for place, (what, verb, not_so) in enumerate(
        (("agreement", "falls", "fall"), ("softmax distance", "grows", "grow"))
    ):
        rest = [method for method, holds in orders.items() if not holds[place]]
        holds = [method for method in orders if method not in rest]
        yes = f"{what} {verb} with the prune ratio for {listed(holds)}, as the paper has it" if holds else ""
        no = f"{what} does not {not_so} with it for {listed(rest)}, against the paper" if rest else ""
        said += [words for words in (yes, no) if words]
    words = f"From the first cut to the last, matching predictions at ε = {at:g} go {listed(told)}. "
    return f"{words}By rank correlation of the means, {'; '.join(said)}."


def _rank_correlation(means: pandas.Series) -> float:
    return float(spearmanr(means.index, means.to_numpy()).statistic) if means.nunique() > 1 else 0.0


@dataclass(frozen=True)
class _Case:
    """Whether one number of one pruned network lies as the paper has it, in the mean and by more than parents differ."""

    as_paper: bool
    certain: bool
    against: bool
    commensurate: bool
    parents: int


def _agreements(table: Table, quantity: str) -> list[_Case]:
    """Compare every pruned network with the separate one, at every level of noise, by one of the two distances."""
    found = []
    alone = values(table, quantity, "position", algorithm=SEPARATE)
    for method in _methods(table, quantity):
        for level in nearest(ratios(table), method):
            own = values(table, quantity, "position", algorithm=method, level=level)
            near = _commensurate(table, method, level)
            pairs = [(own[at], alone[at]) for at in own if at in alone]
            found += [_case(a, b, near) if quantity == MATCHING else _case(b, a, near) for a, b in pairs]
    return found


def _case(first: pandas.Series, second: pandas.Series, commensurate: bool) -> _Case:
    """Ask whether the first is the higher one."""
    one = difference(first, second)
    return _Case(one.mean > 0, one.verdict == "higher", one.verdict == "lower", commensurate, one.n)


def _commensurate(table: Table, method: str, level: int) -> bool:
    """Tell whether a network's mean test error is within the paper's margin of its parent's."""
    errors = values(table, TEST, algorithm=method).mean()
    return bool(level in errors and 0 in errors and errors[level] <= errors[0] + DELTA + SMALLEST_DIFFERENCE)


def _count(cases: Sequence[_Case], what: str) -> str:
    """Say of how many cases something holds, by more than parents differ where there are enough of them."""
    if not cases:
        raise InputError("no separate network was measured, which takes two parents")
    near = [one for one in cases if one.commensurate]
    if max(one.parents for one in cases) < FEWEST_REPLICATES:
        within = f"; in {sum(one.as_paper for one in near)} of the {len(near)} where" if near else ""
        near_words = f"{within} the test error is within {DELTA:g} points of the parent's" if near else ""
        yes = sum(one.as_paper for one in cases)
        return f"Pruned networks {what} than a separate one in {yes} of {len(cases)} cases{near_words}.{_few_parents(cases)}"
    yes, no = sum(one.certain for one in cases), sum(one.against for one in cases)
    words = f"By more than parents differ, pruned networks {what} than a separate one in {yes} of {len(cases)} cases"
    words += f", the other way round in {no}" if no else ""
    if near:
        words += f"; where the test error is within {DELTA:g} points of the parent's, in "
        words += f"{sum(one.certain for one in near)} of {len(near)}"
    every = yes == len(cases) or bool(near) and all(one.certain for one in near)
    return f"{words}. {'This is as the paper has it.' if every else 'The paper has it for all of them.'}"


def _other_answers_line(table: Table) -> str:
    known = ratios(table)
    for method in _methods(table, MATCHING):
        levels = [level for level in nearest(known, method) if _commensurate(table, method, level)]
        found = [values(table, MATCHING, algorithm=method, position=0.0), values(table, TEST, algorithm=method)]
        if levels and levels[-1] in found[0]:
            level = levels[-1]
            errors = found[1].mean()
            moral = " The same error is not the same function." if errors[0] - errors[level] <= DELTA else ""
            return (
                f"With {known[method, level]:.0f} % removed by {method}, the test error is {mean_std(found[1][level])} and "
                f"the parent's {mean_std(found[1][0])}; yet without any noise the two give another answer on "
                f"{mean_std(100 - found[0][level])} of the images.{moral}"
            )
    raise InputError(f"at {table.scale} scale no pruned network keeps its parent's test error")


def _agreement_line(table: Table) -> str:
    return _count(_agreements(table, MATCHING), "agree with the parent more")


def _noise_line(table: Table) -> str:
    told = []
    for method in _methods(table, MATCHING):
        own = values(table, MATCHING, "position", algorithm=method, level=nearest(ratios(table), method)[0]).mean()
        told.append(f"{number(own.iloc[0])} and {number(own.iloc[-1])} % ({method})")
    if not told:
        raise InputError(f"no matching predictions were measured at {table.scale} scale")
    alone = values(table, MATCHING, "position", algorithm=SEPARATE).mean()
    if len(alone):
        told.append(f"{number(alone.iloc[0])} and {number(alone.iloc[-1])} % (separate network)")
    noises = sorted(table.frame.loc[table.frame["quantity"] == MATCHING, "position"].unique())
    return (
        f"The least pruned networks share so many predictions with the parent at ε = {noises[0]:g} and {noises[-1]:g}: "
        f"{'; '.join(told)}."
    )


learned_same_function = learned(_other_answers_line, _agreement_line, _noise_line)


def _methods(table: Table, quantity: str) -> list[str]:
    there = set(table.frame.loc[table.frame["quantity"] == quantity, "algorithm"])
    return [name for name in METHODS if name in there]


def _noise(table: Table) -> float:
    """Return the level of noise nearest to the one that sentences look at."""
    found = table.frame.loc[table.frame["quantity"] == MATCHING, "position"].unique()
    if not len(found):
        raise InputError(f"no {MATCHING} was measured at {table.scale} scale")
    return float(min(found, key=lambda at: abs(at - LOW_NOISE)))


def _by_ratio(table: Table, quantity: str, method: str, at: float) -> pandas.Series:
    """Return means by PR, ascending."""
    known, means = ratios(table), values(table, quantity, algorithm=method, position=at).mean()
    return pandas.Series({known[method, int(level)]: value for level, value in means.items() if level > 0}).sort_index()


# Which pixels decide


@observed
def masks_on_images(table: Table) -> str:
    """How many of the parent's pixels another network chose, too."""
    if not (kept := shown_images("informative_pixels", table)) or not kept.networks:
        raise InputError(f"no image was kept with the order of its pixels at {table.scale} scale")
    told, others = [], []
    for method in shown_methods(kept):
        pruned, alone = _shared(kept, method)
        if pruned and alone is not None:
            known = {(method, level): removed for level, (removed, _) in pruned.items()}
            ends = [min(pruned), max(pruned)] if len(pruned) > 1 else [*pruned]
            said = [f"{number(pruned[level][1])} % ({network(known, method, level)})" for level in ends]
            told.append(f"{method} {listed(said)}")
            others.append(alone)
    if not told:
        raise InputError(f"no separate network was measured at {table.scale} scale")
    count = len(kept.labels)
    return (
        f"Of the {LEFT} pixels that the parent needs most, a separate network chose {number(others[0])} % too, over these "
        f"{count} images of the first parent; pruned networks chose: {'; '.join(told)}. Chance would give 10 %."
    )


def _shared(kept: ShownImages, method: str) -> tuple[dict[int, tuple[float, float]], float | None]:
    """Return by level the PR and how much of the parent's pixels a pruned network shares, and that of the separate one."""
    seed = kept.networks[0]["seed"]
    own = {one["level"]: one for one in kept.networks if one["algorithm"] == method and one["seed"] == seed}
    parent = [set(order[-LEFT:]) for order in own[0]["orders"]] if 0 in own else []

    def share(level: int) -> float:
        both = [len(mine & {*order[-LEFT:]}) for mine, order in zip(parent, own[level]["orders"], strict=True)]
        return 100 * sum(both) / (LEFT * len(both))

    pruned = {level: (own[level]["removed"], share(level)) for level in sorted(own) if level > 0 and parent}
    return pruned, share(SEPARATE_LEVEL) if SEPARATE_LEVEL in own and parent else None


@observed
def confidence_grid(table: Table) -> str:
    """Confidence on the parent's pixels: of the parent, of the pruned networks, of the separate one."""
    return " ".join(_on_parents_pixels(table, quantity) for quantity in _quantities(table))


def _on_parents_pixels(table: Table, quantity: str) -> str:
    told, known, others = [], ratios(table), []
    for method in _methods(table, quantity):
        found = values(table, quantity, "position", algorithm=method, level=0).mean()
        pruned = [int(at) for at in found.index if at > 0]
        if not pruned or 0 not in found:
            continue
        ends = dict.fromkeys((pruned[0], pruned[-1]))
        told.append(
            f"{method} {listed([f'{number(found[at])} with {known[method, at]:.0f} % removed' for at in ends])}"
        )
        others = [f"the {PARENT} has a confidence of {number(found[0])}"]
        others += [f"the {SEPARATE} of {number(found[SEPARATE_LEVEL])}"] if SEPARATE_LEVEL in found else []
    if not told:
        raise InputError(f"no {quantity} was measured at {table.scale} scale")
    where = "corrupted" if quantity == CONFIDENCE_CORRUPTED else "test"
    words = f"On the pixels of {where} images that the parent chose, {listed(others)}"
    return f"{words}; pruned networks have: {'; '.join(told)}."


@observed
def confidence_by_ratio(table: Table) -> str:
    """How often pruned networks and parents are surer on one another's pixels than a separate network."""
    return " ".join(_both_ways(table, quantity) for quantity in _quantities(table))


def _both_ways(table: Table, quantity: str) -> str:
    parents, pruneds = _judged(table, quantity)
    where = "corrupted images" if quantity == CONFIDENCE_CORRUPTED else "test images"
    if not parents:
        raise InputError(f"no separate network judged at {table.scale} scale")
    counted = [f"{sum(one.as_paper for one in cases)} of {len(cases)}" for cases in (parents, pruneds)]
    near = [one.as_paper for cases in (parents, pruneds) for one in cases if one.commensurate]
    networks = sum(one.commensurate for one in parents)
    words = f"On {where}, {counted[0]} pruned networks are surer of the true class on the parent's pixels than the separate "
    words += f"network, and on the pixels of {counted[1]} the parent is surer than the separate network."
    if near and all(near):
        words += " All networks that keep the parent's test error are among them, as the paper has it."
    elif near:
        words += (
            f" The {networks} that keep the parent's test error are compared both ways: {sum(near)} of {len(near)} "
        )
        words += "comparisons come out as the paper has it, which has all."
    return f"{words}{_few_parents(parents)}"


def _judged(table: Table, quantity: str) -> tuple[list[_Case], list[_Case]]:
    """Compare pruned networks with the separate one on the parent's pixels, and the parent with it on those of each."""
    parents, pruneds = [], []
    for method in _methods(table, quantity):
        on_parents = values(table, quantity, "position", algorithm=method, level=0)
        for level in [int(at) for at in on_parents if at > 0]:
            near = _commensurate(table, method, level)
            own = values(table, quantity, "position", algorithm=method, level=level)
            if SEPARATE_LEVEL in on_parents and SEPARATE_LEVEL in own:
                parents.append(_case(on_parents[float(level)], on_parents[SEPARATE_LEVEL], near))
                pruneds.append(_case(own[0.0], own[SEPARATE_LEVEL], near))
    return parents, pruneds


def _few_parents(cases: Sequence[_Case]) -> str:
    most = max(one.parents for one in cases)
    return "" if most >= FEWEST_REPLICATES else f" {_counted(most)}: the spread over parents is not known."


def _counted(parents: int) -> str:
    return "There is one parent" if parents == 1 else f"There are {parents} parents"


def _quantities(table: Table) -> list[str]:
    there = [one for one in (CONFIDENCE, CONFIDENCE_CORRUPTED) if _methods(table, one)]
    if not there:
        raise InputError(f"no {CONFIDENCE} was measured at {table.scale} scale")
    return there


def _both_ways_line(table: Table) -> str:
    return _both_ways(table, _quantities(table)[0])


def _beyond_line(table: Table) -> str:
    quantity, told, known = _quantities(table)[0], [], ratios(table)
    for method in _methods(table, quantity):
        last = max(values(table, quantity, algorithm=method, position=0.0).columns)
        if last < 1:
            continue
        own = values(table, quantity, "position", algorithm=method, level=last).mean()
        parent = values(table, quantity, "position", algorithm=method, level=0).mean()
        told.append(
            f"{number(own[0.0])} on those of the network with {known[method, last]:.0f} % removed, "
            f"{number(parent[0.0])} on its own ({method})"
        )
    if not told:
        raise InputError(f"no pruned network chose pixels at {table.scale} scale")
    return f"The parent's confidence on the pixels of the most pruned network and on its own: {'; '.join(told)}."


def _methods_line(table: Table) -> str:
    quantity = _quantities(table)[0]
    kept = {}
    for kind, names in (("weights", WEIGHTS), ("filters", FILTERS)):
        pieces = [
            values(table, quantity, "position", algorithm=name, level=0)
            for name in _methods(table, quantity)
            if name in names
        ]
        means = [one[[at for at in one if at > 0]].mean(axis=1) for one in pieces]
        if means:
            kept[kind] = pandas.concat(means, axis=1).mean(axis=1)
    if len(kept) < 2:
        raise InputError(f"weights and filters were not both measured at {table.scale} scale")
    word = "higher" if kept["weights"].mean() > kept["filters"].mean() else "not higher; the paper has it higher"
    few = difference(kept["weights"], kept["filters"]).n < FEWEST_REPLICATES
    return (
        f"On the parent's pixels, the confidence of networks that lost single weights is {mean_std(kept['weights'], '')} on "
        f"average, that of networks that lost filters {mean_std(kept['filters'], '')}: the first is {word}"
        f"{', which may be chance' * few}."
    )


learned_informative_pixels = learned(_both_ways_line, _beyond_line, _methods_line)


# How far may I prune my model?


def errors_on_shifts(found: HowFar, delta: float = DELTA) -> Markdown:
    """Say on which shift the network that is still good on clean images loses most."""
    told = []
    for method, own in found.curves.items():
        level = _last(own, delta)
        extra = own.errors[:, 0, level] - own.errors[:, 0, 0]
        if level and len(own.sets) > 1 and extra[1:].max() > 0:
            worst = max(range(1, len(own.sets)), key=lambda place: extra[place])
            told.append(
                f"By {_called(method)}, {own.removed[0, level]:.0f} % can go by the error on clean images. That network's "
                f"error has risen most on {own.sets[worst]}: {number(own.errors[worst, 0, 0])} % before pruning, "
                f"{number(own.errors[worst, 0, level])} % after."
            )
        else:
            can = f"{own.removed[0, level]:.0f} % can go" if level else "nothing can go without a rise on clean images"
            if len(own.sets) == 1:
                can += ", and no shift was measured"
            else:
                can += ", and no shift that was measured costs more" if level else ", so no shift needs to be looked at"
            told.append(f"By {_called(method)}, {can}.")
    return Markdown(f"**What we see** (one network, {found.images} images). {' '.join(told)}")


def potential_of_sets(found: HowFar, delta: float = DELTA) -> Markdown:
    """Say how far the network may be pruned."""
    words = found.sentence(delta)
    for method in found.curves:
        words = words.replace(f"By {method},", f"By {_called(method)},")
    return Markdown(f"**How far** (δ = {delta:g} points). {words}")


def learned_how_far(found: HowFar, delta: float = DELTA) -> Markdown:
    """End the page: what the clean images allow, what the worst shift allows, and what the number of images can tell."""
    potentials = {method: prune_potential(own, delta)[:, 0] for method, own in found.curves.items()}
    clean = [f"{one[0]:.0f} % ({_called(method)})" for method, one in potentials.items()]
    said = [f"On clean images {listed(clean)} of the parameters can go."]
    if all(len(one) > 1 for one in potentials.values()):
        least = [f"{one[1:].min():.0f} % ({_called(method)})" for method, one in potentials.items()]
        mean = [f"{one[1:].mean():.0f} % ({_called(method)})" for method, one in potentials.items()]
        said.append(f"On shifted images it is {listed(mean)} on average, and {listed(least)} on the worst shift.")
    allowed = delta * found.images / 100
    said.append(
        f"The margin is {number(allowed)} of {found.images} images. What hangs on so few can turn with other images."
    )
    return Markdown("\n".join(["**What we learned**", "", *(f"* {one}" for one in said)]))


def _called(method: str) -> str:
    return NAMES.get(method, method)


def _last(own: Curves, delta: float) -> int:
    """Return the last level whose error on the first set, clean images, is within δ of the network not pruned."""
    within = own.errors[0, 0] <= own.errors[0, 0, 0] + delta + SMALLEST_DIFFERENCE
    return int(max(level for level in range(len(within)) if within[level]))
