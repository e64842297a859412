"""GS's claims as sentences (`lib.analysis.over_runs`); their formal tests stand in `papers/claims.csv`.

A is the best test accuracy after the last event, and stability is that on test images, as in the paper (facts S9). A
correlation pools the runs of those configurations that the paper pools (facts D.5, S10): in Figure 2 the pruned ones, in
Figure 6 all six; the numbers beside it have the correlation within configurations (S11). Where the formal test names a t
test or a correlation, p values decide; where it compares means alone, paired differences of runs with the same seed do, by
the rule of one standard deviation (`lib.analysis.findings`).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from lib.analysis.claims import Claim, Question, every, not_lower
from lib.analysis.measures import of_runs
from lib.analysis.over_runs import correlated, in_table
from lib.analysis.stability import BEST, STABILITY
from papers.generalization_stability.names import FIGURE_2

VGG11, RESNET18 = NETWORKS = ("cifar10-vgg11", "cifar10-resnet18")

stability, accuracy = of_runs(STABILITY), of_runs(BEST)


def both_coefficients(configurations: Sequence[str]) -> Question:
    """GS-C01: Pearson's and Kendall's coefficients of stability and accuracy are both negative."""
    return every(*(correlated(stability, accuracy, configurations, kind=kind) for kind in ("pearson", "kendall")))


def in_order(configurations: Sequence[str]) -> Question:
    """GS-C03: from each configuration to the next, stability falls and accuracy rises.

    Both are asked as a trend over the places 0, 1, 2, … within seeds, because single steps are small beside the spread of
    runs (0.07 points in the paper's Table C.1, over runs 0.2 apart); and no step of accuracy may go the other way.
    """
    place = "place in the order of Figure 2", {name: float(i) for i, name in enumerate(configurations)}
    return every(
        correlated(place, stability, configurations, "negative", kind="by seed"),
        correlated(place, accuracy, configurations, "positive", kind="by seed"),
        *(not_lower(accuracy(less), than=accuracy(more)) for more, less in pairwise(configurations)),
    )


CLAIMS: Mapping[str, tuple[Sequence[str], Claim]] = {
    "GS-C01": (NETWORKS, in_table(both_coefficients(FIGURE_2[1:]))),
    "GS-C03": (NETWORKS, in_table(in_order(FIGURE_2))),
}
"""By id: the benchmarks that a claim speaks of, and the claim."""
