"""What TR's figures show, in words: a function for each figure, of the same name, and what each page taught.

The words follow the table that is drawn (`lib.analysis.sentences`): every number is read from it, and so is whether a curve
rises, falls or does neither. A sentence that contradicts the paper says so.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false

from collections.abc import Callable, Collection, Sequence

import pandas

from lib.analysis.display import Markdown
from lib.analysis.example_groups import group_changes
from lib.analysis.levels import chosen_level, equal_levels
from lib.analysis.ranked_examples import NOISY, SCORE, quantity
from lib.analysis.sentences import (
    against,
    course,
    differs,
    from_to,
    gap,
    learned,
    listed,
    mean_std,
    number,
    observed,
    read,
    size_at,
    times,
)
from lib.analysis.statistics import FEWEST_REPLICATES, difference
from lib.analysis.steps import Step
from lib.analysis.table import SIZE, Table, comparing_first, noun_and_unit, unit_of_difference, values
from lib.errors import InputError
from papers.training_regularization.agreement import agreement, expected_share
from papers.training_regularization.experiments import WORSENED
from papers.training_regularization.names import (
    DS,
    EDT,
    GROUP_LOSS,
    LONGER_WD,
    LRR,
    NOISY_LOSS,
    ONE_SHOT,
    ORIGINAL_LOSS,
    OVERLAP,
    RAND,
    RANDOM,
    RND,
    RND_TENTH,
    SNIP,
    SYNFLOW,
    TEST,
    TIE,
    TIE_TENTH,
    TRAIN_LOSS,
    TW,
    WD,
    WR,
)
from papers.training_regularization.printed_tables import measured_numbers, printed_numbers

CALLED = {
    LRR: "learning-rate rewinding",
    WR: "weight rewinding",
    SNIP: "SNIP",
    SYNFLOW: "SynFlow",
    RANDOM: "random pruning",
    EDT: "longer training",
    WD: "narrower networks",
    ONE_SHOT: "one-shot pruning",
    LONGER_WD: "narrower networks, trained as long",
}
"""How a sentence calls an algorithm."""


def shares(table: Table, *algorithms: str) -> list[float]:
    """Return the shares of wrong labels at which all of these algorithms have test errors.

    Raises:
        InputError: there is none; the message names what is missing.
    """
    found = None
    for algorithm in algorithms:
        rows = table.frame.loc[table.frame["algorithm"].eq(algorithm) & table.frame["quantity"].eq(TEST)]
        if rows.empty:
            raise InputError(f"{algorithm} was not measured at {table.scale} scale")
        own = {float(noise) for noise in rows["noise_percent"]}
        found = own if found is None else found & own
    if not found:
        raise InputError(f"{listed(algorithms)} have no share of wrong labels in common at {table.scale} scale")
    return sorted(found)


def noisy_shares(table: Table, *algorithms: str) -> list[float]:
    """Return those of `shares` above zero; InputError where there is none."""
    found = [noise for noise in shares(table, *algorithms) if noise > 0]
    if not found:
        raise InputError(f"nothing with wrong labels was measured at {table.scale} scale")
    return found


def clean(table: Table, *algorithms: str) -> float:
    """Return 0.0, the share without wrong labels; InputError where that was not measured."""
    if 0.0 not in shares(table, *algorithms):
        raise InputError(f"nothing without wrong labels was measured at {table.scale} scale")
    return 0.0


def error(table: Table, algorithm: str, level: int | str, noise: float) -> pandas.Series:
    """Return the test error by seed."""
    return read(table, TEST, level, algorithm, noise_percent=noise)


def labels(noise: float) -> str:
    """Say which labels: "with 15 % wrong labels", "without wrong labels"."""
    return f"with {noise:g} % wrong labels" if noise else "without wrong labels"


def sentence(words: str) -> str:
    """Return words with a capital at the start and a full stop."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def contradicts(holds: bool, said: str) -> str:
    """Say that what is seen is not what the paper says, where it is not."""
    return "" if holds else f" The paper says otherwise: {said}."


# Errors while pruning


def versus(table: Table, first: str, second: str, noise: float) -> str:
    """Say what two algorithms reach at their optima: "with 15 % wrong labels, the error at the optimum is …"."""
    found = difference(error(table, first, "optimum", noise), error(table, second, "optimum", noise))
    if found.same:
        return f"{labels(noise)}, {CALLED[first]} and {CALLED[second]} both have their optimum at the dense network"
    if found.verdict == "match":
        how = "no more apart than seeds are"
    else:
        how = f"{gap(found)} {'lower' if found.mean < 0 else 'higher'}"
    both = f"{at_optimum(table, first, noise)} and {at_optimum(table, second, noise)}"
    return f"{labels(noise)}, the error at the optimum is {both}: {how}"


def at_optimum(table: Table, algorithm: str, noise: float) -> str:
    """Say what an algorithm reaches at its optimum, where that is the dense network, and what validates just as well: "2.0 %
    by narrower networks (the dense network itself)"."""
    where = {"algorithm": algorithm, "noise_percent": noise}
    said = f"{mean_std(error(table, algorithm, 'optimum', noise))} by {CALLED[algorithm]}"
    if chosen_level(table, "optimum", **where) == 0:
        return f"{said} (the dense network itself)"
    alike = equal_levels(table, "optimum", **where)
    others = listed([f"{mean_std(error(table, algorithm, level, noise))} at level {level}" for level in alike])
    return f"{said} ({others}, which validates as well)" if alike else said


