"""The generated parts of the book say what the files say."""

import json
from pathlib import Path

import pytest
import yaml

from lib.batch.plan import OF_THE_BOOK, book_pages, read_plans
from lib.book import __main__ as making
from lib.book import generated
from lib.book.build import REPOSITORY, prepare
from lib.errors import InputError

from . import toy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    toy.write(tmp_path)
    return tmp_path


def test_the_scoreboard_has_one_row_a_claim_decided_by_its_largest_scale(root: Path):
    text = generated.scoreboard(root / "book")
    assert "111 claims: **1** reproduced · **1** undecided · **109** not run" in text
    (row,) = [line for line in text.splitlines() if "<td>TR-C07</td>" in line]
    assert '<span class="verdict verdict-reproduced">reproduced</span>' in row
    assert "mnist-lenet, laptop: not reproduced (0 of 3)" in row, "a smaller scale stands beside it"
    for said in (
        "<td>paper</td>",
        "3 of 3",
        "|d| &lt; 1 &amp; more.",
        "0, 1, 2",
        "2 CPU cores",
        "2026-11-20",
    ):
        assert said in row
    assert 'class="verdict verdict-not-run"' in text


def test_without_claims_the_scoreboard_says_what_to_do(tmp_path: Path):
    assert "make book" in generated.scoreboard(tmp_path)


def test_cards_show_how_far_a_paper_has_come(root: Path):
    text = generated.cards(root / "book", toy.NAMES)
    assert "0 of 2 pages run" in text
    assert "39 claims: {bdg-success-line}`1 reproduced`" in text
    assert text.count("planned") == 3
    assert f":link: papers/{toy.NAME}" in text


def test_cards_name_what_a_paper_lacks(root: Path):
    (root / "book" / "papers.yml").write_text("- {folder: x, title: y}", "utf-8")
    with pytest.raises(InputError, match="x has no cite, question, venue"):
        generated.cards(root / "book", [])


def test_the_list_of_runs_tells_finished_from_stopped_and_committed_from_local(root: Path):
    source = root / "papers" / toy.PAPER / "pages" / "toy.py"
    folder = root / "runs" / "pages" / toy.PAPER / "toy"
    for name in ("default", "noise~15_scale~laptop.partial", "noise~10.failed", "noise~10_scale~smoke"):
        toy.executed(source, folder / f"{name}.ipynb")
    made = {"seeds": [0, 1, 2], "device": "one GPU", "precision": "float32", "date": "2026-11-20"}
    for folder in ("papers/training_regularization/results", "runs/tables/training_regularization"):
        part = root / folder / "mnist-lenet_paper" / "weight_rewinding.json"
        part.parent.mkdir(parents=True)
        part.write_text(json.dumps({**made, "training_seconds": 7000, "measuring_seconds": 4}), "utf-8")
    text = generated.runs(root / "papers", root / "runs")
    assert "<td>2026-11-20 14:30</td><td>3 min 4 s</td>" in text
    assert text.count(">done<") == text.count("running or stopped") == text.count(">failed<") == 1
    assert "<td>noise 15, scale laptop</td>" in text
    assert "<td>weight rewinding</td><td>3</td><td>one GPU</td>" in text
    for kept in ("committed", "this machine"):
        assert f"<td>1 h 56 min</td><td>4 s</td><td>{kept}</td>" in text


def test_preparing_twice_changes_nothing(root: Path):
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (root / "book").rglob("*") if path.is_file()}

    assert prepare(root) == [*toy.NAMES, *toy.DRAFTS]
    before = times()
    assert prepare(root) == [*toy.NAMES, *toy.DRAFTS]
    assert times() == before


def test_a_page_shows_the_run_of_its_plan_and_keeps_it(root: Path):
    toy.executed(root / "papers" / toy.PAPER / "pages" / "toy.py", root / toy.RUN)
    assert prepare(root) == [*toy.DRAFTS]
    (root / toy.RUN).unlink()
    assert prepare(root) == [*toy.DRAFTS], "results are not lost when the runs are cleaned up"


def test_every_page_is_in_the_table_of_contents_and_every_paper_has_a_card():
    contents = yaml.safe_load((REPOSITORY / "book" / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    listed = {f"book/{name}.ipynb" for name in files if name.startswith("papers/")}
    assert listed == {page.target for page in book_pages(read_plans(REPOSITORY), "laptop", root=REPOSITORY)}
    carded = {paper["folder"] for paper in yaml.safe_load((REPOSITORY / "book" / "papers.yml").read_text("utf-8"))}
    assert {name.split("/")[2] for name in listed} <= {*carded, *OF_THE_BOOK}


def test_make_book_writes_the_scoreboard_from_committed_tables_alone(monkeypatch):
    told = []
    for step in (making.data, making.batch, making.scoreboard, making.build):
        monkeypatch.setattr(step, "main", told.append)
    making.main(["--scale", "smoke"])
    steps = [["fetch", "mnist", "cifar10"], ["--scale", "smoke"], ["--write", "book/claims.csv"], []]
    assert told == steps, "with --local the scoreboard would read the tables of this machine"
