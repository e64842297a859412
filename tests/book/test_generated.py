"""The generated parts of the book say what the files say."""

import json
from pathlib import Path

import pytest
import yaml

from lib.batch.plan import book_pages, read_plans
from lib.book import generated
from lib.book.build import REPOSITORY, prepare
from lib.errors import InputError

from . import toy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    toy.write(tmp_path)
    return tmp_path


def test_the_scoreboard_counts_and_escapes(root: Path):
    text = generated.scoreboard(root / "book", root / "papers")
    assert "**1** reproduced · **1** undecided · **1** not run" in text
    assert (
        '<td class="long">At the optimum, a sparse network is better than the dense one, |d| &gt; 0.</td>'
        in text
    )
    assert "|d| &lt; 1 &amp; more" in text
    assert 'class="verdict verdict-not-run"' in text


def test_numbers_are_put_into_words():
    packed = json.dumps({"dense_error_percent": 13.81234, "seeds": 3})
    assert generated._numbers(packed) == "dense error percent 13.81; seeds 3"
    assert generated._numbers("a; b") == "a; b"


def test_without_claims_the_scoreboard_says_what_to_do(tmp_path: Path):
    assert "make book" in generated.scoreboard(tmp_path, tmp_path)


def test_cards_show_how_far_a_paper_has_come(root: Path):
    text = generated.cards(root / "book", toy.NAMES)
    assert "0 of 2 pages run" in text
    assert "1 claim reproduced" in text
    assert text.count("planned") == 3
    assert f":link: papers/{toy.NAME}" in text


def test_cards_name_what_a_paper_lacks(root: Path):
    (root / "book" / "papers.yml").write_text("- {folder: x, title: y}", "utf-8")
    with pytest.raises(InputError, match="x lacks cite, claims, question, venue"):
        generated.cards(root / "book", [])


def test_the_list_of_runs_tells_finished_from_stopped_and_committed_from_local(root: Path):
    source = root / "papers" / toy.PAPER / "pages" / "toy.py"
    folder = root / "runs" / "pages" / toy.PAPER / "toy"
    for name in ("default", "noise~15_scale~laptop.partial", "noise~10.failed", "noise~10_scale~smoke"):
        toy.executed(source, folder / f"{name}.ipynb")
    info = {
        "benchmark": "mnist-lenet",
        "scale": "paper",
        "seeds": [0, 1, 2],
        "device": "one GPU",
        "date": "2026-11-20",
    }
    for table in (
        root / "papers" / toy.PAPER / "results" / "toy" / "mnist-lenet_paper.json",
        root / "runs" / "tables" / toy.PAPER / "toy" / "mnist-lenet_laptop.json",
    ):
        table.parent.mkdir(parents=True)
        table.write_text(json.dumps({**info, "wall_clock_seconds": 7000}), "utf-8")
    text = generated.runs(root / "papers", root / "runs")
    assert "<td>2026-11-20 14:30</td><td>3 min</td>" in text
    assert text.count(">done<") == text.count("running or stopped") == text.count(">failed<") == 1
    assert "<td>noise 15, scale laptop</td>" in text
    assert "<td>1.9 h</td><td>committed</td>" in text
    assert "<td>1.9 h</td><td>this machine</td>" in text


def test_preparing_twice_changes_nothing(root: Path):
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (root / "book").rglob("*") if path.is_file()}

    assert prepare(root) == list(toy.NAMES)
    before = times()
    assert prepare(root) == list(toy.NAMES)
    assert times() == before


def test_a_page_shows_the_run_of_its_plan_and_keeps_it(root: Path):
    toy.executed(root / "papers" / toy.PAPER / "pages" / "toy.py", root / toy.RUN)
    assert prepare(root) == []
    (root / toy.RUN).unlink()
    assert prepare(root) == [], "results are not lost when the runs are cleaned up"


def test_every_page_is_in_the_table_of_contents_and_every_paper_has_a_card():
    contents = yaml.safe_load((REPOSITORY / "book" / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    listed = {f"book/{name}.ipynb" for name in files if name.startswith("papers/")}
    assert listed == {page.target for page in book_pages(read_plans(REPOSITORY), "laptop", root=REPOSITORY)}
    carded = {
        paper["folder"] for paper in yaml.safe_load((REPOSITORY / "book" / "papers.yml").read_text("utf-8"))
    }
    assert {name.split("/")[2] for name in listed} <= carded
