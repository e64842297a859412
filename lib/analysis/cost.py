"""What is left of a page before it runs: how much the store has, how long the rest takes here, and what it costs on disk.

    work(stage) = epochs × images trained on × (1 + 4 × width) / 5
    seconds left = Σ over missing stages  work × rate of its algorithm

A rate is seconds by work of finished networks of the same kind: of those in the store that this machine trained, else of
those behind a table of the benchmark, the same scale first. Both are of one replicate in a stack. The width is that of a
network made narrower, by a share; what does not depend on it is a fifth of a step of LeNet.
"""

import contextlib
import itertools
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from lib import by_name
from lib.analysis import experiments
from lib.analysis.experiments import ERRORS, Page
from lib.analysis.files import REPOSITORY
from lib.analysis.memory import network_without_values
from lib.analysis.part import Provenance, file_name, read_provenance
from lib.analysis.table import Origin, joined, table_folder
from lib.data.image_sources import KNOWN
from lib.errors import InputError
from lib.scales import SCALES
from lib.stages import Chain, default_store, stage_keys
from lib.stages.entry import MANIFEST
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Stage
from lib.training import Recipe, Replicate
from lib.training.device import describe_device, find_device

MOST_READ = 60  # finished stages, whose records give a rate
ENOUGH = 8  # of them; fewer may be one network alone, or the first that compiles, or one moment of a busy machine
Stages = Mapping[str, tuple[Chain, Stage]]
"""By key."""
Rates = Mapping[str, float]
"""Seconds by work, of an algorithm; of all under ""."""


