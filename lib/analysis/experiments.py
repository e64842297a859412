"""What a page runs and measures, and whether a table holds what would be measured today.

A page names its chains and its measurements. The measurement of errors, of every network, is made by itself (`errors_of`);
others look closer at some networks. A row of a table is current when its network is one that a page of the paper trains
today, with today's seeds and levels, and its measurement is today's. Pages, scoreboard and comparisons all ask `current`.
"""

import functools
import importlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lib.analysis.files import REPOSITORY
from lib.analysis.levels import BEST_TEST, TEST, with_levels
from lib.analysis.part import file_name
from lib.analysis.table import EPOCHS, SIZE, Table, find_tables
from lib.changes import NO_CHANGES, Changes
from lib.errors import InputError, unknown
from lib.stages import Chain, Entry, Results, Stage, Store, stage_keys
from lib.stages.experiment_plan import Plan, change, plan_keys
from lib.training import Replicate

RunChain = Callable[[Chain, Sequence[Replicate]], Results]
"""Brings a chain to its end for some replicates, where and how the page's own chains were."""


@dataclass(frozen=True)
class Context:
    """What a measurement may look at.

    Attributes:
        plan: what was run.
        results: the page's finished chains.
        run: brings further chains to their end.
        table: their errors, with chosen levels (`lib.analysis.levels`).
        store: keeps what is measured of single networks.
        device: see `lib.training.device.find_device`.
        measurement: which one looks.
    """

    plan: Plan
    results: Sequence[Results]
    run: RunChain
    table: Table
    store: Store
    device: str = "auto"
    measurement: "Measurement | None" = None

    def of(self, *algorithms: str) -> list[Results]:
        """Return the finished chains of some algorithms."""
        return [one for one in self.results if one.chain.algorithm in algorithms]

    def levels(self, choose: Callable[..., list[int]], algorithm: str) -> Callable[[Replicate], list[int]]:
        """Return which levels of an algorithm a rule of `lib.analysis.levels` chooses, as a function of the replicate."""
        chosen = functools.cache(lambda case: choose(self.table, algorithm=algorithm, **dict(case)))
        return lambda replicate: chosen(tuple(case_of(replicate).items()))

    def measured(self, entries: Sequence[Entry], compute: Callable[[], Any]) -> Any:
        """Return what was measured of some networks, a JSON value: kept by the store, or computed now and kept."""
        return self.store.measured([entry.key for entry in entries], self._description(), compute)

    def measured_all(
        self, several: Sequence[Sequence[Entry]], compute: Callable[[Sequence[int]], Sequence[Any]]
    ) -> list[Any]:
        """Do so several times at once: `compute` takes the places in `several` of what the store lacks."""
        keys = [[entry.key for entry in entries] for entries in several]
        return self.store.measured_all(keys, self._description(), compute)

    def is_being_measured(self, several: Sequence[Sequence[Entry]]) -> bool:
        """Say whether another process is at work on what `measured_all` would compute."""
        keys = [[entry.key for entry in entries] for entries in several]
        return self.store.is_being_measured(keys, self._description())

    @property
    def numbers(self) -> Mapping[str, Any]:
        """How large the measurement is at the table's scale."""
        assert self.measurement, "measuring sets which measurement looks"
        return self.measurement.sizes[self.table.scale]

    def _description(self) -> dict[str, str]:
        assert self.measurement, "measuring sets which measurement looks"
        return {"measurement": self.measurement.name, "identity": self.measurement.identity(self.table.scale)}


ALL: tuple[Literal["algorithms", "seeds"], ...] = ("algorithms", "seeds")
"""What a measurement needs that compares everything with everything."""


