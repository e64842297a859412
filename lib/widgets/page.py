"""A page opened: what it runs, the tables that it draws, the verdicts on its claims, and what every paper shows alike.

page = open_page(PAGES["double_descent"], vars())    # in the cell after the parameters
page.rows("test error (%)")                          # what a chart draws
page.verdicts()                                      # what became of its claims
"""

import functools
import html
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas
from IPython.display import HTML, Markdown

from lib.analysis.cost import cost_of
from lib.analysis.example_images import SHOWN, named_worst, worst_fitted
from lib.analysis.experiments import Page, changed
from lib.analysis.measure import Found, How, complete
from lib.analysis.scoreboard import page_chips, page_verdicts
from lib.analysis.table import Table, label_of, rows
from lib.by_name import name_of
from lib.changes import Changes
from lib.charts import enable, images, verdict_table
from lib.charts.tables import VERDICTS
from lib.errors import InputError
from lib.stages import Chain
from lib.stages.experiment_plan import Plan


class Parameters(Changes):
    """What a reader sets in the parameters cell of a page; what is to be changed of the plan, `lib.changes` says.

    Attributes:
        benchmark, scale: which plan.
        recompute: train and measure on this machine what the store lacks.
        store: folder of the store; empty for the default one.
        device: "auto", "cpu", "cuda", "cuda:1", see `lib.training.device.find_device`.
        deterministic: on a GPU, repeat to the bit, slower; a CPU always does.
    """

    benchmark: str
    scale: str
    recompute: bool = False
    store: str = ""
    device: str = "auto"
    deterministic: bool = False

    @property
    def changes(self) -> Changes:
        """What is changed of the plan."""
        return Changes(**{name: getattr(self, name) for name in Changes.model_fields})

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> "Parameters":
        """Return those of these values that are parameters, lists as tuples; what else the mapping has is left alone."""
        known: dict[str, Any] = {name: given[name] for name in cls.model_fields if name in given}
        if callable(score := known.get("score")):
            known["score"] = name_of("score", score)
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in known.items()}
        return cls(**values)


@dataclass(frozen=True)
class OpenPage:
    """A page with what was measured of it.

    Attributes:
        page: its chains, measurements and claims, as the book has them.
        parameters: as asked for.
        found: tables that are current, and what is stale or missing.
    """

    page: Page
    parameters: Parameters
    found: Found

    @property
    def benchmark(self) -> str:
        """The benchmark that was asked for."""
        return self.parameters.benchmark

    @property
    def scale(self) -> str:
        """The scale that was asked for; tables may have others."""
        return self.parameters.scale

    @property
    def store(self) -> str:
        """Folder of the store; empty for the default one."""
        return self.parameters.store

    @functools.cached_property
    def own(self) -> Page:
        """The page as it is run: with what the reader changed."""
        return changed(self.page, self.parameters.changes)

    @functools.cached_property
    def plan(self) -> Plan:
        """What is run at the scale that was asked for, with what the reader changed."""
        return self.own.plans(self.benchmark, self.scale)

    @property
    def chains(self) -> list[Chain]:
        """The chains of the plan."""
        return self.own.chains(self.plan)

    @property
    def tables(self) -> list[Table]:
        """What is drawn, in the order of `lib.analysis.measure.find`, last what the reader changed."""
        return self.found.tables

    @functools.cached_property
    def decided(self) -> list[dict[str, str]]:
        """The page's claims put to its tables, see `lib.analysis.scoreboard.page_verdicts`."""
        return page_verdicts(self.page, self.tables)

    @property
    def table(self) -> Table:
        """The first of the tables; InputError where there is none."""
        if not self.tables:
            raise InputError(f"no table of {self.benchmark} is there at any scale; {self._to_measure}")
        return self.tables[0]

    @property
    def _to_measure(self) -> str:
        command = f"python -m lib.analysis.measure {self.page.paper} {self.page.name} {self.benchmark} {self.scale}"
        return f"set recompute = True to train it at {self.scale} scale, or run {command}"

    @property
    def note(self) -> HTML:
        """What is drawn and what is not: a line in view, particulars folded."""
        if not self.tables:
            lost = html.escape(f"Nothing of {self.benchmark} is measured yet: {self._to_measure}.")
            old = html.escape(self.found.note) if any(self.found.stale.values()) else ""
            return HTML(f"<p>{lost} {old}".rstrip() + "</p>")
        first = self.table
        line = f"{first.label}, seed{'s' * (len(first.seeds) > 1)} {', '.join(map(str, first.seeds))}"
        more = len(self.tables) - 1
        line += f", and {more} more {'table' if more == 1 else 'tables'}" if more else ""
        if self.found.changes and not any(one.changes for one in self.tables):
            line += f"; {label_of(self.found.changes)} is not measured yet: set recompute = True"
        # Not Markdown: JupyterLab's has no folded parts.
        folded = html.escape(self.found.note)
        sign = "cursor: pointer; list-style: revert"  # which JupyterLab takes away
        return HTML(f'<details><summary style="{sign}">Drawn: {html.escape(line)}.</summary><p>{folded}</p></details>')

    @property
    def cost(self) -> Markdown:
        """How much of what is run is in the store, how long the rest takes here, and what it costs on disk."""
        asked = self.parameters
        cost = cost_of(self.own, asked.benchmark, asked.scale, asked.store, asked.device)
        return Markdown(cost.sentence + (" Set `recompute = True` to run it." if cost.missing else ""))

    def rows(self, quantities: str | Sequence[str], **where: Any) -> pandas.DataFrame:
        """Return quantities of every network of every table, see `lib.analysis.table.rows`."""
        return rows(self.tables, quantities, **where)

    def verdicts(self) -> Any:
        """Return the page's claims with their verdicts, to display."""
        shown = ("claim", "statement", "scale", "verdict", "reason")  # as much as fits a page; the note has the seeds
        return verdict_table([{name: row[name] for name in shown} for row in self.decided])

    def chips(self) -> HTML:
        """Return a badge for each claim with its verdict and the scale that decides it; the reason shows on hover."""
        chips = []
        for one in page_chips(self.decided):
            sign, dark, light = VERDICTS[one["verdict"]]
            said = html.escape(f"{one['statement']} {one['reason']}", quote=True)
            text = f"{one['claim']} {sign} {one['verdict']}" + (f" ({one['scale']})" if one["scale"] else "")
            look = (
                f"color: {dark}; background: {light}; border-radius: 1rem; padding: 0.1rem 0.6rem; white-space: nowrap;"
            )
            chips.append(f'<span class="chip" style="{look}" title="{said}">{html.escape(text)}</span>')
        return HTML(f'<p class="chips" style="line-height: 2">{" ".join(chips)}</p>')

    def explore(self, explorer: Callable[..., Any] | None = None, **settings: Any) -> Any:
        """Return the page's explorer, for a live kernel, or a sentence on what it misses.

        Args:
            explorer: page, settings → widget; by default that which fits the page, `lib.widgets.explorer.explore`.
            **settings: of the explorer.
        """
        from lib.widgets.explorer import explore  # explorers take an open page

        return or_what_is_missing(explorer or explore)(self, **settings)


