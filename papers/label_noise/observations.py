"""What LN's figures show, said with the numbers of the table that they draw; one function for each figure, of the same name.

    errors_while_pruning(page.tables)          a paragraph under the figure
    learned_double_descent(page.tables)        the three lines that a page ends with

The data choose the words (`lib.analysis.sentences`), so that they hold at every scale; where they speak against the paper
they say so.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportReturnType=false, reportArgumentType=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false

from collections.abc import Callable, Sequence

import pandas

from lib.analysis.display import Markdown
from lib.analysis.experiments import UNSTEADINESS
from lib.analysis.levels import BEST_TEST, TEST, chosen_level
from lib.analysis.loss_path import TRAIN_LOSS
from lib.analysis.pruning_efficacy import efficacy_level, interpolation_level
from lib.analysis.sentences import (
    against,
    course,
    differs,
    from_to,
    learned,
    listed,
    mean_std,
    number,
    observed,
    read,
    size_at,
)
from lib.analysis.statistics import FEWEST_REPLICATES, difference
from lib.analysis.table import SIZE, Table, values
from lib.errors import InputError
from papers.label_noise.claims import steady_within
from papers.label_noise.names import FINE_TUNING, GRADIENT, RANDOM, REDENSE, SCORES, WIDTH, WR
from papers.label_noise.tables import KEPT, peak_above_dense

TRAINING, NOISY, ORIGINAL, RESTORED = (
    f"{one} error (%)" for one in ("training", "noisy training", "original training", "restored training")
)
CHANGE, ESTIMATE = "loss change by pruning (nats)", "first-order loss change by pruning (nats)"
DISTANCE, MASKED = "distance from initialization", "distance from masked initialization"
PATH, SLICE = "loss on path (nats)", "training loss along direction (nats)"
STEP = 0.2
"""How far the sharpness of a minimum is read, in units of each filter's norm, as LN-C15 does."""
EXTREME = 80.0
"""Percent of wrong labels; below it LN expects the error to climb before it falls."""
BARRIER = 0.01
"""Of the whole fall: a loss that climbs by less on its way falls without a barrier, as LN-C14 has it."""
CLOSE = 1.0
"""Percentage points; errors that are closer are called close."""


# Double descent while pruning


@observed
def test_error_by_noise(table: Table) -> str:
    """The last test error at every noise level, and whether it climbs and comes down."""
    _first_noise(table, WR, TEST)
    noises = _noises(table, WR, TEST)
    courses = [f"{noise:g} % wrong labels: {course(table, TEST, WR, noise_percent=noise)}" for noise in noises]
    first = "The test error after the last epoch, of networks pruned by magnitude"
    return f"{first}. With {'. With '.join(courses)}. {_shape(table)}"


@observed
def errors_while_pruning(table: Table) -> str:
    """Rise and fall of the last test error, and what stopping at the best epoch would have done."""
    noise = _first_noise(table, WR, BEST_TEST)
    where = {"noise_percent": noise}
    level = interpolation_level(table, algorithm=WR, **where)
    fits = (
        f"nearly every label is fitted down to {size_at(table, level or 0, WR, **where)} of the weights (training error "
        "at most 1 %)"
    )
    if level is None:
        dense = mean_std(read(table, TRAINING, 0, WR, **where))
        fits = f"not even the dense network fits nearly every label (training error {dense})"
    first = f"With {noise:g} % wrong labels {fits}. The last test error is {_course(table, TEST, noise)}."
    return f"{first} {_shape(table)} {_stopping(table)}"


def _shape(table: Table) -> str:
    """Say at which noise levels the last test error climbs above the dense network's, and ends below it."""
    noises = _noises(table, WR, TEST)
    climbs = [n for n in noises if _apart(table, TEST, "overfitting", n) == "higher"]
    below = [n for n in noises if _apart(table, TEST, "last sweet spot", n) == "lower"]
    first = f"It climbs above the dense network's before it falls {_at(climbs, noises)}"
    if flat := [n for n in noises if n < EXTREME and n not in climbs]:
        first += f", where the paper has a climb {_at(flat, [])} too" if climbs else ", against the paper"
    second = f"its lowest point behind that lies below the dense network's {_at(below, noises)}"
    if lost := [n for n in noises if n not in below]:
        second += f", where the paper has it below {_at(lost, [])} too" if below else ", against the paper"
    return f"{first}; {second}."


def _stopping(table: Table) -> str:
    """Compare the dense network's best epoch with the lowest last error of a sparse one."""
    noises = _noises(table, WR, BEST_TEST)
    stopped, last = (
        {noise: one(noise) for noise in noises}
        for one in (
            lambda noise: read(table, BEST_TEST, 0, WR, noise_percent=noise),
            lambda noise: _lowest(table, TEST, WR, noise),
        )
    )
    if not noises:
        return ""
    better = [noise for noise in noises if difference(stopped[noise], last[noise]).mean < 0]
    first = noises[0]
    if not better and differs(stopped[first], last[first]) != "higher":
        return (
            "Stopping the dense network at its best epoch does about as well as pruning: it errs on "
            f"{mean_std(stopped[first])} then, the best sparse network after its last epoch on {mean_std(last[first])}."
        )
    if not better:
        return (
            "Stopping the dense network at its best epoch does not replace pruning: it errs on "
            f"{mean_std(stopped[first])} then, the best sparse network after its last epoch on {mean_std(last[first])}."
        )
    return (
        "What the paper does not mention: the dense network, stopped at its best epoch, errs less than any sparse "
        "network "
        f"after its last {_at(better, noises)} ({mean_std(stopped[better[0]])} against {mean_std(last[better[0]])}). "
        "Stopping early is the cheaper cure, but it takes clean labels to choose the epoch."
    )


