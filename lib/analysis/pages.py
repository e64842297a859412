"""A page says which chains it runs; a table is current when it holds what its page would measure today."""

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lib.analysis.files import REPOSITORY
from lib.analysis.tables import Table
from lib.errors import InputError, unknown
from lib.stages import Chain, Results
from lib.stages.experiment_plan import Plan, plan_keys
from lib.training import Replicate

RunChain = Callable[[Chain, Sequence[Replicate]], Results]
"""Brings a chain to its end for some replicates, where and how the page's own chains were."""


@dataclass(frozen=True)
class Page:
    """Names a page and says which chains it runs for a plan.

    Attributes:
        paper: folder name in `papers/`.
        name: of the page.
        plans: benchmark, scale → plan.
        chains: plan → the chains of the page.
        quantities: (plan, the finished chains, a function that brings further chains to their end) → rows of what the
            page measures besides error and loss, with the columns of `lib.analysis.schema.QUANTITIES`.
        further: plan → the further chains that this needs, each with its replicates.
        separable: these quantities of some algorithms or replicates can be measured without the others.
    """

    paper: str
    name: str
    plans: Callable[[str, str], Plan]
    chains: Callable[[Plan], list[Chain]]
    quantities: Callable[[Plan, Sequence[Results], RunChain], Iterable[dict]] = lambda plan, results, run: ()
    further: Callable[[Plan], list[tuple[Chain, list[Replicate]]]] = lambda plan: []
    separable: bool = False


def find_page(paper: str, name: str) -> Page:
    """Return the page that `papers/<paper>/<name>.py` describes in `PAGE`.

    Raises:
        InputError: if there is no such page.
    """
    known = [file.stem for file in (REPOSITORY / "papers" / paper / "pages").glob("*.py")]
    if name not in known:
        raise unknown(f"page of paper {paper}", name, known)
    return importlib.import_module(f"papers.{paper}.{name}").PAGE


def is_current(page: Page, table: Table) -> bool:
    """Tell whether a table holds what the page would measure today, as far as it goes.

    Every stage that it names is one of today's plan, and it has today's noise levels. It may have fewer algorithms or seeds,
    or end at an earlier level; then charts and verdicts say so.
    """
    made, frame = table.provenance, table.frame
    try:
        plan = page.plans(made.benchmark, made.scale)
    except InputError:  # a benchmark that the page no longer has
        return False
    chains = page.chains(plan)
    return (
        {*frame["stage_key"], *table.quantities["stage_key"]} <= plan_keys(plan, chains)
        and set(frame["algorithm"]) <= {chain.algorithm for chain in chains}
        and set(frame["noise_percent"]) == set(plan.noise_percents)
    )


def missing_algorithms(page: Page, table: Table) -> list[str]:
    """Return the algorithms of a page's plan of which a table has no row, in the page's order."""
    plan = page.plans(table.provenance.benchmark, table.provenance.scale)
    names = dict.fromkeys(chain.algorithm for chain in page.chains(plan))
    return [name for name in names if name not in set(table.frame["algorithm"])]
