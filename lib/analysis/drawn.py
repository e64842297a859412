"""What a page draws: the tables that are current, and the examples that a network fits worst."""

from dataclasses import dataclass
from pathlib import Path

import torch

from lib import data
from lib.analysis.files import REPOSITORY
from lib.analysis.measure import measure
from lib.analysis.pages import Page, is_current
from lib.analysis.tables import Table, find
from lib.errors import InputError, unknown
from lib.stages import Store, stage_keys
from lib.stages.plan import Plan
from lib.training import prepare


@dataclass(frozen=True)
class Tables:
    """What a page draws.

    Attributes:
        current: tables whose recipe is the page's recipe of today; the asked-for scale first.
        stale: those that were measured with an earlier recipe; they are named, not drawn.
    """

    current: list[Table]
    stale: list[Table]

    @property
    def one_per_scale(self) -> list[Table]:
        """The first current table of each scale."""
        return list({table.provenance.scale: table for table in reversed(self.current)}.values())[::-1]

    @property
    def note(self) -> str:
        """Say in a sentence what is drawn and what is not."""
        drawn = "; ".join(
            f"{table.label}, {table.provenance.precision}, seeds {', '.join(map(str, table.provenance.seeds))}"
            for table in self.current
        )
        old = "; ".join(table.label for table in self.stale)
        return f"Tables drawn: {drawn}." + (
            f" Not drawn, since the recipe has changed since: {old}." if old else ""
        )


def tables(
    page: Page,
    benchmark: str,
    scale: str,
    recompute: bool = False,
    store: str = "",
    device: str = "auto",
    repository_root: Path = REPOSITORY,
    deterministic: bool = False,
) -> Tables:
    """Return the tables that a page draws; train only when asked to, or when none of that scale is there.

    Args:
        page, benchmark, scale, store, device, deterministic: see `measure`.
        recompute: measure on this machine even though a table exists. What the store holds is not trained again.
        repository_root: where `papers/` and `runs/` lie.
    """
    page.plans(benchmark, scale)  # refuses unknown names before anything else

    def look() -> Tables:
        found = [
            t
            for t in find(page.paper, page.name, benchmark, repository_root)
            if t.provenance.scale in (scale, "laptop", "paper")
        ]
        found.sort(key=lambda t: (t.provenance.scale != scale, t.origin != "this machine"))
        # The same numbers under two labels, as when a committed table is measured again, are drawn once.
        found = [
            t for i, t in enumerate(found) if not any(t.frame.equals(other.frame) for other in found[:i])
        ]
        current = [t for t in found if is_current(page, t)]
        return Tables(current, [t for t in found if t not in current])

    if recompute or not any(t.provenance.scale == scale for t in look().current):
        measure(page, benchmark, scale, store, device, None, repository_root, deterministic)
    return look()


def class_names(plan: Plan) -> list[str] | None:
    """Return the names of a plan's classes, or None where the labels themselves are the names: digits."""
    image_set = plan.recipe.data.image_set
    return None if image_set == "mnist" else list(data.load(image_set).class_names)


def training_examples(
    page: Page,
    benchmark: str,
    scale: str,
    noise_percent: float,
    level: int,
    store: str = "",
    count: int = 18,
    algorithm: str = "",
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the training examples that the first replicate fits worst, from what the store holds.

    Args:
        page, benchmark, scale, store: see `measure`; nothing is trained.
        noise_percent, level: which network.
        count: how many examples.
        algorithm: of which chain; by default the page's first.

    Returns:
        Images uint8 [count, height, width, channels], labels trained on, original labels, losses in nats; the worst first.

    Raises:
        InputError: if the page has no such chain, or the store does not hold that network.
    """
    plan = page.plans(benchmark, scale)
    replicate = next(r for r in plan.replicates() if r.noise_percent == noise_percent)
    chains = {chain.algorithm: chain for chain in page.chains(plan)}
    if algorithm and algorithm not in chains:
        raise unknown("algorithm of this page", algorithm, chains)
    chain = chains[algorithm or next(iter(chains))]
    position = next(i for i, stage in enumerate(chain.stages) if stage.level == level)
    entry = Store(store or None).find(stage_keys(chain, replicate, plan.precision)[position])
    if entry is None:
        raise InputError(
            f"the store does not hold {benchmark} at {scale} scale, noise {noise_percent:g} %, level {level}; "
            "run the page with recompute=True to train it"
        )
    cpu = torch.device("cpu")
    examples = prepare(plan.recipe.data, [replicate], cpu)
    clean = prepare(plan.recipe.data, [replicate.model_copy(update={"noise_percent": 0.0})], cpu)
    losses = entry.tensors("examples")["train_losses"].float()
    worst = losses.argsort(descending=True, stable=True)[:count]
    return (
        examples.train_images[worst],
        examples.train_labels[0][worst],
        clean.train_labels[0][worst],
        losses[worst],
    )
