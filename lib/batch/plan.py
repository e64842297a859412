"""Read the plans of the papers: which page runs with which parameters, and which run the book shows.

`papers/<paper>/plan.yml` has a section per page:

    additional_regularization:              # papers/<paper>/pages/additional_regularization.py
      grid:                                 # at each scale, every combination of these values is one run
        laptop: {benchmark: [mnist-lenet, cifar10-resnet20]}
        paper: [{benchmark: [mnist-lenet]}, {benchmark: [cifar10-resnet20], precision: [bfloat16]}]  # or those of several
      gpu: 1                                # a run takes one GPU where there are some; 0: it never does;
                                            # {imagenet-resnet18: 4}: this benchmark's networks train on four together
      needs: []                             # pages, of this paper or as paper/page, that must have run before
      book:                                 # pages of the book, and the run that each one shows
        additional_regularization: {benchmark: mnist-lenet}

The scale is a parameter of every page, so a run is known by the grid's values and the scale. A grid may name another one,
`scale: [paper]`, for a page that has no plan at the batch's scale and only draws what is committed. Pages of the book
that belong to no paper have plans too, such as `book/costs/plan.yml`; their folders count as papers here.
"""

import re
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lib.batch import parameters
from lib.changes import NO_CHANGES, Changes
from lib.errors import InputError, unknown
from lib.scales import SCALES

OF_THE_BOOK = ("costs", "prune_your_own")  # folders of the book that are like a paper's
Value = bool | int | float | str | list[bool] | list[int] | list[float] | list[str]


def _text(value: Value, between: str) -> str:
    if isinstance(value, list):
        return between.join(_text(item, between) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nameable(value: Value) -> Value:
    """Refuse what is not for names of files, a comma too: Snakemake's remote executors split names there."""
    if not re.fullmatch(r"[\w.+-]+", _text(value, "+")):
        raise ValueError("This cannot be part of a file's name. Allowed: letters, digits, and . + - _")
    return value


Grid = dict[str, Annotated[list[Annotated[Value, AfterValidator(_nameable)]], Field(min_length=1)]]
"""Parameter → its values; every combination is a run."""
Grids = Annotated[list[Grid], BeforeValidator(lambda given: [given] if isinstance(given, dict) else given)]


class PagePlan(BaseModel):
    """What `plan.yml` says of one page."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    grid: dict[str, Grids]
    gpu: Literal[0, 1] | dict[str, Annotated[int, Field(ge=1)]] = 1
    needs: list[str] = []
    book: dict[str, dict[str, Value]] = {}

    def grids(self, scale: str) -> list[Grid]:
        """The grids of a scale; none where the page does not run at it."""
        return self.grid.get(scale, [])


@dataclass(frozen=True)
class Run:
    """One page with one set of parameters, and what a reader changes of its plan.

    `drawn` says that the grid names a scale other than the batch's: the page shows what is committed and trains nothing.
    """

    paper: str
    page: str
    parameters: dict[str, Value]
    plan: PagePlan
    changes: Changes = NO_CHANGES
    drawn: bool = False

    @property
    def trains(self) -> bool:
        """Whether the page trains what the store lacks, where it has anything to train."""
        return not self.drawn and bool(self.every.get("recompute"))

    @property
    def source(self) -> str:
        """The page's file."""
        return f"{home_of(self.paper)}/pages/{self.page}.py"

    @property
    def configuration(self) -> str:
        """The parameters as the name of a file: `benchmark~mnist-lenet_scale~laptop`, changes as `yours~seed-7-1a2b3c4d`."""
        named = self.parameters | ({"yours": self.changes.slug} if self.changes else {})
        return "_".join(f"{name}~{_text(value, '+')}" for name, value in named.items())

    @property
    def gpus(self) -> int:
        """How many GPUs it takes where there are as many."""
        of = self.plan.gpu
        return of if isinstance(of, int) else of.get(str(self.parameters.get("benchmark")), 1)

    @property
    def notebook(self) -> str:
        """The executed notebook."""
        return f"runs/pages/{self.paper}/{self.page}/{self.configuration}.ipynb"

    @property
    def pairs(self) -> list[str]:
        """All parameters as `lib.batch.page` takes them: `name=value`."""
        return [f"{name}={_text(value, ',')}" for name, value in self.every.items()]

    @property
    def every(self) -> dict[str, Value]:
        """The parameters, and those that are changed."""
        changed = self.changes.model_dump(exclude_defaults=True).items()
        own: dict[str, Value] = {name: list(value) if isinstance(value, tuple) else value for name, value in changed}
        return self.parameters | own


@dataclass(frozen=True)
class BookPage:
    """One page of the book: its source, its place, and the executed notebook shown there (None: a draft)."""

    source: str
    target: str
    executed: str | None


Plans = dict[str, dict[str, PagePlan]]
"""Plans by paper and page."""


def home_of(paper: str) -> str:
    """Return the folder of a paper, or of pages of the book."""
    return f"book/{paper}" if paper in OF_THE_BOOK else f"papers/{paper}"


def _page_plan(where: str, content: object) -> PagePlan:
    """Check one section of a plan."""
    if not isinstance(content, dict):
        raise InputError(f"{where}: a page needs a section with the key 'grid'.")
    for key in set(content) - set(PagePlan.model_fields):
        raise unknown(f"key in {where}", key, PagePlan.model_fields)
    try:
        plan = PagePlan.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        problem = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}, {place}: {problem} (given: {first['input']!r}).") from None
    for scale in plan.grid:
        if scale not in SCALES:
            raise unknown(f"scale in {where}", scale, SCALES)
    names = {name for grids in plan.grid.values() for grid in grids for name in grid}
    for target, shown in plan.book.items():
        for name in set(shown) - names:
            raise unknown(f"parameter of the book's page {target} in {where}", name, names)
    return plan