@observed
def errors_by_score(table: Table) -> str:
    """Which score has the lowest test error of any epoch, and which keeps the training labels longest."""
    noises = [n for n in _noises(table, RANDOM, BEST_TEST) if n in _noises(table, GRADIENT, BEST_TEST)]
    if not noises:
        raise InputError(f"no errors of pruning by gradient and at random were measured at {table.scale} scale")
    told, won = "", []
    for noise in noises:
        lowest = {score: _lowest(table, BEST_TEST, name, noise) for name, score in SCORES.items()}
        order = sorted(lowest, key=lambda score: lowest[score].mean())
        told = told or listed([f"{mean_std(lowest[score])} {_by(score)}" for score in order])
        won.append((noise, order[0], differs(lowest[order[0]], lowest[order[1]]) == "lower"))
    first = f"With {noises[0]:g} % wrong labels the lowest error of any epoch is {told}."
    return f"{first} {_winner(won)} {_last_by_score(table, noises)} {_longest(table, noises[0])}"


def _last_by_score(table: Table, noises: Sequence[float]) -> str:
    """Compare the lowest errors after the last epoch of random and of magnitude pruning."""
    pairs = {noise: [_lowest(table, TEST, name, noise) for name in (RANDOM, WR)] for noise in noises}
    better, first = [noise for noise, pair in pairs.items() if differs(*pair) == "lower"], pairs[noises[0]]
    told = f"({mean_std(first[0])} against {mean_std(first[1])} at {noises[0]:g} % noise)"
    return f"After the last epoch random pruning gets clearly lower than magnitude {_at(better, noises)} {told}."


def _by(score: str) -> str:
    name = score.removesuffix(" score")
    return "at random" if name == "random" else f"by {name}"


def _winner(won: Sequence[tuple[float, str, bool]]) -> str:
    """Say which score has the lowest best error, against the paper's gradient score."""
    noises = [noise for noise, *_ in won]
    own = {score: [noise for noise, one, _ in won if one == score] for score in SCORES.values()}
    clear = [noise for noise, _, is_clear in won if is_clear]
    if len(own["gradient score"]) == len(won):
        return f"As the paper says, the gradient score leads; {_clearly(clear, noises)}."
    if at := own["random score"]:
        how = _clearly([noise for noise in at if noise in clear], at)
        return (
            f"Pruning *at random* leads {_at(at, noises)}, {how}. The paper has the gradient score lead. Our guess: a "
            "network that lost weights at random learns wrong labels late, so that its best epoch is better."
        )
    return (
        "The paper has the gradient score lead in nearly all cases; here it leads "
        f"{_at(own['gradient score'], noises)}."
    )


def _clearly(clear: Sequence[float], led: Sequence[float]) -> str:
    """Say where a score leads clearly; the noise levels are named unless they are all that was just named."""
    return "by more than seeds differ" + (f" {_at(clear, led)}" if len(clear) < len(led) or len(led) == 1 else "")


def _longest(table: Table, noise: float) -> str:
    """Say down to which size each score loses no training accuracy."""
    told, levels = [], []
    for name, score in SCORES.items():
        levels.append(efficacy_level(table, algorithm=name, noise_percent=noise) or 0)
        told.append(f"{size_at(table, levels[-1], name, noise_percent=noise)} of the weights {_by(score)}")
    tied = "" if len({*levels}) == len(levels) else " Cuts this large cannot tell all three apart."
    return (
        f"The training error stays within a point of the dense network's down to {listed(told)} ({noise:g} % noise); "
        f"the paper's order is magnitude, gradient, random.{tied}"
    )


@observed
def efficacy_table(table: Table) -> str:
    """How small a sparse network, and a narrow dense one, can be and still fit its labels, where any does."""
    words, noises = [], _noises(table, WIDTH, TRAINING)
    thresholds = {
        noise: [interpolation_level(table, algorithm=one, noise_percent=noise) for one in (WR, WIDTH)]
        for noise in noises
    }
    if noises and all(level is None for levels in thresholds.values() for level in levels):
        raise InputError(f"no network fits its labels to within a point at {table.scale} scale")
    for noise, (sparse, narrow) in thresholds.items():
        if sparse is None or narrow is None:
            who = "sparse and no narrow" if sparse is narrow else "sparse" if sparse is None else "narrow"
            words.append(
                f"With {noise:g} % wrong labels no {who} network, and not the dense one, fits them to within a point."
            )
            if sparse is not None:
                size = size_at(table, sparse, WR, noise_percent=noise)
                words[-1] = (
                    f"With {noise:g} % wrong labels a sparse network fits them with {size} of the weights, and no "
                    "dense one does."
                )
            continue
        left = [
            read(table, SIZE, level, one, noise_percent=noise).mean() for level, one in ((sparse, WR), (narrow, WIDTH))
        ]
        word = "fewer" if left[0] < left[1] else "no fewer"
        if sparse == 0:
            dense = f"one with {left[1]:.3g} % of the weights does" if narrow else "only the widest does"
            words.append(
                f"With {noise:g} % wrong labels no pruned network fits them to within a point; of the dense ones {dense}."
            )
            continue
        if narrow == 0:
            words.append(
                f"With {noise:g} % wrong labels a sparse network fits them with {left[0]:.3g} % of the weights; of the "
                "dense ones only the widest does, the one with all weights."
            )
            continue
        words.append(
            f"With {noise:g} % wrong labels a sparse network fits them with {left[0]:.3g} % of the weights and a "
            "narrower "
            f"dense one with {left[1]:.3g} %: {word} weights where they may lie anywhere."
        )
    if not words:
        raise InputError(f"no narrower dense networks were measured at {table.scale} scale")
    return " ".join(words)


