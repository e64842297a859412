"""Say what is finished, from the notebooks themselves: runs brought from another machine count as well.

A run is finished when its notebook is there, carries the fingerprint that the run would get today, and is no
older than the runs that it needs. A page of the book is up to date when nothing that it is made from is newer.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lib.batch import plan
from lib.batch.fingerprint import code_hash, core_hash, data_hash

RECORD = "pruning_book"  # the key under which a run and a staged page describe themselves


class Fingerprints:
    """Hashes of all that runs depend on, each part computed once: the code of the page, the code and the
    tables of its paper, the core of `lib`. Prose is in none of them."""

    def __init__(self, root: Path | str = ".") -> None:
        self.root, self.core = Path(root), core_hash()
        self.papers: dict[str, str] = {}

    def of(self, run: plan.Run) -> str:
        """Return the fingerprint of a run."""
        home = self.root / plan.home_of(run.paper)
        if run.paper not in self.papers:
            tables = [file for file in home.rglob("*") if file.suffix in (".csv", ".json")]
            tables += (self.root / "papers").glob("claims.csv")
            self.papers[run.paper] = code_hash(*sorted(home.glob("*.py"))) + data_hash(*sorted(tables))
        return code_hash(self.root / run.source) + self.papers[run.paper] + self.core


def record_of(notebook: Path) -> dict[str, Any]:
    """Return what a finished run, or a page of the book made from one, says of itself; nothing where there is none."""
    try:
        return json.loads(notebook.read_text(encoding="utf-8"))["metadata"][RECORD]
    except (OSError, ValueError, KeyError):
        return {}


def _is_newest(target: Path, made_from: list[Path]) -> bool:
    """Say whether a file is there and no older than all that it is made from."""
    return target.exists() and all(
        file.exists() and file.stat().st_mtime <= target.stat().st_mtime for file in made_from
    )


def bring_back(files: Iterable[Path]) -> None:
    """Give files from the future, which a clock that was set back leaves, the time of now, in their order.

    Nothing that is made from them today would be newer, and Snakemake takes that for an error.
    """
    now = time.time_ns()
    late = sorted((file.stat().st_mtime_ns, file) for file in files if file.stat().st_mtime_ns > now)
    for behind, (_, file) in enumerate(reversed(late)):
        with contextlib.suppress(OSError):  # another user's
            os.utime(file, ns=(now - 1000 * behind, now - 1000 * behind))


def is_finished(plans: plan.Plans, run: plan.Run, fingerprints: Fingerprints) -> bool:
    """Say whether a run's notebook is whole and would come out the same today."""
    notebook, needed = Path(run.notebook), [Path(other.notebook) for other in plan.needed(plans, run)]
    return _is_newest(notebook, needed) and record_of(notebook).get("fingerprint") == fingerprints.of(run)


def with_needed(plans: plan.Plans, wanted: list[plan.Run]) -> list[plan.Run]:
    """List the wanted runs, then those that they need."""
    every = {run.notebook: run for run in wanted}
    waiting = list(wanted)
    while waiting:
        new = {run.notebook: run for run in plan.needed(plans, waiting.pop()) if run.notebook not in every}
        every |= new
        waiting += new.values()
    return [*every.values()]


def unfinished(plans: plan.Plans, wanted: list[plan.Run]) -> list[plan.Run]:
    """List which of the wanted runs, and of those that they need, have to be executed."""
    fingerprints = Fingerprints()
    return [run for run in with_needed(plans, wanted) if not is_finished(plans, run, fingerprints)]


def is_staged(page: plan.BookPage, staging: Path) -> bool:
    """Say whether a page of the book shows its run, and is newer than its source, that run and the staging code."""
    made_from = [Path(page.source), staging, *([Path(page.executed)] if page.executed else [])]
    return _is_newest(Path(page.target), made_from) and not shows_another(page)


def shows_another(page: plan.BookPage) -> bool:
    """Say whether a page of the book shows another run than it should: one of another scale, or none."""
    target = Path(page.target)
    if page.executed is None or not target.exists():
        return False
    shown = record_of(target).get("executed", "")
    return (target.parent / shown).resolve() != Path(page.executed).resolve()