def read_plans(root: Path | str = ".") -> Plans:
    """Read and check every `papers/*/plan.yml`, sorted, and those of the book's own pages, in the repository's folder.

    Raises:
        InputError: there is no plan, or a key, scale, page or value in one is wrong.
    """
    plans: Plans = {}
    root = Path(root)
    for file in [
        *sorted(root.glob("papers/*/plan.yml")),
        *(file for name in OF_THE_BOOK for file in root.glob(f"{home_of(name)}/plan.yml")),
    ]:
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as error:
            raise InputError(f"{file} is not valid YAML: {error}") from None
        if not isinstance(content, dict):
            raise InputError(f"{file}: a plan has a section for each page.")
        present = {page.stem for page in (file.parent / "pages").glob("*.py")}
        for page in content:
            if page not in present:
                raise unknown(f"page in {file}", page, present)
        plans[file.parent.name] = {page: _page_plan(f"{file}, {page}", it) for page, it in content.items()}
    if not plans:
        where = f"papers/*/plan.yml in {root.resolve()}"
        raise InputError(f"no plan found at {where}; start in the repository's folder.")
    known = [f"{paper}/{page}" for paper, page, _ in _selected(plans)]
    for paper, page, plan in _selected(plans):
        for needed in plan.needs:
            if (needed if "/" in needed else f"{paper}/{needed}") not in known:
                raise unknown(f"page needed by {paper}/{page}", needed, known)
    return plans


def _selected(plans: Plans, paper: str = "", page: str = "") -> list[tuple[str, str, PagePlan]]:
    """List paper, page and plan of the selected pages; "" selects all."""
    if paper and paper not in plans:
        raise unknown("paper", paper, plans)
    found = [(p, n, plan) for p, those in plans.items() for n, plan in those.items() if paper in ("", p)]
    pages = {name for _, name, _ in found}
    if page and page not in pages:
        raise unknown("page", page, pages)
    return [one for one in found if page in ("", one[1])]


