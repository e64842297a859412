"""Measure what a page lacks: train its chains, write a part of the table for each algorithm, then one for each measurement.

On a machine without the book's packages: python -m lib.analysis.measure training_regularization additional_regularization
mnist-lenet paper [--seeds 0 1] [--algorithms NAME ...] [--device cuda] [--store FOLDER] [--commit] [--set epochs=5].
With --commit the parts are also written beside the paper, to be committed. Each part is written as soon as it is whole, so
that a kill loses none. The same command started twice, on one machine or on several that share the store's folder, shares
the networks between both. What --set changes makes a run of its own (`lib.changes`), which is never committed.

Networks whose images are streamed from files train on several devices at once where torchrun starts a process for each
(`lib.training.processes`); the first then measures: torchrun --nproc-per-node 4 -m lib.analysis.measure ...
"""

import argparse
import functools
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas

from lib.analysis import experiments
from lib.analysis.cost import cost_of
from lib.analysis.experiments import ERRORS, Context, Measurement, Page, errors_of, find_page, listed
from lib.analysis.files import REPOSITORY, written_by_one
from lib.analysis.part import Provenance, file_name, make_frame, read_part, write_detail, write_part
from lib.analysis.statistics import FEWEST_REPLICATES
from lib.analysis.table import Origin, Table, assemble, joined, label_of, read_table, table_folder
from lib.changes import NO_CHANGES, Changes, read_changes
from lib.errors import InputError, unknown
from lib.scales import SCALES, SCORED
from lib.stages import NUMERICS_VERSION, Chain, Execution, Results, Store, run, run_all
from lib.stages.experiment_plan import Plan, real_changes
from lib.stages.runner import progress_bar
from lib.training import Replicate, processes


@dataclass(frozen=True)
class How:
    """Where and how a page is measured.

    Attributes:
        store: folder of the store; empty for the default one.
        device: see `lib.training.device.find_device`.
        deterministic: on CUDA, repeat to the bit, at a price; a CPU always does.
        root: where `runs/` and `papers/` lie.
    """

    store: str = ""
    device: str = "auto"
    deterministic: bool = False
    root: Path = REPOSITORY


def measure(
    page: Page, benchmark: str, scale: str, how: How | None = None, seeds: Sequence[int] | None = None,
    algorithms: Sequence[str] | None = None, commit: bool = False, changes: Changes = NO_CHANGES,
) -> Table:  # fmt: skip
    """Run what the store lacks of a page's chains and write its parts among those of this machine; return what it measured.

    Args:
        page, benchmark, scale: which plan.
        how: store, device, determinism.
        seeds, algorithms: only these; None for all. Measurements that need all of either are left out then.
        commit: also write the parts beside the paper.
        changes: of the plan; what is changed is a run of its own, with its own tables.

    Raises:
        InputError: an unknown benchmark, scale, seed or algorithm, a change that cannot be run, or one that is to be
            committed, a missing device, a store that cannot be written.
    """
    how = how or How()
    asked = _ask(page, benchmark, scale, seeds, algorithms, changes)
    page, plan, changes = asked.page, asked.plan, asked.changes
    if changes and commit:
        raise InputError(
            f"a run with {changes.words} is the reader's own and never committed. Allowed: one of commit and changes; to "
            f"make it the book's, write it into {page.paper}'s recipes.py."
        )
    store, done = Store(how.store or None), []
    places: list[Origin] = ["this machine", "committed"] if commit else ["this machine"]
    folders = [table_folder(page.paper, benchmark, scale, place, how.root, changes) for place in places]
    parts = _Parts(page, benchmark, scale, folders, store, changes)
    execution = Execution(how.device, plan.precision, plan.largest_stack, how.deterministic)

    only = (asked.replicates if asked.few_seeds else None, asked.algorithms if asked.few_algorithms else None)
    cost = cost_of(page, benchmark, scale, how.store, how.device, how.root, *only)
    if cost.missing:
        print(
            f"{page.name}, {benchmark}, {label_of(changes) if changes else f'{scale} scale'}: {cost.sentence}",
            flush=True,
        )
    bar = progress_bar(cost.epochs, shown=bool(cost.missing))

    def finish(chain: Chain, which: Sequence[Replicate]) -> Results:
        done.append(run(chain, which, store, execution, bar))
        return done[-1]

    results = run_all(asked.chains, asked.replicates, store, execution, bar)
    for name in asked.algorithms:
        own = [next(results) for chain in asked.chains if chain.algorithm == name]
        done += own
        parts.add(f"{name}{asked.few_seeds}", (row for one in own for row in errors_of(one)), ERRORS, [name], done)
    context = Context(plan, tuple(done), finish, parts.table(), store, how.device)
    few = f"{asked.few_algorithms}{asked.few_seeds}"
    for measurement in page.measurements:
        read = {*measurement.algorithms}
        few_algorithms = not read <= {*asked.algorithms} if read else bool(asked.few_algorithms)
        partial = {"algorithms": few_algorithms, "seeds": bool(asked.few_seeds)}
        if not any(partial[need] for need in measurement.needs):
            looking = replace(context, measurement=measurement)
            detail = functools.partial(measurement.detail, looking) if measurement.detail else None
            part = f"{measurement.name}, {page.name}{few}"
            parts.add(part, measurement.rows(looking), measurement, asked.algorithms, done, detail)
    bar.close()
    return parts.table("this machine")