def loss_change_by_score(tables: Sequence[Table]) -> Markdown:
    """What the first cut does to the training loss, by the first table that compares scores, if there is one."""
    compared = [table for table in tables if _noises(table, RANDOM, CHANGE)]
    return _loss_change(compared or tables)


@observed
def _loss_change(table: Table) -> str:
    """What the first cut does to the training loss, by score, and how much of it the linear estimate sees."""
    noises = _noises(table, RANDOM, CHANGE) or _noises(table, WR, CHANGE)
    if not noises:
        raise InputError(f"no loss change by pruning was measured at {table.scale} scale")
    noise = noises[0]
    changes = {
        score.removesuffix(" score"): tuple(
            read(table, quantity, 1, name, noise_percent=noise) for quantity in (CHANGE, ESTIMATE)
        )
        for name, score in SCORES.items()
        if noise in _noises(table, name, CHANGE)
    }
    order = sorted(changes, key=lambda score: changes[score][0].mean())
    told = listed([f"{mean_std(changes[score][0], 'nats')} ({score})" for score in order])
    seen = [changes[score][1].mean() / changes[score][0].mean() for score in order]
    first = f"The first cut changes the training loss by {told}, with {noise:g} % wrong labels."
    estimate = listed([f"{number(changes[score][1].mean())}" for score in order])
    second = (
        f"The linear estimate says {estimate} nats: {_share(max(seen))} of what "
        f"happens{' at most' if len(seen) > 1 else ''}."
    )
    fair = [score for score, share in zip(order, seen, strict=True) if 0.5 <= share <= 1.5]
    third = (
        "Steps this large are beyond a straight line."
        if not fair
        else f"The straight line is a fair guide{'' if len(fair) == len(order) else f' for {listed(fair)} only'}."
    )
    if len(order) > 1 and order[0] != "gradient":
        third += f" The score made of first derivatives does not do the least damage: {order[0]} does."
    return f"{first} {second} {third}"


# Memorization over the epochs


@observed
def errors_over_epochs(table: Table) -> str:
    """How far the dense network and a sparse one end from their best epoch, and whether training came to rest."""
    noise = _first_noise(table, WR, BEST_TEST)
    words = f"With {noise:g} % wrong labels the dense network's test error is {_best_and_last(table, 0, noise)}"
    if level := chosen_level(table, "recovery", algorithm=WR, noise_percent=noise):
        size = size_at(table, level, WR, noise_percent=noise)
        words += f"; that of the network with {size} of the weights is {_best_and_last(table, level, noise)}"
    return f"{words}. {_rest(table)}"


def _best_and_last(table: Table, level: int, noise: float) -> str:
    best, last = (read(table, quantity, level, WR, noise_percent=noise) for quantity in (BEST_TEST, TEST))
    word = "rises again" if last.mean() - best.mean() >= CLOSE else "stays"
    return (
        f"{number(best.mean())} % in its best epoch and {word} {'to' if word == 'rises again' else 'at'} "
        f"{number(last.mean())} %"
    )


def _rest(table: Table) -> str:
    """Say how far the last test error is from the mean of the last ten epochs."""
    found = {
        (noise, level): one.mean()
        for noise in _noises(table, WR, UNSTEADINESS)
        for level, one in values(table, UNSTEADINESS, algorithm=WR, noise_percent=noise).dropna(axis="columns").items()
    }
    if not found:
        return ""
    (noise, level), most = max(found.items(), key=lambda one: one[1])
    margin = steady_within(values(table, "test examples", algorithm=WR, noise_percent=noise).iloc[0, 0])
    still = sum(one < margin for one in found.values())
    where = f"{size_at(table, level, WR, noise_percent=noise)} of the weights, {noise:g} % noise"
    if still == len(found):
        return (
            f"All networks have come to rest: on average over seeds, no last error is more than {number(most)} points from "
            "the mean of its last ten epochs."
        )
    return (
        f"Not all have come to rest: at {len(found) - still} of {len(found)} levels the last error lies at least {margin:g} "
        f"points from the mean of the last ten epochs, on average over seeds, at most {number(most)} ({where})."
    )


@observed
def errors_by_examples(table: Table) -> str:
    """What dense and recovered networks know of wrong and of true labels."""
    noise, level = _recovered(table, RESTORED)
    pairs = [
        [read(table, quantity, k, WR, noise_percent=noise) for k in (0, level)]
        for quantity in (NOISY, ORIGINAL, RESTORED)
    ]
    noisy, original, restored = (from_to(*pair) for pair in pairs)
    size = size_at(table, level, WR, noise_percent=noise)
    return (
        f"With {noise:g} % wrong labels, from the dense network to the one with {size} of the weights the error on "
        "noisy examples "
        f"{noisy}, that on original ones {original}, and that on restored ones {restored}. {_what_is_given_up(table)}"
    )


