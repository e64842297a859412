"""What GS's figures on stability and accuracy show, said with the numbers of the table that they draw.

    accuracy_against_stability(page.tables)          a paragraph under the figure
    learned_less_stable_better(page.tables)          the three lines that a page ends with

The data choose the words (`lib.analysis.sentences`), so that they hold at every scale; where they speak against the paper
they say so. A sign is called one where p is below 0.05 and every configuration has three runs or more.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportReturnType=false, reportArgumentType=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false

import math
from collections.abc import Mapping, Sequence

import pandas

from lib.analysis import normality
from lib.analysis.correlation import Correlation, correlation
from lib.analysis.display import plus_minus
from lib.analysis.sentences import from_to, learned, listed, mean_std, number, observed, p_value, read
from lib.analysis.stability import (
    AFTER,
    BEFORE,
    BEST,
    BEST_HELD_OUT,
    GAP,
    HELD_OUT,
    LAST,
    LOWEST,
    REMOVED,
    STABILITY,
)
from lib.analysis.statistics import FEWEST_REPLICATES, difference, two_samples
from lib.analysis.table import Table, values
from lib.errors import InputError
from papers.generalization_stability.claims import OFTEN, SELDOM, SIGNIFICANT
from papers.generalization_stability.experiments import LESS_SHORTCUT, MORE_PRUNED
from papers.generalization_stability.figures import SCORES, TRADITIONAL, configurations, rate_of
from papers.generalization_stability.names import NONE, UNSTABLE, pruned, setting

# Less stable, better


@observed
def accuracy_over_training(table: Table) -> str:
    """What an event of each configuration takes, and the worst one."""
    told = []
    for name in _pruned(table):
        before, after = (_of_events(table, quantity, name) for quantity in (BEFORE, AFTER))
        drop = before - after
        count = len(values(table, BEFORE, "position", algorithm=name).columns)
        told.append(
            f"{_called(name)}: {mean_std(drop, 'points')} over {count} events, the worst of a run leaving "
            f"{number(runs(table, LOWEST, name).mean())} % of the accuracy before it"
        )
    if not told:
        raise InputError(f"no events were measured at {table.scale} scale")
    return f"An event takes, on average, from the test accuracy: {'; '.join(told)}. {_most(table)}"


def _most(table: Table) -> str:
    counts = {name: values(table, REMOVED, "position", algorithm=name).mean().sum() for name in _pruned(table)}
    least, most = min(counts.values()), max(counts.values())
    many = f"{most:.0f}" if least == most else f"{least:.0f} to {most:.0f}"
    same = "the same number of filters is gone" if least == most else "about as many filters are gone"
    return f"In the end {same} in all of them, {many}: they differ in how, not in how much."


@observed
def accuracy_against_stability(table: Table) -> str:
    """The pooled correlation, the one within configurations, and the means in the order of stability."""
    names = _pruned(table)
    found = _over(table, names)
    return f"{_pooled(table, found, len(names))} {_within(table, found)} {_order(table, names)}"


def _pooled(table: Table, found: Correlation, configurations: int) -> str:
    if math.isnan(found.pearson):
        return f"Over {found.n} pruned runs no correlation is defined."
    over = f"Over the {found.n} pruned runs of {configurations} configuration{'s' * (configurations > 1)}"
    told = f"{over}, stability and accuracy have r = {number(found.pearson)} ({p_value(found.p)})"
    told += f" and τ = {number(found.kendall)} ({p_value(found.kendall_p)})"
    return f"{told}: {_sign(table, found.pearson, found.p)}."


def _sign(table: Table, r: float, p: float) -> str:
    if not p < SIGNIFICANT or len(table.seeds) < FEWEST_REPLICATES:
        return "no sign can be told from chance"
    return (
        "less stable runs end better, as the paper has it" if r < 0 else "less stable runs end worse, against the paper"
    )


def _within(table: Table, found: Correlation) -> str:
    if math.isnan(found.within):
        return "Within configurations there are too few runs for a correlation."
    told = f"Within configurations r = {number(found.within)} ({p_value(found.within_p)})"
    if not found.within_p < SIGNIFICANT or len(table.seeds) < FEWEST_REPLICATES:
        return f"{told}: among runs with the same settings, no relation can be told from chance."
    better = "better" if found.within < 0 else "worse"
    return f"{told}: among runs with the same settings, the less stable ones end {better}."


def _order(table: Table, names: Sequence[str]) -> str:
    """Give means from the most stable configuration to the least, and unpruned networks beside them."""
    stable = sorted(names, key=lambda name: -runs(table, STABILITY, name).mean())
    told = [
        f"{mean_std(runs(table, BEST, name))} ({_called(name)}, stability {_percent(runs(table, STABILITY, name))})"
        for name in stable
    ]
    first = f"From stable to unstable the accuracy is {listed(told)}"
    if not has(table, NONE):
        return f"{first}."
    gains = [difference(runs(table, BEST, name), runs(table, BEST, NONE)) for name in stable]
    told = f"{first}; without pruning it is {mean_std(runs(table, BEST, NONE))}."
    if len(table.seeds) < FEWEST_REPLICATES:
        return told
    better = [name for name, gain in zip(stable, gains, strict=True) if gain.verdict == "higher"]
    worse = [name for name, gain in zip(stable, gains, strict=True) if gain.verdict == "lower"]
    apart = [f"above it: {listed([_called(one) for one in better])}"] if better else []
    apart += [f"below it: {listed([_called(one) for one in worse])}"] if worse else []
    seen = "; ".join(apart) or "none of them is further from that than seeds differ"
    return f"{told} By paired seeds, {seen}."


@observed
def stability_on_two_sets(table: Table) -> str:
    """Whether it matters on which images stability is measured."""
    names = [name for name in _pruned(table) if has(table, name, HELD_OUT)]
    if not names:
        raise InputError(f"no {HELD_OUT} was measured at {table.scale} scale; the paper's recipe holds no images out")
    told = [
        f"{_percent(runs(table, HELD_OUT, name))} on held-out and {_percent(runs(table, STABILITY, name))} on test images "
        f"({_called(name)})"
        for name in names
    ]
    both = [_over(table, names, quantity) for quantity in (STABILITY, HELD_OUT)]
    words = f"Stability is {listed(told)}."
    if any(math.isnan(one.pearson) for one in both):
        return words
    test, held_out = both
    changed = (test.pearson < 0) != (held_out.pearson < 0)
    same = "and changes its sign" if changed else "with the same sign"
    return (
        f"{words} With the one on held-out images the correlation with accuracy is {number(held_out.pearson)} "
        f"({p_value(held_out.p)}) in place of {number(test.pearson)}, {same}."
    )


@observed
def best_and_last(table: Table) -> str:
    """What choosing the best epoch on test images adds, and whether it changes the order."""
    names = [name for name in [NONE, *_pruned(table)] if has(table, name)]
    told, order = [], {}
    for quantity in (BEST, LAST):
        order[quantity] = sorted(names, key=lambda name: -runs(table, quantity, name).mean())
    for name in names:
        told.append(f"{mean_std(runs(table, BEST, name) - runs(table, LAST, name), 'points')} ({_called(name)})")
    change = "the same" if order[BEST] == order[LAST] else "another"
    words = (
        f"The best epoch after the last event, chosen on test images, is better than the last one by {listed(told)}."
    )
    words += (
        f" By the mean of the last epoch the configurations have {change} order: {listed(_called_all(order[LAST]))}"
    )
    return f"{words}, from the best down.{_held_out_order(table, names)}"


def _held_out_order(table: Table, names: Sequence[str]) -> str:
    if not all(has(table, name, BEST_HELD_OUT) for name in names):
        return ""
    best = max(names, key=lambda name: runs(table, BEST_HELD_OUT, name).mean())
    return f" On held-out images, which chose nothing, the best is {_called(best)}."


def _correlation_line(table: Table) -> str:
    names = _pruned(table)
    return _pooled(table, _over(table, names), len(names))


def _within_line(table: Table) -> str:
    return _within(table, _over(table, _pruned(table)))


def _best_line(table: Table) -> str:
    names = [name for name in [NONE, *_pruned(table)] if has(table, name)]
    best = max(names, key=lambda name: runs(table, BEST, name).mean())
    if best == NONE or NONE not in names:
        return f"The highest mean accuracy is that of {_called(best)}, {mean_std(runs(table, BEST, best))}."
    return f"From no pruning to {_called(best)}, the best of them, accuracy {from_to(*_pair(table, BEST, NONE, best))}."


learned_less_stable_better = learned(_correlation_line, _within_line, _best_line)


# Scores that know of normalization


@observed
def accuracy_by_score(table: Table) -> str:
    """The correlation by each score."""
    told = [
        f"r = {number(found.pearson)} ({p_value(found.p)}, {found.n} runs) by {_by(score)}"
        for score, found in _scored(table).items()
        if not math.isnan(found.pearson)
    ]
    if not told:
        raise InputError(f"no correlation is defined at {table.scale} scale")
    return f"Over the pruned runs stability and accuracy have {listed(told)}. {_stronger(table)}"


def _stronger(table: Table) -> str:
    found = {score: one for score, one in _scored(table).items() if not math.isnan(one.pearson)}
    if "l2" not in found or len(found) < 2:
        return "There is no second score to compare with yet."
    strongest = min(found, key=lambda score: found[score].pearson)
    signed, unsigned = (
        found[score].pearson if score in found else math.nan for score in ("signed_expected", "expected")
    )
    same = " Here both chose the same filters, since no γ fell below zero." if signed == unsigned else ""
    if found[strongest].pearson >= 0:
        return f"It is negative by no score; in the paper it is by each.{same}"
    if strongest == "l2":
        return f"It is not more negative by a score that knows of normalization; in the paper it is.{same}"
    return f"It is most negative by {_by(strongest)}; the paper has it stronger by scores that know of normalization."


@observed
def stability_by_score(table: Table) -> str:
    """Whether a score makes stable pruning more stable and unstable pruning less."""
    told = []
    for name in _pruned(table):
        own = {score: _named(name, score) for score in SCORES}
        there = [f"{_percent(runs(table, STABILITY, one))} by {_by(s)}" for s, one in own.items() if has(table, one)]
        if len(there) > 1:
            told.append(f"{_called(name)}: {listed(there)}")
    if not told:
        raise InputError(f"no second score was measured at {table.scale} scale")
    return f"Mean stability is, for {'; for '.join(told)}. {_spread(table)}"


def _spread(table: Table) -> str:
    """Compare the range of mean stabilities by each score."""
    ranges = {}
    for score in SCORES:
        names = [one for name in _pruned(table) if has(table, one := _named(name, score))]
        means = [runs(table, STABILITY, name).mean() for name in names]
        if len(means) > 1:
            ranges[score] = max(means) - min(means)
    told = listed([f"{number(width)} points by {_by(score)}" for score, width in ranges.items()])
    return f"From the most to the least stable configuration mean stability spans {told}." if told else ""


@observed
def normality_by_layer(table: Table) -> str:
    """How far from normal the activations are, before and after training."""
    before, after = (values(table, normality.DISTANCE.format(when), "position", algorithm=NONE)
                     for when in (normality.BEFORE, normality.AFTER))  # fmt: skip
    if before.empty or after.empty:
        raise InputError(f"no normality of activations was measured at {table.scale} scale")
    furthest = after.mean().idxmax()
    near = "nearest to the output" if furthest == max(after) else f"number {furthest:g} of {len(after.columns)}"
    rest = after.mean().drop(furthest)
    others = f"; of the others at most {number(rest.max())}" if len(rest) else ""
    return (
        f"Averaged over the layers, the distance from normal {from_to(before.mean(axis=1), after.mean(axis=1), '')}. "
        f"After training that of the layer {near} is the largest, {number(after.mean().max())}{others}."
    )


@observed
def activation_densities(table: Table) -> str:
    """The tails of the last layer's activations: how much of the distribution lies left of its peak."""
    found = values(table, normality.DENSITY.format(normality.LAYERS, normality.AFTER), "position", algorithm=NONE)
    if found.empty:
        raise InputError(f"no densities of activations were measured at {table.scale} scale")
    density = found.iloc[0]
    peak, width = density.idxmax(), density.index[1] - density.index[0]
    left = 100 * width * density[density.index < 0].sum() + 50 * width * density.get(0.0, 0.0)
    return (
        f"In the last layer after training, the density is highest at {number(float(peak))}, and {number(float(left))} % of "
        "the activations lie below their mean. Of a normal distribution these are 0 and 50 %."
    )


