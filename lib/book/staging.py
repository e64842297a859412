"""Put a page into the book: the prose of today with the outputs of a finished run, if there is one.

    python -m lib.book.staging SOURCE TARGET [EXECUTED]

A cell keeps its output only while its code is what was run; a page that has not been run is a draft and says
so. What only a live kernel can answer (widgets, progress bars) does not reach the page.
"""

import argparse
import ast
import glob
import html
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from lib.batch.fingerprint import code_hash
from lib.batch.state import RECORD, record_of
from lib.book.wording import duration
from lib.errors import InputError

WIDGET = "application/vnd.jupyter.widget-view+json"
NAMED_VERSIONS = ("python", "torch")  # on the page; the run's notebook lists more
OF_A_MACHINE = ("store",)  # parameters that name folders of one machine: nothing for a published page
UNSET = (False, 0, 0.0, "", "auto", [])  # values that leave a parameter to the plan
DRAFT = "(not run yet)"
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}  # or Sphinx warns that it cannot colour code


def stage(source: Path, executed: Path | None, target: Path) -> bool:
    """Write one page of the book; return whether it changed.

    Args:
        source: the page, a Jupytext percent script.
        executed: the notebook of a finished run of it, or None for a draft. A page staged earlier will do.
        target: the notebook to write; it is left alone when it would not change. One source can make several
            pages: a target `<name of the source>_<variant>` has the variant in its title and its labels.

    Raises:
        InputError: the source is missing, or `executed` is not the whole run of a page.
    """
    source, target = Path(source), Path(target)
    if not source.is_file():
        raise InputError(f"there is no page {source}; pages are papers/<paper>/pages/<name>.py")
    page = jupytext.read(source, fmt="py:percent")
    run = _read_run(Path(executed)) if executed else None
    outputs = _outputs_by_code(run) if run else {}

    for number, cell in enumerate(page.cells):
        cell.id = f"cell-{number}"  # Jupytext draws new ones each time, and the page would never be unchanged
        if cell.cell_type == "code":
            found = outputs.get(_meaning(cell.source))
            cell.outputs = found.pop(0) if found else _placeholder(cell, run)
        elif run is None:
            # A number glued into the prose by a run does not exist yet.
            cell.source = re.sub(r"\{glue(?::[a-z]+)?\}`[^`]*`", DRAFT, cell.source)
    if variant := target.stem.removeprefix(source.stem).lstrip("_"):
        _make_variant(page, variant)
    _complete_title(page, variant, _note(source, run))
    page.metadata = NotebookNode(kernelspec=KERNEL, language_info=LANGUAGE)
    if run:
        record = run.metadata[RECORD]  # a page staged from itself goes on naming the run that it came from
        show_benchmark(page, record.get("parameters", {}))
        origin = {"executed": os.path.relpath(str(executed), target.parent)}
        page.metadata[RECORD] = origin | record | {"parameters": _published(record)}
    return write_if_changed(target, nbformat.writes(page) + "\n")


def executed_of(staged: Path) -> Path | None:
    """Return where to get the outputs of a staged page again: its run, else the page itself, else None."""
    record = record_of(staged)
    if not record:
        return None
    origin = staged.parent / record["executed"]
    return origin if origin.is_file() else staged


