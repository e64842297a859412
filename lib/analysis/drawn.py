"""What a page draws: the tables that are current, and the examples that a network fits worst."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from lib import data
from lib.analysis.example_groups import (
    GROUPS,
    el2n,
    percentile_groups,
    scoring_chain,
    scoring_replicates,
)
from lib.analysis.files import REPOSITORY
from lib.analysis.measure import measure
from lib.analysis.pages import Page, is_current, missing_algorithms
from lib.analysis.schema import SCORED
from lib.analysis.tables import Table, find
from lib.errors import InputError, unknown
from lib.stages import Chain, Entry, Store, stage_keys
from lib.stages.experiment_plan import Plan
from lib.training import Replicate, prepare


@dataclass(frozen=True)
class Tables:
    """What a page draws.

    Attributes:
        current: tables whose recipe is the page's recipe of today; the asked-for scale first.
        stale: those that were measured with an earlier recipe; they are named, not drawn.
        lacking: label of each current table → the page's algorithms that it does not have yet.
    """

    current: list[Table]
    stale: list[Table]
    lacking: dict[str, list[str]] = field(default_factory=dict)

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
        parts = "; ".join(
            f"{label} lacks {', '.join(names)}" for label, names in self.lacking.items() if names
        )
        return (
            f"Tables drawn: {drawn}."
            + (f" Not whole yet: {parts}." if parts else "")
            + (f" Not drawn, since the recipe has changed since: {old}." if old else "")
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
            if t.provenance.scale in (scale, *SCORED)
        ]
        found.sort(key=lambda t: (t.provenance.scale != scale, t.origin != "this machine"))
        # The same numbers under two labels, as when a committed table is measured again, are drawn once.
        found = [
            t for i, t in enumerate(found) if not any(t.frame.equals(other.frame) for other in found[:i])
        ]
        current = [t for t in found if is_current(page, t)]
        lacking = {t.label: missing_algorithms(page, t) for t in current}
        return Tables(current, [t for t in found if t not in current], lacking)

    def enough(table: Table) -> bool:
        """Tell whether a table of the scale need not be measured: a committed one may lack algorithms."""
        whole = table.origin == "committed" or not missing_algorithms(page, table)
        return table.provenance.scale == scale and whole

    if recompute or not any(map(enough, look().current)):
        measure(page, benchmark, scale, store, device, None, repository_root, deterministic)
    return look()


def class_names(plan: Plan) -> list[str] | None:
    """Return the names of a plan's classes, or None where the labels themselves are the names: digits."""
    image_set = plan.recipe.data.image_set
    return None if image_set == "mnist" else list(data.class_names(image_set))


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
    chains = page.chains(plan)
    wanted = algorithm or chains[0].algorithm
    family = [chain for chain in chains if chain.algorithm == wanted]
    if not family:
        raise unknown("algorithm of this page", wanted, dict.fromkeys(chain.algorithm for chain in chains))
    places = {stage.level: (chain, i) for chain in family for i, stage in enumerate(chain.stages)}
    if level not in places:
        there = [str(one) for one in places if one is not None]
        raise unknown(f"level of {wanted} in this plan", str(level), there)
    chain, position = places[level]
    entry = _kept(store, chain, replicate, plan, position, f"{benchmark} at {scale} scale, level {level}")
    losses = entry.tensors("examples")["train_losses"].float()
    worst = losses.argsort(descending=True, stable=True)[:count]
    return *_labelled_images(plan, replicate, worst), losses[worst]


def group_examples(
    page: Page,
    benchmark: str,
    scale: str,
    noise_percent: float,
    group: int,
    store: str = "",
    count: int = 18,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return training examples of the first replicate from one EL2N group, from what the store holds.

    Args:
        page, benchmark, scale, store: see `measure`; nothing is trained.
        noise_percent: with which labels.
        group: 1 (easiest) to 20 (hardest).
        count: how many examples, evenly spaced through the group.

    Returns:
        Images uint8 [count, height, width, channels], labels trained on, original labels, EL2N scores.

    Raises:
        InputError: if there is no such group, or the store does not hold the networks that score the examples.
    """
    if not 1 <= group <= GROUPS:
        raise InputError(f"group={group} must be between 1 (easiest) and {GROUPS} (hardest)")
    plan = page.plans(benchmark, scale)
    replicate = next(r for r in plan.replicates() if r.noise_percent == noise_percent)
    chain, what = scoring_chain(plan), f"{benchmark} at {scale} scale, a network that scores the examples"
    entries = [_kept(store, chain, one, plan, 0, what) for one in scoring_replicates(replicate)]
    score = el2n(torch.stack([entry.tensors("examples")["train_error_norms"] for entry in entries]))
    members = (percentile_groups(score) == group - 1).nonzero()[:, 0]
    members = members[score[members].argsort(stable=True)]
    chosen = members[torch.linspace(0, len(members) - 1, min(count, len(members))).long()]
    return *_labelled_images(plan, replicate, chosen), score[chosen].float()


def _kept(store: str, chain: Chain, replicate: Replicate, plan: Plan, position: int, what: str) -> Entry:
    """Return a stage from the store.

    Raises:
        InputError: if it is not there.
    """
    entry = Store(store or None).find(stage_keys(chain, replicate, plan.precision)[position])
    if entry is None:
        raise InputError(
            f"the store does not hold {what}, noise {replicate.noise_percent:g} %; run the page with recompute=True "
            "to train it"
        )
    return entry


def _labelled_images(
    plan: Plan, replicate: Replicate, chosen: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return images, labels trained on and original labels of the chosen training examples."""
    cpu = torch.device("cpu")
    examples = prepare(plan.recipe.data, [replicate], cpu)
    clean = prepare(plan.recipe.data, [replicate.but(noise_percent=0.0)], cpu)
    labels, original = (one.train_labels[0][chosen] for one in (examples, clean))
    return examples.train_images[chosen], labels, original
