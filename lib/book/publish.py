"""Render the book from committed tables, without training: python -m lib.book.publish [--output FOLDER] [--at-once N]

Every page runs at laptop scale, or at that which its plan names for it, and draws the tables that are there, with nothing in
the store, and of all image sets only MNIST. Pages run several at once, each in a process forked from this one (on Linux),
which has imported what pages import: that takes longer than drawing. The executed notebooks are in
`runs/published/<paper>/<page>.ipynb`, the HTML is where `make book` has it.
"""

import argparse
import ast
import importlib
import multiprocessing
import multiprocessing.connection
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import nbformat
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode

from lib.analysis.files import REPOSITORY
from lib.batch.page import PageFailed, notebook_of
from lib.batch.plan import Grid, PagePlan, Run, Value, read_plans
from lib.batch.start import end_with_parent
from lib.batch.state import RECORD, Fingerprints, record_of
from lib.book.build import build_if_changed, prepare
from lib.book.staging import stage
from lib.errors import InputError, refused

SCALE = "laptop"
MOST_AT_ONCE = 8  # a page takes up to a gigabyte of memory


def published(root: Path) -> dict[Path, Run]:
    """Return every page of the book by its place in the book's folder, with what it runs with."""
    return {
        Path("papers", paper, f"{target}.ipynb"): Run(paper, page, shown | {"scale": scale_of(plan, shown)}, plan)
        for paper, pages in read_plans(root).items()
        for page, plan in pages.items()
        for target, shown in plan.book.items()
    }


def scale_of(plan: PagePlan, shown: Mapping[str, Value]) -> Value:
    """Return the scale of the grid that has what a page of the book shows, where it names one; else that of all pages."""
    own = [grid["scale"][0] for grid in plan.grids(SCALE) if "scale" in grid and _has(grid, shown)]
    return own[0] if own else SCALE


def _has(grid: Grid, shown: Mapping[str, Value]) -> bool:
    return all(value in grid.get(name, [value]) for name, value in shown.items())


def execute(source: Path, target: Path, parameters: dict[str, object], fingerprint: str = "") -> None:
    """Execute a page in this process and write the notebook, see `lib.batch.page.run_page`; for a process of its own.

    Raises:
        PageFailed: a cell raised an error; the message says which and how.
    """
    started = time.monotonic()
    notebook, shell = notebook_of(source, parameters, fingerprint), InteractiveShell.instance()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _run(shell, cell.source, source)
        if "parameters" in cell.metadata.get("tags", []):
            shell.push(parameters)
    notebook.metadata[RECORD]["seconds"] = round(time.monotonic() - started, 1)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    nbformat.write(notebook, partial)
    partial.replace(target)


def _run(shell: InteractiveShell, code: str, page: Path) -> list[NotebookNode]:
    """Run one cell and return what it shows."""
    with shell.display_trap, capture_output() as got:  # in this order, or running a cell takes what it shows back
        done = shell.run_cell(code, store_history=False)
    if error := done.error_in_exec or done.error_before_exec:
        raise PageFailed(f"{page} failed: {type(error).__name__}: {error}\n\n{code}\n\n{_plain(got.stdout)[-3000:]}")
    text = _plain(got.stdout)
    printed = [nbformat.v4.new_output("stream", name="stdout", text=text)] if text else []
    shown = [nbformat.v4.new_output("display_data", data=one.data, metadata=one.metadata or {}) for one in got.outputs]
    return printed + shown