def _what_is_given_up(table: Table) -> str:
    """Compare what a network gives up of noisy and of original examples on the way to recovery."""
    noises = [n for n in _noises(table, WR, RESTORED) if chosen_level(table, "recovery", algorithm=WR, noise_percent=n)]
    more, truth = [], []
    for noise in noises:
        level = chosen_level(table, "recovery", algorithm=WR, noise_percent=noise)
        lost = [
            read(table, q, level or 0, WR, noise_percent=noise) - read(table, q, 0, WR, noise_percent=noise)
            for q in (NOISY, ORIGINAL)
        ]
        noisy, restored = (read(table, q, level or 0, WR, noise_percent=noise) for q in (NOISY, RESTORED))
        more += [noise] * int(difference(*lost).mean > 0)
        truth += [noise] * int(difference(restored, noisy).mean < 0)
    first = f"Pruning takes more of the wrong labels than of the right ones {_at(more, noises)}"
    return (
        f"{first}; the true label of a mislabelled image is then found more often than the wrong one "
        f"{_at(truth, noises)}."
    )


# What happens when the weights come back


@observed
def errors_over_the_lift(table: Table) -> str:
    """What the network at recovery does once its weights are back, and what the dense one does in the same time."""
    noise, level = _lifted(table)
    where = {"noise_percent": noise}
    size = size_at(table, level, WR, **where)
    noisy, test = (_both(table, quantity, level, noise) for quantity in (NOISY, TEST))
    control, best = _both(table, TEST, 0, noise), values(table, BEST_TEST, algorithm=REDENSE, noise_percent=noise)
    falls = level in best and best[level].mean() < test[0].mean()
    between = f", in its best epoch on the way {mean_std(best[level])}" if falls else ""
    return (
        f"With {noise:g} % wrong labels and {size} of the weights left, the error on noisy examples {from_to(*noisy)} "
        "once the "
        f"weights are back: {_memorizes(*noisy)}. The test error {from_to(*test)}{between}. The dense network, which has "
        "nothing "
        f"to regain, {from_to(*control)} in the same time."
    )


@observed
def sparse_and_redense(table: Table) -> str:
    """At which levels the weights that came back made the network worse."""
    words = []
    for noise in _noises(table, REDENSE, TEST):
        sparse, again = (
            values(table, TEST, algorithm=one, noise_percent=noise).dropna(axis="columns") for one in (WR, REDENSE)
        )
        levels = [k for k in sparse if k and k in again]
        worse = [k for k in levels if differs(again[k], sparse[k]) == "higher"]
        better = [k for k in levels if differs(again[k], sparse[k]) == "lower"]
        told = (
            f"With {noise:g} % wrong labels getting the weights back makes {len(worse)} of {len(levels)} sparse "
            "networks worse after the last epoch"
        )
        if worse:
            told += f" (those with {_sizes(table, worse, noise)})"
        told += f" and {len(better)} better" if better else " and none better"
        words.append(f"{told}.")
    if not words:
        raise InputError(f"no re-dense training was measured at {table.scale} scale")
    return " ".join([*words, _wilder(table)])


def _wilder(table: Table) -> str:
    """Say whether replicates lie further apart after the lift."""
    noise, level = _lifted(table)
    sparse, again = _both(table, TEST, level, noise)
    if len(sparse) < FEWEST_REPLICATES or again.std() < 2 * sparse.std():
        return ""
    return (
        f"At recovery with {noise:g} % wrong labels seeds end further apart than before: by ± {number(again.std())} points "
        f"instead of ± {number(sparse.std())}."
    )


# The loss between and around networks


@observed
def loss_along_paths(table: Table) -> str:
    """Whether the training loss falls all the way from the sparse network to the re-dense one."""
    noise, level = _lifted(table, f"training {PATH}")
    where = {"algorithm": REDENSE, "noise_percent": noise, "level": level}
    losses = values(table, f"training {PATH}", "position", **where).dropna(axis="columns")
    test = values(table, f"test {PATH}", "position", **where).dropna(axis="columns")
    first, last = losses.iloc[:, 0], losses.iloc[:, -1]
    size = size_at(table, level, WR, noise_percent=noise)
    told = (
        f"From the network with {size} of the weights (recovery, {noise:g} % wrong labels) the training loss "
        f"{from_to(first, last, 'nats')} along the line, while the test loss "
        f"{from_to(test.iloc[:, 0], test.iloc[:, -1], 'nats')}."
    )
    return f"{told} {_barriers(table)}"


def _barriers(table: Table, in_short: bool = False) -> str:
    """Say how far the training loss climbs on the paths, and whether it climbs less from sparser networks."""
    first, free, total, sparser = "", 0, 0, []
    for noise in _noises(table, REDENSE, f"training {PATH}"):
        own, shares, told = table.where(quantity=f"training {PATH}", noise_percent=noise).frame, [], []
        for level in sorted(own["level"].unique()):
            losses = values(table, f"training {PATH}", "position", algorithm=REDENSE, noise_percent=noise, level=level)
            fall = losses.iloc[:, 0] - losses.iloc[:, -1]
            rise = (losses - losses.cummin(axis="columns")).max(axis="columns")
            shares.append((rise / fall).where(fall > 0, float("inf")).mean())
            size = size_at(table, level, WR, noise_percent=noise)
            told.append(f"{_climb(rise, 'nats')} from {size} of the weights")
        first = first or f"On the way the training loss climbs {listed(told)} ({noise:g} % noise)."
        free, total = free + sum(one < BARRIER for one in shares), total + len(shares)
        sparser += [noise] * int(len(shares) > 1 and shares[-1] < shares[0])
    words = f"{first} A climb by more than a hundredth of the fall is a barrier: {free} of {total} paths have none."
    if in_short:
        words = f"On {free} of {total} straight paths from sparse to re-dense the training loss meets no barrier."
    if sparser:
        words += f" The sparser start has the freer way {_at(sparser, _noises(table, REDENSE, f'training {PATH}'))}."
    return words


