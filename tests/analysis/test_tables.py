"""Tables: bit-for-bit round trip, whole files, clear errors, and the two places they are found in."""

import json
import math
import sys

import numpy
import pandas
import pytest

from lib.analysis import files
from lib.analysis.schema import tidy
from lib.analysis.tables import COLUMNS, Table, find, read, write
from lib.errors import InputError
from tests.analysis.hand_made import LRR, chain, make, provenance


@pytest.fixture
def table() -> Table:
    return make({(LRR, 0): chain([2.0, 1.5]), (LRR, 15): chain([9.0, 7.0], [0.5, 3.0], [0.1, 0.4])})


def test_round_trip_is_bit_for_bit(table, tmp_path):
    hard = [0.1 + 0.2, 1 / 3, math.nextafter(7.0, 8.0), 5e-324, sys.float_info.max, math.nan, math.inf, 1e22]
    losses = table.frame["cross_entropy_nats"].to_numpy().copy()
    losses[: len(hard)] = hard
    frame = table.frame.assign(cross_entropy_nats=losses, diverged=[True, False] * (len(losses) // 2))
    path = write(Table(frame, table.provenance), tmp_path, "mnist-lenet_paper")
    back = read(path)
    pandas.testing.assert_frame_equal(back.frame, frame, check_exact=True)
    assert back.frame["cross_entropy_nats"].to_numpy().tobytes() == losses.tobytes()
    assert back.provenance == table.provenance
    assert list(back.frame.columns) == list(COLUMNS)
    first = path.read_bytes()
    assert write(back, tmp_path, "again").read_bytes() == first
    assert b"\r" not in first


def test_random_floats_survive(table, tmp_path):
    bits = numpy.random.default_rng(0).integers(0, 2**63, len(table.frame), dtype="uint64")
    losses = numpy.nan_to_num(bits.view("float64"), nan=1.0)
    path = write(Table(table.frame.assign(cross_entropy_nats=losses), table.provenance), tmp_path, "t")
    assert read(path).frame["cross_entropy_nats"].to_numpy().tobytes() == losses.tobytes()


def test_a_failed_write_leaves_the_old_table_and_no_litter(table, tmp_path, monkeypatch):
    path = write(table, tmp_path, "t")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full_disk)
    changed = Table(table.frame.assign(epochs_trained=7), table.provenance)
    with pytest.raises(OSError, match="No space left"):
        write(changed, tmp_path, "t")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    monkeypatch.undo()
    write(changed, tmp_path, "t")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["t.csv", "t.json"]
    assert set(read(path).frame["epochs_trained"]) == {7}


def test_a_kill_between_the_renames_leaves_no_mixed_pair(table, tmp_path, monkeypatch):
    place = tmp_path / "runs" / "tables" / "training_regularization" / "additional_regularization"
    write(table, place, "mnist-lenet_paper")
    replaced = []

    def killed_after_one(self, target):
        if replaced:
            raise KeyboardInterrupt
        replaced.append(target)
        return original(self, target)

    original = files.Path.replace
    monkeypatch.setattr(files.Path, "replace", killed_after_one)
    with pytest.raises(KeyboardInterrupt):
        write(table, place, "mnist-lenet_paper")
    monkeypatch.undo()
    assert [file.name for file in place.iterdir()] == ["mnist-lenet_paper.csv"]
    assert find("training_regularization", None, None, tmp_path) == []


BROKEN = [
    (lambda text: text.replace("seed,", "sead,", 1), r"t\.csv: unknown column 'sead'. Did you mean 'seed'"),
    (lambda text: text.replace("diverged", "diverged,extra", 1), "t.csv"),
    (lambda text: "", "t.csv is not a CSV table"),
    (
        lambda text: "\n".join(line.rsplit(",", 1)[0] for line in text.split("\n")),
        "missing columns stage_key",
    ),
    (lambda text: text[:-20], "t.csv, row 20"),
    (lambda text: text.replace(",test,", ",tset,", 1), "unknown subset 'tset'. Did you mean 'test'"),
    (lambda text: text.replace(LRR, "learning_rate_rewind", 1), "Did you mean 'learning_rate_rewinding'"),
    (lambda text: text.replace(",False,", ",no,", 1), "row 1, column 'diverged': 'no' is not True or False"),
    (
        lambda text: text.replace(",100.0,", ",100.0.0,", 1),
        "column 'weights_remaining_percent': .* not a number",
    ),
    (
        lambda text: text.replace(",100.0,", ",130.0,", 1),
        "row 1: weights_remaining_percent 130.0 is outside 0 to 100",
    ),
    (lambda text: text.replace(",60,", ",60.5,", 1), "column 'epochs_trained': '60.5' is not a whole number"),
    (lambda text: text + text.split("\n")[1] + "\n", "row 21: these were already given"),
    (lambda text: text.replace("mnist-lenet,", "mnist-lenett,", 1), "does not fit its provenance"),
]


@pytest.mark.parametrize(("damage", "message"), BROKEN)
def test_a_malformed_csv_is_refused_with_a_clear_error(table, tmp_path, damage, message):
    path = write(table, tmp_path, "t")
    rows = path.read_text().rstrip("\n").split("\n")
    path.write_text(damage("\n".join(rows[:21]) + "\n"))
    with pytest.raises(InputError, match=message):
        read(path)


def test_a_malformed_provenance_is_refused(table, tmp_path):
    path = write(table, tmp_path, "t")
    beside = path.with_suffix(".json")
    for change in (
        {"scale": "huge"},
        {"unknown": 1},
        {"recipe_hash": "not hex"},
        {"seeds": "all"},
        {"store_keys": -1},
    ):
        beside.write_text(json.dumps(json.loads(table.provenance.model_dump_json()) | change))
        with pytest.raises(InputError, match=r"t\.json is not a provenance"):
            read(path)
    beside.unlink()
    with pytest.raises(FileNotFoundError, match=r"t\.json"):
        read(path)


def test_rows_that_do_not_fit_are_refused():
    row = make({(LRR, 0): chain([2.0])}).frame.iloc[0].to_dict()
    with pytest.raises(InputError, match="missing columns seed"):
        tidy([{name: value for name, value in row.items() if name != "seed"}])
    with pytest.raises(InputError, match="do not fit"):
        tidy([row | {"level": "dense"}])
    frame = tidy([row]).astype({"level": "float64"})
    with pytest.raises(InputError, match="column 'level' has type float64, it must be int64"):
        write(Table(frame, provenance()), "unused", "t")
    with pytest.raises(InputError, match="seed 9 is not one of"):
        write(Table(tidy([row | {"seed": 9}]), provenance()), "unused", "t")


def test_find_looks_in_both_places_and_labels_what_it_finds(table, tmp_path):
    paper, page = "training_regularization", "additional_regularization"
    assert find(paper, page, "mnist-lenet", tmp_path) == []
    committed = tmp_path / "papers" / paper / "results" / page
    here = tmp_path / "runs" / "tables" / paper / page
    laptop = make({(LRR, 0): chain([2.0, 1.5])}, scale="laptop")
    write(table, committed, "mnist-lenet_paper")
    write(laptop, committed, "mnist-lenet_laptop")
    write(laptop, here, "mnist-lenet_laptop")
    write(make({(LRR, 0): chain([2.0])}, benchmark="cifar10-resnet20"), here, "cifar10-resnet20_paper")
    found = find(paper, page, "mnist-lenet", tmp_path)
    assert [one.label for one in found] == [
        "paper, 2 CPU cores (AMD EPYC), 2026-11",
        "laptop, 2 CPU cores (AMD EPYC), 2026-11",
        "laptop, this machine, 2026-11-20",
    ]
    assert [one.origin for one in found] == ["committed", "committed", "this machine"]
    assert len(find(paper, None, None, tmp_path)) == 4
