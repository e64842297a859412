"""How near measured numbers come to printed ones: each counts once, by rules that a table made by hand can check."""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false

import numpy
import pytest

from lib.analysis.table import find_tables
from papers.training_regularization import figures, observations
from papers.training_regularization.agreement import (
    BY_CHANCE,
    NETWORK,
    WHY,
    agreement,
    expected_share,
    outliers,
    printed_once,
    shares,
)
from papers.training_regularization.names import LRR, NOISY_LOSS, TEST, VALIDATION
from tests.papers.claim_tables import table

SMALL = [9.0, 7.0, 8.0]


def measured(errors: list[float], noise: float = 10.0, step: float = 0.0, **more):
    return table({(LRR, noise): {TEST: errors, VALIDATION: errors, **more}}, step=step)


def test_each_network_and_quantity_counts_once_with_the_most_digits():
    numbers = printed_once()
    assert not numbers.duplicated(NETWORK).any()
    dense = numbers.query("benchmark == 'mnist-lenet' and level == 'dense' and quantity == @TEST and algorithm == @LRR")
    assert dense.set_index("noise_percent")["mean"].to_dict() == {0.0: 2.1, 5.0: 5.35, 10.0: 9.08, 15.0: 13.4}
    assert dense.set_index("noise_percent")["table_number"].to_dict() == {0.0: 6, 5.0: 8, 10.0: 8, 15.0: 8}
    losses = numbers.query("benchmark == 'mnist-lenet' and quantity == @NOISY_LOSS and noise_percent == 15")
    assert losses.set_index("level")["least"].to_dict() == {"dense": 0.005, "optimum": 0.17}, "0.59 ± 0.00 was rounded"


def test_the_expected_share_is_that_of_draws():
    drawn = numpy.random.default_rng(1).normal(size=(200_000, 8))
    printed, ours = drawn[:, :3], drawn[:, 3:]
    z = abs(ours.mean(1) - printed.mean(1)) / printed.std(1, ddof=1)
    for limit in (1, 2):
        assert expected_share(limit, 5) == pytest.approx((z <= limit).mean(), abs=0.005)
    assert expected_share(1, 3) == pytest.approx(0.655, abs=0.001)


def test_a_number_by_hand():
    found = agreement([measured([9.29, 7.0, 8.0])]).set_index("level")
    assert found.loc["dense", "z"] == pytest.approx((9.29 - 9.08) / 0.21)
    assert found.loc["optimum", "z"] == pytest.approx((7.0 - 7.57) / 0.35)
    counted = shares(found.reset_index()).set_index("network")
    assert counted.loc["all", ["numbers", "within 1", "within 2"]].tolist() == [2, 1, 2]
    assert counted.loc["all", "mean difference"] == pytest.approx((0.21 - 0.57) / 2)


def test_an_outlier_names_the_size_at_which_the_printed_number_was_measured():
    tables = [measured(SMALL, **{NOISY_LOSS: [0.53, 4.2, 3.85]}, step=0.001)]
    found = outliers(tables, agreement(tables)).set_index("quantity")
    assert found.index.tolist() == [NOISY_LOSS]
    assert found.loc[NOISY_LOSS, "measured so at"] == "8 % of the weights, not 50 %"
    assert found.loc[NOISY_LOSS, "printed"] == "3.83 ± 0.06"


def test_what_few_runs_cannot_tell_apart_is_not_open():
    tables = [measured([5.9, 5.21, 6.0], noise=5.0, step=0.0)]
    wide = [measured([5.9, 5.21, 6.0], noise=5.0, step=0.0)]
    wide[0].frame.loc[lambda f: (f["quantity"] == TEST) & (f["level"] == 0) & (f["seed"] == 0), "value"] -= 1.2
    wide[0].frame.loc[lambda f: (f["quantity"] == TEST) & (f["level"] == 0) & (f["seed"] == 2), "value"] += 1.2
    assert outliers(tables, agreement(tables))["what was found"].tolist() == ["open"]
    assert outliers(wide, agreement(wide))["what was found"].tolist() == [BY_CHANCE]


def test_only_the_papers_own_scale_counts_and_without_it_the_page_says_so():
    laptop = table({(LRR, 10.0): {TEST: SMALL, VALIDATION: SMALL}}, scale="laptop")
    assert agreement([laptop]).empty and shares(agreement([laptop])).empty and outliers([], agreement([])).empty
    for module in (figures, observations):
        for name in ("measured_against_printed", "printed_deviations"):
            assert "Nothing to" in getattr(module, name)([laptop]).data


def test_committed_tables_are_seen_and_every_outlier_is_looked_into():
    tables = [one for one in find_tables("training_regularization") if one.origin == "committed"]
    found = agreement(tables)
    assert len(found) >= 20 and found["z"].notna().all()
    assert set(outliers(tables, found)["what was found"]) <= {BY_CHANCE, *WHY.values()}
    said = observations.measured_against_printed(tables).data
    assert f"Of {(found['quantity'] == TEST).sum()} numbers (test error)" in said and "nan" not in said
