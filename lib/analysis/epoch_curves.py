"""The errors of every epoch, at the levels that tell a network's story under label noise (LN Figs 2 to 4 and 9 to 13).

    E_S(e) = share of the examples S answered wrongly, in percent, in epoch e = 1, …, T of a network's last training

Test images are scored after the epoch, training examples by the step that trains on them. A stage that lifts the masks goes
on counting: its epochs are T + 1, …, 2T; one that was rewound to step t has none before the epoch of t. Of each curve at
most `MOST_EPOCHS` evenly spaced epochs are kept, the last among them: more points stand closer than a phone can show.
"""

import functools
from collections.abc import Iterator, Sequence

from lib.analysis.experiments import SUBSETS, Context, Measurement, reported
from lib.analysis.levels import descent_levels, evenly_spaced

MOST_EPOCHS = 30
MOST_ROWS = 8_000  # of a page, 110 bytes each, so that a committed part stays below a megabyte


def errors_by_epoch(algorithm: str, subsets: Sequence[str] = tuple(SUBSETS.values())) -> Measurement:
    """Return the measurement of errors by epoch of all of a page's chains, with the epoch as position.

    Args:
        algorithm: whose levels are looked at (`lib.analysis.levels.descent_levels`).
        subsets: sets of images as quantities name them; those that a network has no images of are passed over.
    """
    rows = functools.partial(_rows, algorithm=algorithm, subsets=subsets)
    return Measurement("errors by epoch", rows, 1, {"most_epochs": MOST_EPOCHS, "most_rows": MOST_ROWS})


def quantity(subset: str) -> str:
    """Name the errors of every epoch on a set of images, such as "noisy training error by epoch (%)"."""
    return f"{subset} error by epoch (%)"


def _rows(context: Context, algorithm: str, subsets: Sequence[str]) -> Iterator[dict]:
    levels = context.levels(descent_levels, algorithm)
    curves = [
        (columns | {"quantity": quantity(SUBSETS[name])}, results.chain.stages[position].to_epoch, errors)
        for results in context.results
        for columns, replicate, position, entry in reported(results)
        if columns["level"] in levels(replicate)
        for name, errors in entry.record.get("epoch_errors", {}).items()
        if SUBSETS[name] in subsets
    ]
    count = max(2, min(MOST_EPOCHS, MOST_ROWS // max(1, len(curves))))
    for columns, end, errors in curves:
        before = end - len(errors)
        for place in evenly_spaced(len(errors), count):
            yield columns | {"position": float(before + place), "value": round(errors[place - 1], 2)}