def verdicts(table: Table, first: str, second: str, noises: Sequence[float]) -> dict[float, str]:
    """Return how the first algorithm compares with the second at their optima, by share of wrong labels: "lower", "higher",
    "match", "undecided", or "same" where both are the dense network."""
    found = {n: difference(error(table, first, "optimum", n), error(table, second, "optimum", n)) for n in noises}
    return {noise: "same" if one.same else one.verdict for noise, one in found.items()}


def counted(found: Collection[str]) -> str:
    """Say how often each verdict came out: "lower at 2 and higher at 1 of 4 shares of wrong labels"."""
    words = {
        "lower": "lower", "match": "no different", "higher": "higher", "same": "the same dense network",
        "undecided": "undecided",
    }  # fmt: skip
    own = [*found]
    said = listed([f"{word} at {own.count(one)}" for one, word in words.items() if one in own])
    return f"{said} of {len(own)} shares of wrong labels" if len(own) > 1 else said.partition(" at ")[0]


@observed
def error_while_pruning(table: Table) -> str:
    """Fig. 3."""
    noisy = [noise for noise in shares(table, LRR) if noise > 0]
    most = max(shares(table, LRR))
    words = [f"{labels(most)} the test error goes from {course(table, TEST, LRR, noise_percent=most)}"]
    if descends_twice(table, most):
        words.append(
            "it rises before it falls below the dense network: a double descent, which this paper does not name and the "
            "book's other paper on wrong labels is about"
        )
    if chosen_level(table, "optimum", algorithm=LRR, noise_percent=most) == 0:
        words.append(
            "the validation images choose the dense network there, so the gain that the paper reports does not show"
        )
    else:
        size = size_at(table, "optimum", LRR, noise_percent=most)
        here = against(error(table, LRR, "optimum", most), error(table, LRR, 0, most))
        words.append(f"beside the dense network, the star with {size} of the weights has {here}")
    if len(noisy) > 1:
        words.append(gains(table, noisy))
    return " ".join(map(sentence, words))


def descends_twice(table: Table, noise: float) -> bool:
    """Whether the error first rises from the dense network and later falls below it, by the rule of differences."""
    found = values(table, TEST, algorithm=LRR, noise_percent=noise).dropna(axis="columns")
    if found.shape[1] < 3 or 0 not in found:
        return False
    peak = found.mean().idxmax()
    low = found.loc[:, peak:].mean().idxmin()
    return differs(found[peak], found[0]) == "higher" and differs(found[low], found[0]) == "lower"


def gains(table: Table, noisy: Sequence[float]) -> str:
    """Say how much pruning gains at each share of wrong labels, and whether that grows."""
    found = {n: difference(error(table, LRR, 0, n), error(table, LRR, "optimum", n)) for n in noisy}
    said = listed([f"{number(-one.mean, signed=True)} points at {noise:g} %" for noise, one in found.items()])
    lower = sum(one.verdict == "higher" for one in found.values())
    means = [one.mean for one in found.values()]
    grows = all(a < b for a, b in zip(means, means[1:], strict=False))
    counted = ""
    if len(table.seeds) >= FEWEST_REPLICATES:
        counted = f"it is lower {times(lower, len(noisy), 'noise level')}; "
    return (
        f"from the dense network to the optimum the error changes by {said}; "
        f"{counted}the mean gain "
        + ("grows with the share of wrong labels, as the paper says" if grows
           else "does not always grow with it; the paper says that it does")
    )  # fmt: skip


@observed
def loss_of_noisy_examples(table: Table) -> str:
    """Fig. 4."""
    most = max(noisy_shares(table, LRR))
    where = {"noise_percent": most}
    words = [f"{labels(most)}, {_first_effect(table, most)}"]
    if chosen_level(table, "optimum", algorithm=LRR, **where):
        noisy, original = (
            from_to(read(table, q, 0, LRR, **where), read(table, q, "optimum", LRR, **where), "nats")
            for q in (NOISY_LOSS, ORIGINAL_LOSS)
        )
        words.append(
            f"from the dense network to the star the loss on wrong labels {noisy}; that on correct ones {original}"
        )
    else:
        words.append("the star is the dense network here, so nothing has changed at the optimum")
    gaps = values(table, NOISY_LOSS, algorithm=LRR, **where) - values(table, ORIGINAL_LOSS, algorithm=LRR, **where)
    gaps = gaps.dropna(axis="columns")
    widest, last = int(gaps.mean().idxmax()), int(gaps.columns[-1])
    if widest == last:
        words.append(f"the gap between the two is still widening at the last level, {mean_std(gaps[last], 'nats')}")
    else:
        words.append(
            f"the gap between the two is widest with {size_at(table, widest, LRR, **where)} of the weights, "
            f"{mean_std(gaps[widest], 'nats')}; at the last level it is {mean_std(gaps[last], 'nats')}"
        )
    return " ".join(map(sentence, words))