def _plain(text: str) -> str:
    """Return what was printed without colours and without what a widget writes to clear its output."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", text)


def import_what_pages_import(sources: Iterable[Path]) -> None:
    """Import every module that some page imports, so that forked processes have it."""
    for source in sources:
        for line in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(line, ast.ImportFrom | ast.Import):
                names = [line.module] if isinstance(line, ast.ImportFrom) else [one.name for one in line.names]
                for name in filter(None, names):
                    importlib.import_module(name)


if sys.platform == "linux":
    processes = multiprocessing.get_context("fork")
else:
    processes = multiprocessing.get_context("spawn")

Asked = tuple[Path, Path, dict[str, object], str]
"""What `execute` is given for a page."""


def in_processes(work: Callable[[Asked], str], waiting: Iterable[Asked], at_once: int) -> list[str]:
    """Work on each page in a process of its own, some at once; return what went wrong.

    Args:
        work: returns what went wrong, nothing where all went well.
        waiting: what it is given, page by page.
        at_once: how many processes.
    """
    due, failed = [*waiting][::-1], []
    running: dict[Any, tuple[BaseProcess, Asked]] = {}  # by the connection that its answer comes through
    while due or running:
        while due and len(running) < at_once:
            given, (answer, said) = due.pop(), processes.Pipe(duplex=False)
            process = processes.Process(target=_work, args=(work, given, said), daemon=True)
            process.start()
            said.close()  # here, so that the answer ends where the process does
            running[answer] = process, given
        ready = multiprocessing.connection.wait([*running])
        for answer in [one for one in running if one in ready]:
            process, given = running.pop(answer)
            try:
                wrong = answer.recv()
            except EOFError:
                process.join()
                wrong = f"{given[0]} failed: its process ended with status {process.exitcode}; memory may be short"
            process.join()
            failed += [wrong] if wrong else []
    return failed


def _work(work: Callable[[Asked], str], given: Asked, said: Connection) -> None:
    """Work in a forked process: the other cores have pages of their own, and it ends with the process that it comes from."""
    torch.set_num_threads(1)
    end_with_parent()
    said.send(work(given))


def _attempt(given: Asked) -> str:
    """Execute a page; return what went wrong, nothing where all went well."""
    try:
        execute(*given)
    except (InputError, PageFailed) as error:
        return str(error)
    except OSError as error:
        return f"{given[1]} was not written: its folder {refused(error)}"
    return ""


def execute_pages(root: Path, folder: Path, at_once: int) -> dict[Path, tuple[Path, Path]]:
    """Execute the pages that would come out differently today.

    Args:
        root: the repository.
        folder: where the executed notebooks lie, those of before too.
        at_once: how many pages run at a time.

    Returns:
        The source and the executed notebook of every page, by its place in the book's folder.

    Raises:
        InputError: a plan is wrong.
        PageFailed: pages raised errors; the others were executed.
    """
    fingerprints, waiting, pages = Fingerprints(root), [], {}
    for place, run in published(root).items():
        source, executed = root / run.source, folder / run.paper / place.name
        pages[place] = source, executed
        fingerprint = fingerprints.of(run)
        if record_of(executed).get("fingerprint") != fingerprint:
            waiting.append((source, executed, run.parameters, fingerprint))
    if waiting:
        import_what_pages_import(sorted({source for source, *_ in waiting}))
        if failed := in_processes(_attempt, waiting, at_once):
            raise PageFailed("\n\n".join(failed))
    return pages


def publish(root: Path, book: Path, output: Path, at_once: int) -> Path:
    """Execute the pages, see `execute_pages`, stage them and build the HTML; return its first page.

    Args:
        root, at_once: see there.
        book: the book's folder, in which pages are staged.
        output: the folder in which `_build` is made.
    """
    for place, (source, executed) in execute_pages(root, root / "runs" / "published", at_once).items():
        stage(source, executed, book / place)
    prepare(root, book)
    return build_if_changed(book, output)


def main(arguments: list[str] | None = None) -> None:
    """Render this repository's book from the command line."""
    parser = argparse.ArgumentParser("python -m lib.book.publish", description="Render the book, without training.")
    parser.add_argument("--output", type=Path, help="the folder in which _build is made (default: book)")
    usual = min(os.cpu_count() or 1, MOST_AT_ONCE)
    parser.add_argument(
        "--at-once", type=int, default=usual, help=f"pages at a time (default: cores, at most {MOST_AT_ONCE})"
    )
    given = parser.parse_args(arguments)
    if given.at_once < 1:
        parser.error(f"--at-once is {given.at_once}; allowed: 1 or more.")
    book, started = REPOSITORY / "book", time.monotonic()
    try:
        first = publish(REPOSITORY, book, (given.output or book).resolve(), given.at_once)
    except (InputError, PageFailed, RuntimeError) as error:
        raise SystemExit(f"error: {error}") from None
    except OSError as error:
        raise SystemExit(f"error: {error.filename or REPOSITORY} {refused(error)}") from None
    print(f"The book is ready after {time.monotonic() - started:.0f} s: {first.resolve().as_uri()}")


if __name__ == "__main__":
    main()