def open_page(page: Page, parameters: Mapping[str, Any]) -> OpenPage:
    """Find what a page draws, or measure it where asked to; turn the book's theme on.

    Args:
        page: which page, from `PAGES` of its paper.
        parameters: values by name, such as `vars()` in the page; names that are no `Parameters` are left alone.

    Raises:
        InputError: an unknown benchmark or scale, or a value that a parameter cannot have.
    """
    asked = Parameters.read(parameters)
    enable()
    how = How(asked.store, asked.device, asked.deterministic)
    return OpenPage(page, asked, complete(page, asked.benchmark, asked.scale, how, asked.recompute, asked.changes))


def show_source(*functions: Callable[..., Any]) -> Markdown:
    """Return the source of functions as Python, to display as it is run: `show_source(learning_rate_rewinding)`."""
    sources = [inspect.getsource(inspect.unwrap(one)).rstrip() for one in functions]
    return Markdown("```python\n" + "\n\n\n".join(sources) + "\n```")


def or_what_is_missing(figure: Callable[..., Any]) -> Callable[..., Any]:
    """Let a figure say in a sentence what it misses, instead of stopping the page."""

    @functools.wraps(figure)
    def shown(*given: Any, **settings: Any) -> Any:
        try:
            return figure(*given, **settings)
        except InputError as missing:
            return Markdown(f"*Nothing to show: {missing}*")

    return shown


def find_worst_fitted(
    page: OpenPage, noise_percent: float, level: int | None, algorithm: str, count: int
) -> tuple[Any, str, int]:  # fmt: skip
    """Return the training examples that one network fits worst, what their table is called, and the network's level.

    Arguments as in `worst_fitted_images`; InputError where neither a table nor the store has them.
    """
    if named := named_worst(page.page, page.tables, noise_percent, level, algorithm, count):
        shown, table, level = named
        return shown, table.label, level
    level = page.plan.levels if level is None else level
    asked = (page.benchmark, page.scale, noise_percent, level, page.store, algorithm)
    return worst_fitted(page.own, *asked, count=count), f"{page.scale} scale", level


@or_what_is_missing
def worst_fitted_images(
    page: OpenPage, noise_percent: float, level: int | None = None, algorithm: str = "", count: int = SHOWN
) -> Any:
    """Draw the training examples that one network fits worst, by the first table that names them, else by the store.

    Args:
        page: whose tables and store.
        noise_percent, level, algorithm: which network; by default the sparsest one of the page's first chain.
        count: at most so many.
    """
    algorithm = algorithm or page.chains[0].algorithm
    shown, label, level = find_worst_fitted(page, noise_percent, level, algorithm, count)
    losses = [f"{loss:.3g}" for loss in shown.numbers]
    told = {"label": shown.labels, "label before noise": shown.original, "loss (nats)": losses}
    return images(
        shown.images.numpy(), captions=shown.captions, marked=shown.noisy, told=pandas.DataFrame(told),
        notes=f"{page.benchmark}, {label}. {noise_percent:g} % noise, first replicate.",
        title=f"What {algorithm} fits worst at level {level}",
        key="Below each image: the label trained on, and the original one where it was replaced.",
    )  # fmt: skip
