"""The generated parts of the book say what the files say."""

import json
import re
from pathlib import Path

import pytest
import yaml

from lib.analysis.scoreboard import scoreboard_text
from lib.batch.plan import OF_THE_BOOK, book_pages, read_plans
from lib.book import __main__ as making
from lib.book import generated
from lib.book.build import REPOSITORY, prepare
from lib.book.front import against_print, cards, front
from lib.book.wording import ranges
from lib.errors import InputError

from . import toy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    toy.write(tmp_path)
    return tmp_path


def row_of(text: str, claim: str) -> str:
    (row,) = [line for line in text.splitlines() if line.startswith(f'<tr id="{claim}">')]
    return row


def test_the_scoreboard_has_one_row_a_claim_decided_by_its_largest_scale(root: Path):
    text = generated.scoreboard(root / "book")
    assert text.count("<tr id=") == 111
    assert "39 claims of 1 paper: **1** reproduced · **1** undecided · **37** not run" in text
    row = row_of(text, "TR-C07")
    assert (
        '<span class="verdict verdict-reproduced">reproduced</span> <span class="at-scale">at paper scale</span>' in row
    )
    assert "<li>mnist-lenet, laptop: not reproduced (0 of 3)</li>" in row, "a smaller scale folds beside it"
    for said in ("3 of 3 cases", "|d| &lt; 1 &amp; more.", "seeds 0, 1, 2", "2 CPU cores", "2026-11-20"):
        assert said in row


def test_tested_papers_come_first_and_what_is_decided_before_what_is_open(root: Path):
    text = generated.scoreboard(root / "book")
    first, second, third = (text.index(f'id="{claim}"') for claim in ("TR-C07", "TR-C08", "TR-C01"))
    assert first < second < third, "reproduced, undecided, not run"
    planned = text.index(":::{dropdown} Planned: 72 claims of Label noise and Lost in pruning and")
    assert third < planned < text.index('id="LIP-C01"')


def test_a_claim_leads_to_its_page_by_title_where_the_book_has_it(root: Path):
    prepare(root)
    row = row_of(generated.scoreboard(root / "book", toy.NAMES), "TR-C07")
    assert f'<a href="papers/{toy.NAME}.html">Test error of an invented network</a>' in row
    assert "href" not in row_of(generated.scoreboard(root / "book"), "TR-C07")


def test_a_long_reason_is_a_list_and_folds(root: Path):
    long = "; ".join(f"group {number}" for number in range(9)) + "; 9 of 9 cases are decided."
    verdict = toy.verdict("TR-C09", "laptop", "reproduced", "9 of 9", long)
    (root / "book" / "claims.csv").write_text(scoreboard_text([verdict]), "utf-8")
    row = row_of(generated.scoreboard(root / "book"), "TR-C09")
    assert "<li>group 3</li></ul><details><summary>5 more</summary><ul><li>group 4</li>" in row
    assert "are decided" not in row, "how many cases stands below the reason"


def test_without_claims_the_scoreboard_says_what_to_do(tmp_path: Path):
    assert "make book" in generated.scoreboard(tmp_path)


def test_cards_count_each_claim_once_at_the_scale_that_decided_it(root: Path):
    text = cards(root / "book", toy.NAMES)
    counts = re.findall(r"scoreboard.html#([^\"]*)\"><b>(\d+)</b> ([^<]*)<", text)
    paper = "paper=Training%20and%20regularization&amp;"
    assert counts == [
        (f"{paper}verdict=reproduced&amp;scale=paper", "1", "reproduced at paper scale"),
        (f"{paper}state=open", "38", "open"),
    ]
    assert "39 claims" in text
    assert text.count(">planned, ") == 3
    assert f"<papers/{toy.NAME}>" in text, "without an opening a card leads to the first page"
    assert "<papers/training_regularization/opening>" in cards(root / "book", ["training_regularization/opening"])


def test_the_real_cards_add_up_to_the_papers_claims():
    claims = generated.claims_of(REPOSITORY / "book")
    papers = ("training_regularization", "label_noise", "generalization_stability", "lost_in_pruning")
    text = cards(REPOSITORY / "book", [f"{paper}/opening" for paper in papers])
    numbers = [int(number) for number in re.findall(r"<b>(\d+)</b>", text)]
    built = [one for one in claims if one.statement.paper in papers]
    assert sum(numbers) == len(built)


def test_cards_name_what_a_paper_lacks(root: Path):
    (root / "book" / "papers.yml").write_text("- {folder: x, title: y}", "utf-8")
    with pytest.raises(InputError, match="x has no cite, question, short, venue"):
        cards(root / "book", [])