def train(
    page: Page, benchmark: str, scale: str, how: How | None = None, seeds: Sequence[int] | None = None,
    algorithms: Sequence[str] | None = None, changes: Changes = NO_CHANGES,
) -> None:  # fmt: skip
    """Train what the store lacks of a page's chains, and measure nothing; arguments and errors are those of `measure`.

    Several processes train each network together (`lib.training.processes`).
    """
    how = how or How()
    asked = _ask(page, benchmark, scale, seeds, algorithms, changes)
    plan = asked.plan
    execution = Execution(how.device, plan.precision, plan.largest_stack, how.deterministic)
    for _ in run_all(
        asked.chains, asked.replicates, Store(how.store or None), execution, progress=not processes.place()
    ):
        pass


@dataclass(frozen=True)
class _Asked:
    """What one call of `measure` or `train` is about: page and plan as changed, and whose networks.

    Attributes:
        chains: of these algorithms, in their order.
        few_seeds, few_algorithms: in words for the name of a part, where not all of the plan's were asked for, else "".
    """

    page: Page
    plan: Plan
    changes: Changes
    replicates: list[Replicate]
    algorithms: list[str]
    chains: list[Chain]
    few_seeds: str
    few_algorithms: str


def _ask(
    page: Page, benchmark: str, scale: str, seeds: Sequence[int] | None, algorithms: Sequence[str] | None, changes: Changes
) -> _Asked:  # fmt: skip
    """Check what was asked for, and find it; the errors are those of `measure`."""
    changes = real_changes(page.plans(benchmark, scale), changes)
    page = experiments.changed(page, changes)
    plan = page.plans(benchmark, scale)
    chains = page.chains(plan)
    names = list(dict.fromkeys(chain.algorithm for chain in chains))
    for what, given, allowed in (("seed", seeds, plan.seeds), ("algorithm of this page", algorithms, names)):
        for one in given or ():
            if one not in allowed:
                raise unknown(what, one, map(str, allowed))
    replicates = [r for r in plan.replicates() if seeds is None or r.seed in seeds]
    some = [name for name in names if algorithms is None or name in algorithms]
    few_seeds = f", seeds {listed(sorted(seeds))}" if seeds and set(seeds) != set(plan.seeds) else ""
    own = [chain for name in some for chain in chains if chain.algorithm == name]
    return _Asked(
        page, plan, changes, replicates, some, own, few_seeds, "" if some == names else f", of {listed(some)}"
    )


@dataclass(frozen=True)
class _Parts:
    """The parts that one call of `measure` writes, each into all of the folders."""

    page: Page
    benchmark: str
    scale: str
    folders: Sequence[Path]
    store: Store
    changes: Changes = NO_CHANGES
    made: dict[str, Provenance] = field(default_factory=dict)
    frames: dict[str, pandas.DataFrame] = field(default_factory=dict)

    def add(
        self, part: str, rows: Iterable[Mapping], measurement: Measurement, algorithms: Sequence[str],
        done: Sequence[Results], detail: Callable[[], Any] | None = None,
    ) -> None:  # fmt: skip
        """Measure a part and write it; `done` are the finished chains, to which measuring may add."""
        seconds, trained, name = self.store.clock(), len(done), file_name(part)
        if detail:
            beside = detail()
            with written_by_one(*self.folders):
                write_detail(self.folders, part, beside)
        frame = make_frame(rows, self.page.dimensions, name)
        used = [one for i, one in enumerate(done) if i >= trained or one.chain.algorithm in algorithms]
        identity = {measurement.name: measurement.identity(self.scale)}
        made = _provenance(used, identity, algorithms, seconds())
        self.made[name], self.frames[name] = made, frame
        today = experiments.keys_today(self.page.paper, self.benchmark, self.scale, self.changes)
        with written_by_one(*self.folders):  # two pages that add the same algorithm take turns
            for folder in self.folders:
                _write(folder, name, frame, made, today)

    def table(self, origin: Origin = "memory") -> Table:
        """Put together what was written so far."""
        given = (self.page.paper, self.benchmark, self.scale, self.page.dimensions)
        return assemble(*given, list(self.frames.values()), self.made, origin, self.changes)


