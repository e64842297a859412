"""What TR prints of its groups of examples, beside made-up measurements."""

import math

import pytest

from papers.training_regularization.group_comparison import (
    SPARSITY,
    effect_ratios,
    highest_improving_sparsity,
    without_noise,
)
from tests.papers.test_group_claims import HELPED, LENET, RESNET, clean, table


def test_the_printed_sparsity_of_resnet_20():
    (row,) = highest_improving_sparsity(table(clean(HELPED), RESNET)).to_dict("records")
    assert (row["printed_mean"], row["measured_mean"], row["replicates"]) == (83.22, 92.0, 3)
    assert row["difference"] == pytest.approx(92.0 - 83.22)
    (row,) = highest_improving_sparsity(table(clean(HELPED), LENET)).to_dict("records")
    assert math.isnan(row["printed_mean"]) and row["measured_mean"] == 92.0
    (row,) = highest_improving_sparsity(table(clean((9.5, 0, 0), (9.5, 0, 0)), RESNET)).to_dict("records")
    assert math.isnan(row["measured_mean"]) and row["replicates"] == 0


def test_errors_without_noise_and_the_sparsity_in_one_table():
    both = without_noise(table(clean(HELPED), LENET))
    assert set(both["quantity"]) == {
        "test_error_percent_dense",
        "test_error_percent_optimal_learning_rate_rewinding",
        SPARSITY,
    }
    assert set(both["noise_percent"]) == {0}


def test_the_ratios_are_put_into_words():
    said = effect_ratios([table(clean((7.0, -0.1, -0.5)), LENET), table(clean((9.5, 0, 0)), LENET)])
    assert said.startswith(
        "Printed: 3.5 to 71, over five networks. Measured: 4.64 (mnist-lenet, paper scale); "
    )
    noisy = table({("learning_rate_rewinding", 60): [(9.0, 0, 0), HELPED]}, RESNET)
    assert "nothing was measured without noise" in effect_ratios([noisy])
    dense = effect_ratios([table(clean((9.5, 0, 0), (9.5, 0, 0)), LENET)])
    assert "the dense network is best" in dense
