"""The generated parts of the page "What it costs": tables and charts of `book/costs/`, each with how it was measured.

A part that has not been measured is a sentence with the command that measures it, so the page builds from any subset of the
tables, and from none.
"""

import html
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lib.analysis import costs
from lib.analysis.costs import Costs, significant
from lib.book.generated import Cell, minutes, table, words

HEADS = {
    "epochs": "An epoch of training",
    "paths": "Training while pruning",
    "precision": "The error in each precision",
    "other": "These times and sizes",
    "pages": "The cost of every page",
}
TIME = "seconds_per_replicate_epoch"
DETERMINISTIC = "deterministic"  # in the name of a variant or a work: also shown in the section "Determinism"


def parts(book: Path, papers: Path) -> dict[str, str]:
    """Return what the page includes.

    Args:
        book: the book's folder; its `costs/` has the tables, if there are any.
        papers: the folder of the papers, whose `results/` say what a measured page took.

    Returns:
        Name of a file in `book/generated/` → its text: `costs_<part>.md` for every part and for `determinism`, and a
        specification `costs_<part>_<device type>.json` for every chart.

    Raises:
        InputError: a table does not fit its format, see `lib.analysis.costs.read`.
    """
    found = costs.read(book / "costs")
    of = {part: [one for one in found if one.part == part] for part in costs.PARTS}
    files = {f"costs_{one.part}_{one.device_type}.json": text for one in found if (text := _chart(one))}
    sections: dict[str, Callable[[Costs], str]] = {
        "epochs": _epochs,
        "paths": _paths,
        "precision": _precision,
        "other": _other,
    }
    for part, section in sections.items():
        texts = [f"### {_plain(one.source.device)}\n\n{section(one)}\n{_source(one)}" for one in of[part]]
        files[f"costs_{part}.md"] = "\n".join(texts) or _not_measured(part)
    files["costs_pages.md"] = _pages(of["pages"], papers)
    files["costs_determinism.md"] = _determinism([*of["epochs"], *of["other"]])
    return files


def _has_differences(one: Costs) -> bool:
    return any(row["difference_mean"] is not None and row["precision"] != "float32" for row in one.rows)


def _not_measured(part: str) -> str:
    several = part == "other"
    return f"{HEADS[part]} {'have' if several else 'has'} not been measured yet: `{costs.command(part)}` does it.\n"


def _chart(one: Costs) -> str:
    """Return the specification of a table's chart, or nothing where there is none to draw."""
    if one.part not in ("epochs", "paths", "precision"):
        return ""
    if one.part == "precision" and not _has_differences(one):
        return ""
    # Here, since loading pandas takes a second that a book without tables need not wait for.
    from lib.charts import costs as charts
    from lib.charts.theme import specification

    draw: dict[str, Callable[[Costs], Any]] = {
        "epochs": charts.speed, "paths": charts.paths, "precision": charts.precisions
    }  # fmt: skip
    return json.dumps(specification(draw[one.part](one)), indent=1) + "\n"


def _figure(one: Costs, caption: str) -> str:
    """Return the directive of `lib.book.extension` that shows a table's chart."""
    name = f"costs_{one.part}_{one.device_type}"
    where = f"{_plain(one.source.device)}, {one.source.date.isoformat()}"
    label = f"fig-{name.replace('_', '-')}"
    return f"```{{chart}} /generated/{name}.json\n:name: {label}\n\n{caption} Measured on {where}.\n```\n"


def _epochs(one: Costs) -> str:
    heads = [
        "variant", "precision", "replicates", "s per replicate and epoch", "times faster", "floor (s)", "times the floor",
        "floor set by",
    ]  # fmt: skip
    chart = _figure(
        one, "Training speed as a multiple of the conventional loop, and the floor of the machine."
    )
    texts = [chart]
    for benchmark, rows in _groups(one, "benchmark"):
        cells = [
            [
                row["variant"], row["precision"], str(row["replicates"]), _number(row[TIME]), _number(row["times_faster"]),
                _number(row["floor_seconds"]), _ratio(row[TIME], row["floor_seconds"]), row["floor"] or "–",
            ]
            for row in rows
        ]  # fmt: skip
        texts.append(f"**{_plain(benchmark)}**\n\n{_table(heads, cells, heads[2:7])}")
    return "\n".join(texts)