def _score_line(table: Table) -> str:
    told = [
        f"{number(one.pearson)} by {_by(score)}" for score, one in _scored(table).items() if not math.isnan(one.pearson)
    ]
    if not told:
        raise InputError(f"no correlation is defined at {table.scale} scale")
    return f"The correlation of stability and accuracy is {listed(told)}. {_stronger(table)}"


def _spread_line(table: Table) -> str:
    if not (found := _spread(table)):
        raise InputError(f"no two configurations were measured at {table.scale} scale")
    return f"A score decides how far apart configurations lie. {found}"


def _normal_line(table: Table) -> str:
    before, after = (values(table, normality.DISTANCE.format(when), "position", algorithm=NONE)
                     for when in (normality.BEFORE, normality.AFTER))  # fmt: skip
    if before.empty or after.empty:
        raise InputError(f"no normality of activations was measured at {table.scale} scale")
    last = max(after)
    moves = from_to(before[last], after[last], "")
    return f"The formula takes activations as normal. In the last layer their distance from that {moves} with training."


learned_normalization_scores = learned(_score_line, _spread_line, _normal_line)


# Rate and target


@observed
def accuracy_by_rate(table: Table) -> str:
    """Where accuracy is highest, for each target, and how stability falls with the rate."""
    told = []
    for target, own in _by_target(table).items():
        best = max(own, key=lambda share: own[share][1].mean())
        first, last = (own[share][0] for share in (min(own), max(own)))
        moves = f"stability goes from {_percent(first)} at {min(own):g} % to {_percent(last)} at {max(own):g} %"
        moves = moves if len(own) > 1 else f"stability is {_percent(first)} at this one rate"
        told.append(f"{target} filters: accuracy is highest at {best:g} %, {mean_std(own[best][1])}; {moves}")
    unpruned = f" Without pruning, accuracy is {mean_std(runs(table, BEST, NONE))}." if has(table, NONE) else ""
    said = ". ".join(one[0].upper() + one[1:] for one in told)
    return f"{said}.{unpruned} {_sweet_spot(table)}"