def _provenance(
    results: Sequence[Results], measurements: Mapping[str, str], algorithms: Sequence[str], seconds: float
) -> Provenance:
    """Return where the rows of a part come from, given every finished chain that it needed and how long measuring took."""
    entries = {e.key: e for one in results for row in one.entries for e in row}.values()
    records = [entry.record for entry in entries]
    return Provenance(
        seeds=tuple(sorted({replicate.seed for one in results for replicate in one.replicates})),
        device=joined(record["device"] for record in records),
        precision=joined(record["precision"] for record in records),
        deterministic=all(record.get("deterministic", True) for record in records),
        stacking="stacked" if any(record["stacked"] > 1 for record in records) else "sequential",
        date=max(record["date"] for record in records),
        training_seconds=round(sum(record["seconds"] for record in records), 1),
        measuring_seconds=round(seconds, 1),
        versions={name: joined(r["versions"][name] for r in records) for name in records[0]["versions"]},
        numerics_version=NUMERICS_VERSION,
        commit=commit_of_repository(),
        measurements=dict(measurements),
        algorithms=tuple(algorithms),
    )


@functools.cache
def commit_of_repository() -> str:
    """Return the git commit that is checked out, with a "+" where files other than tables differ from it; empty outside of
    a repository."""
    command, other = ["git", "describe", "--always", "--exclude=*"], [".", ":(exclude)papers/*/results/*"]
    try:
        name = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()
        differs = name and subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *other], cwd=REPOSITORY).returncode
    except OSError:  # no git
        return ""
    return f"{name}+" if differs else name


def _write(folder: Path, part: str, frame: pandas.DataFrame, made: Provenance, today: Collection[str]) -> None:
    """Write a part unless what lies there says as much, or nothing was found where something lies.

    Then parts go, of some seeds or algorithms, all of whose numbers it has.

    What lies there may say more: another page runs more replicates or noise levels. `today` has the keys of all pages.
    """
    csv, same = folder / f"{file_name(part)}.csv", False
    if csv.exists() and csv.with_suffix(".json").exists():
        old, before = read_part(csv)
        there = set(made.seeds) <= set(before.seeds) and len(frame.merge(old)) == len(frame)
        whole = old.equals(frame) or set(made.seeds) < set(before.seeds) or set(old["stage_key"]) <= set(today)
        same = frame.empty or before.measurements == made.measurements and there and whole
        if not same and before.measurements == made.measurements:  # trained anew, of fewer networks than lie there
            left = old.loc[~old["stage_key"].isin(frame["stage_key"]) & old["stage_key"].isin([*today])]
            if len(left):
                frame = pandas.concat([left, frame], ignore_index=True)
                made = made.model_copy(update={"seeds": tuple(sorted({*before.seeds, *made.seeds}))})
    if not same:
        write_part(folder, part, frame, made)
    for path in sorted([*folder.glob(f"{csv.stem}_seeds_*.csv"), *folder.glob(f"{csv.stem}_of_*.csv")]):
        if not path.with_suffix(".json").exists() or _has_whole(csv, path):
            for suffix in (".json", ".detail.json", ".csv"):  # whole as long as its JSON is there
                path.with_suffix(suffix).unlink(missing_ok=True)


def _has_whole(csv: Path, part: Path) -> bool:
    """Say whether a part has every number that another one has, be they measured anew."""
    (frame, made), (own, before) = read_part(csv), read_part(part)
    number = [name for name in frame.columns if name not in ("value", "stage_key", "part")]
    return set(before.algorithms) <= set(made.algorithms) and len(own[number].merge(frame[number])) == len(own)


@dataclass(frozen=True)
class Found:
    """The tables that a page draws.

    Attributes:
        tables: current ones that are not empty, in the order of `find`, of a scale the committed one before this machine's;
            last what the reader changed.
        stale: label of a table → its parts that hold other networks or measurements than today's.
        missing: label of a table → what the page would measure that it does not have.
        changes: what the reader changed of the plan.
    """

    tables: list[Table]
    stale: Mapping[str, Sequence[str]]
    missing: Mapping[str, Sequence[str]]
    changes: Changes = NO_CHANGES

    @property
    def note(self) -> str:
        """Say in a few sentences what is drawn, and what is not."""
        shown = "; ".join(
            f"{t.label}, {joined(one.precision for one in t.parts.values())}, seeds {listed(t.seeds)}"
            for t in self.tables
        )
        partial = " ".join(f"Not measured for {label}: {'; '.join(one)}." for label, one in self.missing.items() if one)
        old = "; ".join(f"{listed(names)} of {label}" for label, names in self.stale.items() if names)
        return (
            f"Tables drawn: {shown or 'none'}."
            + (f" {partial}" if partial else "")
            + (f" Not drawn, since recipe or measurement has changed: {old}." if old else "")
        )


