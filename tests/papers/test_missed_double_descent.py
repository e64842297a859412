"""The rise that each way of looking shows, on made-up tables."""

import pytest

from papers.label_noise.missed_double_descent import PAGE, chains, peak_above_dense, peaks_table
from tests.charts import made_up_noise

WR = "weight_rewinding"


def test_the_rise_is_the_highest_error_before_the_lowest():
    """Level means at 20 % noise are 15, 16, 20, 26, 18, 8, 14, 45: the peak is level 3; every 2nd level finds 20."""
    table = made_up_noise.table()
    assert peak_above_dense(table, WR, 20.0).tolist() == pytest.approx([11.0] * 3)
    # Of 0, 2, 4, 6 the lowest is level 6 (14), so that level 2 (20) is the highest before it.
    assert peak_above_dense(table, WR, 20.0, every=2).tolist() == pytest.approx([5.0] * 3)
    # Of 0 and 4, nothing lies before the lowest.
    assert peak_above_dense(table, WR, 20.0, every=4).tolist() == [0.0] * 3


def test_the_table_says_whether_a_rise_is_seen():
    found = peaks_table([made_up_noise.table(names=(WR, "fine_tuning"))]).query("`label noise` == '20 %'")
    assert found["a rise is seen"].tolist() == ["yes", "yes", "no", "yes"]
    assert found["algorithm"].tolist() == ["weight rewinding"] * 3 + ["fine-tuning"]
    assert found["levels"].tolist() == ["all", "every 2nd", "every 4th", "all"]
    few = peaks_table([made_up_noise.table(names=(WR,), seeds=(0, 1))])
    assert set(few["a rise is seen"]) == {"undecided"}


def test_fine_tuning_takes_the_last_quarter_of_the_schedule():
    plan = PAGE.plans("cifar10-resnet18", "paper")
    rewinding, tuning = chains(plan)
    assert [(s.from_epoch, s.to_epoch) for s in tuning.stages[2:]] == [(120, 160)] * plan.levels
    assert rewinding.stages[:2] == tuning.stages[:2]