def _sweet_spot(table: Table) -> str:
    found = _by_target(table)
    shares = sorted({share for own in found.values() for share in own})
    if len(shares) < 3:
        return "Two rates cannot show a best one between."
    best = {target: max(own, key=lambda share: own[share][1].mean()) for target, own in found.items()}
    inside = [target for target, share in best.items() if share not in (shares[0], shares[-1])]
    if len(inside) == len(found):
        return "For every target the mean is highest between the ends, as the paper has it."
    some = f"only for the {listed(inside)} filters" if inside else "for no target, against the paper"
    return f"The mean is highest between the ends {some}."


@observed
def correlation_by_rate(table: Table) -> str:
    """At which rates the correlation over the targets is negative."""
    found = _at_rates(table)
    if not found:
        raise InputError(f"no rate was measured with two targets at {table.scale} scale")
    negative = [share for share, one in found.items() if one.kendall < 0]
    clear = [share for share in negative if found[share].kendall_p < SIGNIFICANT]
    told = f"Kendall's τ is negative at {_at(negative, found)}"
    told += f", with p below 0.05 at {_at(clear, found)}" if negative else ""
    one_shot = max(found)
    last = f"At the highest, {one_shot:g} %, it is {number(found[one_shot].kendall)} ({p_value(found[one_shot].kendall_p)})."
    return f"{told}. {last} The paper has it negative at every rate but that of one shot."