def test_the_front_page_draws_the_largest_committed_table_and_says_what_it_shows():
    text = front(REPOSITORY)
    assert text.count('<figure class="book-chart"') == 1
    assert re.search(
        r"wrong training labels the dense network errs on [\d.]+ %.*of the weights left \(\w+ scale, \d seeds?\)", text
    )


def test_without_tables_the_front_page_has_no_chart(tmp_path: Path):
    assert front(tmp_path) == "" and against_print(tmp_path) == ""


def test_the_front_page_sets_measured_beside_printed_numbers():
    text = against_print(REPOSITORY, ["training_regularization/agreement"])
    assert "{doc}`papers/training_regularization/agreement` looks into" in text and "{doc}" not in against_print(
        REPOSITORY
    )
    assert text.count('<figure class="book-chart"') == 1
    assert re.search(r"numbers \(test error\), \d+ lies? within one printed standard deviation", text)


def test_the_list_of_runs_tells_finished_from_stopped_and_committed_from_local(root: Path):
    source = root / "papers" / toy.PAPER / "pages" / "toy.py"
    folder = root / "runs" / "pages" / toy.PAPER / "toy"
    names = ("default", "rate~0.1", "noise~15_scale~laptop.partial", "noise~2.5.failed", "noise~10_scale~smoke")
    for name in names:
        toy.executed(source, folder / f"{name}.ipynb")
    made = {"seeds": [0, 1, 2], "device": "one GPU", "precision": "float32", "date": "2026-11-20"}
    for folder in ("papers/training_regularization/results", "runs/tables/training_regularization"):
        part = root / folder / "mnist-lenet_paper" / "weight_rewinding.json"
        part.parent.mkdir(parents=True)
        part.write_text(json.dumps({**made, "training_seconds": 7000, "measuring_seconds": 4}), "utf-8")
    text = generated.runs(root / "papers", root / "runs")
    assert "<td>2026-11-20 14:30</td><td>3 min 4 s</td>" in text
    assert [text.count(one) for one in (">done<", "running or stopped", ">failed<")] == [2, 1, 1]
    assert all(f"<td>{one}</td>" in text for one in ("noise 15, scale laptop", "rate 0.1", "noise 2.5"))
    assert "<td>weight rewinding</td><td>3</td><td>one GPU</td>" in text
    for kept in ("committed", "this machine"):
        assert f"<td>1 h 56 min</td><td>4 s</td><td>{kept}</td>" in text


def test_the_list_of_runs_names_a_part_as_its_algorithm_or_as_a_measurement_of_a_page(root: Path):
    made = {"seeds": [0], "measurements": {"worst-fitted examples": "1"}, "algorithms": ["one-shot pruning"]}
    folder = root / "papers/training_regularization/results/mnist-lenet_paper"
    folder.mkdir(parents=True)
    for stem in ("one_shot_pruning", "worst_fitted_examples_size_reduction"):
        (folder / f"{stem}.json").write_text(json.dumps(made), "utf-8")
    text = generated.runs(root / "papers", root / "runs")
    assert "<td>one-shot pruning</td>" in text and "<td>worst-fitted examples (size reduction)</td>" in text


def test_long_runs_of_seeds_are_drawn_together():
    assert ranges("0, 1, 2, 1000, 1001, 1002, 1003") == "0, 1, 2, 1000–1003"
    assert ranges("7") == "7"


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


def test_make_book_runs_pages_decides_claims_and_builds(monkeypatch):
    told = []
    for step in (making.data, making.batch, making.claims, making.build):
        monkeypatch.setattr(step, "main", told.append)
    making.main(["--scale", "smoke"])
    assert told == [["fetch", "mnist", "cifar10"], ["--scale", "smoke"], ["book/claims.csv"], []]


def test_a_page_that_fails_does_not_keep_the_others_from_the_book(monkeypatch):
    told = []
    for step in (making.data, making.claims, making.build):
        monkeypatch.setattr(step, "main", told.append)

    def ended(code):
        def main(_):
            raise SystemExit(code)

        return main

    monkeypatch.setattr(making.batch, "main", ended(1))
    with pytest.raises(SystemExit, match="some pages did not run"):
        making.main([])
    assert told == [["fetch", "mnist", "cifar10"], ["book/claims.csv"], []]
    monkeypatch.setattr(making.batch, "main", ended("error: unknown scale"))
    with pytest.raises(SystemExit, match="unknown scale"):
        making.main([])
    assert told[3:] == [["fetch", "mnist", "cifar10"]], "nothing was started"
