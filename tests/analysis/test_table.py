"""A table is read as it was written; what does not fit is refused by name; one reader lays numbers out."""

import math

import pytest

from lib.analysis.part import make_frame, read_part, write_part
from lib.analysis.table import EPOCHS, SIZE, assemble, find_tables, read_table, rows, table_folder, values
from lib.errors import InputError
from tests.analysis.made import TEST, WR, provenance, rows_of, table_of

NUMBERS = {TEST: [[10.0, 12.5, 9.0], [11.0, 12.0, 0.1 + 0.2]]}


def frame_of(numbers=NUMBERS, part="weight rewinding", **where):
    return make_frame(rows_of(numbers, **where), ["noise_percent"], part)


def test_a_part_is_read_back_bit_for_bit_with_its_dimensions(tmp_path):
    row = next(iter(rows_of(NUMBERS)))
    odd = [row | {"level": i, "value": v} for i, v in enumerate((0.1 + 0.2, 1e-300, 1 / 3, math.nan))]
    frame = make_frame([{**one, "distribution": "clean"} for one in odd], ["distribution", "noise_percent"], "a_b")
    csv = write_part(tmp_path, "A, b", frame, provenance())
    again, made = read_part(csv)
    assert csv.name == "a_b.csv" and again.equals(frame) and made == provenance()
    assert list(again.columns)[:3] == ["distribution", "noise_percent", "algorithm"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": "many"}, "column 'value'.*many"),
        ({"seed": 0.5}, "column 'seed'.*0.5"),
        ({"level": math.nan}, "column 'level'"),
        ({"position": math.nan}, "column 'position'"),
        ({"algorithm": ""}, "column 'algorithm'"),
        ({"valeu": 1.0}, "'valeu'.*value"),
    ],
)
def test_what_does_not_fit_is_named(change, words):
    row = next(iter(rows_of(NUMBERS)))
    with pytest.raises(InputError, match=words):
        make_frame([row | change], ["noise_percent"], "x")


def test_a_row_that_is_there_twice_or_misses_a_column_is_refused():
    row = next(iter(rows_of(NUMBERS)))
    with pytest.raises(InputError, match="row 2: already given"):
        make_frame([row, row | {"value": 3.0}], ["noise_percent"], "x")
    with pytest.raises(InputError, match="missing columns stage_key"):
        make_frame([{name: value for name, value in row.items() if name != "stage_key"}], ["noise_percent"], "x")


def test_a_part_that_is_there_is_never_emptied_and_a_stray_seed_is_refused(tmp_path):
    frame = frame_of()
    csv = write_part(tmp_path, "weight rewinding", frame, provenance())
    with pytest.raises(InputError, match="not replaced by none"):
        write_part(tmp_path, "weight rewinding", frame.iloc[:0], provenance())
    with pytest.raises(InputError, match="seed 1"):
        write_part(tmp_path, "weight rewinding", frame, provenance(seeds=(0,)))
    assert len(read_part(csv)[0]) == len(frame)
    empty, _ = read_part(write_part(tmp_path, "other", frame.iloc[:0], provenance()))
    assert empty.empty


def test_a_part_of_many_algorithms_has_a_name_that_file_systems_take(tmp_path):
    many = "stability, is_it_noise, of " + ", ".join(f"Gaussian noise, {n} batches" for n in range(30))
    names = [write_part(tmp_path, one, frame_of(), provenance()).name for one in (many, many + ", restored")]
    assert len(set(names)) == 2 and all(one.startswith("stability_is_it_noise_of_gaussian") for one in names)
    assert max(map(len, names)) < 210


def test_parts_are_put_together_and_the_later_one_counts(tmp_path):
    folder = table_folder("toy", "digits", "laptop", "this machine", tmp_path)
    early, late = provenance(date="2026-11-01"), provenance(date="2026-11-02")
    write_part(folder, "z", frame_of(), early)
    write_part(folder, "a", frame_of({TEST: [[99.0]]}), late)
    (folder / "half.csv").write_text("killed before its JSON was written")
    table = read_table("toy", "digits", "laptop", "this machine", tmp_path)
    assert table is not None and table.parts.keys() == {"a", "z"} and table.label == "yours (laptop, 2026-11-02)"
    errors = values(table, TEST, algorithm=WR)
    assert errors.loc[0].tolist() == [99.0, 12.5, 9.0] and errors.columns.tolist() == [0, 1, 2]
    assert read_table("toy", "digits", "paper", "this machine", tmp_path) is None
    write_part(table_folder("toy", "digits", "paper", "committed", tmp_path), "z", frame_of(), early)
    write_part(table_folder("toy", "digits", "laptop", "committed", tmp_path), "z", frame_of(), early)
    found = [(one.scale, one.origin) for one in find_tables("toy", root=tmp_path)]
    assert found == [("paper", "committed"), ("laptop", "committed"), ("laptop", "this machine")]


def test_values_ask_for_a_choice_where_there_are_two():
    frames = [frame_of(), frame_of(noise_percent=40.0, part="more")]
    table = assemble("toy", "digits", "laptop", ("noise_percent",), frames, {})
    with pytest.raises(InputError, match=r"choose noise_percent \(20.0, 40.0\)"):
        values(table, TEST, algorithm=WR)
    assert values(table, TEST, noise_percent=40.0).shape == (2, 3)
    assert values(table, TEST, "position", noise_percent=40.0, level=1)[0.0].tolist() == [12.5, 12.0]
    assert values(table, "no such quantity").empty
    with pytest.raises(InputError, match="noise_percent"):
        values(table, TEST, noise=40.0)
    assert set(table.where(noise_percent=[20.0]).frame["part"]) == {"weight rewinding"}


def test_rows_of_charts_know_their_network_and_its_chosen_levels():
    sizes = {SIZE: [[100.0, 50.0, 25.0]] * 2, EPOCHS: [[3.0, 5.0, 7.0]] * 2}
    table = table_of({**NUMBERS, **sizes})
    found = rows(table, TEST, level=[1, 2])
    assert found["weights remaining (%)"].tolist() == [50.0, 25.0] * 2
    assert found["table"].unique().tolist() == [table.label] and found["scale"].unique().tolist() == ["laptop"]
    assert found.loc[found["recovery"], "level"].tolist() == [2, 2] and not any(found["optimum"])
    with pytest.raises(InputError, match="no table has"):
        rows([table], "training error (%)")
    with pytest.raises(InputError, match="no table has"):
        rows([], TEST)