def _climb(rise: pandas.Series, unit: str) -> str:
    """Say by how much something climbs: "by 1.20 ± 0.10 points", "not at all"."""
    return "not at all" if (rise == 0).all() else f"by {mean_std(rise, unit)}"


@observed
def along_one_path(table: Table) -> str:
    """Where on the path the test error is lowest."""
    noise, level = _lifted(table, "test error on path (%)")
    found = values(table, "test error on path (%)", "position", algorithm=REDENSE, noise_percent=noise, level=level)
    means = found.dropna(axis="columns").mean()
    at, start, end = float(means.idxmin()), means.iloc[0], means.iloc[-1]
    inside = "at its sparse end" if at == 0 else "at its re-dense end" if at == 1 else f"at α = {at:.2g}"
    size = size_at(table, level, WR, noise_percent=noise)
    words = (
        f"On the path that begins with {size} of the weights ({noise:g} % wrong labels) the test error starts at "
        f"{number(start)} %, ends at {number(end)} % and is lowest {inside} ({number(means.min())} %)"
    )
    top = float(means.idxmax())
    return f"{words}. It is highest at α = {top:.2g}, {number(means.max())} %." if 0 < top < 1 else f"{words}."


@observed
def loss_along_direction(table: Table) -> str:
    """How much the loss rises a step away from dense and from re-dense networks."""
    words, sharper, total, orders = [], 0, 0, []
    for noise in _noises(table, REDENSE, SLICE):
        dense = _sharpness(table, WR, 0, noise)
        own = table.where(quantity=SLICE, noise_percent=noise, algorithm=REDENSE).frame
        found = {k: _sharpness(table, REDENSE, k, noise) for k in sorted(own["level"].unique())}
        told = listed(
            [f"{mean_std(one, 'nats')} ({size_at(table, k, WR, noise_percent=noise)})" for k, one in found.items()]
        )
        sharper, total = sharper + sum(differs(one, dense) == "higher" for one in found.values()), total + len(found)
        if len(found) > 1:
            means = [one.mean() for one in found.values()]
            orders.append("sharper" if means == sorted(means) else "flatter" if means == sorted(means)[::-1] else "")
        words.append(f"{noise:g} % wrong labels by {mean_std(dense, 'nats')} and by {told}.")
    if not words:
        raise InputError(f"no loss along a direction was measured at {table.scale} scale")
    ending = f"{sharper} of {total} re-dense networks are sharper than the dense one"
    if len(one_order := {*orders}) == 1 and (order := one_order.pop()):
        ending += f"; the sparser the start, the {order} the end"
    return (
        "A step of a fifth of each filter's norm raises the loss of the dense network, and of the re-dense ones (in "
        f"brackets the weights they once had): with {' With '.join(words)} {ending}."
    )


def _sharpness(table: Table, algorithm: str, level: int, noise: float) -> pandas.Series:
    where = {"algorithm": algorithm, "noise_percent": noise, "level": level}
    losses = values(table, SLICE, "position", **where)
    if losses.empty:
        raise InputError(f"no loss along a direction around {algorithm} at level {level} was measured")
    return (losses[STEP] + losses[-STEP]) / 2 - losses[0.0]


# The distance from initialization


@observed
def distance_and_error(table: Table) -> str:
    """Whether networks stay nearer to their initialization the sparser they are, by both counts."""
    noise = _first_noise(table, WR, DISTANCE)
    where = {"noise_percent": noise}
    told = []
    for algorithm, called in ((WR, "sparse"), (REDENSE, "re-dense")):
        if noise in _noises(table, algorithm, DISTANCE):
            told.append(f"for {called} networks from {course(table, DISTANCE, algorithm, '', **where)}")
    words = f"With {noise:g} % wrong labels the distance goes {'; '.join(told)}.".replace("  ", " ")
    whole, masked = (_ends(table, quantity, noise) for quantity in (DISTANCE, MASKED))
    if whole[1].mean() > whole[0].mean():
        words += (
            " The paper has both fall with sparsity. A pruned weight counts as moved to zero; without that part the sparse "
            f"network's distance is {_beside(masked[1], 'for the sparsest', masked[0], 'for the dense one')}."
        )
    return words


