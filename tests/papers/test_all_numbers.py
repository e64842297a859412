"""Every printed number beside every measured one: none twice, none left out, all of it in the CSV."""

import dataclasses
import io

import pandas
import pytest

from lib.analysis.printed import printed
from lib.analysis.tables import Origin
from papers.training_regularization.all_numbers import (
    LONG,
    PRINTED,
    Sources,
    cells,
    counts,
    csv_text,
    long_table,
    source_name,
    sources,
)
from tests.analysis.hand_made import chain, make

LRR, EDT, WR = "learning_rate_rewinding", "extended_dense_training", "weight_rewinding"
FILES = {
    5: "table_05_lr_vs_edt",
    6: "table_06_sparse_vs_dense",
    7: "table_07_lr_vs_width_downscaling",
    8: "table_08_dense_subset",
    9: "table_09_weight_vs_lr_rewinding",
    10: "table_10_weight_selection",
    11: "table_11_train_loss_partitions",
}


def measured(page, scale="laptop", algorithms=(LRR, EDT), origin: Origin = "committed", dense=9.0):
    chains = {(name, noise): chain([dense, 7.0]) for name in algorithms for noise in (0.0, 5.0, 10.0, 15.0)}
    table = make(chains, scale=scale, origin=origin)
    return dataclasses.replace(table, provenance=table.provenance.model_copy(update={"page": page}))


def test_without_a_measurement_every_printed_number_is_listed_once_as_not_measured():
    found = long_table([])
    assert list(found.columns) == list(LONG)
    for one in PRINTED:
        own = found[found["table"] == one.number]
        record = printed("training_regularization", FILES[one.number])
        assert sorted(own["printed_mean"]) == sorted(record["mean"].astype("float64"))
    assert set(found["replicates"]) == {0} and set(found["scale"]) == {""}
    _, rows = cells(found)
    assert {row[-2] for row in rows} == {"not measured"} and {row[-1] for row in rows} == {"–"}


def test_a_measured_number_takes_the_place_of_the_missing_one():
    nothing, table = long_table([]), measured("pruning_and_longer_training")
    found = long_table([table])
    assert len(found) == len(nothing)
    own = found.query("table == 5 and benchmark == 'mnist-lenet' and noise_percent == 15")
    assert set(own["algorithm"]) == {LRR, EDT} and set(own["replicates"]) == {3}
    assert set(own["quantity"]) == {"test_error_optimal"}
    assert set(own["source_table"]) == {"pruning_and_longer_training/mnist-lenet_laptop, committed"}
    dense = found.query("table == 6 and algorithm == 'dense' and replicates == 3")
    assert list(dense["quantity"]) == ["test_error"] * 4
    assert dense["measured_mean"].tolist() == pytest.approx([9.0] * 4)
    weight = found.query(f"table == 9 and benchmark == 'mnist-lenet' and algorithm == '{WR}'")
    assert set(weight["replicates"]) == {0}, "the table has no weight rewinding"


def test_a_dense_network_on_chosen_examples_is_not_the_dense_network():
    own = long_table([]).query("table == 8 and benchmark == 'mnist-lenet' and noise_percent == 5")
    assert set(zip(own["algorithm"], own["quantity"], strict=True)) == {
        (LRR, "test_error_optimal"),
        ("dense", "test_error"),
        ("correct_examples_only", "test_error_optimal"),
        ("correct_examples_only", "test_error_at_0_sparsity"),
    }


def test_equal_numbers_of_two_pages_are_listed_once_and_other_ones_twice():
    first, second = measured("pruning_and_longer_training"), measured("additional_regularization")
    assert len(long_table([first, second])) == len(long_table([first]))
    here = measured("pruning_and_longer_training", origin="this machine", dense=8.0)
    both = long_table([first, here]).query(
        "table == 6 and algorithm == 'dense' and benchmark == 'mnist-lenet'"
    )
    assert both["measured_mean"].tolist() == pytest.approx([9.0, 8.0] * 4)
    scales = long_table([first, measured("pruning_and_longer_training", "paper")])
    own = scales.query(f"table == 5 and algorithm == '{LRR}' and benchmark == 'mnist-lenet'")
    assert own["scale"].tolist() == ["paper", "laptop"] * 3


def test_the_file_has_every_row_and_column():
    found = long_table([measured("pruning_and_longer_training")])
    back = pandas.read_csv(io.StringIO(csv_text(found)))
    assert list(back.columns) == list(LONG) and len(back) == len(found)
    assert len(back.dropna(subset=["measured_mean"])) == len(found.query("replicates > 0"))


def test_counts_and_cells_are_text_for_a_reader():
    found = long_table([measured("pruning_and_longer_training")])
    row = counts(found).query("table == '5'").iloc[0]
    assert (row["printed"], row["measured, laptop"]) == ("26", "6")
    heads, rows = cells(found)
    first = dict(zip(heads, rows[0], strict=True))
    assert first["algorithm"] == "learning-rate rewinding" and first["printed"] == "5.21 ± 0.08"
    assert first["measured"].startswith("7.00 ± ") and first["difference"] == "+1.79"


def test_sources_are_those_of_today(tmp_path):
    found = sources("laptop")
    assert all(t.provenance.scale in ("laptop", "paper") for t in found.current + found.stale)
    assert sources("laptop", tmp_path) == Sources([], [])
    assert sources("laptop", tmp_path).note == "Measured tables read: none yet."
    old = measured("additional_regularization")
    assert f"has changed since: {source_name(old)}" in Sources([], [old]).note
