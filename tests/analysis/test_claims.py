"""Measures, questions and claims: what decides, what leaves undecided, and what chance would do."""

import numpy
import pandas
import pytest

from lib.analysis.claims import (
    all_of,
    at_levels,
    between,
    each,
    equal,
    every,
    growing,
    higher,
    lower,
    not_higher,
    of_sparse,
)
from lib.analysis.findings import ANSWERS, DECIDED, Finding, combined, different_by_chance
from lib.analysis.levels import with_levels
from lib.analysis.measures import Case, Measure, correlations, given, held_out, measured
from tests.papers.claim_tables import Levels, table

LRR, WR = "learning-rate rewinding", "weight rewinding"
TEST, VALIDATION, LOSS = "test error (%)", "validation error (%)", "training loss (nats)"
error, loss = measured(TEST), measured(LOSS)
at = each("noise_percent", (5, 10, 15))


def chain(*errors: float, **more) -> Levels:
    return {TEST: errors, VALIDATION: errors, **more}


def pruned(*optima, step=0.1, seeds=(0, 1, 2)):
    """One chain at 5, 10 and 15 % noise: 9 % dense, then its optimum."""
    return table(
        {(LRR, noise): chain(9.0, best) for noise, best in zip((5, 10, 15), optima, strict=False)},
        step=step,
        seeds=seeds,
    )


SPARSE_IS_BETTER = at(lower(error(LRR, "optimum"), than=error(LRR, "dense")))


def numbers(*values):
    return given("a number", "points", pandas.Series(values, dtype="float64"))


def asked(question, **where):
    return question(Case(pruned(7.0), where))


def test_each_case_is_decided_by_itself_and_a_missing_one_does_not_hide_the_others():
    found = SPARSE_IS_BETTER(pruned(7.0, 6.0))
    assert (found.answer, found.cases) == ("reproduced", "2 of 3")
    assert "2 ± 0.1 points lower at 5 % noise; 3 ± 0.1 points lower at 10 % noise" in found.reason
    assert "lacks test error (%) of learning-rate rewinding: at 15 % noise" in found.reason
    assert found.numbers["weights remaining at the optimum of learning-rate rewinding (%) at 5 % noise"] == 50
    assert SPARSE_IS_BETTER(table({(LRR, 20): chain(9.0, 7.0)})).answer == "not run"


def test_a_network_is_not_compared_with_itself():
    found = SPARSE_IS_BETTER(pruned(9.5, 9.5, 9.5))
    assert (found.answer, found.cases) == ("undecided", "0 of 3")
    assert "the two networks are the same" in found.reason
    for one in (not_higher, equal):
        question = one(error(LRR, "optimum"), error(LRR, "dense"))
        assert at(question)(pruned(9.5, 9.5, 9.5)).answer == "undecided", "no difference is no match either"
    assert SPARSE_IS_BETTER(pruned(9.5, 7.0, 9.5)).cases == "1 of 3"
    gap = at(of_sparse(higher(10 * loss(LRR, "optimum"), than=loss(LRR)), LRR))
    cells = {(LRR, noise): chain(9.0, 9.5, **{LOSS: (1.0, 1.0)}) for noise in (5, 10, 15)}
    assert "the optimum of learning-rate rewinding is the dense network" in gap(table(cells)).reason
    assert gap(table(cells)).answer == "undecided"


def test_levels_that_validate_alike_with_as_many_weights_decide_nothing():
    cells = {(LRR, 5): {TEST: (9.0, 7.0, 5.0), VALIDATION: (9.0, 7.0, 7.0)}}
    assert SPARSE_IS_BETTER(table(cells, step=0.0)).answer == "reproduced", "the one with more weights is taken"
    found = SPARSE_IS_BETTER(table(cells, step=0.0, left=(100.0, 100.0, 100.0)))
    assert (found.answer, found.cases) == ("undecided", "0 of 3")
    assert "levels 1, 2 of learning-rate rewinding validate alike with as many weights" in found.reason


