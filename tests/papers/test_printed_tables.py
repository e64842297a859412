"""Every printed number beside every measured one: none twice, none left out, all of it in the CSV."""

import io

import pandas
import pytest

from lib.analysis.levels import chosen_level
from lib.analysis.printed import printed
from lib.analysis.table import find_tables, values
from lib.scales import SCORED
from papers.training_regularization.names import DS, EDT, LRR, NOISY_LOSS, OVERLAP, TEST, WD
from papers.training_regularization.printed_tables import (
    LONG,
    PAPER,
    PLACE,
    TABLES,
    beside,
    counts,
    csv_text,
    measured,
    printed_numbers,
    printed_verdicts,
    sources,
    text_cells,
)

LENET = "mnist-lenet"
APPENDIX_M = (5, 6, 7, 8, 9, 10, 11)


@pytest.fixture(scope="module")
def laptop():
    return next(one for one in find_tables(PAPER, LENET, "laptop") if one.origin == "committed")


@pytest.fixture(scope="module")
def numbers() -> pandas.DataFrame:
    return beside([one for one in find_tables(PAPER) if one.origin == "committed"], printed_numbers(*APPENDIX_M))


def test_every_printed_number_is_read_once():
    for number, (file, _) in TABLES.items():
        found, record = printed_numbers(number), printed(PAPER, file)
        record = record[~record["metric"].isin(["upper_bound_of_std", "jaccard_baseline"])]
        assert sorted(found["mean"]) == sorted(record["mean"].astype("float64"))
        assert not found.duplicated(PLACE).any()


def test_without_a_measurement_every_printed_number_is_listed_as_not_measured():
    found = beside([], printed_numbers(*APPENDIX_M))
    assert list(found.columns) == list(LONG) and len(found) == len(printed_numbers(*APPENDIX_M))
    assert set(found["replicates"]) == {0} and set(found["scale"]) == {""}
    cells = text_cells(found)
    assert set(cells["scale"]) == {"not measured"} and set(cells["difference"]) == {"–"}


def test_measured_numbers_are_those_of_the_table(laptop):
    where = {"algorithm": LRR, "noise_percent": 15.0}
    best = chosen_level(laptop, "optimum", **where)
    own = values(laptop, TEST, **where)
    assert measured(laptop, TEST, level="optimum", **where).tolist() == own[best].tolist()
    losses = values(laptop, NOISY_LOSS, **where)
    change = measured(laptop, NOISY_LOSS, level="optimum minus dense", **where)
    assert change.tolist() == (losses[best] - losses[0]).tolist()
    assert len(measured(laptop, OVERLAP, "one-shot pruning", 15.0, "best smaller")) == 3
    assert measured(laptop, TEST, "no such algorithm", 15.0, "optimum").empty


def test_measured_ones_take_the_place_of_missing_ones_at_every_scale(numbers, laptop):
    own = numbers[(numbers["table_number"] == 6) & (numbers["benchmark"] == LENET)]
    dense = own[(own["level"] == "dense") & (own["noise_percent"] == 15)]
    assert dense["scale"].tolist() == ["paper", "laptop"] and set(dense["printed_mean"]) == {13.4}
    [paper] = [one for one in find_tables(PAPER, LENET, "paper") if one.origin == "committed"]
    ours = [values(table, TEST, algorithm=LRR, noise_percent=15.0)[0].mean() for table in (paper, laptop)]
    assert dense["measured_mean"].tolist() == pytest.approx(ours)
    other = numbers[(numbers["benchmark"] == "imagenet-resnet50") & (numbers["table_number"] == 5)]
    assert set(other["replicates"]) == {0} and set(other["algorithm"]) == {LRR, EDT}
    assert not other.duplicated(["algorithm", "level", "noise_percent"]).any(), "measured at no scale: listed once"


def test_a_dense_network_on_chosen_examples_is_not_the_dense_network():
    own = printed_numbers(8).query("benchmark == @LENET and noise_percent == 5")
    assert set(own["network"]) == {f"{LRR}, optimum", "dense", f"{DS}, optimum", f"{DS}, dense"}


def test_equal_numbers_are_listed_once(laptop):
    asked = printed_numbers(5)
    assert len(beside([laptop, laptop], asked)) == len(beside([laptop], asked))


def test_the_file_has_every_row_and_column(numbers):
    back = pandas.read_csv(io.StringIO(csv_text(numbers)))
    assert list(back.columns) == ["table" if name == "table_number" else name for name in LONG]
    assert len(back) == len(numbers)
    assert len(back.dropna(subset=["measured_mean"])) == (numbers["replicates"] > 0).sum()


def test_counts_and_cells_are_text_for_a_reader(numbers):
    row = counts(numbers).set_index("table").loc["5"]
    at_laptop = numbers[(numbers["table_number"] == 5) & (numbers["scale"] == "laptop")]
    assert (row["printed"], row["measured, paper"]) == ("26", "6")
    assert row["measured, laptop"] == str(len(at_laptop.drop_duplicates([one for one in PLACE if one in at_laptop])))
    cells = text_cells(numbers).query("benchmark == @LENET and scale == 'laptop'").iloc[0]
    assert (cells["network"], cells["printed"]) == (f"{LRR}, optimum", "5.21 ± 0.08")
    [row] = numbers.query("benchmark == @LENET and scale == 'laptop'").head(1).to_dict("records")
    assert cells["measured"].startswith(f"{row['measured_mean']:.2f}")
    assert cells["difference"] == f"{row['measured_mean'] - row['printed_mean']:+.2f}".replace("-", "−")


def test_sources_are_those_of_today():
    tables, note = sources("laptop")
    assert {"laptop", "paper"} <= {table.scale for table in tables} <= set(SCORED)
    assert note.startswith("Measured tables read: ") and "Left out" not in note


def test_print_decides_some_cases():
    verdicts = {
        name: printed_verdicts(7, WD, LRR, name)[0.0]
        for name in (LENET, "cifar10-resnet20", "cifar10-vgg16", "cifar100-resnet32", "imagenet-resnet50")
    }
    assert verdicts.pop(LENET) == {"match"}
    assert all("higher" in found for found in verdicts.values()), "the four of TR-C20"
