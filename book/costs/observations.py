"""What the figures of the page "What it costs" show, in sentences chosen by the rows that are drawn.

A function has the name of its figure in `book.costs.figures` and takes the rows of a part from one or more machines; the
first machine speaks and is named where there are several.
"""

import math
import statistics

import pandas

from book.costs.tables import CONVENTIONAL, OWN
from lib.analysis.display import plus_minus
from lib.book.wording import duration

TIME = "seconds_per_replicate_epoch"
NOTICEABLE = 1.15
"""Times faster that may be called a saving: with all weights, where both ways do the same, they differ by up to 12 %."""
SPARSE, VERY_SPARSE = 10, 2
"""Percent of the weights; the papers' best networks lie near the first, their last levels below the second."""
HOURS_IN_A_DAY, DAYS_IN_A_YEAR = 24, 365


def speed(rows: pandas.DataFrame) -> str:
    """Say how far each benchmark is from the conventional loop and from the floor."""
    return "\n\n".join(_speed_of(name, some) for name, some in rows.groupby("benchmark", sort=False))


def _speed_of(benchmark: object, rows: pandas.DataFrame) -> str:
    conventional, own = rows.loc[rows["variant"] == CONVENTIONAL], rows.loc[rows["variant"].str.startswith(OWN)]
    if conventional.empty or own.empty:
        return f"{benchmark} was not measured with both loops."
    alone, best = own.iloc[0], own.loc[own[TIME].idxmin()]
    stack = f", {best['replicates']} replicates at once" if best["replicates"] > 1 else ""
    text = (
        f"**{benchmark}**: an epoch takes {_time(conventional[TIME].iloc[0])} in the conventional loop and "
        f"{_time(alone[TIME])} here ({_times(alone['times_faster'])} as fast)"
    )
    if best["times_faster"] > NOTICEABLE * alone["times_faster"]:
        text += (
            f". The fastest way, {best['precision']}{stack}, takes {_time(best[TIME])} ({_times(best['times_faster'])})"
        )
    return f"{text}; the floor is {_times(best[TIME] / best['floor_seconds'])} lower still."


def sparsity(rows: pandas.DataFrame) -> str:
    """Say what leaving units out and products of what remains save, for each network."""
    return "\n\n".join(_sparsity_of(name, some) for name, some in rows.groupby("network", sort=False))


def _sparsity_of(network: object, rows: pandas.DataFrame) -> str:
    rows = rows.sort_values("weights_remaining_percent", ascending=False)
    masks, last = rows["masks_alone_seconds"], rows.iloc[-1]
    few = rows.loc[rows["weights_remaining_percent"] < VERY_SPARSE]
    left_out = statistics.median(few["masks_alone_seconds"] / few["left_out_seconds"]) if len(few) else math.nan
    size = last["weights_remaining_percent"]
    text = [
        f"**{network}**: with masks alone {_what(rows)} takes {masks.iloc[0]:.3g} s with all weights and "
        f"{masks.iloc[-1]:.3g} s with {size:.2g} % of them.",
        f"Leaving out units is {_times(left_out)} as fast below {VERY_SPARSE} %"
        if left_out >= NOTICEABLE
        else "Leaving out units saves nothing that can be told from chance",
    ]
    text[-1] += f"; at {size:.2g} % it still multiplies by {last['computed_percent']:.0f} % of all weights."
    if _factor(few) >= NOTICEABLE:
        near = rows.iloc[(rows["weights_remaining_percent"] - SPARSE).abs().argmin()]
        text.append(
            f"Products of what remains take {_time(near['sparse_seconds'])} at {near['weights_remaining_percent']:.2g} % "
            f"and {_time(last['sparse_seconds'])} at {size:.2g} %, {_times(near['times_faster'])} and "
            f"{_times(last['times_faster'])} as fast as units left out."
        )
    return " ".join(text)


def convolutions(rows: pandas.DataFrame) -> str:
    """Say for which layers products of what remains pay, and from which share of the weights on."""
    said = []
    for layer, own in rows.groupby("layer", sort=False):
        pays = own.loc[own["times_faster"] >= NOTICEABLE]
        best = own.loc[own["times_faster"].idxmax()]
        said.append(
            f"{layer}: from {pays['weights_remaining_percent'].max():g} % of the weights down, at most "
            f"{_times(best['times_faster'])} as fast"
            if len(pays)
            else f"{layer}: never, at best {_times(best['times_faster'])} as fast"
        )
    return "They pay, or do not, in these layers. " + "; ".join(said) + "."


def _what(rows: pandas.DataFrame) -> str:
    """Return what was timed, from a unit such as "s per step"."""
    return "a step" if "step" in rows["unit"].iloc[0] else "an epoch of a replicate"


