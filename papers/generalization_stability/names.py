"""Names of what GS compares, as its tables and charts have them: which filters go, how often, and what is done to them."""

import re

NONE = "no pruning"
SCRATCH = "pruning from scratch"

SCORE_NAMES = {"l2": "", "l1": "", "activation": "", "expected": "E[BN] score", "signed_expected": "signed E[BN] score"}
"""A network's own score has no name: the paper's Figure 2 gives each its own (facts D.3)."""


def pruned(target: str, every: int, score: str = "l2", more: str = "") -> str:
    """Return the name of pruning a target, such as "smallest", every so many of the paper's 325 epochs."""
    own = f"{score.rpartition(':')[2]} score"
    often = "every epoch" if every == 1 else f"every {every} epochs"
    named = [f"{target} filters, {often}", SCORE_NAMES.get(score, own), more]
    return ", ".join(part for part in named if part)


def setting(name: str) -> tuple[str, int] | None:
    """Return target and epochs between events of what `pruned` named by a network's own score; None for other names."""
    found = re.fullmatch(r"(smallest|largest|random) filters, every (?:(\d+) epochs|epoch)", name)
    return (found[1], int(found[2] or 1)) if found else None


def noised(effect: str, batches: int, restore: bool = False) -> str:
    """Return the name of a disturbance in place of pruning."""
    kind = {"zero": "zeroing", "gaussian": "Gaussian noise"}[effect]
    return f"{kind}, {batches} batch{'' if batches == 1 else 'es'}{', restored' if restore else ''}"


STABLE, MIDDLE, UNSTABLE, RANDOM = (
    pruned("smallest", 4), pruned("smallest", 40), pruned("largest", 40), pruned("random", 40),
)  # fmt: skip
"""The paper's PruneS 1 %, PruneS 13 %, PruneL 13 % and PruneR 13 % (14 % for ResNet-18)."""

FIGURE_2 = (NONE, STABLE, MIDDLE, UNSTABLE)
FLAT = (*FIGURE_2, RANDOM, SCRATCH)
TARGETS = ("smallest", "random", "largest")
RATES = (4, 20, 40, 60, 100, 200, 300)
"""Epochs between events, of 325 (Figure 3)."""