@observed
def differences(table: Table) -> str:
    """Whether distance and error of sparse and re-dense networks change places together."""
    noises = [n for n in _noises(table, REDENSE, DISTANCE) if n in _noises(table, WR, DISTANCE)]
    if not noises:
        raise InputError(f"no distances of sparse and re-dense networks were measured at {table.scale} scale")
    words = []
    for noise in noises:
        signs = {}
        for quantity in (DISTANCE, TEST):
            found = {
                one: values(table, quantity, algorithm=one, noise_percent=noise).dropna(axis="columns")
                for one in (WR, REDENSE)
            }
            sparse, again = found.values()
            signs[quantity] = {k: (sparse[k] - again[k]).mean() > 0 for k in sparse if k and k in again}
        levels = [k for k in signs[DISTANCE] if k in signs[TEST]]
        alike = [k for k in levels if differs(found[WR][k], found[REDENSE][k]) == "match"]
        agree = sum(signs[DISTANCE][k] == signs[TEST][k] for k in levels if k not in alike)
        nearer = sum(not signs[DISTANCE][k] for k in levels)
        words.append(
            f"With {noise:g} % wrong labels the sparse network lies nearer to its initialization than the re-dense "
            f"one at {nearer} of {len(levels)} levels. The nearer of the two is also the better one at {agree}"
            + (f"; at {len(alike)} their errors differ by no more than seeds do." if alike else ".")
        )
    return (
        f"{' '.join(words)} The paper expects the sparse network farther away and worse at the first cuts, nearer and "
        "better at the last."
    )


# Why others missed it


@observed
def error_at_few_levels(table: Table) -> str:
    """What is left of the rise where only every n-th level is looked at."""
    words = []
    for noise in _noises(table, WR, TEST):
        rises = {n: peak_above_dense(table, WR, noise, n) for n in KEPT}
        told = []
        for n, rise in rises.items():
            if rise is not None:
                told.append(f"{_climb(rise, 'points')} with {KEPT[n]}{' levels' * (n == 1)}")
        words.append(f"At {noise:g} % noise the error rises above the dense network's {listed(told)}.")
    if not words:
        raise InputError(f"no {TEST} of {WR} was measured at {table.scale} scale")
    return " ".join([*words, _hidden(table)])


def _hidden(table: Table) -> str:
    risen, gone, left = [], [], 0
    for noise in _noises(table, WR, TEST):
        whole, few = (peak_above_dense(table, WR, noise, n) for n in (1, max(KEPT)))
        if whole is None or few is None or not _rises(whole):
            continue
        risen.append(noise)
        gone += [noise] * int(few.mean() < whole.mean() / 2)
        levels = values(table, TEST, algorithm=WR, noise_percent=noise).dropna(axis="columns").columns
        left = sum(level > 0 and level % max(KEPT) == 0 for level in levels)
    if not risen:
        return "No rise can be told from chance here, so none can be hidden."
    if not gone:
        return "Looking at every fourth level does not hide the rise here."
    where = _at(gone, []) if len(risen) < len(_noises(table, WR, TEST)) else _at(gone, risen)
    return (
        f"Every fourth level leaves {left} point{'s' * (left != 1)} beside the dense network and hides at least half of the "
        f"rise {where}."
    )


def _rises(rise: pandas.Series) -> bool:
    """Tell whether a rise is seen, as the page's table has it; by the mean of few seeds."""
    found = difference(rise, rise * 0)
    return found.mean > 0 and (found.n < FEWEST_REPLICATES or found.verdict == "higher")


@observed
def rewinding_and_fine_tuning(table: Table) -> str:
    """How high the error climbs with fine-tuning, beside weight rewinding."""
    words = []
    noises = _noises(table, FINE_TUNING, TEST)
    if not noises:
        raise InputError(f"no fine-tuning was measured at {table.scale} scale")
    smaller = []
    for noise in noises:
        rewound, tuned = (peak_above_dense(table, one, noise) for one in (WR, FINE_TUNING))
        if rewound is None or tuned is None:
            continue
        both = _beside(tuned, "with fine-tuning", rewound, "with weight rewinding", "points", _climb)
        words.append(f"With {noise:g} % wrong labels the error climbs {both}.")
        smaller += [noise] * int(differs(tuned, rewound) == "lower")
    return " ".join([*words, f"So fine-tuning flattens the peak {_at(smaller, noises)}."])


# Each page in three lines


def _climbs_and_falls(table: Table) -> str:
    noise = _first_noise(table, WR, TEST)
    return f"Pruned ever further with {noise:g} % wrong labels, the last test error is {_course(table, TEST, noise)}."


def _score_line(table: Table) -> str:
    noise = _first_noise(table, RANDOM, BEST_TEST)
    lowest = {score: _lowest(table, BEST_TEST, name, noise).mean() for name, score in SCORES.items()}
    first = min(lowest, key=lowest.__getitem__).removesuffix(" score")
    how = "at random" if first == "random" else f"by {first}"
    return (
        f"With {noise:g} % wrong labels the lowest error of any epoch comes from pruning {how}, "
        f"{number(min(lowest.values()))} %."
    )


def _stopping_line(table: Table) -> str:
    found = _stopping(table)
    if not found:
        raise InputError("no errors of every epoch were recorded")
    noise = _first_noise(table, WR, BEST_TEST)
    stopped, last = read(table, BEST_TEST, 0, WR, noise_percent=noise), _lowest(table, TEST, WR, noise)
    word = "beats" if stopped.mean() < last.mean() else "does not beat"
    return (
        f"Stopping the dense network at its best epoch {word} pruning without stopping: {mean_std(stopped)} against "
        f"{mean_std(last)} with {noise:g} % wrong labels."
    )


learned_double_descent = learned(_climbs_and_falls, _score_line, _stopping_line)