@observed
def accuracy_at_one_rate(table: Table) -> str:
    """The two ends of the rates."""
    found = _at_rates(table)
    if not found:
        raise InputError(f"no rate was measured with two targets at {table.scale} scale")
    told = []
    for share in dict.fromkeys((min(found), max(found))):
        one = found[share]
        told.append(
            f"at {share:g} %, r = {number(one.pearson)} ({p_value(one.p)}) over {one.n} runs of {one.configurations} targets"
        )
    return f"Over the targets, {' and '.join(told)}. {_fading(found)}"


def _fading(found: Mapping[float, Correlation]) -> str:
    if len(found) < 2:
        return ""
    ends = found[min(found)], found[max(found)]
    if not any(one.p < SIGNIFICANT for one in ends):
        return "At neither end can the relation be told from chance, so whether it fades cannot be told."
    low, high = (one.pearson for one in ends)
    if low >= 0:
        return "Where events are smallest, less stable runs do not end better, so there is no benefit that could fade."
    if high >= 0:
        return (
            "Where events are largest, less stable runs no longer end better: the benefit fades, as the paper has it."
        )
    fades = "weaker" if abs(high) < abs(low) else "not weaker"
    return f"Where events are largest the relation is {fades} than where they are smallest; the paper has the benefit fade."


