"""Test of TR appendix K.1: which training examples pruning changes most, and which least."""

from lib.analysis.ranked_examples import NOISY, SCORE, read_means
from lib.analysis.ranking import CATEGORIES
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, NotRun, answer
from papers.training_regularization.cases import LRR, NOISE_PERCENT, cases


def changed_examples_are_atypical(table: Table) -> Finding:
    """TR-C35, by proxy: mean EL2N of most-worsened and of most-improved > least-affected; with injected noise: share of
    noisy labels among most-worsened > noise level.

    EL2N without label noise, over the 20 examples of each category; shares as means over replicates, which each have
    wrong labels and a ranking of their own, at every noise level of this benchmark.
    """
    noises = NOISE_PERCENT.get(table.provenance.benchmark, ())
    usable, lack = cases(table, [LRR], noise_percents=[0.0, *noises])
    if not {f"{name}_{SCORE}" for name in CATEGORIES} & set(table.quantities["quantity"]):
        raise NotRun("this table ranks no training examples.")
    found = {name: read_means(table, name, SCORE, 0.0) for name in CATEGORIES}
    means = {name: float(values.mean()) for name, values in found.items() if len(values)}
    shares = {noise: read_means(table, "most_worsened", NOISY, noise) for noise in usable if noise}
    share = {noise: float(values.mean()) for noise, values in shares.items() if len(values)}
    without = [f"{name.replace('_', ' ')} without noise" for name in CATEGORIES if name not in means]
    without += [f"most worsened at {noise:g} % noise" for noise in shares if noise not in share]
    if without:
        lack = lack or f"no sparsity has the training loss and the test error of: {', '.join(without)}."
    least = means.get("least_affected", float("nan"))
    holds = all(means.get(name, least) > least for name in ("most_worsened", "most_improved"))
    holds = holds and all(value > noise for noise, value in share.items())
    words = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in means.items())
    spelled = ", ".join(f"{value:.0f} at {noise:g} %" for noise, value in share.items())
    reason = (
        f"mean EL2N without noise: {words}; noisy labels among the most worsened, in percent: {spelled}; "
        "decided for this benchmark only."
    )
    numbers = {f"mean_el2n_{name}": value for name, value in means.items()}
    numbers |= {f"noisy_labels_percent_at_{noise:g}": value for noise, value in share.items()}
    return answer(holds, reason, numbers, lack)