def _forgets(table: Table) -> str:
    noise, level = _recovered(table, NOISY)
    noisy, original = (
        (read(table, q, 0, WR, noise_percent=noise), read(table, q, level, WR, noise_percent=noise))
        for q in (NOISY, ORIGINAL)
    )
    lost, rest = ((after - before).mean() for before, after in (noisy, original))
    taken = "Sparsity takes no more of memorization than of the rest"
    if lost > rest:
        far = lost > 2 * rest
        taken = (
            "What sparsity takes first is memorization" if far else "Sparsity takes both, memorization somewhat more"
        )
    return (
        f"{taken}: from dense to recovery the error on wrong labels {from_to(*noisy)}, that on right ones "
        f"{from_to(*original)} ({noise:g} % noise)."
    )


def _finds_truth(table: Table) -> str:
    noise, level = _recovered(table, RESTORED)
    dense, sparse = (read(table, RESTORED, k, WR, noise_percent=noise) for k in (0, level))
    return (
        f"Of the mislabelled images, the dense network misses the *true* label for {mean_std(dense)}, the one at "
        "recovery for "
        f"{mean_std(sparse)} ({noise:g} % noise)."
    )


def _rest_line(table: Table) -> str:
    if not (found := _rest(table)):
        raise InputError("no errors of every epoch were recorded")
    return found


learned_dynamics = learned(_forgets, _finds_truth, _rest_line)


def _leaves(table: Table) -> str:
    noise, level = _lifted(table)
    noisy = _both(table, NOISY, level, noise)
    return (
        f"Once the weights are back at the recovery level, {_memorizes(*noisy)}: the error on them {from_to(*noisy)} "
        f"({noise:g} % noise)."
    )


def _gets_worse(table: Table) -> str:
    noise, level = _lifted(table)
    return f"The test error of that network {from_to(*_both(table, TEST, level, noise))}."


def _control(table: Table) -> str:
    noise, level = _lifted(table)
    (before, after), dense = _both(table, TEST, level, noise), _both(table, TEST, 0, noise)
    reason = (
        "The longer training alone does not do it"
        if differs(after - before, dense[1] - dense[0]) == "higher"
        else "The longer training may be part of it"
    )
    return (
        f"{reason}: in the same epochs the test error of the dense network, which has nothing to regain, "
        f"{from_to(*dense)}."
    )


learned_redense_training = learned(_leaves, _gets_worse, _control)


def _path_line(table: Table) -> str:
    _first_noise(table, REDENSE, f"training {PATH}")
    return _barriers(table, in_short=True)


def _sharp_line(table: Table) -> str:
    noise, level = _lifted(table, SLICE)
    dense, again = _sharpness(table, WR, 0, noise), _sharpness(table, REDENSE, level, noise)
    both = _beside(again, "at the re-dense network of the recovery level", dense, "at the dense one", "nats")
    errors = [mean_std(read(table, TEST, *one, noise_percent=noise)) for one in ((level, REDENSE), (0, WR))]
    return f"A small step away raises the loss by {both}. They err on {' and '.join(errors)} ({noise:g} % noise)."


def _walk_line(table: Table) -> str:
    noise, level = _lifted(table, "test error on path (%)")
    means = values(
        table, "test error on path (%)", "position", algorithm=REDENSE, noise_percent=noise, level=level
    ).mean()
    losses = values(table, TRAIN_LOSS, "position", algorithm=REDENSE, noise_percent=noise, level=level).mean()
    loss = "lower" if losses.iloc[-1] < losses.iloc[0] else "higher"
    word = "worse" if means.iloc[-1] > means.iloc[0] else "better"
    return (
        "Down the path the test error, of the images measured there, goes from "
        f"{number(means.iloc[0])} to {number(means.iloc[-1])} %: a {loss} training loss, a {word} network."
    )


learned_loss_landscape = learned(_path_line, _sharp_line, _walk_line)


def _distance_line(table: Table) -> str:
    noise = _first_noise(table, WR, DISTANCE)
    dense, sparse = _ends(table, DISTANCE, noise)
    return (
        f"From dense to sparsest the distance of sparse networks {from_to(dense, sparse, '')}, counting a pruned "
        f"weight as moved to zero ({noise:g} % noise)."
    )


def _masked_line(table: Table) -> str:
    noise = _first_noise(table, WR, MASKED)
    dense, sparse = _ends(table, MASKED, noise)
    return f"Over the kept weights alone it {from_to(dense, sparse, '')}: part of the distance is pruning itself."


def _together_line(table: Table) -> str:
    noise, level = _lifted(table, DISTANCE)
    (sparse, again), (error, after) = (_both(table, quantity, level, noise) for quantity in (DISTANCE, TEST))
    same = (difference(sparse, again).mean > 0) == (difference(error, after).mean > 0)
    word = "also the better one" if same else "not the better one"
    return (
        f"At recovery the nearer of sparse and re-dense network is {word} (distance {against(sparse, again, '')}; "
        f"error {against(error, after)})."
    )


learned_distance_from_initialization = learned(_distance_line, _masked_line, _together_line)


def _few_levels_line(table: Table) -> str:
    _first_noise(table, WR, TEST)
    return _hidden(table)


def _tuning_line(table: Table) -> str:
    noise = _first_noise(table, FINE_TUNING, TEST)
    rewound, tuned = (peak_above_dense(table, one, noise) for one in (WR, FINE_TUNING))
    if rewound is None or tuned is None:
        raise InputError("no dense network to compare with")
    return (
        f"The error climbs {_beside(tuned, 'with fine-tuning', rewound, 'with weight rewinding', 'points', _climb)} "
        f"({noise:g} % noise)."
    )