def _factor(rows: pandas.DataFrame) -> float:
    """Return the median of the times faster, NaN without rows."""
    return statistics.median(rows["times_faster"]) if len(rows) else math.nan


def precision(rows: pandas.DataFrame) -> str:
    """Say whether lower precision moves the error by more than the replicates differ."""
    rows = rows.loc[rows["precision"] != "float32"]
    moved = rows.loc[rows["difference_mean"].abs() > rows["difference_std"]]
    if rows.empty:
        return "Nothing but float32 was measured."
    most = rows.loc[rows["difference_mean"].abs().idxmax()]
    text = (
        f"In {len(rows) - len(moved)} of {len(rows)} cases the mean difference is smaller than its spread over "
        f"{most['replicates']} seeds. "
    )
    mean = plus_minus(most["difference_mean"], most["difference_std"], signed=True)
    return text + (
        f"The largest is {mean} points ({most['benchmark']}, "
        f"{most['noise_percent']:g} % noise, {most['weights_remaining_percent']:g} % of the weights)."
    )


def pages(rows: pandas.DataFrame) -> str:
    """Name the cheapest and the dearest page of each scale."""
    text = []
    for scale, some in rows.groupby("scale", sort=False):
        if scale == "smoke":
            continue
        least, most = some.loc[some["seconds"].idxmin()], some.loc[some["seconds"].idxmax()]
        text.append(f"at `{scale}` scale from {_long(least['seconds'])} to {_long(most['seconds'])} ({_page(most)})")
    return f"One page takes {'; '.join(text)}." if text else "No page was estimated."


def batch(rows: pandas.DataFrame) -> str:
    """Say what a batch adds to a page, and how a store answers as it grows."""
    spent = rows.loc[rows["unit"] == "s of processors", "value"].tolist()
    found = rows.loc[rows["work"] == "looking a stage up"]
    opened = rows.loc[rows["work"] == "opening the store"]
    if len(spent) < 2 or found.empty or opened.empty:
        return "What a batch adds was not measured."
    first, last, size = found.iloc[0], found.iloc[-1], found.iloc[-1]["detail"]
    return (
        f"In a batch, a page that computes nothing takes {_time(spent[0])} of a processor, {_time(spent[1])} of it for its "
        f"kernel. A store of {size} is opened in {opened.iloc[-1]['value']:.2g} ms and finds a stage in "
        f"{last['value']:.2g} ms, one of {first['detail']} in {first['value']:.2g} ms."
    )


def learned(epochs: pandas.DataFrame, paths: pandas.DataFrame, precisions: pandas.DataFrame) -> list[str]:
    """Return three lines: where the time goes, what sparsity saves, what precision costs."""
    own = epochs.loc[epochs["variant"].str.startswith(OWN)]
    gains = own.groupby("benchmark", sort=False)["times_faster"].max()
    saved = paths.loc[(paths["weights_remaining_percent"] - SPARSE).abs() < SPARSE / 5, "times_faster"].max()
    sparse = paths.loc[paths["weights_remaining_percent"] < VERY_SPARSE].groupby("network", sort=False)
    below = ", ".join(f"{network} {_times(_factor(some))} as fast" for network, some in sparse)
    lower = precisions.loc[precisions["precision"] != "float32"]
    moved = int((lower["difference_mean"].abs() > lower["difference_std"]).sum())
    pays = f"make training up to {_times(saved)} as fast" if saved >= NOTICEABLE else "save no time in training"
    return [
        "The loop matters more than the arithmetic for small networks: "
        + ", ".join(f"{name} gains a factor {gain:.2g}" for name, gain in gains.items()) + ".",
        f"Products of what remains {pays}{' already at' if saved >= NOTICEABLE else ' down to'} {SPARSE} % of the weights. "
        f"Below {VERY_SPARSE} %: {below or 'not measured'}.",
        f"Lower precision moved the error by more than its spread in {moved} of {len(lower)} cases."
        if len(lower)
        else "What lower precision costs was not measured.",
    ]  # fmt: skip


def _page(row: pandas.Series) -> str:
    return f"{str(row['page']).replace('_', ' ')}, {row['benchmark']}"


def _long(seconds: float) -> str:
    """Write a time that may be years."""
    days = seconds / 3600 / HOURS_IN_A_DAY
    if days > 2 * DAYS_IN_A_YEAR:
        return f"{days / DAYS_IN_A_YEAR:,.0f} years"
    return f"{days:,.0f} days" if days > 2 else duration(seconds)


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s"


def _times(factor: float) -> str:
    return f"{factor:.2g} times"