@dataclass(frozen=True)
class Cost:
    """What is left of a page.

    Attributes:
        stages: how many it needs, each counted once.
        missing: those of them that are not in the store.
        epochs: of the missing ones, over all replicates.
        seconds: that training them takes; None where nothing like it was measured.
        megabytes: of the missing ones, once they are in the store.
        source: where the rate comes from, in words.
        keys: of the missing stages.
        stacks: what trains at once in them: a recipe, how many replicates at most, and the precision of products.
    """

    stages: int
    missing: int
    epochs: int
    seconds: float | None
    megabytes: float
    source: str
    keys: frozenset[str] = frozenset()
    stacks: tuple[tuple[Recipe, int, str], ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in words."""
        if not self.missing:
            return f"All {self.stages:,} stages are in the store: nothing is left to train."
        there = f"{self.stages - self.missing:,} of {self.stages:,} stages are in the store."
        disk = f"about {as_size(1e6 * self.megabytes)}"
        if self.seconds is None:
            return f"{there} How long the rest takes is not known: {self.source}. It takes {disk} on disk."
        return f"{there} The rest takes about {lasting(self.seconds)}, {self.source}, and {disk} on disk."


def lasting(seconds: float) -> str:
    """Return a time as precise as an estimate is: "40 s", "6 minutes", "3 hours"."""
    for most, unit, name in ((90, 1, "s"), (5400, 60, "minutes"), (172_800, 3600, "hours")):
        if seconds < most:
            return f"{max(1, round(seconds / unit))} {name}"
    days = round(seconds / 86_400)
    return f"{days} days" if days < 730 else f"{round(days / 365):,} years"


def as_size(count: float) -> str:
    """Return a number of bytes as precise as an estimate is: "29 MB", "1.2 GB", "430 GB"."""
    unit, scaled = ("GB", count / 1e9) if count >= 1e8 else ("MB", count / 1e6)
    return f"{scaled:,.0f} {unit}" if scaled >= 10 else f"{scaled:.2g} {unit}"


def cost_of(
    page: Page, benchmark: str, scale: str, store: str = "", device: str = "auto", root: Path = REPOSITORY,
    replicates: Sequence[Replicate] | None = None, algorithms: Sequence[str] | None = None,
    counted: Container[str] = (),
) -> Cost:  # fmt: skip
    """Say what is left of a page; nothing is trained or written.

    Args:
        page, benchmark, scale: what is run, with what a reader changed (`lib.analysis.experiments.changed`).
        store: its folder; empty for the default one.
        device: see `lib.training.device.find_device`.
        root: where tables lie.
        replicates, algorithms: only these; None for all.
        counted: keys of stages that another page will have trained.

    Raises:
        InputError: an unknown benchmark or scale, a missing device.
    """
    plan = page.plans(benchmark, scale)
    stages = _stages(page, plan, replicates, algorithms)
    entries = (Path(store).expanduser() if store else default_store()) / "entries"
    missing = {key: found for key, found in stages.items() if key not in counted and not _is_there(entries, key)}
    epochs = sum(stage.to_epoch - stage.from_epoch for _, stage in missing.values())
    size = sum(_megabytes(chain, stage) for chain, stage in missing.values())
    if not missing:
        return Cost(len(stages), 0, 0, 0.0, 0.0, "")
    tables = _tables(page.paper, benchmark, scale, root)
    all_tables = itertools.chain(tables, _other_tables(page.paper, benchmark, scale, root))
    rates, source = _rates_here(page, plan, stages, entries, describe_device(find_device(device)), all_tables)
    seconds = None
    if rates:
        seconds = sum(work(chain, stage) * rates.get(chain.algorithm, rates[""]) for chain, stage in missing.values())
        seconds += _measuring(page, plan, tables)
    recipes = {chain.algorithm: chain.recipe for chain, _ in missing.values()}.values()
    largest = max(len(those) for _, those in _chains(page, plan, replicates, algorithms))
    largest = min(largest, plan.largest_stack or largest)
    stacks = tuple((recipe, largest, plan.precision) for recipe in dict.fromkeys(recipes))
    return Cost(len(stages), len(missing), epochs, seconds, size, source, frozenset(missing), stacks)


def _is_there(entries: Path, key: str) -> bool:
    """Say whether the store has an entry, in a time that does not grow with it."""
    return (entries / key).exists()


def work(chain: Chain, stage: Stage) -> float:
    """Return epochs × images of one stage, less for a narrower network."""
    return (stage.to_epoch - stage.from_epoch) * _images(chain) * (1 + 4 * chain.recipe.width_scale) / 5


def _images(chain: Chain) -> int:
    data = chain.recipe.data
    if data.train or data.image_set not in KNOWN:
        own = by_name.kept(data.image_set)  # a reader's
        return data.train or (len(own.train_labels) - data.validation if own else 1)
    return KNOWN[data.image_set].shapes["train_images"][0] - data.validation


@dataclass(frozen=True)
class Parts:
    """The provenance of the parts of a table, whose numbers are not read, and where they lie."""

    folder: Path
    benchmark: str
    scale: str
    origin: Origin
    parts: Mapping[str, Provenance]


def _tables(paper: str, benchmark: str, scale: str, root: Path) -> list[Parts]:
    """Return what tables of a benchmark say of themselves: this scale's first, then larger ones; this machine's before
    committed ones. Small scales come last, since their steps are short and what surrounds them is not."""
    origins: tuple[Origin, ...] = ("this machine", "committed")
    found = []
    for one, origin in itertools.product(sorted(reversed(SCALES), key=lambda one: one != scale), origins):
        folder = table_folder(paper, benchmark, one, origin, root)
        made: dict[str, Provenance] = {}
        for path in sorted(folder.glob("*.json")):
            with contextlib.suppress(OSError):  # another process writes it anew
                made |= {path.stem: read_provenance(path)} if path.with_suffix(".csv").exists() else {}
        found += [Parts(folder, benchmark, one, origin, made)] if made else []
    return found


def _other_tables(paper: str, benchmark: str, scale: str, root: Path) -> Iterable[Parts]:
    """Yield the same of the paper's other benchmarks, some of which train the same network on the same images."""
    folders = (
        folder for place in (f"runs/tables/{paper}", f"papers/{paper}/results") for folder in root.glob(f"{place}/*")
    )
    for other in sorted({folder.name.rpartition("_")[0] for folder in folders} - {benchmark}):
        yield from _tables(paper, other, scale, root)


def _stages(
    page: Page, plan: Plan, replicates: Sequence[Replicate] | None = None, algorithms: Sequence[str] | None = None
) -> Stages:
    """Return every stage that a page trains, its measurements' too, each once."""
    found: dict[str, tuple[Chain, Stage]] = {}
    for chain, those in _chains(page, plan, replicates, algorithms):
        for replicate in those:
            for key, stage in zip(stage_keys(chain, replicate, plan.precision), chain.stages, strict=True):
                found.setdefault(key, (chain, stage))
    return found


def _chains(
    page: Page, plan: Plan, replicates: Sequence[Replicate] | None, algorithms: Sequence[str] | None
) -> list[tuple[Chain, Sequence[Replicate]]]:
    """Return the chains of a page and of its measurements, each with its replicates."""
    whole = plan.replicates()
    chains: list[tuple[Chain, Sequence[Replicate]]] = [(chain, replicates or whole) for chain in page.chains(plan)]
    chains = [one for one in chains if algorithms is None or one[0].algorithm in algorithms]
    if replicates is None and algorithms is None:
        chains += [one for measurement in page.measurements for one in measurement.chains(plan)]
    return chains


def _rates_here(
    page: Page, plan: Plan, stages: Stages, entries: Path, device: str, tables: Iterable[Parts]
) -> tuple[Rates, str]:
    """Return rates of this machine, else of a table, and where they come from in words."""
    known = {key: found for key, found in stages.items() if _is_there(entries, key)}
    for scale in SCALES if not known else ():  # other scales of the same network
        try:
            other = page.plans(plan.recipe.benchmark, scale)
        except InputError:
            continue
        if _kind(other) == _kind(plan):
            known |= {key: found for key, found in _stages(page, other).items() if _is_there(entries, key)}
    spent = []
    for key, (chain, stage) in list(known.items())[:: max(1, len(known) // MOST_READ)]:
        record = _record(entries / key)
        if record.get("device") == device and (amount := work(chain, stage)):
            spent.append((chain.algorithm, record["seconds"], amount))
    own = _rates(spent), f"by the rate of {len(spent)} such stages that this machine has trained"
    if len(spent) >= ENOUGH:
        return own
    for table in tables:
        devices = joined(one.device for one in table.parts.values())
        if spent and devices != device:  # a few stages of this machine tell more than another machine
            continue
        if _kind_of(page, table) == _kind(plan) and (behind := list(_spent(page, table))):
            of = f" of {table.benchmark}" if table.benchmark != plan.recipe.benchmark else ""
            where = f"{table.scale} table{of} measured on {devices if table.origin == 'committed' else table.origin}"
            return _rates(behind), f"by the rate of the {where}"
    return own if spent else ({}, "nothing like it was measured")


def _kind_of(page: Page, table: Parts) -> tuple | None:
    """Return what a table's networks are, by the plan of this page or of another of its paper; None where none has it."""
    for one in (page, *experiments.pages_of(page.paper).values()):
        with contextlib.suppress(InputError):
            return _kind(one.plans(table.benchmark, table.scale))
    return None


def _kind(plan: Plan) -> tuple:
    return plan.recipe.network, plan.recipe.width, plan.recipe.data.image_set


def _spent(page: Page, table: Parts) -> Iterable[tuple[str, float, float]]:
    """Yield algorithm, seconds and work of the parts of a table that hold the errors of one algorithm.

    A part may hold fewer replicates, or more, than this page would train: its rows say which.
    """
    for name, made in table.parts.items():
        if ERRORS.name in made.measurements and len(made.algorithms) == 1:
            keys = set(pandas.read_csv(table.folder / f"{name}.csv", usecols=["stage_key"])["stage_key"])
            if amount := _work_behind(page, table.benchmark, table.scale, made.algorithms[0], keys):
                yield made.algorithms[0], made.training_seconds, amount


def _work_behind(page: Page, benchmark: str, scale: str, algorithm: str, keys: set[str]) -> float:
    """Return the work of all stages of an algorithm's networks with these keys, on whichever page of the paper they are."""
    found: dict[str, float] = {}
    for one in (page, *experiments.pages_of(page.paper).values()):
        try:
            plan = one.plans(benchmark, scale)
        except InputError:  # another page's benchmark or scale
            continue
        for chain, those in _chains(one, plan, None, [algorithm]):
            for replicate in those:
                row = stage_keys(chain, replicate, plan.precision)
                if not keys.isdisjoint(row):
                    found |= {key: work(chain, stage) for key, stage in zip(row, chain.stages, strict=True)}
    return sum(found.values())


def _rates(spent: Iterable[tuple[str, float, float]]) -> Rates:
    sums: dict[str, list[float]] = {}
    for algorithm, seconds, amount in spent:
        for name in (algorithm, ""):
            total = sums.setdefault(name, [0.0, 0.0])
            total[0] += seconds
            total[1] += amount
    return {name: seconds / amount for name, (seconds, amount) in sums.items()}


def _record(folder: Path) -> dict:
    try:
        return json.loads((folder / MANIFEST).read_text())["record"]
    except (OSError, ValueError, KeyError):
        return {}


def _measuring(page: Page, plan: Plan, tables: Sequence[Parts]) -> float:
    """Return the seconds that the page's measurements took for the first table that has them, by number of replicates."""
    total = 0.0
    for measurement in page.measurements:
        name = file_name(f"{measurement.name}, {page.name}")
        made: Provenance | None = next((table.parts[name] for table in tables if name in table.parts), None)
        total += made.measuring_seconds * len(plan.seeds) / len(made.seeds) if made else 0.0
    return total


def _megabytes(chain: Chain, stage: Stage) -> float:
    """Return the size of a finished stage: 4 bytes a weight that remains, a bit a weight for its mask, two bytes and a bit
    for what it does with an example, twice two of one that it trains on."""
    recipe = chain.recipe
    share = 1.0
    for earlier in chain.stages[: chain.stages.index(stage) + 1]:
        share = 1.0 if earlier.lift_masks else share
        if earlier.prune:
            share = earlier.prune.keep or share * (1 - earlier.prune.fraction)
    module = network_without_values(recipe.network, recipe.width, recipe.data.image_set)
    weights = sum(one.numel() for one in module.parameters()) * recipe.width_scale**2
    others = recipe.data.validation + (recipe.data.test or 10_000)
    return (weights * (4 * share + 1 / 8) + _images(chain) * (4 + 1 / 8) + others * (2 + 1 / 8)) / 1e6