def _first_effect(table: Table, noise: float) -> str:
    """Say whether light pruning lowers the loss on wrong labels before it raises it."""
    losses = values(table, NOISY_LOSS, algorithm=LRR, noise_percent=noise).dropna(axis="columns")
    sparse = losses.drop(columns=0, errors="ignore")
    if sparse.empty or 0 not in losses:
        raise InputError("no pruned network was measured")
    lowest = int(sparse.mean().idxmin())
    size, change = size_at(table, lowest, LRR, noise_percent=noise), from_to(losses[0], losses[lowest], "nats")
    if sparse[lowest].mean() < losses[0].mean() and differs(losses[lowest], losses[0]) != "match":
        return f"pruning fits the wrong labels better at first: with {size} of the weights the loss on them {change}"
    return f"no level clearly fits them better than the dense network; with {size} of the weights their loss {change}"


# Longer training, other ways to prune


@observed
def error_against_training(table: Table) -> str:
    """Fig. 6."""
    noises = shares(table, LRR, EDT)
    found = verdicts(table, EDT, LRR, noises)
    words, against_print = [], ""
    if 0.0 in noises:
        words.append(versus(table, EDT, LRR, 0.0))
        settled = not equal_levels(table, "optimum", algorithm=EDT, noise_percent=0.0)
        holds = not settled or found[0.0] != "higher"
        against_print = contradicts(holds, "without noise longer training does as well as pruning")
    if noisy := [n for n in noises if n > 0]:
        words.append(versus(table, EDT, LRR, max(noisy)))
        worse = sum(found[n] == "higher" for n in noisy)
        if len(table.seeds) >= FEWEST_REPLICATES:
            words.append(f"longer training falls behind pruning {times(worse, len(noisy), 'noise level')}")
    return " ".join(map(sentence, words)) + against_print


@observed
def error_of_five_ways(table: Table) -> str:
    """Fig. 8."""
    ways = [LRR, WR, SNIP, SYNFLOW, RANDOM]
    words = []
    noises = shares(table, *ways, EDT)
    for noise in dict.fromkeys((noises[0], noises[-1])):
        best = {way: error(table, way, "optimum", noise) for way in (*ways, EDT)}
        ranked = sorted(best, key=lambda way: best[way].mean())
        said = listed([f"{CALLED[way]} {mean_std(best[way], '')}" for way in ranked])
        alike = equal_levels(table, "optimum", algorithm=EDT, noise_percent=noise)
        longer = [best[EDT], *(error(table, EDT, level, noise) for level in alike)]
        ahead = [CALLED[way] for way in ways if all(differs(best[way], one) == "lower" for one in longer)]
        words.append(f"{labels(noise)}, from best to worst (%): {said}")
        dense = [CALLED[way] for way in best if chosen_level(table, "optimum", algorithm=way, noise_percent=noise) == 0]
        if dense:
            words.append(f"the optimum of {listed(dense)} is the dense network itself")
        others = listed([f"{mean_std(one)} at level {level}" for level, one in zip(alike, longer[1:], strict=True)])
        also = f", which has {others} where it validates as well" if alike else ""
        words.append(
            f"clearly ahead of longer training{also}{',' * bool(alike)} {'is' if len(ahead) == 1 else 'are'} {listed(ahead)}"
            if ahead else f"no way to prune is clearly ahead of longer training without any cut{also}"
        )  # fmt: skip
    return " ".join(map(sentence, words))


@observed
def error_of_weight_rewinding(table: Table) -> str:
    """Fig. 14."""
    noises = shares(table, WR, LRR)
    found = verdicts(table, WR, LRR, noises)
    words = [versus(table, WR, LRR, max(noises)), f"the error of weight rewinding is {counted(found.values())}"]
    holds = all(found[n] != "higher" for n in noises if n > 0)
    return " ".join(map(sentence, words)) + contradicts(
        holds, "with wrong labels, setting the weights back never hurts"
    )


@observed
def error_of_three_scores(table: Table) -> str:
    """Fig. 15."""
    noises = shares(table, LRR, SYNFLOW, RANDOM)
    words = [versus(table, score, LRR, max(noises)) for score in (RANDOM, SYNFLOW)]
    for score in (RANDOM, SYNFLOW):
        words.append(
            f"against removing the smallest weights, the error of {CALLED[score]} is "
            f"{counted(verdicts(table, score, LRR, noises).values())}"
        )
    return " ".join(map(sentence, words))


# Smaller networks


@observed
def error_of_narrower_networks(table: Table) -> str:
    """Fig. 7 and 11."""
    noises = shares(table, LRR, WD)
    words = []
    for noise in dict.fromkeys((noises[0], noises[-1])):
        words.append(versus(table, WD, LRR, noise))
    if noises[-1]:
        narrow, dense = error(table, WD, "optimum", noises[-1]), error(table, LRR, 0, noises[-1])
        words.append(f"beside the dense network of full width, the best narrow one has {against(narrow, dense)}")
    words.append(
        f"the error of narrower networks is {counted(verdicts(table, WD, LRR, noises).values())}, against pruning"
    )
    return " ".join(map(sentence, words))


