"""A page opened: what it runs, the tables that it draws, the verdicts on its claims, and what every paper shows alike.

page = open_page(PAGES["double_descent"], benchmark, scale, recompute, store, device, deterministic)
page.rows("test error (%)")        what a chart draws
page.verdicts()                    what became of its claims
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas
from IPython.display import Markdown

from lib.analysis.example_images import worst_fitted
from lib.analysis.experiments import Page
from lib.analysis.measure import Found, How, complete
from lib.analysis.scoreboard import page_verdicts
from lib.analysis.table import Table, rows
from lib.charts import images, verdict_table
from lib.errors import InputError
from lib.stages import Chain
from lib.stages.experiment_plan import Plan


@dataclass(frozen=True)
class OpenPage:
    """A page with what was measured of it.

    Attributes:
        page: its chains, measurements and claims.
        benchmark, scale, store: as asked for.
        found: tables that are current, and what is stale or missing.
    """

    page: Page
    benchmark: str
    scale: str
    store: str
    found: Found

    @functools.cached_property
    def plan(self) -> Plan:
        """What is run at the scale that was asked for."""
        return self.page.plans(self.benchmark, self.scale)

    @property
    def chains(self) -> list[Chain]:
        """The chains of the plan."""
        return self.page.chains(self.plan)

    @property
    def tables(self) -> list[Table]:
        """What is drawn, the scale that was asked for first, then from the largest to the smallest."""
        return self.found.tables

    @property
    def table(self) -> Table:
        """The first of the tables."""
        return self.tables[0]

    @property
    def note(self) -> Markdown:
        """What is drawn and what is not, in a few sentences."""
        return Markdown(self.found.note)

    def rows(self, quantities: str | Sequence[str], **where: Any) -> pandas.DataFrame:
        """Return quantities of every network of every table, see `lib.analysis.table.rows`."""
        return rows(self.tables, quantities, **where)

    def verdicts(self) -> Any:
        """Return the page's claims with their verdicts, to display."""
        shown = ("claim", "statement", "scale", "verdict", "reason")  # as much as fits a page; the note has the seeds
        found = page_verdicts(self.page, self.tables)
        return verdict_table([{name: row[name] for name in shown} for row in found])


def open_page(
    page: Page, benchmark: str, scale: str, recompute: bool = False, store: str = "", device: str = "auto",
    deterministic: bool = False,
) -> OpenPage:  # fmt: skip
    """Find what a page draws, or measure it where asked to.

    Args:
        page: which page, from `PAGES` of its paper.
        benchmark, scale: which plan of it.
        recompute: train and measure on this machine what the store lacks.
        store: folder of the store; empty for the default one.
        device: "auto", "cpu", "cuda", "cuda:1", see `lib.training.device.find_device`.
        deterministic: on a GPU, repeat to the bit, slower; a CPU always does.

    Raises:
        InputError: an unknown benchmark or scale, or nothing was measured and nothing was asked to be.
    """
    found = complete(page, benchmark, scale, How(store, device, deterministic), recompute)
    return OpenPage(page, benchmark, scale, store, found)


def or_what_is_missing(figure: Callable[..., Any]) -> Callable[..., Any]:
    """Let a figure say in a sentence what it misses, instead of stopping the page."""

    @functools.wraps(figure)
    def shown(*given: Any, **settings: Any) -> Any:
        try:
            return figure(*given, **settings)
        except InputError as missing:
            return Markdown(f"*Nothing to show: {missing}*")

    return shown


@or_what_is_missing
def worst_fitted_images(page: OpenPage, noise_percent: float, level: int, algorithm: str = "", count: int = 18) -> Any:
    """Draw the training examples that one network fits worst; `algorithm` is by default that of the page's first chain."""
    algorithm = algorithm or page.chains[0].algorithm
    where = (page.benchmark, page.scale, noise_percent, level, page.store, algorithm)
    shown = worst_fitted(page.page, *where, count=count)
    losses = [f"{loss:.3g}" for loss in shown.numbers]
    told = {"label": shown.labels, "label before noise": shown.original, "loss (nats)": losses}
    return images(
        shown.images.numpy(), captions=shown.captions, marked=shown.noisy, told=pandas.DataFrame(told),
        notes=f"{page.benchmark}, {page.scale} scale, {noise_percent:g} % noise, first replicate.",
        title=f"What {algorithm} fits worst at level {level}",
        key="Below each image: the label trained on, and the original one where it was replaced.",
    )  # fmt: skip
