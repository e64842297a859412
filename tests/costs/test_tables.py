"""The page "What it costs" says what the tables of `book/costs/` say, from all of them to none."""

from pathlib import Path

import pandas
import pytest

from book.costs import figures, observations, tables
from lib.errors import InputError

FIGURES = {
    "epochs": figures.speed,
    "paths": figures.sparsity,
    "precision": figures.precision,
    "pages": figures.pages,
}


@pytest.mark.parametrize("part", tables.COLUMNS)
def test_committed_tables_are_read_and_drawn(part: str):
    (one, *_) = tables.read(part)
    assert one.source.command == tables.command(part)
    assert len(one.frame) and one.source.sentence.startswith(one.source.device)
    assert one.frame.iloc[0, 0] in figures.numbers(part).to_html()
    if part in FIGURES:
        assert figures.part(part, FIGURES[part]) is not None


def test_what_is_not_measured_is_said_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(figures, "read", lambda part: tables.read(part, tmp_path))
    said = figures.part("paths", figures.sparsity).data
    assert "`python -m book.costs paths --write`" in said and "not been measured" in said
    assert figures.sources("paths").data == ""


def test_a_table_is_written_and_read_again(tmp_path: Path):
    (one, *_) = tables.read("precision")
    tables.write(one, tmp_path)
    (again,) = tables.read("precision", tmp_path)
    assert again.source == one.source and again.frame.equals(one.frame)
    assert tables.FOLDER.joinpath("precision_cpu.csv").read_bytes() == (tmp_path / "precision_cpu.csv").read_bytes()


def test_several_machines_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (one, *_) = tables.read("epochs")
    tables.write(one, tmp_path)
    gpu = tables.Costs("epochs", "cuda", one.source.model_copy(update={"device": "one GPU"}), one.frame)
    tables.write(gpu, tmp_path)
    monkeypatch.setattr(figures, "read", lambda part: tables.read(part, tmp_path))
    assert "one GPU" in str(figures.part("epochs", figures.speed).to_dict())
    assert "one GPU" in figures.numbers("epochs").to_html()


def test_a_wrong_table_says_what_to_do(tmp_path: Path):
    pandas.DataFrame({"work": ["a"]}).to_csv(tmp_path / "other_cpu.csv", index=False)
    with pytest.raises(InputError, match="other_cpu.csv has the columns work; it needs work, value, unit, detail"):
        tables.read("other", tmp_path)
    pandas.DataFrame(columns=list(tables.COLUMNS["other"])).to_csv(tmp_path / "other_cpu.csv", index=False)
    with pytest.raises(InputError, match="`python -m book.costs other --write` writes it again"):
        tables.read("other", tmp_path)


def test_times_of_pages_are_in_words():
    rows = tables.read("pages")[0].frame.head(1).assign(seconds=7443.0, replicate_epochs=15840, machine="m")
    text = figures.pages(rows).data
    assert '<td class="number">2 h 4 min</td><td class="number">15,840</td>' in text


def test_what_is_seen_follows_the_rows():
    (paths,), (precisions,), (epochs,) = (tables.read(part) for part in ("paths", "precision", "epochs"))
    same = {"masks_alone_seconds": 0.4, "left_out_seconds": 0.4, "sparse_seconds": 0.1}
    slow = paths.frame.assign(times_faster=1.0, network="a", **same)
    assert "saves nothing that can be told from chance" in observations.sparsity(slow)
    assert "Products" not in observations.sparsity(slow)
    assert "2 times as fast below 2 %" in observations.sparsity(slow.assign(left_out_seconds=0.2))
    assert "take 0.1 s at 11 % and 0.1 s" in observations.sparsity(slow.assign(times_faster=4.0))
    lower = precisions.frame.assign(difference_mean=-2.0, difference_std=1.0)
    assert "In 0 of 6 cases" in observations.precision(lower) and "−2.00 ± 1.00" in observations.precision(lower)
    assert "was not measured with both loops" in observations.speed(epochs.frame.assign(variant="this book"))
    (batch,) = tables.read("batch")
    assert "A store of 100,000 stages is opened in" in observations.batch(batch.frame)
    assert observations.batch(batch.frame.iloc[:1]) == "What a batch adds was not measured."
    first, second, third = observations.learned(epochs.frame, slow, lower)
    assert "mnist-lenet" in first and "save no time" in second and "6 of 6 cases" in third
    year = pandas.DataFrame([{"scale": "paper", "page": "a_page", "benchmark": "b", "seconds": 86400 * 365 * 3}])
    assert "3 years (a page, b)" in observations.pages(year)


def test_observations_of_what_is_not_measured_are_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(figures, "read", lambda part: tables.read(part, tmp_path))
    assert figures.seen("paths", observations.sparsity).data == ""
    assert str(figures.learned().data).startswith("Nothing yet")
