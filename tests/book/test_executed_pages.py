"""Every page of every paper runs at smoke scale, and reads well in the built book with its real charts."""

import os
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser

from lib.analysis import tables
from lib.batch import parameters
from lib.batch.page import run_page
from lib.batch.plan import Run, book_pages, read_plans, runs
from lib.book.build import REPOSITORY, build, prepare
from lib.book.staging import stage

from . import toy
from .browser import CHART, check_page, read

PLANS = read_plans(REPOSITORY)
SMOKE = runs(PLANS, "smoke")


def trains(run: Run) -> bool:
    """Tell whether a page measures something itself; one that only reads the tables of others has no store."""
    return "store" in parameters.read(REPOSITORY / run.source)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each run of the smoke grids, executed by papermill from an empty store: its notebook → the file."""
    root = tmp_path_factory.mktemp("pages")
    before = Path.cwd()
    os.chdir(REPOSITORY)
    try:
        for run in SMOKE:
            own = {"store": str(root / "store")} if trains(run) else {}
            run_page(run.source, root / run.notebook, {**run.parameters, **own})
    finally:
        os.chdir(before)
    return {run.notebook: root / run.notebook for run in SMOKE}


@pytest.mark.slow
@pytest.mark.parametrize("run", SMOKE, ids=lambda run: f"{run.page}-{run.configuration}")
def test_every_page_runs(run: Run, executed: dict[str, Path]):
    notebook = nbformat.read(executed[run.notebook], as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    if not trains(run):
        return
    assert any("vegalite" in kind for output in outputs for kind in output.get("data", {}))
    figures = [cell for cell in notebook.cells if "figure" in cell.metadata.get("mystnb", {})]
    assert len(figures) >= 2
    for figure in figures:  # a chart, or words: what smoke training reaches, differs between processors
        assert figure.outputs, figure.source
    measured = tables.find(run.paper, run.page, str(run.parameters["benchmark"]), REPOSITORY)
    assert any(t.provenance.scale == "smoke" and t.origin == "this machine" for t in measured)


@pytest.mark.slow
@pytest.mark.browser
def test_executed_pages_read_well(executed: dict[str, Path], browser: Browser, tmp_path: Path):
    toy.copy_book(tmp_path / "book")
    prepare(REPOSITORY, tmp_path / "book")
    shown = book_pages(PLANS, "smoke")
    for page in shown:
        assert page.executed is not None
        stage(REPOSITORY / page.source, executed[page.executed], tmp_path / page.target)
    html = build(tmp_path / "book", tmp_path).parent
    for page in shown:
        address = html / Path(page.target).relative_to("book").with_suffix(".html")
        if check_page(browser, address.as_uri()) == 0:
            assert not any(trains(run) for run in SMOKE if run.source == page.source)
            continue
        with read(browser, address.as_uri(), dark=True) as reading:
            assert reading.wait_for_charts() == reading.page.locator(CHART).count() >= 1