def _every_level_line(table: Table) -> str:
    noises = _noises(table, WR, TEST)
    rises = [peak_above_dense(table, WR, noise) for noise in noises]
    told = [
        f"{_climb(rise, 'points')} at {noise:g} %"
        for noise, rise in zip(noises, rises, strict=True)
        if rise is not None
    ]
    if not told:
        raise InputError("no dense network to compare with")
    return f"With every level in view the error climbs {listed(told)} noise."


learned_missed_double_descent = learned(_every_level_line, _few_levels_line, _tuning_line)


# Helpers


def _noises(table: Table, algorithm: str, quantity: str) -> list[float]:
    """Return the noise levels at which a quantity of an algorithm was measured, in percent, ascending."""
    frame = table.frame
    own = frame[(frame["algorithm"] == algorithm) & (frame["quantity"] == quantity) & frame["value"].notna()]
    return sorted(float(noise) for noise in own["noise_percent"].unique())


def _first_noise(table: Table, algorithm: str, quantity: str) -> float:
    noises = _noises(table, algorithm, quantity)
    if not noises:
        raise InputError(f"no {quantity} of {algorithm} was measured at {table.scale} scale")
    return noises[0]


def _recovered(table: Table, quantity: str) -> tuple[float, int]:
    """Return the first noise level at which the test error recovers, and the level."""
    for noise in _noises(table, WR, quantity):
        if level := chosen_level(table, "recovery", algorithm=WR, noise_percent=noise):
            return noise, level
    raise InputError(f"no {quantity} at a recovery level was measured at {table.scale} scale")


def _lifted(table: Table, quantity: str = TEST) -> tuple[float, int]:
    """Return a noise level and the recovery level there, where the re-dense network was measured."""
    for noise in _noises(table, REDENSE, quantity):
        level = chosen_level(table, "recovery", algorithm=WR, noise_percent=noise)
        own = table.frame
        own = own[(own["quantity"] == quantity) & (own["algorithm"] == REDENSE) & (own["noise_percent"] == noise)]
        if level and level in set(own["level"]):
            return noise, level
    raise InputError(f"no {quantity} of {REDENSE} at a recovery level was measured at {table.scale} scale")


def _both(table: Table, quantity: str, level: int, noise: float) -> tuple[pandas.Series, pandas.Series]:
    """Return a quantity of the sparse network of a level and of the re-dense one that it became."""
    sparse, again = (read(table, quantity, level, one, noise_percent=noise) for one in (WR, REDENSE))
    return sparse, again


def _ends(table: Table, quantity: str, noise: float) -> tuple[pandas.Series, pandas.Series]:
    return read(table, quantity, 0, WR, noise_percent=noise), read(table, quantity, "last", WR, noise_percent=noise)


def _memorizes(before: pandas.Series, after: pandas.Series) -> str:
    found = difference(after, before)
    if found.verdict == "lower" or (found.n < FEWEST_REPLICATES and found.mean < 0):
        return "the network learns wrong labels that it had ignored"
    return "the network still does not learn the wrong labels"


def _lowest(table: Table, quantity: str, algorithm: str, noise: float) -> pandas.Series:
    """Return a quantity at the sparse level where its mean is lowest."""
    found = values(table, quantity, algorithm=algorithm, noise_percent=noise).dropna(axis="columns").drop(columns=0)
    if found.empty:
        raise InputError(f"no {quantity} of sparse networks of {algorithm} was measured at {table.scale} scale")
    return found[found.mean().idxmin()]


def _apart(table: Table, quantity: str, level: str, noise: float) -> str:
    """Compare a chosen level with the dense network: "higher", "lower", "match"; by the means of few seeds."""
    if chosen_level(table, level, algorithm=WR, noise_percent=noise) is None:
        return "match"
    found = difference(
        read(table, quantity, level, WR, noise_percent=noise), read(table, quantity, 0, WR, noise_percent=noise)
    )
    if found.n < FEWEST_REPLICATES:
        return "higher" if found.mean > 0 else "lower"
    return found.verdict


def _course(table: Table, quantity: str, noise: float) -> str:
    return course(table, quantity, WR, noise_percent=noise)


def _beside(
    first: pandas.Series, of_first: str, second: pandas.Series, of_second: str, unit: str = "",
    told: Callable[[pandas.Series, str], str] = mean_std,
) -> str:  # fmt: skip
    """Say two numbers and how they compare: "9.0 points with fine-tuning and 13.0 points with …: 4.0 points lower"."""
    compared = against(first, second, unit)
    verdict = compared.removeprefix(f"{mean_std(first, unit)} against {mean_std(second, unit)}, ")
    return f"{told(first, unit)} {of_first} and {told(second, unit)} {of_second}: {verdict}"


def _sizes(table: Table, levels: Sequence[int], noise: float) -> str:
    return listed([size_at(table, level, WR, noise_percent=noise) for level in levels])


def _at(some: Sequence[float], every: Sequence[float]) -> str:
    """Say at which noise levels: "at 20 and 40 %", "at every noise level", "at no noise level"."""
    if every and len(some) == len(every):
        return "at every noise level" if len(every) > 1 else f"at {some[0]:g} % noise"
    return f"at {listed([f'{one:g}' for one in some])} % noise" if some else "at no noise level"


def _share(share: float) -> str:
    return f"{100 * share:.2g} %"
