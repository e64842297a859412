"""Every page of every paper runs at smoke scale, and the whole book reads well with their real charts.

The runs are made once, two at a time, and the book of them is built once. Continuous integration, which sets CI, runs the
pages for all of their benchmarks and looks for barriers on every page; elsewhere each runs for the benchmark that the book
shows, and every fourth is looked at so closely.
"""

import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser

from lib.analysis.experiments import pages_of
from lib.analysis.table import read_table
from lib.batch.plan import Run, book_pages, needed, read_plans, runs
from lib.batch.start import execute
from lib.book.build import REPOSITORY, build, prepare
from lib.book.staging import stage

from . import accessibility, toy
from .browser import check_page

PLANS = read_plans(REPOSITORY)
SHOWN = {page.executed for page in book_pages(PLANS, "smoke")}
SMOKE = [run for run in runs(PLANS, "smoke") if "CI" in os.environ or run.notebook in SHOWN]
FROM_FILES = ("index", "scoreboard", "runs")  # the rest of the guide is read in the toy book

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def trains(run: Run) -> bool:
    """Tell whether a page measures something itself; one that only reads the tables of others does not."""
    return run.page in pages_of(run.paper) and "recompute" in run.parameters


def runner(root: Path) -> Callable[[Run], str]:
    """Return a function that executes a page in a process of its own and returns what it said."""

    def execute_page(run: Run) -> str:
        store = [f"store={root / 'store'}"] if trains(run) else []
        log = (root / run.notebook).with_suffix(".log")
        with contextlib.suppress(RuntimeError):  # of a page that failed; its log says why
            execute(
                [run.source, str(root / run.notebook), *run.pairs, *store, "--checked", "--log", str(log)], threads=1
            )
        return log.read_text(encoding="utf-8")

    return execute_page


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Each run of the smoke grids, from an empty store: its notebook → the file, and what the run said of errors."""
    root = tmp_path_factory.mktemp("pages")
    early = [run for run in SMOKE if not needed(PLANS, run)]
    found = {}
    with ThreadPoolExecutor(2) as pool:
        for some in (early, [run for run in SMOKE if run not in early]):
            said = pool.map(runner(root), some)
            found |= {run.notebook: (root / run.notebook, text) for run, text in zip(some, said, strict=True)}
    return found


@pytest.fixture(scope="session")
def smoke_book(executed: dict[str, tuple[Path, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built book's HTML, made in a copy: a test never touches the folder a person works in."""
    root = tmp_path_factory.mktemp("smoke")
    toy.copy_book(root / "book")
    prepare(REPOSITORY, root / "book")
    for page in book_pages(PLANS, "smoke"):
        assert page.executed is not None
        file, said = executed[page.executed]
        assert file.is_file(), said
        stage(REPOSITORY / page.source, file, root / page.target)
    return build(root / "book", root).parent


@pytest.mark.parametrize("run", SMOKE, ids=lambda run: f"{run.page}-{run.configuration}")
def test_every_page_runs(run: Run, executed: dict[str, tuple[Path, str]]):
    file, said = executed[run.notebook]
    assert file.is_file(), said
    notebook = nbformat.read(file, as_version=4)
    figures = [cell for cell in notebook.cells if "figure" in cell.metadata.get("mystnb", {})]
    for figure in figures:  # a chart, or words: what smoke training reaches, differs between processors
        assert figure.outputs, figure.source
    if not trains(run):
        return
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert "is not one value per seed" not in str(outputs), "a sentence asks for less than it reads"
    assert any("vegalite" in kind for output in outputs for kind in output.get("data", {}))
    assert len(figures) >= 2
    benchmark = str(run.parameters["benchmark"])
    assert read_table(run.paper, benchmark, "smoke", "this machine", REPOSITORY) is not None


@pytest.mark.browser
def test_every_page_reads_well(smoke_book: Path, browser: Browser):
    for page in [*(smoke_book / f"{name}.html" for name in FROM_FILES), *smoke_book.glob("papers/*/*.html")]:
        check_page(browser, page.as_uri())


@pytest.mark.browser
def test_no_page_has_a_barrier(smoke_book: Path, browser: Browser):
    some = accessibility.pages(smoke_book)[:: 1 if "CI" in os.environ else 4]
    found = {page.stem: list(accessibility.problems(browser, page)) for page in some}
    assert {page: said for page, said in found.items() if said} == {}


def test_drafts_build_without_a_warning_under_plain_sphinx(tmp_path: Path):
    toy.copy_book(tmp_path / "book")
    for page in book_pages(PLANS, "smoke"):
        stage(REPOSITORY / page.source, None, tmp_path / page.target)
    prepare(REPOSITORY, tmp_path / "book")
    assert build(tmp_path / "book", tmp_path, "sphinx").is_file()