def test_too_few_replicates_decide_nothing_but_have_numbers():
    for seeds in ((0,), (0, 1)):
        found = SPARSE_IS_BETTER(pruned(7.0, 6.0, 5.0, seeds=seeds))
        assert (found.answer, found.cases) == ("undecided", "0 of 3")
        assert f"{len(seeds)} of the 3 replicates" in found.reason and "points lower" in found.reason


def test_a_match_refutes_what_must_differ_and_leaves_bare_means_undecided():
    table_ = pruned(8.95, 8.95, 8.95)
    assert SPARSE_IS_BETTER(table_).answer == "not reproduced"
    found = at(lower(error(LRR, "optimum"), than=error(LRR), of_means=True))(table_)
    assert found.answer == "undecided" and "-0.05 ± 0.1 points, a match" in found.reason
    ties = at(lower(error(LRR, "optimum"), than=error(LRR), ties={("mnist-lenet", n) for n in (5, 10, 15)}))
    assert ties(table_).answer == "reproduced"
    assert at(equal(error(LRR, "optimum"), error(LRR)))(table_).answer == "reproduced"


def test_a_replicate_that_stopped_leaves_it_undecided():
    whole = pruned(7.0, 7.0, 7.0)
    stopped = whole.frame["seed"].eq(1) & whole.frame["level"].eq(1) & whole.frame["noise_percent"].eq(5)
    found = SPARSE_IS_BETTER(whole.with_frame(whole.frame.loc[~stopped]))
    assert found.cases == "2 of 3" and "has level 1" in found.reason


def test_one_failure_of_many_must_survive_holms_correction():
    none, chance, clear = numbers(0.1, -0.1, 0.2), numbers(0.2, 0.5, 0.8), numbers(0.9, 1.0, 1.1)
    zero = numbers(0.0, 0.0, 0.0)
    assert not_higher(chance, zero)(Case(pruned(7.0), {})).answer == "not reproduced", "one comparison: TR's rule alone"
    found = asked(every(*(not_higher(one, zero) for one in (*[none] * 19, chance)), need="any"))
    assert found.answer == "reproduced" and "may be chance" in found.reason and found.cases == "19 of 20"
    found = asked(every(*(not_higher(one, zero) for one in (*[none] * 19, clear))))
    assert found.answer == "not reproduced" and "holds in 19 of 20" in found.reason
    assert different_by_chance(3) == pytest.approx(0.225, abs=0.001)
    assert found.chances == pytest.approx([0.1127] * 20, abs=1e-4), "one-sided"


def test_what_holds_in_one_case_of_many_matches_may_be_chance():
    match, weak, strong = numbers(0.1, -0.1, 0.2), numbers(0.2, 0.5, 0.8), numbers(0.9, 1.0, 1.1)
    zero = numbers(0.0, 0.0, 0.0)

    def answer(*those):
        return asked(every(*(higher(one, zero, of_means=True) for one in those), need="any")).answer

    assert answer(weak) == answer(weak, weak) == "reproduced"
    assert answer(match, match, weak) == "undecided"
    assert answer(match, match, strong) == "reproduced"


def test_what_chooses_does_not_test():
    generator = numpy.random.default_rng(0)
    frames = [pandas.DataFrame(generator.normal(10, 1, (3, 20))) for _ in range(200)]
    lucky = [frame.loc[:, frame.mean().idxmin()].mean() for frame in frames]
    honest = [held_out(frame).mean() for frame in frames]
    assert numpy.mean(lucky) < 9.2 and abs(numpy.mean(honest) - 10) < 0.1
    assert held_out(frames[0], highest=True).mean() > held_out(frames[0]).mean() - 3
    assert held_out(frames[0].iloc[:1]).iloc[0] == frames[0].iloc[0].min(), "a single replicate chooses for itself"
    assert held_out(frames[0].iloc[:, :0]).isna().all()


