"""LN's claims on training over the epochs: each in every state that it can have."""

import dataclasses

import pytest

from lib.analysis.claims import decide, read_claims
from lib.analysis.epoch_errors import BEST, UNSTEADINESS
from papers.label_noise.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from papers.label_noise.dynamics_claims import SMALL_CHANGE_PERCENT
from tests.charts import made_up_epochs

CIFAR10, CIFAR100 = "cifar10-resnet18", "cifar100-resnet18"
CLAIMS = ("LN-C05", "LN-C06", "LN-C07")


def put(claim, table):
    return decide(claim, CLAIM_TESTS[claim], table, CLAIM_BENCHMARKS[claim])


def changed(subset, level, error, noise=20.0, table=None):
    """The made-up table with another error on a subset at a level, 0.3 points apart over replicates."""
    table = table or made_up_epochs.table()
    frame = table.frame.copy()
    here = (frame["subset"] == subset) & (frame["level"] == level) & (frame["noise_percent"] == noise)
    frame.loc[here, "error_percent"] = error + 0.3 * (frame.loc[here, "seed"] - 1)
    return dataclasses.replace(table, frame=frame)


def with_unsteadiness(value, level, noise, table=None):
    table = table or made_up_epochs.table()
    rows = table.quantities.copy()
    here = (rows["quantity"] == UNSTEADINESS) & (rows["level"] == level) & (rows["noise_percent"] == noise)
    rows.loc[here, "value"] = value
    return dataclasses.replace(table, quantities=rows)


def test_claims_are_those_of_the_list():
    assert {claim.id for claim in read_claims()} >= set(CLAIM_TESTS) and set(CLAIM_TESTS) == set(
        CLAIM_BENCHMARKS
    )


def test_every_level_must_come_to_rest():
    found = put("LN-C05", made_up_epochs.table())
    assert found.verdict == "reproduced"
    assert found.numbers["largest_change_percent_at_20"] == pytest.approx(0.8), "at the sparsest level"
    at_bound = with_unsteadiness(SMALL_CHANGE_PERCENT, 2, 40.0)
    assert put("LN-C05", at_bound).verdict == "reproduced"
    above = put("LN-C05", with_unsteadiness(SMALL_CHANGE_PERCENT + 0.01, 2, 40.0))
    assert above.verdict == "not reproduced" and "1.01 at 40 % noise (level 2)" in above.reason


def test_rest_is_undecided_where_a_level_or_a_noise_level_is_missing():
    table = made_up_epochs.table()
    gone = (table.quantities["quantity"] == UNSTEADINESS) & (table.quantities["level"] == 3)
    found = put("LN-C05", dataclasses.replace(table, quantities=table.quantities[~gone]))
    assert found.verdict == "undecided" and "not every level" in found.reason
    found = put("LN-C05", made_up_epochs.table(benchmark=CIFAR10))
    assert found.verdict == "undecided" and "missing noise level 80 %" in found.reason


def test_noisy_examples_must_be_given_up_first():
    found = put("LN-C06", made_up_epochs.table())
    assert found.verdict == "reproduced" and "this benchmark's own levels" in found.reason
    assert found.numbers["train_noisy_fall_percent_at_20"] == pytest.approx(35.0)
    assert found.numbers["train_original_fall_percent_at_20"] == pytest.approx(2.0)
    assert (found.numbers["overfitting_level_at_20"], found.numbers["sweet_spot_level_at_20"]) == (1, 2)
    found = put("LN-C06", changed("train_original", 2, 36.0))
    assert found.verdict == "not reproduced", "the falls are equal"
    assert put("LN-C06", changed("train_original", 2, 35.0)).verdict == "reproduced"
    assert put("LN-C06", changed("train_original", 2, 90.0, noise=40.0)).verdict == "reproduced", (
        "MNIST: 20 %"
    )


def test_each_benchmark_is_read_at_the_noise_of_its_figure():
    cifar = made_up_epochs.table(benchmark=CIFAR100)
    assert "at 40 % noise (level 1 to 2)" in put("LN-C06", cifar).reason
    found = put("LN-C06", changed("train_original", 2, 90.0, noise=40.0, table=cifar))
    assert found.verdict == "not reproduced"
    assert "at 20 %" in put("LN-C07", made_up_epochs.table(benchmark=CIFAR10)).reason


def test_a_sweet_spot_at_the_first_level_leaves_no_interval():
    table = changed("test", 1, 1.0)
    found = put("LN-C06", table)
    assert found.verdict == "undecided" and "no level lies between" in found.reason


def test_restored_examples_must_gain_at_the_last_sweet_spot():
    found = put("LN-C07", made_up_epochs.table())
    assert found.verdict == "reproduced"
    assert found.numbers["restored_minus_dense_error_percent_at_20"] == pytest.approx(20.0 - 70.0)
    assert put("LN-C07", changed("train_restored", 3, 70.0)).verdict == "not reproduced"
    assert put("LN-C07", changed("train_restored", 3, 80.0)).verdict == "not reproduced"
    assert put("LN-C07", changed("train_restored", 2, 80.0)).verdict == "reproduced", (
        "the best one is not read"
    )


@pytest.mark.parametrize("claim", CLAIMS)
def test_two_replicates_decide_nothing(claim):
    found = put(claim, made_up_epochs.table(seeds=(0, 1)))
    assert found.verdict == "undecided" and "too few replicates" in found.reason and found.numbers


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_table_does_not_hold_is_not_run(claim):
    table = made_up_epochs.table()
    others = table.quantities[~table.quantities["quantity"].isin([BEST, UNSTEADINESS])]
    cases = [
        dataclasses.replace(table, quantities=others),
        dataclasses.replace(table, frame=table.frame.assign(algorithm="weight_rewinding_random")),
        dataclasses.replace(table, frame=table.frame.query("subset == 'train'")),
        dataclasses.replace(table, frame=table.frame.assign(noise_percent=0.0)),
        made_up_epochs.table(benchmark="cifar10-resnet20"),
    ]
    assert [put(claim, one).verdict for one in cases] == ["not run"] * len(cases)
