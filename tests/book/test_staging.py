"""A staged page shows what was run, says when it was, and never passes old results off as new ones."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lib.book.staging import RECORD, executed_of, main, show_benchmark, stage
from lib.charts.theme import MIME
from lib.errors import InputError

from . import toy


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "papers" / "toy.py"
    path.parent.mkdir()
    path.write_text(toy.SOURCE, "utf-8")
    return path


@pytest.fixture
def run(source: Path, tmp_path: Path) -> Path:
    return toy.executed(source, tmp_path / "runs" / "default.ipynb")


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def test_a_page_without_a_run_is_a_draft(source: Path, tmp_path: Path):
    page = tmp_path / "book" / "toy.ipynb"
    assert stage(source, None, page)
    assert "has not been run" in text_of(page)
    assert "glue" not in text_of(page), "a number that does not exist yet must not be referred to"
    figure = next(cell for cell in nbformat.read(page, as_version=4).cells if cell.metadata.get("mystnb"))
    assert figure.outputs, "a reference to the figure needs something to point at"
    assert executed_of(page) is None


def test_a_run_gives_outputs_and_provenance(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "book" / "toy.ipynb"
    stage(source, run, page)
    notebook = nbformat.read(page, as_version=4)
    nbformat.validate(notebook)
    assert MIME in text_of(page)
    head = notebook.cells[0].source
    assert "<summary>Run on 20 November 2026 at <b>smoke</b> scale in 3 min 4 s; drawn from tables" in head
    assert "</summary>python 3.11.7" in head, "what belongs to the run folds; a parameter that is not set is left out"
    assert "{warning}" not in text_of(page)
    assert notebook.metadata[RECORD]["parameters"] == {"scale": "smoke", "seed": 0, "recompute": False}
    assert "/somewhere" not in text_of(page), "a folder of one machine has no place in a page"
    assert notebook.metadata[RECORD]["executed"] == "../runs/default.ipynb", "no path of this machine in a page"


def test_widgets_progress_bars_and_their_state_stay_behind(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "toy.ipynb"
    stage(source, run, page)
    text = text_of(page)
    assert "jupyter.widget" not in text
    assert "VBox" not in text
    assert "40%|" not in text
    assert "50%|" not in text
    assert text.count("live notebook has controls") == 2, "one sentence, in markdown and in plain text"
    assert "measured" in text


def test_prose_is_of_today_and_changed_code_is_told(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "toy.ipynb"
    source.write_text(
        toy.SOURCE.replace("# After", "# Today, after").replace('print("measured")', 'print("measured", 2)'),
        "utf-8",
    )
    stage(source, run, page)
    notebook = nbformat.read(page, as_version=4)
    assert "Today, after" in notebook.cells[0].source
    assert "code of this page changed" in notebook.cells[0].source
    changed = next(cell for cell in notebook.cells if cell.source.startswith("print"))
    assert not changed.outputs, "an output must not stand below code that did not make it"
    assert MIME in text_of(page), "the cells that did not change keep theirs"


def test_layout_and_comments_do_not_cost_an_output(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "toy.ipynb"
    source.write_text(toy.SOURCE.replace('draw("errors")', "draw(  # the figure\n    'errors')"), "utf-8")
    stage(source, run, page)
    assert "{warning}" not in text_of(page)
    assert text_of(page).count(f'"{MIME}"') == 2


def test_an_unchanged_page_is_not_written_again(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "toy.ipynb"
    assert stage(source, run, page)
    before = page.stat().st_mtime_ns
    assert not stage(source, run, page)
    assert page.stat().st_mtime_ns == before
    assert [path.name for path in page.parent.iterdir() if "partial" in path.name] == []


def test_a_page_keeps_its_results_when_the_run_is_gone(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "book" / "toy.ipynb"
    stage(source, run, page)
    origin = executed_of(page)
    assert origin and origin.samefile(run)
    run.unlink()
    assert executed_of(page) == page
    assert not stage(source, executed_of(page), page), "staged from itself it is the same page"
    source.write_text(toy.SOURCE.replace("# After", "# Now, after"), "utf-8")
    stage(source, page, page)
    assert "Now, after" in text_of(page)
    assert MIME in text_of(page)


def test_a_variant_has_its_own_title_and_labels(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "toy_mnist-lenet.ipynb"
    stage(source, run, page)
    text = text_of(page)
    assert "# Test error of an invented network: mnist-lenet" in text
    for label in ("(sec-toy-mnist-lenet)=", "{numref}`fig-toy-mnist-lenet`", "$$ (eq-toy-mnist-lenet)"):
        assert label in text
    assert '"name": "fig-toy-mnist-lenet"' in text
    assert "{term}`level`" in text, "what the page does not define keeps its name"
    assert text.count(f'"{MIME}"') == 2


def test_the_parameter_cell_names_the_benchmark_of_the_run():
    code = 'benchmark: str = "mnist-lenet"\nscale: str = "laptop"'
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["parameters"]})
    other = nbformat.v4.new_code_cell(code)
    page = nbformat.v4.new_notebook(cells=[cell, other])
    show_benchmark(page, {"benchmark": "cifar10-vgg16"})
    assert [one.source for one in page.cells] == [code.replace("mnist-lenet", "cifar10-vgg16"), code]
    show_benchmark(page, {})
    assert cell.source.startswith('benchmark: str = "cifar10-vgg16"')


def test_what_is_not_a_page_or_not_a_run_is_refused(source: Path, tmp_path: Path):
    with pytest.raises(InputError, match="there is no page"):
        stage(tmp_path / "missing.py", None, tmp_path / "x.ipynb")
    other = tmp_path / "other.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), other)
    with pytest.raises(InputError, match="not the finished run"):
        stage(source, other, tmp_path / "x.ipynb")
    other.write_text("{", "utf-8")
    with pytest.raises(InputError, match="cannot read"):
        stage(source, other, tmp_path / "x.ipynb")
    assert not (tmp_path / "x.ipynb").exists()


def test_the_command_line_stages_and_explains(source: Path, run: Path, tmp_path: Path):
    page = tmp_path / "deep" / "er" / "toy.ipynb"
    main([str(source), str(page), str(run)])
    assert MIME in text_of(page)
    with pytest.raises(SystemExit, match="there is no page"):
        main([str(tmp_path / "none.py"), str(page)])


def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(source: Path, tmp_path: Path):
    page = tmp_path / "book" / "toy.ipynb"
    page.parent.mkdir()
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    left, written = (page.with_name(f".toy.ipynb.{process}.partial") for process in (gone.pid, os.getppid()))
    for path in (left, written):
        path.write_text("{", "utf-8")
    assert stage(source, None, page)
    assert sorted(page.parent.iterdir()) == [written, page]
