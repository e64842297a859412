"""The test of LN section 5 on re-dense training: given its weights back, a sparse network memorizes wrong labels.

E is an error in percent after the last epoch of a phase, 100 minus the paper's accuracy.
"""

from lib.analysis.epoch_curves import levels_at
from lib.analysis.statistics import at_level, compare
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, answer
from papers.label_noise.cases import MEMORIZATION_NOISE, REDENSE, WR
from papers.label_noise.dynamics_claims import telling_cases


def redense_training_memorizes(table: Table) -> Finding:
    """LN-C13: re-dense end: A_perm > A_perm(sparse) + 1 std and A_test < A_test(sparse) - 1 std for s at the sweet spot.

    At both sweet spots of the sparse networks, as in Figs 4, 11 and 13, and at the noise level of the benchmark's own
    figure: E of the re-dense network against the sparse one that it goes on from is lower on noisy examples and higher on
    the test set.
    """
    wanted = {"train_noisy": "lower", "test": "higher"}
    noises, lack = telling_cases(table, [WR, REDENSE], MEMORIZATION_NOISE, tuple(wanted))
    found, numbers = {}, {}
    for noise in noises:
        levels = levels_at(table.frame, table.quantities, WR, noise)
        sweet = sorted({level for name, level in levels.items() if name.endswith("sweet spot")})
        if not sweet:
            lack = lack or f"no sparse network at {noise:g} % noise."
        for level in sweet:
            for subset in wanted:
                pair = (at_level(table.frame, name, noise, level, subset) for name in (REDENSE, WR))
                one = found[noise, level, subset] = compare(*pair)
                place = f"{subset}_at_{noise:g}_level_{level}"
                numbers |= {f"redense_minus_sparse_error_percent_{place}": one.mean, f"std_{place}": one.std}
    words = ", ".join(
        f"{one.mean:+.1f} points on {subset} at {noise:g} % noise, level {level}"
        for (noise, level, subset), one in found.items()
    )
    reason = f"error of the re-dense network minus that of the sparse one at its sweet spots: {words}; this benchmark only."
    holds = bool(found) and all(one.verdict == wanted[subset] for (_, _, subset), one in found.items())
    return answer(holds, reason, numbers, lack)