def test_a_level_that_test_errors_choose_is_chosen_by_the_others():
    # Each replicate has a level of its own that looks best; means over the other two never choose it.
    errors = {0: (9.0, 8.0, 9.4, 9.5), 1: (9.0, 9.5, 8.0, 9.4), 2: (9.0, 9.4, 9.5, 8.0)}
    whole = table({(WR, 20): {TEST: (9.0,) * 4, "best test error (%)": (9.0,) * 4}}, step=0.0)
    frame = whole.frame.copy()
    for name in (TEST, "best test error (%)"):
        for seed, levels in errors.items():
            here = frame["quantity"].eq(name) & frame["seed"].eq(seed)
            frame.loc[here, "value"] = [levels[level] for level in frame.loc[here, "level"]]
    case = Case(with_levels(whole.with_frame(frame)), {"noise_percent": 20.0})
    assert (error(WR, "last sweet spot").read(case) > 9).all()
    assert not error(WR, "optimum").read(case).any(), "without validation errors there is no optimum"
    assert any("has no optimum" in note for note in case.notes)


def test_equal_within_a_margin_takes_both_one_sided_tests():
    zero, close, noisy, far = (numbers(*v) for v in ((0, 0, 0), (0.01, -0.02, 0.02), (2.0, -2.0, 0.1), (0.9, 1.0, 1.1)))
    assert [asked(equal(one, zero, margin=0.3)).answer for one in (close, noisy, far)] == [
        "reproduced", "undecided", "not reproduced",
    ]  # fmt: skip
    assert asked(equal(noisy, zero)).answer == "reproduced", "TR's match says so of anything that scatters"
    assert "p = " in asked(equal(close, zero, margin=0.3)).reason


def test_an_order_over_noise_needs_every_noise_level_and_pairs_neighbours():
    gain = growing(error(LRR) - error(LRR, "optimum"), "noise_percent", (5, 10, 15))
    assert gain(pruned(8.0, 7.0, 6.0)).answer == "reproduced"
    assert gain(pruned(8.0, 7.0)).answer == "undecided", "15 % is missing"
    assert gain(pruned(8.0, 7.0, 7.5)).answer == "not reproduced"
    assert gain(table({(LRR, 5): chain(9.0, 7.0)})).answer == "undecided"
    assert gain(table({(WR, 5): chain(9.0, 7.0)})).answer == "not run"
    same = between(
        Measure("size", "", lambda case: pandas.Series([1.0, 1.0, 1.0]), of_network=False),
        "noise_percent",
        (5, 10),
        not_higher,
    )
    assert same(pruned(8.0, 7.0)).answer == "reproduced", "equal sizes in two cases are no network compared with itself"


def test_several_claims_at_once():
    counted = zip(ANSWERS, ("1 of 1", "1 of 1", "0 of 2", "0 of 0"), strict=True)
    found = [Finding(answer, "1", cases=n) for answer, n in counted]
    holds, fails, open_, absent = (lambda _, one=one: one for one in found)
    assert all_of(holds, holds)(pruned(7.0)).answer == "reproduced"
    assert all_of(holds, open_)(pruned(7.0)).answer == "undecided"
    assert all_of(holds, fails, open_)(pruned(7.0)).answer == "not reproduced"
    assert (all_of(holds, absent)(pruned(7.0)).answer, all_of(holds, open_)(pruned(7.0)).cases) == (
        "reproduced",
        "1 of 3",
    )


def test_most_and_at_least():
    found = [Finding(answer, f"{i}") for i, answer in enumerate((DECIDED[0], DECIDED[0], DECIDED[1]))]
    assert [combined(found, need).answer for need in ("any", "all", "most", 2, 3)] == [
        "not reproduced", "not reproduced", "reproduced", "reproduced", "not reproduced",
    ]  # fmt: skip
    waiting = [found[0], Finding("undecided", "?"), found[2]]
    assert [combined(waiting, need).answer for need in ("most", 1, 3)] == [
        "undecided",
        "reproduced",
        "not reproduced",
    ]


def test_levels_and_correlations():
    case = Case(pruned(7.0), {"noise_percent": 5.0})
    nothing = at_levels([], lambda level: lower(error(LRR, level), than=error(LRR)))
    assert nothing(case).answer == "undecided" and case.notes == ["there is no such level"]
    first = pandas.DataFrame([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert correlations(first, pandas.Series([1.0, 2.0, 3.0])).tolist() == [1.0, -1.0]
    assert correlations(first, first).tolist() == [1.0, 1.0]