def _rate_line(table: Table) -> str:
    words = []
    for target, own in _by_target(table).items():
        if len(own) < 3:
            raise InputError(f"fewer than three rates of the {target} filters were measured at {table.scale} scale")
        best = max(own, key=lambda share: own[share][1].mean())
        words.append(f"{best:g} % for the {target} filters ({mean_std(own[best][1])})")
    return f"By how much an event prunes, mean accuracy is highest at {listed(words)}."


def _rates_line(table: Table) -> str:
    found = _at_rates(table)
    if not found:
        raise InputError(f"no rate was measured with two targets at {table.scale} scale")
    clear = [share for share, one in found.items() if one.kendall_p < SIGNIFICANT]
    if not clear:
        return (
            "At no rate can the sign of the correlation of stability and accuracy over the targets be told from chance."
        )
    signs = {word: [share for share in clear if word == ("negative" if found[share].kendall < 0 else "positive")]
             for word in ("negative", "positive")}  # fmt: skip
    told = listed([f"{word} at {_at(shares, found)}" for word, shares in signs.items() if shares])
    return f"Over the targets, the correlation of stability and accuracy, where p is below {SIGNIFICANT}, is {told}."


def _target_line(table: Table) -> str:
    found = _by_target(table)
    shared = set.intersection(*(set(own) for own in found.values()))
    if len(found) < 2 or not shared:
        raise InputError(f"no rate was measured for two targets at {table.scale} scale")
    lowest = [min(found, key=lambda target: found[target][share][0].mean()) for share in sorted(shared)]
    most = max(dict.fromkeys(lowest), key=lowest.count)
    many = f"{lowest.count(most)} of {len(lowest)} rates" if len(lowest) > 1 else "the one rate"
    return f"Of the targets, the {most} filters have the lowest mean stability at {many}."


learned_rate_and_target = learned(_rate_line, _rates_line, _target_line)


# How much, and of what


@observed
def total_pruning(table: Table) -> str:
    """What pruning 59 % in place of 46 % does to accuracy and stability, with t tests."""
    told = [_from_46_to_59(table, name) for name in _pruned(table) if has(table, f"{name}, {MORE_PRUNED}")]
    if not told:
        raise InputError(f"nothing that prunes 59 % was measured at {table.scale} scale")
    printed_ = "The paper has the first unchanged, the second better and the third worse." if len(told) == 3 else ""
    return f"{' '.join(told)} {printed_}".rstrip()


def _from_46_to_59(table: Table, name: str) -> str:
    less, more = (runs(table, BEST, one) for one in (name, f"{name}, {MORE_PRUNED}"))
    steady = [_percent(runs(table, STABILITY, one)) for one in (name, f"{name}, {MORE_PRUNED}")]
    found = two_samples(more, less)
    test = (
        "" if math.isnan(found.p_pooled) else f" (t test {p_value(found.p_pooled)}, Welch's {p_value(found.p_welch)})"
    )
    word = "raises" if found.difference > 0 else "lowers"
    moves = f"{word} accuracy by {number(abs(found.difference))} points{test}"
    moves = moves if found.difference else "leaves accuracy as it is"
    taken = f"takes stability from {steady[0]} to {steady[1]}"
    return f"With {_called(name)}, pruning 59 % in place of 46 % {moves} and {taken}."


@observed
def shortcut_layer(table: Table) -> str:
    """Whether pruning the shortcut's layer harder helps."""
    less = pruned("largest", 40, more=LESS_SHORTCUT)
    pair = _pair(table, BEST, less, UNSTABLE)
    steady = [_percent(one) for one in _pair(table, STABILITY, less, UNSTABLE)]
    worst = [number(one.mean()) for one in _pair(table, LOWEST, less, UNSTABLE)]
    found = f"From a quarter of the layer to two fifths of it, accuracy {from_to(*pair)}; stability goes from "
    found += f"{steady[0]} to {steady[1]}, and the worst event leaves {worst[1]} in place of {worst[0]} % of accuracy."
    if not has(table, NONE):
        return found
    return f"{found} Without pruning accuracy is {mean_std(runs(table, BEST, NONE))}. The paper has the gain grow."