def find(
    page: Page, benchmark: str, scale: str, root: Path = REPOSITORY, changes: Changes = NO_CHANGES
) -> Found:  # fmt: skip
    """Find what a page can draw at this scale and all that are scored, without training anything; see `measure`.

    The largest scale leads, among those with enough replicates to decide a claim, and where the page is shown as a `whole`
    among those that have all of its algorithms.
    """
    changes = real_changes(page.plans(benchmark, scale), changes)
    both = page, experiments.changed(page, changes)
    asked = {chain.algorithm for one in both for chain in one.chains(one.plans(benchmark, scale))}
    parts = tuple(file_name(f"{measurement.name}, {page.name}") for measurement in page.measurements)
    planned = {one: _algorithms(page, benchmark, one) for one in SCALES}
    tables, stale, lacking = [], {}, {}

    def look(one: str, origin: Origin, changes: Changes = NO_CHANGES) -> None:
        table = read_table(page.paper, benchmark, one, origin, root, changes)
        if table is None:
            return
        fresh, old = experiments.current(table)
        own = asked | planned[one]
        measured = fresh.frame.loc[fresh.frame["part"].str.startswith(parts), "algorithm"]  # or of what it set beside
        fresh = fresh.where(algorithm=own | {*measured})
        if old := [part for part in old if own & set(table.parts[part].algorithms)]:
            stale[table.label] = old
        if len(fresh.frame) and not any(_same(fresh, t) for t in tables if t.scale == one and not changes):
            tables.append(fresh)
            lacking[fresh.label] = experiments.missing(experiments.changed(page, changes), fresh, benchmark, one)

    for one in reversed(SCALES):
        if one == scale or one in SCORED:
            look(one, "committed")
            look(one, "this machine")
    tables.sort(
        key=lambda t: (
            len(t.seeds) < FEWEST_REPLICATES, page.whole and not planned[t.scale] <= {*t.frame["algorithm"]}
        )
    )  # fmt: skip
    if changes:
        look(scale, "this machine", changes)
        if not any(table.changes for table in tables):
            lacking[label_of(changes)] = ["everything (set recompute = True to measure it)"]
    return Found(tables, stale, lacking, changes)


def _algorithms(page: Page, benchmark: str, scale: str) -> set[str]:
    """Return what a page runs at a scale, which may be more than at another; nothing where it has no such plan."""
    try:
        return {chain.algorithm for chain in page.chains(page.plans(benchmark, scale))}
    except InputError:
        return set()


def _same(one: Table, other: Table) -> bool:
    """Tell whether every number of one table is in the other, as when a committed table is measured again."""
    columns = [*one.key, "value"]
    frames = (table.frame.loc[~table.frame["quantity"].str.endswith(" (level)")] for table in (one, other))
    own, there = (frame.loc[:, columns] for frame in frames)
    return len(own.merge(there, on=columns)) == len(own)


def complete(
    page: Page, benchmark: str, scale: str, how: How | None = None, recompute: bool = False, changes: Changes = NO_CHANGES
) -> Found:  # fmt: skip
    """Return what a page draws, see `measure`; train what the store lacks only with `recompute`.

    Where nothing was measured at any scale there is no table, and the page says so in place of its figures.
    """
    how = how or How()
    if recompute:
        measure(page, benchmark, scale, how, changes=changes)
    return find(page, benchmark, scale, how.root, changes)


def main(arguments: list[str] | None = None) -> int:
    """Measure from the command line; return 2 for bad input."""
    parser = argparse.ArgumentParser("python -m lib.analysis.measure", description="Measure a page.")
    for name in ("paper", "page", "benchmark", "scale"):
        parser.add_argument(name)
    parser.add_argument("--seeds", type=int, nargs="+", help="only these replicates")
    parser.add_argument("--algorithms", nargs="+", help="only these of the page")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--deterministic", action="store_true", help="on CUDA, repeat to the bit")
    parser.add_argument("--store", default="")
    parser.add_argument("--train", action="store_true", help="only train what the store lacks, and measure nothing")
    parser.add_argument("--commit", action="store_true", help="also write the parts beside the paper")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change the plan: seeds=7")
    given = parser.parse_args(arguments)
    how = How(given.store, given.device, given.deterministic)
    if given.train and given.commit:
        parser.error("--train measures nothing that --commit could write: give one of them")
    try:
        page = find_page(given.paper, given.page)
        changes = read_changes(given.set)
        with processes.together(given.device):
            if given.train or processes.count() > 1:
                train(page, given.benchmark, given.scale, how, given.seeds, given.algorithms, changes)
            if given.train or processes.place():
                return 0
        asked = (given.benchmark, given.scale, how, given.seeds, given.algorithms, given.commit)
        table = measure(page, *asked, changes)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{table.label}: {len(table.frame)} rows in {len(table.parts)} parts")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