@observed
def error_after_equal_training(table: Table) -> str:
    """Fig. 12."""
    noises = [noise for noise in shares(table, ONE_SHOT, LONGER_WD) if noise > 0]
    if not noises:
        raise InputError(f"no network with wrong labels was measured at {table.scale} scale")
    most = max(noises)
    words = [f"{labels(most)}, the error of one-shot pruning is {course(table, TEST, ONE_SHOT, noise_percent=most)}"]
    words.append(f"that of narrower networks, trained as long, is {course(table, TEST, LONGER_WD, noise_percent=most)}")
    held = {one: sum(_falls_then_rises(table, one, noise) for noise in noises) for one in (ONE_SHOT, LONGER_WD)}
    said = [f"{CALLED[one]}, {times(held[one], len(noises), 'noise level')}" for one in held]
    words.append(f"clearly below the dense network, and then clearly up again, goes {'; so do '.join(said)}")
    as_printed = all(count == len(noises) for count in held.values())
    return " ".join(map(sentence, words)) + contradicts(as_printed, "both fall below the dense network, then rise")


def _falls_then_rises(table: Table, algorithm: str, noise: float) -> bool:
    """Say whether some size between has a lower error than the dense network, and the smallest a higher one than that."""
    found = values(table, TEST, algorithm=algorithm, noise_percent=noise).dropna(axis="columns")
    between = found.iloc[:, 1:-1]
    if between.empty:
        return False
    lowest = between[between.mean().idxmin()]
    return differs(lowest, found[0]) == "lower" and differs(found.iloc[:, -1], lowest) == "higher"


# Groups of examples


def changes(table: Table, level: int | str, algorithm: str, noise: float) -> pandas.DataFrame:
    """Return the change of each EL2N group's loss against the dense network, seeds × groups, in nats.

    Raises:
        InputError: no such level, or its groups were not measured.
    """
    where = {"algorithm": algorithm, "noise_percent": noise}
    if isinstance(level, str):
        chosen = chosen_level(table, level, **where)
        if chosen is None:
            raise InputError(f"{algorithm} has no {level} {labels(noise)} at {table.scale} scale")
        level = chosen
    found = group_changes(table, level, **where)
    if found.empty:
        raise InputError(f"no groups of examples of {algorithm} were measured {labels(noise)} at {table.scale} scale")
    return found


def group_levels(table: Table, algorithm: str, noise: float) -> list[int]:
    """Return the sparse levels whose groups were measured."""
    where = {"algorithm": algorithm, "noise_percent": noise, "quantity": GROUP_LOSS}
    found = table.where(**where).frame["level"]
    if found.empty:
        raise InputError(f"no groups of examples of {algorithm} were measured {labels(noise)} at {table.scale} scale")
    return sorted(int(level) for level in found.unique() if level)


def hardest(found: pandas.DataFrame) -> str:
    """Say how the loss of the hardest group changes: "−0.48 ± 0.05 nats"."""
    return mean_std(found[found.columns[-1]], "nats", signed=True)


def _falls_and_rises(found: pandas.DataFrame) -> str:
    """Say how many groups are fitted better and worse than by the dense network."""
    better, worse = (int((found.mean() * sign > 0).sum()) for sign in (-1, 1))
    return f"{better} of {found.shape[1]} groups are fitted better than by the dense network, {worse} worse"


@observed
def change_at_two_levels(table: Table, algorithm: str = LRR) -> str:
    """Fig. 1b and 2."""
    clean(table, algorithm)
    words: dict[str, list[str]] = {}
    for level, called in (
        ("optimum", "at the best sparsity"),
        ("highest improving", "at the sparsest network that improves"),
    ):
        where = {"algorithm": algorithm, "noise_percent": 0.0}
        chosen = chosen_level(table, level, **where)
        if chosen is None:
            said = "there is none: no pruned network has a lower test error than the dense one"
        elif chosen == 0:
            said = "which is the dense network itself, the line is zero"
        else:
            found = changes(table, chosen, algorithm, 0.0)
            said = f"{_falls_and_rises(found)}; the hardest twentieth changes by {hardest(found)}"
            called += f" ({size_at(table, chosen, algorithm, noise_percent=0.0)} of the weights)"
        words.setdefault(said, []).append(called)
    return " ".join(sentence(f"{' and '.join(places)}, {said}") for said, places in words.items())


@observed
def change_at_optimum(table: Table) -> str:
    """Fig. 5."""
    words, signs = [], []
    for noise in noisy_shares(table, LRR):
        if not chosen_level(table, "optimum", algorithm=LRR, noise_percent=noise):
            words.append(f"{noise:g} %: the dense network is best")
            continue
        found = changes(table, "optimum", LRR, noise)
        signs.append(found[found.columns[-1]].mean() > 0)
        words.append(f"{noise:g} %: {hardest(found)}")
    if not signs:
        changes(table, 1, LRR, noisy_shares(table, LRR)[-1])  # says where nothing was measured
        return "The validation images choose the dense network at every share of wrong labels, so all lines are zero."
    said = f"The hardest twentieth of the images, by share of wrong labels: {'; '.join(words)}."
    if signs[-1] and not all(signs):
        return f"{said} With few wrong labels the best network fits them better than dense; with many it gives them up."
    verdict = " Pruning to the optimum gives up the images that are hardest." if signs[-1] else ""
    return said + verdict + contradicts(signs[-1], "at the optimum the hardest images lose most")