def _more_line(table: Table) -> str:
    told = [name for name in _pruned(table) if has(table, f"{name}, {MORE_PRUNED}")]
    if not told:
        raise InputError(f"nothing that prunes 59 % was measured at {table.scale} scale")
    moves = [difference(runs(table, BEST, f"{n}, {MORE_PRUNED}"), runs(table, BEST, n)).mean for n in told]
    words = [f"{number(move, signed=True)} points ({_called(name)})" for name, move in zip(told, moves, strict=True)]
    return f"Pruning 59 % in place of 46 % changes accuracy by {listed(words)}."


def _steady_line(table: Table) -> str:
    names = [*_pruned(table), *(f"{name}, {MORE_PRUNED}" for name in _pruned(table))]
    names = [name for name in names if has(table, name)]
    found = _over(table, names)
    if math.isnan(found.pearson):
        raise InputError(f"no correlation is defined at {table.scale} scale")
    return f"Over all {found.n} pruned runs, of either share, r = {number(found.pearson)} ({p_value(found.p)})."


def _shortcut_line(table: Table) -> str:
    less = pruned("largest", 40, more=LESS_SHORTCUT)
    pair = _pair(table, BEST, less, UNSTABLE)
    return f"Pruning the layer that feeds a shortcut harder, accuracy {from_to(*pair)}."


learned_how_much = learned(_more_line, _steady_line, _shortcut_line)


# The traditional set-up


@observed
def traditional_accuracy(table: Table) -> str:
    """Correlation among the pruned, and how many of them reach the height of the unpruned."""
    told = _among_line(table)
    if not has(table, NONE):
        return told
    accuracies = pandas.concat([runs(table, BEST, name) for name in _traditional(table)])
    above = int((accuracies > runs(table, BEST, NONE).mean()).sum())
    return f"{told} Of the {len(accuracies)} pruned runs {above} lie above the mean of the unpruned ones."


@observed
def traditional_gap(table: Table) -> str:
    """The generalization gap with and without pruning."""
    _traditional(table)
    names = [name for name in TRADITIONAL if has(table, name, GAP)]
    told = [f"{mean_std(runs(table, GAP, name), 'points')} ({_called(name)})" for name in names]
    return f"At its best epoch a network fits training images better than test images by {listed(told)}."


@observed
def traditional_configurations(table: Table) -> str:
    """Each pruned configuration beside the baseline."""
    _traditional(table)
    return _beats(table)


def _beats(table: Table) -> str:
    names = _traditional(table)
    if not has(table, NONE):
        return "The unpruned network is not measured yet."
    told = [f"{mean_std(runs(table, BEST, name))} ({_called(name)})" for name in names]
    words = f"Without pruning accuracy is {mean_std(runs(table, BEST, NONE))}, with it {listed(told)}."
    if len(table.seeds) < FEWEST_REPLICATES:
        return words
    better = [
        name for name in names if difference(runs(table, BEST, name), runs(table, BEST, NONE)).verdict == "higher"
    ]
    if not better:
        paper = "in the paper one that prunes every epoch does" if {*names} & {*OFTEN} else "as in the paper's Figure 4"
        return f"{words} By paired seeds no pruned configuration beats the baseline; {paper}."
    return f"{words} By paired seeds {listed(_called_all(better))} beat{'s' * (len(better) == 1)} the baseline."


def _among_line(table: Table) -> str:
    """Correlation within Figure 4's family; across both families the paper has none to compare with (GS-C12)."""
    names = [name for name in _traditional(table) if name in SELDOM]
    if not names:
        raise InputError(f"no pruned network of Figure 4 was measured at {table.scale} scale")
    found = _over(table, names)
    return f"{_pooled(table, found, len(names))} {_within(table, found)}"