def write_if_changed(path: Path, text: str) -> bool:
    """Write a text file whole or not at all, and only if it differs: what is unchanged is not built again."""
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        if not _lives(int(left.suffixes[-2][1:])):  # killed while it wrote
            left.unlink(missing_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return True


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        pass
    return True


def _read_run(executed: Path) -> NotebookNode:
    try:
        run = nbformat.read(executed, as_version=4)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the executed page {executed}: {error}") from error
    if RECORD not in run.metadata:
        problem = f"is not the finished run of a page: its metadata has no {RECORD!r}"
        raise InputError(f"{executed} {problem}. Run the page through the batch: make book.")
    return run


def _published(record: dict[str, Any]) -> dict[str, Any]:
    """Return a run's parameters without those that name folders of one machine."""
    return {name: value for name, value in record.get("parameters", {}).items() if name not in OF_A_MACHINE}


def _meaning(code: str) -> str:
    """Return what the code says to Python: layout and comments do not separate a cell from its output."""
    try:
        return ast.dump(ast.parse(code))
    except SyntaxError:  # a cell with a magic
        return code.strip()


def _outputs_by_code(run: NotebookNode) -> dict[str, list[list[NotebookNode]]]:
    """Return the outputs of every code cell of a run, in order, under the meaning of its code."""
    found: dict[str, list[list[NotebookNode]]] = {}
    for cell in run.cells:
        if cell.cell_type == "code":
            kept = [shown for output in cell.outputs if (shown := _for_reading(output))]
            found.setdefault(_meaning(cell.source), []).append(kept)
    return found


def _for_reading(output: NotebookNode) -> NotebookNode | None:
    """Return an output as a page without a kernel should show it, or None to leave it out."""
    if output.output_type == "stream":
        return output if output.name == "stdout" else None  # progress bars and warnings stay behind
    if WIDGET not in output.get("data", {}):
        return output
    if "%|" in output.data.get("text/plain", ""):  # a progress bar
        return None
    sentence = "*Here the live notebook has controls that start computations; open it with* `make lab`."
    return nbformat.v4.new_output("display_data", {"text/markdown": sentence, "text/plain": sentence})


def _placeholder(cell: NotebookNode, run: NotebookNode | None) -> list[NotebookNode]:
    """Return what stands for a missing output; a figure needs one, as the target of references to it."""
    if not cell.metadata.get("mystnb", {}).get("figure"):
        return []
    text = "(the code of this figure changed after the run)" if run else DRAFT
    return [nbformat.v4.new_output("display_data", {"text/plain": text})]


def _note(source: Path, run: NotebookNode | None) -> str:
    if run is None:
        what = "This page has not been run here yet: it shows its text and code only. `make book` runs it."
        return f"```{{warning}}\n{what}\n```"
    record: dict[str, Any] = run.metadata[RECORD]
    values, versions = _published(record), record["versions"]
    scale = f" at <b>{html.escape(str(values.pop('scale')))}</b> scale" if "scale" in values else ""
    started = datetime.fromisoformat(record["started"])
    line = f"Run on {started.day} {started:%B %Y}{scale} in {duration(record['seconds'])}"
    if values.get("recompute") is False:
        line += "; drawn from tables, nothing was trained"
    given = [f"<code>{html.escape(f'{n} = {v!r}')}</code>" for n, v in values.items() if v not in UNSET]
    made_with = [f"{package} {versions[package]}" for package in NAMED_VERSIONS if package in versions]
    facts = " · ".join(", ".join(some) for some in (given, made_with) if some)
    note = f'<details class="run-note"><summary>{line}</summary>{facts}</details>'
    if record.get("code_hash") != code_hash(source):
        note += "\n\n```{warning}\nThe code of this page changed after this run: its results are older.\n```"
    return note


def _make_variant(page: NotebookNode, variant: str) -> None:
    """Tell a page from others of the same source: every label it defines may exist once in a book."""
    figures = [cell.metadata.get("mystnb", {}).get("figure") or {} for cell in page.cells]
    prose = [cell for cell in page.cells if cell.cell_type == "markdown"]
    defined = re.compile(r"^\(([\w.:-]+)\)=|\$\$ *\(([\w.:-]+)\)$", flags=re.M)
    labels = {figure["name"] for figure in figures if "name" in figure}
    labels |= {label for cell in prose for found in defined.findall(cell.source) for label in found if label}

    def rename(text: str) -> str:
        for label in labels:  # where it is defined, and where a role or a link refers to it
            text = re.sub(rf"([(`<#]{re.escape(label)})(?=[)`>]|$)", rf"\1-{variant}", text, flags=re.M)
        return text

    for figure in figures:
        if "name" in figure:
            figure["name"] += f"-{variant}"
        if "caption" in figure:
            figure["caption"] = rename(figure["caption"])
    for cell in prose:
        cell.source = rename(cell.source)


def show_benchmark(page: NotebookNode, parameters: dict[str, Any]) -> None:
    """Let the parameter cell name the benchmark of the run: readers take the page for what stands there."""
    for cell in page.cells:
        if "parameters" in cell.metadata.get("tags", []) and (benchmark := parameters.get("benchmark")):
            cell.source = re.sub(r'^(benchmark: str = )"[^"]*"', rf'\1"{benchmark}"', cell.source, flags=re.M)


def _complete_title(page: NotebookNode, variant: str, note: str) -> None:
    """Put the variant behind the page's title, and the note below it."""
    for cell in page.cells:
        if cell.cell_type == "markdown" and (title := re.search(r"^# .*$", cell.source, flags=re.M)):
            named = f"{title[0]}: {variant}" if variant else title[0]
            cell.source = f"{cell.source[: title.start()]}{named}\n\n{note}\n{cell.source[title.end() :]}"
            return
    page.cells.insert(0, nbformat.v4.new_markdown_cell(note, id="cell-note"))


def main(arguments: list[str] | None = None) -> None:
    """Stage one page from the command line."""
    parser = argparse.ArgumentParser("python -m lib.book.staging", description="Put one page into the book.")
    parser.add_argument("source", type=Path, help="the page, papers/<paper>/pages/<page>.py")
    parser.add_argument("target", type=Path, help="the notebook to write, book/papers/<paper>/<page>.ipynb")
    parser.add_argument("executed", type=Path, nargs="?", help="the notebook of its run; none: a draft")
    given = parser.parse_args(arguments)
    try:
        stage(given.source, given.executed, given.target)
    except InputError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