@dataclass(frozen=True)
class Measurement:
    """One measurement on finished stages: one function.

    Attributes:
        name: of the measurement and, with the page, of its part of the table.
        rows: context → rows, as `lib.analysis.part.make_frame` takes them; begin each with `network_columns`.
        version: raise it whenever the same networks would give other numbers.
        settings: constants that the numbers depend on; a change makes what was measured stale.
        chains: plan → further chains that it needs, each with its replicates.
        needs: "algorithms", "seeds", of which it needs all that the plan has; it is left out where only some were asked for.
        algorithms: that it reads, where these are not all of the page; then it needs no others.
        detail: context → what is too long for rows, a JSON value, kept beside the part (`lib.analysis.part.read_detail`).
        sizes: scale → further settings, which count at that scale only (`lib.analysis.sizes`).
    """

    name: str
    rows: Callable[[Context], Iterable[Mapping]]
    version: int = 1
    settings: Mapping[str, int | float | str] = field(default_factory=dict)
    chains: Callable[[Plan], list[tuple[Chain, list[Replicate]]]] = lambda plan: []
    needs: Sequence[Literal["algorithms", "seeds"]] = ()
    algorithms: Sequence[str] = ()
    detail: Callable[[Context], Any] | None = None
    sizes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def identity(self, scale: str) -> str:
        """Version and settings at a scale in words, such as "1; groups=20; networks=10"."""
        settings = {**self.settings, **self.sizes.get(scale, {})}
        return "; ".join([str(self.version), *(f"{name}={_spelled(settings[name])}" for name in sorted(settings))])