def _gap_line(table: Table) -> str:
    names = _traditional(table)
    least = min(names, key=lambda name: runs(table, STABILITY, name).mean())
    moves = from_to(*_pair(table, GAP, NONE, least), "points")
    return f"From no pruning to {_called(least)}, the least stable, the generalization gap {moves}."


learned_traditional = learned(_among_line, _beats, _gap_line)


# Helpers


def has(table: Table, name: str, quantity: str = BEST, **where: float) -> bool:
    """Tell whether a table has a quantity of a configuration."""
    return not values(table, quantity, algorithm=name, **where).empty


def runs(table: Table, quantity: str, name: str) -> pandas.Series:
    """Return a quantity of a configuration's runs by seed; InputError where it was not measured."""
    return read(table, quantity, "last", name)


def _of_events(table: Table, quantity: str, name: str) -> pandas.Series:
    """Return the mean over a run's events by seed."""
    found = values(table, quantity, "position", algorithm=name)
    if found.empty:
        raise InputError(f"no {quantity} of {name} was measured at {table.scale} scale")
    return found.mean(axis=1)


def _pair(table: Table, quantity: str, first: str, second: str) -> tuple[pandas.Series, pandas.Series]:
    return runs(table, quantity, first), runs(table, quantity, second)


def _pruned(table: Table) -> list[str]:
    """Return the pruned configurations by a network's own score that a table has, from stable to unstable by name."""
    found = [name for name in configurations([table])[1:] if has(table, name)]
    if not found:
        raise InputError(f"no pruned network was measured at {table.scale} scale")
    return found


def _traditional(table: Table) -> list[str]:
    found = [name for name in (*SELDOM, *OFTEN) if has(table, name)]
    if not found:
        raise InputError(f"no pruned network was measured at {table.scale} scale")
    return found


def _over(table: Table, names: Sequence[str], stability: str = STABILITY, accuracy: str = BEST) -> Correlation:
    """Correlate stability and accuracy over the runs of some configurations."""
    return correlation(*(pandas.concat({n: runs(table, one, n) for n in names}) for one in (stability, accuracy)))


def _named(name: str, score: str) -> str:
    how = setting(name)
    assert how
    return pruned(*how, score=score)


def _scored(table: Table) -> dict[str, Correlation]:
    """Return the correlation over the pruned runs by each score that a table has."""
    found = {}
    for score in SCORES:
        names = [one for name in _pruned(table) if has(table, one := _named(name, score))]
        if names:
            found[score] = _over(table, names)
    return found


def _by(score: str) -> str:
    return "the network's own score" if score == "l2" else f"{SCORES[score]}"


def _by_target(table: Table) -> dict[str, dict[float, tuple[pandas.Series, pandas.Series]]]:
    """Return stability and accuracy by target and by the share that an event prunes, in percent."""
    found: dict[str, dict[float, tuple[pandas.Series, pandas.Series]]] = {}
    for name in _pruned(table):
        how = setting(name)
        assert how
        share = rate_of(table.benchmark, how[1])
        found.setdefault(how[0], {})[share] = (runs(table, STABILITY, name), runs(table, BEST, name))
    return found


def _at_rates(table: Table) -> dict[float, Correlation]:
    """Return the correlation over two targets or more at each rate at which it is defined."""
    names: dict[float, list[str]] = {}
    for name in _pruned(table):
        how = setting(name)
        assert how
        names.setdefault(rate_of(table.benchmark, how[1]), []).append(name)
    found = {share: _over(table, names[share]) for share in sorted(names) if len(names[share]) > 1}
    return {share: one for share, one in found.items() if not math.isnan(one.kendall) and not math.isnan(one.pearson)}


def _at(shares: Sequence[float], every: Mapping[float, Correlation]) -> str:
    if len(shares) == len(every):
        return f"{'each of the ' if len(every) > 1 else 'the '}{len(every)} rate{'s' * (len(every) > 1)}"
    return f"{listed([f'{share:g}' for share in shares])} %" if shares else "none of the rates"


def _called(name: str) -> str:
    return name if name == NONE else f"the {name.replace(', every', ' every')}"


def _called_all(names: Sequence[str]) -> list[str]:
    return [_called(name) for name in names]


def _percent(found: pandas.Series) -> str:
    """Write a mean stability with the digits that it bears: near 100 a hundredth counts."""
    return f"{plus_minus(found.mean(), found.std())} %"