def runs(plans: Plans, scale: str, paper: str = "", page: str = "") -> list[Run]:
    """List the runs at a scale, in the order of the plans.

    Args:
        plans: what `read_plans` returned.
        scale: one of `SCALES`.
        paper, page: only those of this paper, of this page; "" for all.

    Raises:
        InputError: there is no such scale, paper or page.
    """
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
    return [
        Run(p, name, {**chosen, "scale": chosen.get("scale", scale)}, plan, drawn="scale" in grid)
        for p, name, plan in _selected(plans, paper, page)
        for grid in plan.grids(scale)
        for chosen in (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
    ]


def changed(wanted: list[Run], changes: Changes) -> list[Run]:
    """Return runs with what a reader changes of their plans, of all pages that have such parameters.

    They train what they lack, wait for no other page, and no page of the book shows them. Pages that are only drawn at the
    batch's scale are left out, and benchmarks that a page only draws where it trains another: they may take hours.

    Raises:
        InputError: a page that is alone has no such parameter.
    """
    if not changes:
        return wanted
    names, found = changes.model_dump(exclude_defaults=True), []
    training = {(run.paper, run.page) for run in wanted if run.trains}
    for run in wanted:
        if not run.trains and (run.paper, run.page) in training:
            continue
        if run.drawn:
            if len(wanted) == 1:
                other = run.parameters["scale"]
                raise InputError(
                    f"{run.source} is only drawn at this scale; to train it with changes add --scale {other}."
                )
            continue
        declared = parameters.read(run.source)
        if missing := [name for name in names if name not in declared]:
            if len(wanted) == 1:
                raise unknown(f"parameter of {run.source}", missing[0], declared)
            continue
        own = run.parameters | ({"recompute": True} if "recompute" in declared else {})
        found.append(
            replace(run, parameters=own, plan=run.plan.model_copy(update={"needs": [], "book": {}}), changes=changes)
        )
    if wanted and not found:
        raise InputError(f"no page has the parameter {' and '.join(names)}.")
    return found


def needed(plans: Plans, run: Run) -> list[Run]:
    """List the runs, at the same scale, that must be finished before a run starts."""
    names = [name.rpartition("/") for name in run.plan.needs]
    scale = str(run.parameters["scale"])
    return [found for other, _, page in names for found in runs(plans, scale, other or run.paper, page)]


def book_pages(plans: Plans, scale: str, paper: str = "", page: str = "", root: Path | str = ".") -> list[BookPage]:
    """List the pages of the book and the run at this scale that each one shows, which may not exist yet.

    Where the plan runs a page's parameters at other scales only, a finished run of one of those (never
    "smoke") is shown; without any, the page is a draft.

    Args:
        plans, scale, paper, page: as for `runs`.
        root: the repository's folder, in which finished runs are looked for.

    Raises:
        InputError: a page of the book could show several runs.
    """
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
    found = []
    for p, name, plan in _selected(plans, paper, page):
        for target, shown in plan.book.items():
            at = {s: _the_run(runs(plans, s, p, name), target, shown) for s in (scale, *SCALES[1:])}
            there = {s: run.notebook for s, run in at.items() if run}
            can = [file for s, file in there.items() if s == scale or (Path(root) / file).exists()]
            source, page_of_book = f"{home_of(p)}/pages/{name}.py", f"book/papers/{p}/{target}.ipynb"
            found.append(BookPage(source, page_of_book, can[0] if can else None))
    return found


def _the_run(candidates: list[Run], target: str, shown: dict[str, Value]) -> Run | None:
    """Return the only run with the values that a page of the book shows, None if there is none."""
    matching = [run for run in candidates if shown.items() <= run.parameters.items()]
    if len(matching) > 1:
        which = ", ".join(run.configuration for run in matching)
        where = f"{home_of(matching[0].paper)}/plan.yml"
        raise InputError(f"{where}: the book's page {target} could show any of: {which}. Name one.")
    return matching[0] if matching else None
