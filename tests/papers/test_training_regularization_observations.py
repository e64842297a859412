"""What TR's figures show is said with their numbers, at every scale, and what is missing is said too."""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

import re

import pytest

from lib.analysis.table import Table, find_tables
from papers.training_regularization import observations
from papers.training_regularization.names import (
    DS,
    EDT,
    GROUP_LOSS,
    LRR,
    NOISY_LOSS,
    ORIGINAL_LOSS,
    TEST,
    VALIDATION,
    WD,
)
from tests.papers.claim_tables import table

OF_TABLES = {
    name: found
    for name, found in vars(observations).items()
    if hasattr(found, "__wrapped__") and found.__module__ == observations.__name__ and not name.startswith("_")
}
LEARNED = {name: found for name, found in vars(observations).items() if name.startswith("learned_")}

HILL, FALL = [12.9, 20.9, 8.9, 9.5], [12.9, 11.0, 9.0, 8.0]


def pruned(errors: list[float], noise: float = 15.0, **more) -> Table:
    return table({(LRR, noise): {TEST: errors, VALIDATION: errors, **more}})


def committed(benchmark: str) -> list[Table]:
    found = find_tables("training_regularization", benchmark)
    return sorted((one for one in found if one.origin == "committed"), key=lambda one: one.scale, reverse=True)


@pytest.mark.parametrize("benchmark", ["mnist-lenet", "cifar10-resnet20", "cifar10-vgg16", "cifar100-resnet32"])
@pytest.mark.parametrize("name", [*OF_TABLES, *LEARNED])
def test_every_observation_has_words_for_the_committed_tables(name, benchmark):
    text = {**OF_TABLES, **LEARNED}[name](committed(benchmark)).data
    assert re.match(r"\*\*What we (see|learned)|\*Nothing to (see|learn) yet", text), text
    assert not re.search(r"\bnan\b|not finite|None|  ", text), text


def test_a_hill_before_the_valley_is_seen_and_a_plain_fall_is_not():
    said = observations.error_while_pruning([pruned(HILL)]).data
    assert "up to 20.9 % at 50 %" in said and "double descent" in said
    assert "double descent" not in observations.error_while_pruning([pruned(FALL)]).data


def test_where_the_dense_network_is_best_the_gain_is_said_not_to_show():
    said = observations.error_while_pruning([pruned([8.0, 9.0, 10.0, 11.0])]).data
    assert "choose the dense network" in said and "does not show" in said


def test_losses_say_what_light_pruning_does_first():
    losses = {NOISY_LOSS: [0.6, 0.1, 3.5, 3.9], ORIGINAL_LOSS: [0.05, 0.04, 0.4, 0.5]}
    said = observations.loss_of_noisy_examples([pruned(HILL, **losses)]).data
    assert "pruning fits the wrong labels better at first: with 50 % of the weights" in said
    assert "on wrong labels rises" in said


def test_the_paper_is_contradicted_where_the_numbers_do():
    both = {(LRR, 0): {TEST: FALL, VALIDATION: FALL}, (EDT, 0): {TEST: [12.9, 13.0, 13.5, 14.0], VALIDATION: HILL}}
    assert "The paper says otherwise" in observations.error_against_training([table(both)]).data
    as_good = {**both, (EDT, 0): {TEST: FALL, VALIDATION: FALL}}
    assert "otherwise" not in observations.error_against_training([table(as_good)]).data


def test_the_hardest_group_shows_both_effects():
    def groups(hardest: list[float]) -> list[list[float]]:
        return [[0.01] * 19 + [value] for value in hardest]

    found = table({(LRR, 15): {TEST: HILL, VALIDATION: HILL, GROUP_LOSS: groups([1.0, 0.5, 2.0, 4.4])}})
    said = observations.change_at_each_level([found], LRR).data
    assert "−0.50" in said and "+3.40" in said and "both effects of the paper" in said


def test_a_table_that_lacks_the_second_algorithm_leaves_the_word_to_the_next():
    sparse = pruned(HILL)
    both = table({(LRR, 15): {TEST: HILL, VALIDATION: HILL}, (DS, 15): {TEST: FALL, VALIDATION: FALL}}, scale="laptop")
    assert "(laptop scale, 3 seeds)" in observations.error_on_correct_examples([sparse, both]).data
    assert "Nothing to see yet" in observations.error_of_narrower_networks([sparse, both]).data
    assert WD in observations.error_of_narrower_networks([sparse]).data


def test_one_seed_is_said_to_be_one():
    alone = table({(LRR, 15): {TEST: FALL, VALIDATION: FALL}}, seeds=(0,))
    said = observations.error_while_pruning([alone]).data
    assert "1 seed" in said and "so few seeds" in said


def test_printed_and_measured_are_set_apart_in_words():
    said = observations.printed_beside_measured("mnist-lenet", committed("mnist-lenet"), 6).data
    assert re.search(r"\d+ of \d+ numbers differ from what Table 6", said)
