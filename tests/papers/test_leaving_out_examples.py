"""The page on appendices D, E and K.2: its chains, its table, and claims that have nothing to speak of."""

from lib.analysis.claims import decide
from lib.stages import stage_keys
from papers.training_regularization.cases import DS, LRR, TIE, TW
from papers.training_regularization.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from papers.training_regularization.comparison import table_8
from papers.training_regularization.leaving_out_examples import PAGE
from tests.analysis.hand_made import chain, make
from tests.papers.example_subset_cases import CASES, LENET


def test_what_is_compared_shares_all_but_the_examples():
    plan = PAGE.plans("cifar10-resnet20", "smoke")
    chains = PAGE.chains(plan)
    names = [one.algorithm for one in chains]
    assert TW in names and TW not in [c.algorithm for c in PAGE.chains(PAGE.plans(LENET, "smoke"))]
    improved, randomly = (
        next(c for c in chains if c.algorithm == f"without_{w}_examples") for w in ("improved", "random")
    )
    alike = [stage.model_copy(update={"examples": None}) for stage in improved.stages]
    assert alike == [stage.model_copy(update={"examples": None}) for stage in randomly.stages]
    replicate = plan.replicates()[0]
    keys = [stage_keys(one, replicate, plan.precision) for one in (improved, randomly)]
    subset = improved.stages[-1].examples
    assert subset is not None
    judge = subset.judge
    assert keys[0][: judge + 1] == keys[1][: judge + 1]
    assert not set(keys[0][judge + 1 :]) & set(keys[1][judge + 1 :])


def test_table_8_has_both_chains_at_their_optimum_and_dense():
    table = make(CASES["TR-C26"]["reproduced"], LENET)
    found = table_8(table).query("noise_percent == 10").set_index("quantity")
    assert found.loc[f"test_error_percent_optimal_{DS}", "measured_mean"] == 7.0
    assert found.loc["test_error_percent_chosen_by_dense", "measured_mean"] == 9.5
    assert found.loc[f"test_error_percent_optimal_{LRR}", "measured_mean"] == 8.0
    assert found.loc[f"test_error_percent_optimal_{LRR}", "printed_mean"] == 7.57
    assert set(found["replicates"]) == {3}


def test_without_an_improving_level_there_is_nothing_to_decide():
    chains = CASES["TR-C24"]["reproduced"] | {(LRR, 0): chain([9.0, 9.5, 11.0])}
    found = decide("TR-C24", CLAIM_TESTS["TR-C24"], make(chains, LENET), CLAIM_BENCHMARKS["TR-C24"])
    assert found.verdict == "undecided" and "lower test error" in found.reason
    assert TIE in {name for name, _ in chains}


def test_a_missing_level_or_a_flat_chain_decides_nothing():
    def put(claim, chains):
        return decide(
            claim, CLAIM_TESTS[claim], make(chains, CASES[claim]["benchmark"]), CLAIM_BENCHMARKS[claim]
        )

    for claim, name in (("TR-C24", TIE), ("TR-C36", TW)):
        chains = CASES[claim]["reproduced"] | {(LRR, 0): chain([9.0, 8.0, 8.5])}  # level 2 improves too
        assert put(claim, chains).verdict != "undecided"
        found = put(claim, chains | {(name, 0): chains[name, 0][:2]})
        assert found.verdict == "undecided" and "missing improving levels" in found.reason
    flat = CASES["TR-C27"]["reproduced"] | {(DS, 5): chain([7.0, 7.0, 7.0])}
    assert "no order" in put("TR-C27", flat).reason
