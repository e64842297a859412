import math

import numpy
import pandas
import pytest

from lib.charts.data import average, checked, named, natural_bounds, spoken
from lib.charts.notes import source_note
from lib.errors import InputError
from tests.charts import made


def test_names_are_said_with_their_units():
    assert spoken("noise_percent") == "label noise (%)" and spoken("loss_nats") == "loss (nats)"
    assert named("noise_percent", 15.0) == "15 %" and named("level", 3) == "3"


def test_replicates_are_averaged_and_a_single_one_has_no_spread():
    found = average(checked(made.rows({0: [2.0, 4.0, 6.0], 1: [5.0]}), []), ["table", "level"])
    assert found["mean"].tolist() == [4.0, 5.0] and found["n"].tolist() == [3, 1]
    assert found["std"][0] == 2.0 and found["values"][0] == [2.0, 4.0, 6.0] and found["seeds"][0] == [0, 1, 2]
    assert found.loc[1, ["std", "low", "high"]].isna().all(), "not 0 (A18)"


@pytest.mark.parametrize(
    "quantity, values, low, high",
    [
        ("test error (%)", [0.0, 3.0], 0.0, None),
        ("best test error (%)", [99.0, 96.0, 100.0], None, 100.0),
        ("training loss (nats)", [0.0, 0.5], 0.0, None),
        ("loss change by pruning (nats)", [0.0, 0.5], None, None),
        ("distance from initialization", [0.0, 9.0], None, None),
    ],
)
def test_bands_are_clipped_at_what_a_quantity_cannot_leave(quantity, values, low, high):
    (found,) = average(checked(made.rows({0: values}, quantity=quantity), []), ["table"]).to_dict("records")
    mean, std = numpy.mean(values), numpy.std(values, ddof=1)
    assert found["low"] == pytest.approx(mean - std if low is None else low)
    assert found["high"] == pytest.approx(mean + std if high is None else high)
    assert natural_bounds("difference in test error (%)") == (None, None)


def test_each_quantity_has_its_own_bounds():
    both = made.together(made.rows({0: [0.0, 3.0]}), made.rows({0: [0.0, 3.0]}, quantity="distance"))
    found = average(checked(both, []), ["quantity"]).set_index("quantity")["low"]
    assert found["test error (%)"] == 0.0 and found["distance"] < 0.0


def test_what_is_not_finite_enters_no_mean():
    found = average(checked(made.rows({0: [2.0, math.nan, math.inf]}), []), ["table", "level"])
    assert found["mean"].tolist() == [2.0] and found["n"].tolist() == [1]
    with pytest.raises(InputError, match="diverged"):
        average(checked(made.rows({0: [math.nan]}), []), ["table", "level"])


def test_two_values_of_a_seed_at_one_point_are_refused_with_the_column_to_choose_by():
    both = made.together(made.rows({0: [1.0]}), made.rows({0: [2.0]}, algorithm="weight rewinding"))
    with pytest.raises(InputError, match="'algorithm'"):
        average(checked(both, []), ["table", "level"])


def test_no_rows_and_unknown_columns_are_refused():
    with pytest.raises(InputError, match="no rows"):
        checked(pandas.DataFrame(), [])
    with pytest.raises(InputError, match="Did you mean 'level'"):
        checked(made.rows({0: [1.0]}), ["levle"])


def test_tables_of_several_benchmarks_are_told_apart():
    both = made.together(made.rows({0: [1.0]}), made.rows({0: [1.0]}, benchmark="cifar10-vgg16"))
    assert set(checked(both, [])["table"]) == {f"mnist-lenet, {made.LABEL}", f"cifar10-vgg16, {made.LABEL}"}


def test_a_number_of_all_runs_has_its_own_interval_and_its_note_counts_runs():
    rows = made.rows({0: [-0.8], 1: [-0.5]}).assign(low=[-0.9, -0.7], high=[-0.6, -0.2], runs=[30, 29])
    found = average(rows, ["level"])
    assert found[["low", "mean", "high"]].to_numpy().tolist() == [[-0.9, -0.8, -0.6], [-0.7, -0.5, -0.2]]
    assert found["std"].isna().all()
    assert source_note(rows, ["table"], [])[made.LABEL].endswith(": 29 to 30 runs.")