def _paths(one: Costs) -> str:
    chart = _figure(one, "Time of training with masks alone, and with the units without a path left out.")
    texts = [chart]
    for network, rows in _groups(one, "network", "unit"):
        unit = rows[0]["unit"]
        heads = [
            "weights remaining (%)", f"masks alone ({unit})", f"units left out ({unit})", "times faster",
            "weights still computed with (%)",
        ]  # fmt: skip
        names = [
            "weights_remaining_percent", "masks_alone_seconds", "left_out_seconds", "times_faster", "computed_percent"
        ]  # fmt: skip
        cells = [[_number(row[name]) for name in names] for row in rows]
        texts.append(f"**{_plain(network)}**\n\n{_table(heads, cells, heads)}")
    return "\n".join(texts)


def _groups(one: Costs, *names: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the rows that agree in some columns together, each group with its value of the first column."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in one.rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return [(key[0], rows) for key, rows in groups.items()]


def _table(heads: Sequence[str], rows: Iterable[Iterable[Cell]], numbers: Iterable[str]) -> str:
    """Return a table without search and menus; the columns of numbers are set flush right, the others in one line."""
    classes = {**dict.fromkeys(heads, "short"), **dict.fromkeys(numbers, "number")}
    return table(heads, rows, classes=classes, filterable=False)


def _precision(one: Costs) -> str:
    heads = [
        "benchmark", "noise (%)", "weights remaining (%)", "precision", "replicates", "test error (%)",
        "difference from float32 (points)",
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            row["benchmark"], f"{row['noise_percent']:g}", _number(row["weights_remaining_percent"]), row["precision"],
            str(row["replicates"]), _spread(row["error_percent_mean"], row["error_percent_std"], ".2f"),
            _spread(row["difference_mean"], row["difference_std"], "+.2f"),
        ]
        for row in one.rows
    ]  # fmt: skip
    shown = _table(heads, rows, [*heads[1:3], *heads[4:]])
    if not _has_differences(one):
        return shown
    chart = _figure(one, "Test error minus that in float32, paired by seed, ± 1 standard deviation.")
    return f"{chart}\n{shown}"


def _other(one: Costs, rows: Sequence[dict[str, Any]] | None = None) -> str:
    heads = ["work", "value", "unit", "detail"]
    chosen = one.rows if rows is None else rows
    cells: list[list[Cell]] = [[r["work"], _number(r["value"]), r["unit"], r["detail"]] for r in chosen]
    return table(
        heads, cells, classes={"work": "words", "value": "number", "detail": "words"}, filterable=False
    )


def _determinism(found: Iterable[Costs]) -> str:
    """Return the price of repeatable operations on CUDA: rows of `epochs` or `other` that are named deterministic."""
    texts = []
    for one in found:
        column = "variant" if one.part == "epochs" else "work"
        rows = [row for row in one.rows if DETERMINISTIC in row.get(column, "").lower()]
        if one.device_type != "cuda" or not rows:
            continue
        if one.part == "other":
            texts.append(f"{_other(one, rows)}\n{_source(one)}")
            continue
        heads = [
            "benchmark",
            "precision",
            "replicates",
            "s per replicate and epoch",
            "repeatable",
            "times slower",
        ]
        cells: list[list[Cell]] = [
            [
                row["benchmark"], row["precision"], str(row["replicates"]), _number(usual[TIME]), _number(row[TIME]),
                _ratio(row[TIME], usual[TIME]),
            ]
            for row in rows
            for usual in one.rows
            if _same_but_usual(row, usual)
        ]  # fmt: skip
        if cells:
            texts.append(f"{_table(heads, cells, heads[2:])}\n{_source(one)}")
    if not texts:
        return (
            "What this costs on a GPU has not been measured yet: "
            f"`{costs.command('epochs')}` does it on a machine with one.\n"
        )
    return "What it costs on a GPU, measured:\n\n" + "\n".join(texts)