def _spelled(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else "all" if value is None else str(value)


@dataclass(frozen=True)
class Page:
    """Names a page and says which chains it runs for a plan.

    Attributes:
        paper: folder name in `papers/`.
        name: of the page.
        plans: benchmark, scale → plan.
        chains: plan → the chains of the page.
        measurements: besides errors.
        claims: ids of the claims that it decides.
        dimensions: what the paper varies besides algorithm, seed and level; fields of a replicate.
        whole: a table that lacks an algorithm of the page comes behind those that have all. False where each figure and
            sentence looks for a table that has what it compares, so that the largest scale is shown wherever it can be.
    """

    paper: str
    name: str
    plans: Callable[[str, str], Plan]
    chains: Callable[[Plan], list[Chain]]
    measurements: tuple[Measurement, ...] = ()
    claims: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ("noise_percent",)
    whole: bool = True


SUBSETS: Mapping[str, str] = {
    "test": "test",
    "validation": "validation",
    "train": "training",
    "train_noisy": "noisy training",
    "train_original": "original training",
    "train_restored": "restored training",
}
"""Sets of images as the store names them, and as quantities do: "noisy training error (%)". Noisy examples have a replaced
label, original ones their own; restored are the noisy ones scored against their own label."""


def case_of(replicate: Replicate) -> dict:
    """Return what a paper varies besides algorithm, seed and level: label noise, and dimensions of its own."""
    return {"noise_percent": replicate.noise_percent, **dict(replicate.dimensions)}


def network_columns(replicate: Replicate, chain: Chain, stage: Stage, entry: Entry) -> dict:
    """Return the columns that name a network, with which every row begins."""
    return {
        **case_of(replicate),
        "algorithm": chain.algorithm,
        "seed": replicate.seed,
        "level": stage.level or 0,
        "stage_key": entry.key,
    }


def reported(results: Results) -> Iterator[tuple[dict, Replicate, int, Entry]]:
    """Yield each reported network that has not diverged: its columns, its replicate, its stage's position and entry."""
    for replicate, entries in zip(results.replicates, results.entries, strict=True):
        for position, (stage, entry) in enumerate(zip(results.chain.stages, entries, strict=False)):
            if stage.level is not None and not entry.record["diverged"]:
                yield network_columns(replicate, results.chain, stage, entry), replicate, position, entry


def errors_of(results: Results) -> Iterator[dict]:
    """Yield error and loss on every set of images, size and length of training of each network of a finished chain.

    Where the errors of every epoch were recorded, also the lowest test error of any epoch ("best", which the early stopping
    of LN section 3.2 reads on the test set) and `UNSTEADINESS`, |E(T) − mean of E(T − 9), …, E(T)|, small where training has
    come to rest (LN-C05). A network that diverged has NaN; a preparation is reported only if it diverged, as level 0.
    """
    stages = results.chain.stages
    trained = _epochs_trained(stages)
    for replicate, entries in zip(results.replicates, results.entries, strict=True):
        for position, (stage, entry) in enumerate(zip(stages, entries, strict=False)):
            gone = entry.record["diverged"]
            if stage.level is None and not gone:
                continue
            found = {SIZE: _size(stage, position, entries), EPOCHS: float(trained[position])}
            for metric in entry.record["metrics"]:
                subset = SUBSETS[metric["subset"]]
                found[f"{subset} error (%)"] = math.nan if gone else metric["error_percent"]
                if "pixel_error_percent" in metric:  # of a segmentation, whose error is 1 − mean IoU
                    found[f"{subset} pixel error (%)"] = math.nan if gone else metric["pixel_error_percent"]
                found[f"{subset} loss (nats)"] = math.nan if gone else metric["cross_entropy_nats"]
                if not stage.level:
                    found[f"{subset} examples"] = float(metric["examples"])
            recorded = entry.record.get("epoch_errors", {}).get("test")
            if recorded and not gone:
                last = recorded[-STEADY_EPOCHS:]
                found[BEST_TEST] = min(*recorded, found[TEST])
                found[UNSTEADINESS] = abs(last[-1] - sum(last) / len(last))
            network = network_columns(replicate, results.chain, stage, entry)
            for quantity, value in found.items():
                yield network | {"quantity": quantity, "value": value}


def _size(stage: Stage, position: int, entries: Sequence[Entry]) -> float:
    """Return the weights that remain in percent: of a network that trains on chosen examples, of the one that chose them; of
    one whose masks were lifted, of the sparse network that it goes on from."""
    entry = entries[position]
    if stage.examples:
        entry = entries[stage.examples.judge]
    elif stage.lift_masks:
        entry = entries[position - 1]
    return entry.record["weights_remaining_percent"]


def _epochs_trained(stages: Sequence[Stage]) -> list[int]:
    """Return how long each stage's network has trained, with the networks that its masks come from."""
    trained = [0]
    for stage in stages:
        inherits = stage.start != "fresh" or not stage.lift_masks
        trained.append((trained[-1] if inherits else 0) + stage.to_epoch - stage.from_epoch)
    return trained[1:]


UNSTEADINESS, STEADY_EPOCHS = "test error change over ten epochs (%)", 10
ERRORS = Measurement("errors", lambda context: (row for one in context.results for row in errors_of(one)))


def pages_of(paper: str) -> Mapping[str, Page]:
    """Return the pages of a paper that train, by name, as `papers/<paper>/experiments.py` lists them in `PAGES`."""
    if not (REPOSITORY / "papers" / paper / "experiments.py").exists():
        return {}
    return importlib.import_module(f"papers.{paper}.experiments").PAGES


def find_page(paper: str, name: str) -> Page:
    """Return a page by name, or raise InputError with the names that there are."""
    if name not in (pages := pages_of(paper)):
        raise unknown(f"page of paper {paper}", name, pages)
    return pages[name]


NAMELESS = "magnitude", "l2"
"""Scores of weights and of filters that are no part of an algorithm's name."""


def changed(page: Page, changes: Changes) -> Page:
    """Return a page that runs what a reader changed, at every scale.

    A chain whose score is changed keeps its algorithm's name, so that figures draw it beside the book's; its table's label
    says which score it is.
    """
    if not changes:
        return page

    def chains(plan: Plan) -> list[Chain]:
        filters = plan.filters and plan.filters.but(score=NAMELESS[1])
        nameless = plan.but(prune=plan.prune.but(score=NAMELESS[0]), filters=filters)
        named = page.chains(nameless if changes.score else plan)
        return [own.but(algorithm=one.algorithm) for own, one in zip(page.chains(plan), named, strict=True)]

    return replace(page, plans=lambda benchmark, scale: change(page.plans(benchmark, scale), changes), chains=chains)


def plan_of(page: Page, table: Table) -> Plan:
    """Return what a table of a page was measured by."""
    return change(page.plans(table.benchmark, table.scale), table.changes)


def keys_today(paper: str, benchmark: str, scale: str, changes: Changes = NO_CHANGES) -> frozenset[str]:
    """Return the keys of every stage that some page of a paper runs today for a benchmark at a scale."""
    asked = (paper, benchmark, scale, changes, changes.slug if changes else "")
    return _keys_today(*asked)  # pyright: ignore[reportArgumentType]  # what is frozen has a hash


@functools.lru_cache(maxsize=64)
def _keys_today(paper: str, benchmark: str, scale: str, changes: Changes, slug: str) -> frozenset[str]:
    """Return the same; the slug, which has the hash of a score of the reader's own, says whether they are still today's."""
    keys: set[str] = set()
    for page in (changed(one, changes) for one in pages_of(paper).values()):
        try:
            plan = page.plans(benchmark, scale)
        except InputError:  # a benchmark or scale that the paper no longer has, or a change that this page cannot make
            continue
        keys |= keys_of(page, plan)
    return frozenset(keys)


def keys_of(page: Page, plan: Plan) -> set[str]:
    """Return the keys of every stage that a page runs by a plan, those that only its measurements need among them."""
    further = (one for measurement in page.measurements for one in measurement.chains(plan))
    keys = (stage_keys(chain, one, plan.precision) for chain, replicates in further for one in replicates)
    return plan_keys(plan, page.chains(plan)).union(*keys)


def current(table: Table) -> tuple[Table, list[str]]:
    """Return a table without stale rows, its levels chosen from what is left, and the names of the parts that lost some."""
    keys = keys_today(table.paper, table.benchmark, table.scale, table.changes)
    today = [one for page in pages_of(table.paper).values() for one in (ERRORS, *page.measurements)]
    known = {(one.name, one.identity(table.scale)) for one in today}
    parts = {part: made for part, made in table.parts.items() if made.measurements.items() <= known}
    # Of every part, since a stale row must not hide a current one.
    rows = table.frame if table.every_row is None else table.every_row
    fresh = rows["stage_key"].isin(list(keys)) & rows["part"].isin(list(parts))
    stale = sorted({str(part) for part in rows.loc[~fresh, "part"]} | (table.parts.keys() - parts.keys()))
    if not stale:
        return table, []
    left = rows.loc[fresh].drop_duplicates(subset=table.key, keep="last")
    return with_levels(replace(table, frame=rows, parts=parts, every_row=None).with_frame(left)), stale


def committed_tables(paper: str, benchmark: str = "*", scale: str = "*", root: Path | str = REPOSITORY) -> list[Table]:
    """Return a paper's committed tables without stale rows, largest scale first; those with none left are left out."""
    found = [one for one in find_tables(paper, benchmark, scale, root) if one.origin == "committed"]
    return [fresh for one in found if len((fresh := current(one)[0]).frame)]


def missing(page: Page, table: Table, benchmark: str, scale: str) -> list[str]:
    """Say in words what a page would measure and a table does not have: a phrase for each algorithm or measurement.

    Such as "weight rewinding (seeds 3, 4, levels 0, 1)"; only its name where an algorithm has nothing, or for a measurement.
    """
    plan, frame = page.plans(benchmark, scale), table.frame
    sizes = frame.loc[frame["quantity"] == SIZE]
    there = set(zip(sizes["algorithm"], sizes["stage_key"], strict=True))
    diverged = set(frame.loc[(frame["quantity"] == TEST) & frame["value"].isna(), "stage_key"])
    needed, lost = ({chain.algorithm: set() for chain in page.chains(plan)} for _ in range(2))
    for chain, replicate in itertools.product(page.chains(plan), plan.replicates()):
        for stage, key in zip(chain.stages, stage_keys(chain, replicate, plan.precision), strict=True):
            if stage.level is not None:
                needed[chain.algorithm].add(key)
                if (chain.algorithm, key) not in there:
                    lost[chain.algorithm].add((key, replicate.seed, stage.level))
            if key in diverged:
                break  # nothing follows
    found = []
    for algorithm, networks in lost.items():
        if len(networks) == len(needed[algorithm]):
            found.append(algorithm)
        elif networks:
            _, seeds, levels = (listed(sorted(set(column))) for column in zip(*networks, strict=True))
            found.append(f"{algorithm} (seeds {seeds}, levels {levels})")
    for measurement in page.measurements:
        # Its own part: another page may measure the same of fewer sets of images.
        name = file_name(f"{measurement.name}, {page.name}")
        made = [one for part, one in table.parts.items() if part.startswith(name)]
        covered = {pair for one in made for pair in itertools.product(one.algorithms, one.seeds)}
        if not covered.issuperset(itertools.product(measurement.algorithms or needed, plan.seeds)):
            found.append(measurement.name)
    return found


def listed(values: Iterable) -> str:
    """Write values as a list in words: "0, 1, 2"."""
    return ", ".join(map(str, values))
