"""The charts and tables of the page "What it costs"; each draws the rows of a part, of all machines that measured it."""

from collections.abc import Callable
from typing import Any

import pandas
from IPython.display import HTML, Markdown

from book.costs import observations
from book.costs.tables import CONVENTIONAL, OWN, command, read
from lib.analysis.table import SIZE
from lib.book.wording import duration
from lib.charts import dots, lines, table, wide_table

TIME = "seconds_per_replicate_epoch"
MENUS = ("paper", "benchmark", "scale")


def part(name: str, draw: Callable[[pandas.DataFrame], Any]) -> Any:
    """Draw the tables of a part, put together; a sentence says what is not measured yet."""
    found = read(name)
    if not found:
        return Markdown(f"This has not been measured yet: `{command(name)}` does it.")
    frames = [one.frame.assign(machine=one.source.device) for one in found]
    return draw(pandas.concat(frames, ignore_index=True))


def seen(name: str, observe: Callable[[pandas.DataFrame], str]) -> Markdown:
    """Say what the figure of a part shows, machine by machine; nothing where it has not been measured."""
    found = read(name)
    said = [f"**What we see** on {one.source.device}. {observe(one.frame)}" for one in found]
    return Markdown("\n\n".join(said))


def learned() -> Markdown:
    """Say what was learned, for each type of device that measured all of it."""
    parts = ("epochs", "paths", "precision")
    frames = {name: {one.device_type: one for one in read(name)} for name in parts}
    said = []
    for device in sorted(set.intersection(*map(set, frames.values()))):
        some = [frames[name][device] for name in parts]
        lines_of_it = observations.learned(*(one.frame for one in some))
        said.append("\n".join([f"On {some[0].source.device}:", "", *(f"* {line}" for line in lines_of_it)]))
    return Markdown("\n\n".join(said) or "Nothing yet: no machine has measured all of it.")


def numbers(name: str) -> Any:
    """Set the tables of a part as one."""

    def draw(rows: pandas.DataFrame) -> Any:
        if TIME in rows:
            rows = rows.assign(times_the_floor=rows[TIME] / rows["floor_seconds"])
        return table(rows if len(set(rows["machine"])) > 1 else rows.drop(columns="machine"), f"costs-{name}")

    return part(name, draw)


def sources(*names: str) -> Markdown:
    """Say how the tables of some parts were measured."""
    return Markdown("\n\n".join(one.source.sentence for name in names for one in read(name)))


def _cases(rows: pandas.DataFrame, *columns: str) -> list[str]:
    """Return those columns that tell rows apart, the machine among them."""
    return [name for name in ("machine", *columns) if len(set(rows[name])) > 1]


def speed(rows: pandas.DataFrame) -> Any:
    """Draw how many times faster than the conventional loop every variant is, and where a loop at the floor would be."""
    rows = rows.loc[rows["variant"] != CONVENTIONAL]
    stacked = [f"stack of {count}" if count > 1 else "one replicate" for count in rows["replicates"]]
    rows = rows.assign(way=rows["precision"] + ", " + stacked + rows["variant"].str.removeprefix(OWN))
    measured = rows.assign(mean=rows["times_faster"], source="measured")
    floor = rows.assign(mean=rows["times_faster"] * rows[TIME] / rows["floor_seconds"], source="at the floor")
    return dots(
        printed=pandas.concat([measured, floor]),
        y=_cases(rows, "benchmark", "way"),
        x="times faster, logarithmic",
        x_scale="log",
        reference=1.0,
        title="How many times faster than the conventional loop",
    )


def sparsity(rows: pandas.DataFrame) -> Any:
    """Draw the time of training against the weights that remain, in each of the three ways."""
    rows = rows.rename(columns={"weights_remaining_percent": SIZE})
    rows = rows.assign(network=rows["network"] + ", " + rows["unit"].str.removeprefix("s "))
    ways = {
        "masks_alone_seconds": "masks alone",
        "left_out_seconds": "units left out",
        "sparse_seconds": "only what remains",
    }
    names = ["machine", "network", SIZE]
    long = rows.melt(id_vars=names, value_vars=list(ways), var_name="way").replace({"way": ways})
    return lines(
        long.assign(table=long["machine"], quantity="time (s)"),
        x=SIZE,
        colour="way",
        dash="way",
        menus=["network"],
        y_scale="zero",
        title="Time of training while pruning",
    )


def convolutions(rows: pandas.DataFrame) -> Any:
    """Draw how many times faster than dense ones products of what remains are, for each layer."""
    rows = rows.rename(columns={"weights_remaining_percent": SIZE, "times_faster": "value"})
    return lines(
        rows.assign(table=rows["machine"], quantity="times faster than dense"),
        x=SIZE,
        colour="layer",
        y_scale="log",
        title="A convolution as a product of what remains",
    )


def precision(rows: pandas.DataFrame) -> Any:
    """Draw the difference in test error from float32, paired by seed."""
    rows = rows.loc[rows["precision"] != "float32"]
    return dots(
        printed=rows.assign(mean=rows["difference_mean"], std=rows["difference_std"], source="minus float32"),
        y=_cases(rows, "benchmark", "noise_percent", "weights_remaining_percent") or ["benchmark"],
        x="difference (percentage points)",
        reference=0.0,
        title="Difference in test error from float32",
        key="The rule at 0: no difference.",
    )


def pages(rows: pandas.DataFrame) -> Any:
    """Set what each page takes at each scale, in a table that a reader filters."""
    heads = ["paper", "page", "benchmark", "scale", "time", "replicate epochs", *_cases(rows)]
    cells = [
        [
            row["paper"].replace("_", " "), row["page"].replace("_", " "), row["benchmark"], row["scale"],
            duration(row["seconds"]), f"{row['replicate_epochs']:,}", *(row[name] for name in _cases(rows)),
        ]
        for row in rows.to_dict("records")
    ]  # fmt: skip
    classes = {
        "paper": "words",
        "page": "words",
        "benchmark": "short",
        "time": "number",
        "replicate epochs": "number",
    }
    return HTML(wide_table(heads, cells, classes=classes, menus=MENUS))


def total(scale: str) -> Markdown:
    """Say what all pages take together at a scale."""
    found = [float(one.frame.loc[one.frame["scale"] == scale, "seconds"].sum()) for one in read("pages")]
    return Markdown(
        f"All pages that train at `{scale}` scale, stages that they share counted in each and evaluation not counted: about "
        f"{duration(max(found, default=0))}. Pages that only draw what is committed say themselves what they would take."
    )