def _same_but_usual(row: dict[str, Any], usual: dict[str, Any]) -> bool:
    same = all(row[name] == usual[name] for name in ("benchmark", "precision", "replicates"))
    return same and usual["variant"] == costs.OWN


def _pages(estimated: Sequence[Costs], papers: Path) -> str:
    """Return the table of what pages cost: estimates for whole plans, and what the committed tables took."""
    heads = ["paper", "page", "benchmark", "scale", "time", "basis", "covers", "machine", "date"]
    found = [(_key(row), _estimated_row(row, one)) for one in estimated for row in one.rows]
    found += _measured_rows(papers)
    rows = [cells for _, cells in sorted(found, key=lambda pair: pair[0])]
    classes = {
        **dict.fromkeys(("paper", "page", "covers", "machine"), "words"),
        "benchmark": "short",
        "date": "short",
    }
    classes["time"] = "number"
    text = table(heads, rows, classes=classes) if rows else "No page has been measured yet.\n"
    if estimated:
        text += "\n" + "\n".join(_source(one, "Estimated on") for one in estimated)
    else:
        text += (
            f"\nThe cost of a whole plan has not been estimated yet: `{costs.command('pages')}` does it.\n"
        )
    return text


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    scales = costs.ALLOWED["scale"]
    scale = scales.index(row["scale"]) if row["scale"] in scales else len(scales)
    return row["paper"], row["page"], row["benchmark"], scale, row["basis"]


def _estimated_row(row: dict[str, Any], one: Costs) -> list[Cell]:
    covers = f"{row['replicate_epochs']:,.0f} replicate epochs"
    names: list[Cell] = [words(row["paper"]), words(row["page"]), row["benchmark"], row["scale"]]
    made = one.source
    return [*names, minutes(row["seconds"]), row["basis"], covers, made.device, made.date.isoformat()]


def _measured_rows(papers: Path) -> list[tuple[tuple[Any, ...], list[Cell]]]:
    """Return a row per committed table, with its key for sorting; the tests' smoke scale stays out."""
    rows = []
    for path in sorted(papers.glob("*/results/*/*.json")):
        if path.stem.endswith("_smoke"):
            continue
        info: dict[str, Any] = json.loads(path.read_text("utf-8"))
        key = {
            "paper": path.parts[-4], "page": path.parts[-2], "benchmark": str(info.get("benchmark", "")),
            "scale": str(info.get("scale", "")), "basis": "measured",
        }  # fmt: skip
        names: list[Cell] = [words(key["paper"]), words(key["page"]), key["benchmark"], key["scale"]]
        count = len(info.get("seeds", []))
        covers = ", ".join(
            [f"{count} seed" + ("" if count == 1 else "s"), *filter(None, [info.get("precision")])]
        )
        facts: list[Cell] = [covers, str(info.get("device", "–")), str(info.get("date", "–"))]
        rows.append((_key(key), [*names, minutes(info.get("wall_clock_seconds")), "measured", *facts]))
    return rows


def _source(one: Costs, verb: str = "Measured on") -> str:
    """Say how a table was measured, as a small paragraph of HTML: notes may hold any character."""
    source = one.source
    versions = ", ".join(f"{name} {version}" for name, version in source.versions.items())
    facts = [f"{verb} {source.device}, {source.counted_threads}", versions, source.date.isoformat()]
    notes = " ".join(source.notes)
    text = f"{html.escape(' · '.join(filter(None, facts)))} · <code>{html.escape(source.command)}</code>. "
    text += html.escape(notes)
    return f'```{{raw}} html\n<p class="run-note">{text.strip().replace("`", "&#96;")}</p>\n```\n'


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>$#|~" else sign for sign in text)


def _number(value: float | None) -> str:
    return "–" if value is None else significant(value)


def _ratio(value: float, by: float | None) -> str:
    return _number(value / by if by else None)


def _spread(mean: float | None, std: float | None, style: str) -> str:
    if mean is None:
        return "–"
    return format(mean, style).replace("-", "−") + ("" if std is None else f" ± {std:.2f}")
