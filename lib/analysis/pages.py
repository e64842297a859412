"""A page says which chains it runs; a table is current when it holds what its page would measure today."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from lib.analysis.files import REPOSITORY
from lib.analysis.tables import Table
from lib.errors import InputError, unknown
from lib.stages import Chain
from lib.stages.plan import Plan, plan_keys


@dataclass(frozen=True)
class Page:
    """Names a page and says which chains it runs for a plan.

    Attributes:
        paper: folder name in `papers/`.
        name: of the page.
        plans: benchmark, scale → plan.
        chains: plan → the chains of the page.
    """

    paper: str
    name: str
    plans: Callable[[str, str], Plan]
    chains: Callable[[Plan], list[Chain]]


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

    Every stage that it names is one of today's plan, and it has today's algorithms and noise levels. It may have fewer
    seeds or end at an earlier level; then charts and verdicts say so.
    """
    made, frame = table.provenance, table.frame
    try:
        plan = page.plans(made.benchmark, made.scale)
    except InputError:  # a benchmark that the page no longer has
        return False
    chains = page.chains(plan)
    return (
        set(frame["stage_key"]) <= plan_keys(plan, chains)
        and set(frame["algorithm"]) == {chain.algorithm for chain in chains}
        and set(frame["noise_percent"]) == set(plan.noise_percents)
    )