def change_at_each_level(tables: Sequence[Table], algorithm: str) -> object:
    """Fig. 18, 19 and 20."""
    return _each_level(tables, algorithm)


@observed
def _each_level(table: Table, algorithm: str) -> str:
    noises = sorted(
        float(n) for n in table.where(algorithm=algorithm, quantity=GROUP_LOSS).frame["noise_percent"].unique()
    )
    if not noises:
        raise InputError(f"no groups of examples of {algorithm} were measured at {table.scale} scale")
    words = []
    for noise in dict.fromkeys((noises[-1], noises[0])):
        found = {level: changes(table, level, algorithm, noise) for level in group_levels(table, algorithm, noise)}
        first, last = min(found), max(found)
        told = listed([f"{hardest(found[level])} at level {level}" for level in dict.fromkeys((first, last))])
        words.append(f"{labels(noise)} the loss of the hardest twentieth changes by {told}")
        ends = [found[level][found[level].columns[-1]].mean() for level in (first, last)]
        if noise and ends[0] < 0 < ends[1]:
            words.append(
                "so the first cut fits them better and the last one lets them go: both effects of the paper in one group"
            )
        elif noise == noises[-1]:
            better = all((one.mean() <= 0).mean() > 0.5 for one in found.values())
            worse = all((one.mean() >= 0).mean() > 0.5 for one in found.values())
            words.append(
                "at every level most groups are fitted better than by the dense network" if better
                else "at every level most groups are fitted worse than by the dense network" if worse
                else "some levels fit most groups better than the dense network, others worse"
            )  # fmt: skip
    return " ".join(map(sentence, words))


