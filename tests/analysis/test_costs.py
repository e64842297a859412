"""Tables of costs are read whole or refused with what to do."""

import json
from pathlib import Path

import pytest

from lib.analysis import costs
from lib.errors import InputError
from tests.charts import made_up_costs as made_up


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made_up.write(tmp_path / "book" / "costs", **made_up.EVERYTHING)


def replace(folder: Path, name: str, old: str, new: str):
    path = folder / name
    assert old in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")


def test_tables_are_read_in_a_fixed_order_with_types(folder: Path):
    (folder / ".pages_cpu.csv").write_text("being written", "utf-8")
    found = costs.read(folder)
    assert [(one.part, one.device_type) for one in found] == [
        ("epochs", "cpu"), ("epochs", "cuda"), ("paths", "cpu"), ("precision", "cpu"), ("other", "cpu"), ("pages", "cpu"),
    ]  # fmt: skip
    first = found[0].rows[0]
    assert first["replicates"] == 1 and isinstance(first["replicates"], int)
    assert first["seconds_per_replicate_epoch"] == 5.3 and first["floor"] == "operations"
    assert found[0].rows[-1]["floor_seconds"] is None
    assert found[0].source.device == "2 CPU cores (a model)" and len(found[0].source.notes) == 2


def test_a_folder_that_is_not_there_has_no_tables(tmp_path: Path):
    assert costs.read(tmp_path / "costs") == []


def test_every_column_that_names_a_row_exists():
    assert set(costs.KEYS) == set(costs.PARTS)
    assert all(set(key) <= set(costs.PARTS[part]) for part, key in costs.KEYS.items())


def test_a_missing_column_is_named_with_what_is_needed(folder: Path):
    replace(folder, "paths_cpu.csv", "left_out_seconds", "left_out")
    with pytest.raises(
        InputError, match="book/costs/paths_cpu.csv lacks the columns left_out_seconds; it has network"
    ) as error:
        costs.read(folder)
    assert "python -m lib.benchmark paths --write" in str(error.value)


@pytest.mark.parametrize(
    "name, message",
    [
        (
            "epochs_gpu",
            "unknown device type in the name of book/costs/epochs_gpu.csv: 'gpu'.* Allowed: cpu, cuda, mps",
        ),
        ("epoch_cpu", "unknown part .* 'epoch'. Did you mean 'epochs'"),
        ("notes", "unknown part .* 'notes'.* Allowed: epochs, other, pages, paths, precision"),
    ],
)
def test_an_unknown_file_is_refused(folder: Path, name: str, message: str):
    (folder / f"{name}.csv").write_text("", "utf-8")
    with pytest.raises(InputError, match=message):
        costs.read(folder)


@pytest.mark.parametrize("ending, other", [("csv", "json"), ("json", "csv")])
def test_half_a_table_is_refused(folder: Path, ending: str, other: str):
    (folder / f"other_cpu.{ending}").unlink()
    with pytest.raises(InputError, match=f"other_cpu.{ending} is missing.*python -m lib.benchmark other"):
        costs.read(folder)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('"5.3"', '"fast"', "row 1: seconds_per_replicate_epoch is 'fast'; it must be a number above 0"),
        ('"5.3"', '"-1"', "it must be a number above 0"),
        ('"5.3"', '"nan"', "it must be a number above 0"),
        ('"1","5.3"', '"1.5","5.3"', "replicates is '1.5'; it must be a whole number"),
        ('"bfloat16"', '"bf16"', "unknown precision in .*, row 3: 'bf16'. Did you mean 'bfloat16'"),
        ('"this book"', '"the book"', "unknown variant .* Allowed: conventional loop, this book"),
        ('"bytes"', '"memory"', "unknown floor .* Allowed: , bytes, operations"),
        ('"mnist-lenet"', '""', "row 1: benchmark is empty"),
        ('"bfloat16","1"', '"float32","1"', "two rows for mnist-lenet, this book, float32, 1"),
    ],
)
def test_a_wrong_cell_is_named(folder: Path, old: str, new: str, message: str):
    replace(folder, "epochs_cpu.csv", old, new)
    with pytest.raises(InputError, match=message):
        costs.read(folder)


def test_an_incomplete_description_is_refused(folder: Path):
    about = json.loads((folder / "epochs_cpu.json").read_text("utf-8"))
    del about["threads"]
    (folder / "epochs_cpu.json").write_text(json.dumps(about), "utf-8")
    with pytest.raises(
        InputError,
        match="epochs_cpu.json does not say .* needs device, threads, versions, date, command, notes",
    ):
        costs.read(folder)
    (folder / "epochs_cpu.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match="epochs_cpu.json"):
        costs.read(folder)


def test_an_empty_table_is_refused(folder: Path):
    path = folder / "other_cpu.csv"
    path.write_text(path.read_text("utf-8").splitlines()[0], "utf-8")
    with pytest.raises(InputError, match="has no rows"):
        costs.read(folder)


@pytest.mark.parametrize(
    "value, text", [(0.0123456, "0.0123"), (9.8, "9.8"), (19.64, "19.6"), (4321.4, "4,321"), (0, "0")]
)
def test_numbers_have_three_digits_that_count(value: float, text: str):
    assert costs.significant(value) == text