@observed
def change_of_smaller_networks(table: Table) -> str:
    """Fig. 13."""
    most = max(shares(table, ONE_SHOT, LONGER_WD))
    words = []
    for algorithm in (ONE_SHOT, LONGER_WD):
        found = changes(table, "best smaller", algorithm, most)
        size = size_at(table, "best smaller", algorithm, noise_percent=most)
        easy = mean_std(found[found.columns[: found.shape[1] // 2]].mean(axis=1), "nats", signed=True)
        words.append(
            f"{CALLED[algorithm]} ({size} of the weights): the loss of the hardest twentieth changes by {hardest(found)}, "
            f"that of the easier half by {easy}"
        )
    overlap = read(table, OVERLAP, "best smaller", ONE_SHOT, noise_percent=most)
    words.append(
        f"the tenth of the images that each changes most overlap by {mean_std(overlap, '')}; chance gives 0.05"
    )
    return f"{sentence(labels(most))[:-1]}, {words[0]}. " + " ".join(map(sentence, words[1:]))


# Examples left out


@observed
def error_without_examples(table: Table) -> str:
    """Fig. 9."""
    words = [f"{labels(noise)}, {without(table, noise)}" for noise in shares(table, LRR, TIE, RND)]
    return " ".join(map(sentence, words))


def without(table: Table, noise: float, improved: str = TIE, random: str = RND) -> str:
    """Say what leaving out the most improved examples does against random ones, over the levels at which pruning improves on
    the dense network; over all where none does."""
    means = values(table, TEST, algorithm=LRR, noise_percent=noise).dropna(axis="columns").mean()
    improving = [int(level) for level in means.index if level and means[level] < means[0]]
    found = [values(table, TEST, algorithm=one, noise_percent=noise).drop(columns=0) for one in (improved, random)]
    where = "over all levels, none of which improves on the dense network"
    if improving:
        where = "at the one level" if len(improving) == 1 else f"over the {len(improving)} levels"
        where += " whose mean error is below the dense network's"
    chosen, drawn = (one[[k for k in one if k in improving or not improving]].mean(axis=1) for one in found)
    apart = difference(chosen, drawn)
    how = "higher" if apart.mean > 0 else "lower"
    same = "no more apart than seeds are" if apart.verdict == "match" else f"{gap(apart)} {how}"
    both = f"{mean_std(chosen)} without the most improved and {mean_std(drawn)} without random images"
    return f"{where}, the error is {both}: {same}"


@observed
def error_on_correct_examples(table: Table) -> str:
    """Fig. 10."""
    noises = noisy_shares(table, LRR, DS)
    most = max(noises)
    here = error(table, DS, "optimum", most)
    words = [
        f"{labels(most)}, a dense network that is trained only on what a sparse one gets right reaches {mean_std(here)}, "
        f"with all of its weights",
        f"the sparse network itself reaches {mean_std(error(table, LRR, 'optimum', most))}, "
        f"the dense network on all examples {mean_std(error(table, LRR, 0, most))}",
    ]
    found = verdicts(table, DS, LRR, noises)
    words.append(f"on such images the error is {counted(found.values())}, against the sparse network's")
    holds = all(one != "higher" for one in found.values())
    return " ".join(map(sentence, words)) + contradicts(holds, "it is never worse than the sparse network")


@observed
def difference_with_worsened_examples(table: Table) -> str:
    """Fig. 17."""
    noise = min(shares(table, TW, RAND))
    with_both = [
        values(table, TEST, algorithm=one, noise_percent=noise).drop(columns=0, errors="ignore") for one in (TW, RAND)
    ]
    worsened, random = (one.mean(axis=1) for one in with_both)
    return sentence(
        f"{labels(noise)}, over all levels, with the most worsened against with random ones: {against(worsened, random)}"
    )


# Single examples


def ranked_images(tables: Sequence[Table], category: str, noise_percent: float) -> object:
    """Fig. 16."""
    return _ranked(tables, category, noise_percent)


@observed
def _ranked(table: Table, category: str, noise: float) -> str:
    where = {"algorithm": LRR, "noise_percent": noise, "position": 0.0}
    found = table.where(quantity=quantity(category, SCORE), **where).frame["value"]
    if found.empty:
        raise InputError(f"no level has what the rule of the {category} examples asks for {labels(noise)}")
    words = [f"the twenty {category} images have a mean EL2N of {number(found.mean())}"]
    least = table.where(quantity=quantity("least affected", SCORE), **where).frame["value"]
    if category != "least affected" and len(least):
        ratio = found.mean() / max(least.mean(), 1e-9)
        words[0] += f", {ratio:.3g} times that of the least affected ones"
    wrong = table.where(quantity=quantity(category, NOISY), **where).frame["value"]
    if noise and len(wrong):
        words.append(f"{wrong.mean():.0f} % of them carry a wrong label; drawn at random it would be {noise:g} %")
    return " ".join(map(sentence, words))


# Beside print


def printed_beside_measured(benchmark: str, tables: Sequence[Table], number_of_table: int) -> object:
    """Tables 5 to 8."""

    printed = printed_numbers(number_of_table)
    printed = printed[printed["benchmark"] == benchmark]

    @observed
    def beside(table: Table) -> str:
        found = measured_numbers([table], printed)
        if found.empty:
            raise InputError(f"no table measures a number of Table {number_of_table}")
        case = ["noise_percent", "network", "quantity"]
        means = (
            found.groupby(case)["value"]
            .agg(["mean", "std"])
            .reset_index()
            .merge(printed, on=case, suffixes=("", "_printed"))
        )
        means["gap"] = means["mean"] - means["mean_printed"]
        near = int((means["gap"].abs() <= means["std"].fillna(0) + means["std_printed"].fillna(0)).sum())
        far = means.loc[means["gap"].abs().idxmax()]
        unit = "nats" if "nats" in str(far["quantity"]) else "points"
        return (
            f"{near} of {len(means)} numbers differ{'s' * (near == 1)} from what Table {number_of_table} prints by no more "
            "than both standard deviations added. "
            f"The farthest, {far['network']} at {far['noise_percent']:g} % noise, is {number(far['gap'], True)} {unit} off."
        )

    return beside(comparing_first(tables, printed["algorithm"]))


def measured_against_printed(tables: Sequence[Table]) -> object:
    """How many numbers of each quantity come within one and two printed deviations, and which way they lie."""
    found = agreement(tables)
    if found.empty:
        return Markdown("*Nothing to see yet: no printed number was measured at paper scale.*")
    runs = int(found["n"].min())
    expected = [100 * expected_share(limit, runs) for limit in (1, 2)]
    words = []
    for what, own in found.groupby("quantity", sort=False):
        near = [int((own["z"].abs() <= limit).sum()) for limit in (1, 2)]
        kind, unit = noun_and_unit(str(what))
        shift = own["difference"].mean()
        way = f"{number(abs(shift))} {unit_of_difference(unit)} {'above' if shift > 0 else 'below'} print"
        share = [f"({100 * count / len(own):.0f} %)" for count in near]
        words.append(
            f"of {len(own)} numbers ({kind}), {near[0]} {'lies' if near[0] == 1 else 'lie'} within one printed standard "
            f"deviation {share[0]} and {near[1]} within two {share[1]}; they are {way} on average"
        )
    wider = int((found["measured_std"] > found["least"]).sum())
    words.append(
        f"two measurements of one thing with {runs} runs each would come within one in {expected[0]:.0f} %, within two in "
        f"{expected[1]:.0f} % of the cases"
    )
    words.append(f"the measured deviation is larger than the printed one in {wider} of {len(found)} cases")
    return Markdown(f"**What we see** (paper scale, {runs} seeds). {' '.join(map(sentence, words))}")


def printed_deviations(tables: Sequence[Table]) -> object:
    """The farthest number of each quantity."""
    found = agreement(tables)
    if found.empty:
        return Markdown("*Nothing to see yet: no printed number was measured at paper scale.*")
    words = []
    for what, own in found.groupby("quantity", sort=False):
        far = own.loc[own["z"].abs().idxmax()]
        kind = str(what).partition(" (")[0]
        words.append(
            f"the farthest {kind}: {far['network']} {labels(far['noise_percent'])}, {number(far['z'], True)} printed "
            f"standard deviations ({number(far['measured'])} against {number(far['mean'])})"
        )
    return Markdown(f"**What we see** (paper scale). {' '.join(map(sentence, words))}")


# One network, step by step


def network_level_by_level(done: Sequence[Step]) -> object:
    """Section 2: say what the first cut took from each layer, and from the rim of the image."""
    if len(done) < 2:
        return Markdown("*Nothing to see yet: no cut of this network is kept.*")
    dense, last = done[0], done[-1]
    words = [
        f"over {last.level} cuts the network goes from {dense.remaining:,} to {last.remaining:,} prunable weights, "
        f"its test error from {dense.error_percent['test']:.2f} to {last.error_percent['test']:.2f} %"
    ]
    if last.pixels is not None:
        rim = last.pixels.double().clone()
        inner = rim[4:-4, 4:-4].mean().item()
        rim[4:-4, 4:-4] = float("nan")
        words.append(
            f"of the 300 weights of a pixel in the outer four rows and columns {rim.nanmean().item():.2g} are left on "
            f"average, of one further in {inner:.2g}"
        )
    return Markdown(f"**What we see** (one network). {' '.join(map(sentence, words))}")


# What the pages taught


def _line(tell: Callable[[Table], str]) -> Callable[[Table], str]:
    return lambda table: sentence(tell(table))


@_line
def _dense_pays(table: Table) -> str:
    most = max(noisy_shares(table, LRR))
    sparse, dense = error(table, LRR, "optimum", most), error(table, LRR, 0, most)
    if not chosen_level(table, "optimum", algorithm=LRR, noise_percent=most):
        return f"{labels(most)} the validation images choose the dense network: pruning gains nothing here"
    return f"{labels(most)} the pruned network at its optimum beside the dense one: {against(sparse, dense)}"


@_line
def _gain_by_noise(table: Table) -> str:
    noisy = noisy_shares(table, LRR)
    if len(noisy) > 1:
        return gains(table, noisy)
    return f"{labels(noisy[0])}, {_first_effect(table, noisy[0])}"


@_line
def _wrong_labels_let_go(table: Table) -> str:
    most = max(noisy_shares(table, LRR))
    where = {"noise_percent": most}
    if not chosen_level(table, "optimum", algorithm=LRR, **where):
        return f"{labels(most)} no pruned network was chosen, so nothing can be said of what it forgets"
    noisy, original = (
        read(table, q, "optimum", LRR, **where) - read(table, q, 0, LRR, **where) for q in (NOISY_LOSS, ORIGINAL_LOSS)
    )
    return (
        f"at the optimum the loss on wrong labels has changed by {mean_std(noisy, 'nats', signed=True)}, "
        f"that on correct ones by {mean_std(original, 'nats', signed=True)}"
    )


learned_additional_regularization = learned(_dense_pays, _gain_by_noise, _wrong_labels_let_go)


@_line
def _hardest_turns(table: Table) -> str:
    noise = max(float(n) for n in noisy_shares(table, LRR))
    levels = group_levels(table, LRR, noise)
    first, last = (hardest(changes(table, level, LRR, noise)) for level in (levels[0], levels[-1]))
    return f"{labels(noise)} the hardest twentieth changes by {first} at the first cut and by {last} at the last"


def _most_groups(algorithm: str) -> Callable[[Table], str]:
    def tell(table: Table) -> str:
        helped = total = 0
        for noise in shares(table, algorithm):
            for level in group_levels(table, algorithm, noise):
                total += 1
                helped += int((changes(table, level, algorithm, noise).mean() < 0).mean() > 0.5)
        where = times(helped, total, "network")
        return f"{CALLED[algorithm]}: most groups are fitted better than by the dense network {where}"

    return _line(tell)


learned_better_training = learned(_hardest_turns, _most_groups(EDT), _most_groups(WD))


@_line
def _longer_clean(table: Table) -> str:
    return versus(table, EDT, LRR, clean(table, EDT, LRR))


@_line
def _longer_noisy(table: Table) -> str:
    return versus(table, EDT, LRR, max(noisy_shares(table, EDT, LRR)))


@_line
def _best_way(table: Table) -> str:
    ways = (LRR, WR, SYNFLOW, SNIP, RANDOM)
    found: dict[str, list[str]] = {}
    everywhere = {CALLED[way] for way in ways}
    for noise in shares(table, *ways):
        means = {CALLED[way]: round(error(table, way, "optimum", noise).mean(), 6) for way in ways}
        lowest = [way for way, mean in means.items() if mean == min(means.values())]
        everywhere &= {*lowest}
        found.setdefault(lowest[0] if len(lowest) == 1 else f"{len(lowest)} of them alike", []).append(f"{noise:g} %")
    said = listed([f"{way} at {listed(noises)}" for way, noises in found.items()])
    none = "; no rule is best everywhere" * (not everywhere)
    return f"the lowest mean error of five ways to prune, by share of wrong labels: {said}{none}"


learned_pruning_and_longer_training = learned(_longer_clean, _longer_noisy, _best_way)


@_line
def _narrow_clean(table: Table) -> str:
    return versus(table, WD, LRR, clean(table, WD, LRR))


@_line
def _narrow_noisy(table: Table) -> str:
    most = max(noisy_shares(table, WD, LRR))
    narrow, dense = error(table, WD, "optimum", most), error(table, LRR, 0, most)
    return f"{labels(most)} the best narrow network beside the dense one of full width: {against(narrow, dense)}"


@_line
def _same_examples(table: Table) -> str:
    noises = shares(table, ONE_SHOT, LONGER_WD)
    found = {n: read(table, OVERLAP, "best smaller", ONE_SHOT, noise_percent=n).mean() for n in noises}
    low, high = number(min(found.values())), number(max(found.values()))
    return (
        f"the images that one-shot pruning and narrower networks change most overlap by {low} to {high} (Jaccard index), by "
        "chance by 0.05"
    )


learned_size_reduction = learned(_narrow_clean, _narrow_noisy, _same_examples)


def _improved_matter(improved: str, random: str, share: str) -> Callable[[Table], str]:
    def tell(table: Table) -> str:
        return f"{share} left out, without wrong labels: {without(table, clean(table, improved, random), improved, random)}"

    return _line(tell)


@_line
def _worsened_harm(table: Table) -> str:
    if table.benchmark not in WORSENED:
        raise InputError(f"the paper asks about the most worsened images on {listed(WORSENED)} only")
    noise = min(shares(table, TW, RAND))
    worsened, random = (
        values(table, TEST, algorithm=one, noise_percent=noise).drop(columns=0, errors="ignore").mean(axis=1)
        for one in (TW, RAND)
    )
    return f"with a hundredth of most worsened images against random ones, {labels(noise)}: {against(worsened, random)}"


learned_leaving_out_examples = learned(
    _improved_matter(TIE, RND, "a fifth"), _improved_matter(TIE_TENTH, RND_TENTH, "a tenth"), _worsened_harm
)


@_line
def _chosen_by_sparse(table: Table) -> str:
    most = max(noisy_shares(table, LRR, DS))
    here, sparse = error(table, DS, "optimum", most), error(table, LRR, "optimum", most)
    return f"{labels(most)}, a dense network on what a sparse one gets right, beside the sparse one: {against(here, sparse)}"


@_line
def _chosen_against_dense(table: Table) -> str:
    most = max(noisy_shares(table, LRR, DS))
    here, dense = error(table, DS, "optimum", most), error(table, LRR, 0, most)
    needs = "it needs no sparse weights to do so: " if differs(here, dense) == "lower" else ""
    return f"{needs}beside a dense network on all images, {against(here, dense)}"


@_line
def _beside_clean(table: Table) -> str:
    noises = shares(table, LRR, DS)
    most = max(noises)
    clean(table, LRR, DS)
    return (
        f"a dense network trained without any wrong label has {mean_std(error(table, LRR, 0, 0.0))}; "
        f"with {most:g} % of them and a sparse network to choose, {mean_std(error(table, DS, 'optimum', most))}"
    )


learned_correct_examples = learned(_chosen_by_sparse, _chosen_against_dense, _beside_clean)


def _ranked_line(category: str, noisy: bool) -> Callable[[Table], str]:
    def tell(table: Table) -> str:
        noise = max(noisy_shares(table, LRR)) if noisy else clean(table, LRR)
        where = {"algorithm": LRR, "noise_percent": noise, "position": 0.0}
        name = NOISY if noisy else SCORE
        found = table.where(quantity=quantity(category, name), **where).frame["value"]
        if found.empty:
            raise InputError(f"no {category} examples were ranked {labels(noise)} at {table.scale} scale")
        if noisy:
            return f"{labels(noise)}, {found.mean():.0f} % of the {category} images carry one of them"
        least = table.where(quantity=quantity("least affected", SCORE), **where).frame["value"]
        beside = f", the least affected of {number(least.mean())}" if len(least) else ""
        return f"{labels(noise)}, the {category} images have a mean EL2N of {number(found.mean())}{beside}"

    return _line(tell)


learned_examples_themselves = learned(
    _ranked_line("most worsened", False), _ranked_line("most improved", False), _ranked_line("most worsened", True)
)


@_line
def _sizes(table: Table) -> str:
    sizes = values(table, SIZE, algorithm=LRR, noise_percent=max(shares(table, LRR))).mean()
    return f"{len(sizes) - 1} cuts leave {sizes.iloc[-1]:.3g} % of the weights"


@_line
def _training_loss(table: Table) -> str:
    noise = min(shares(table, LRR))
    return f"{labels(noise)} the training loss goes from {course(table, TRAIN_LOSS, LRR, 'nats', noise_percent=noise)}"


@_line
def _seeds_differ(table: Table) -> str:
    noise = max(shares(table, LRR))
    dense = error(table, LRR, 0, noise)
    return f"dense networks of different seeds have {mean_std(dense)} {labels(noise)}, so differences are taken seed by seed"


learned_preliminaries = learned(_sizes, _seeds_differ, _training_loss)
