"""The page "Prune it yourself": a network, 500 digits and a script, put together into one piece of HTML.

`book/prune_it_yourself/` has the network and what was measured of it (made by `python -m book.prune_it_yourself`), and the
markup, style and script of the page. What retraining gives is read from the committed tables of the paper that the network's
description names, so the page follows the tables.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas
from safetensors.numpy import load_file

from lib.analysis.experiments import committed_tables
from lib.analysis.table import SIZE, Table, values
from lib.charts import wide_table
from lib.scales import SCORED

FOLDER = "prune_it_yourself"
RETRAINED = {"magnitude": "learning-rate rewinding", "random": "learning-rate rewinding, random score"}
"""Way of cutting → the algorithm that retrains after each cut of that kind."""
WAYS = {
    "magnitude": "smallest first", "layer": "smallest first, each layer", "random": "at random", "largest": "largest first"
}  # fmt: skip
SHOWN_LEVELS = (0, 3, 6, 10, 14, 20)  # in the table for readers without scripts
WORTH = 1.0
"""Points of accuracy that the page calls a loss."""

Made = dict[str, Any]


def read_made(book: Path) -> Made | None:
    """Return what `python -m book.prune_it_yourself` says of the network; None where it has not been made."""
    path = book / FOLDER / "network.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def share(step: float, made: Made) -> float:
    """Return the share of weights that remain at a place of the slider, in (0, 1]."""
    return 0.8 ** (step / made["steps per level"])


def retrained(made: Made, root: Path) -> dict[str, Made]:
    """Return the accuracy of networks that were pruned and retrained, from the largest scale that was measured.

    Args:
        made: names the paper, the benchmark and the share of wrong labels.
        root: the repository.

    Returns:
        Way of cutting → label, and levels with share, mean and std of the accuracy in percent; ways without a table are
        left out.
    """
    found: dict[str, Made] = {}
    for scale in reversed(SCORED):
        for table in committed_tables(made["paper"], made["benchmark"], scale, root):
            for way, algorithm in RETRAINED.items():
                if way not in found and (series := _series(table, algorithm, made)):
                    found[way] = series
    return found


def _series(table: Table, algorithm: str, made: Made) -> Made | None:
    """Return one algorithm's accuracy by level; None where the table has none without label noise."""
    where = {"algorithm": algorithm, "noise_percent": made["noise_percent"]}
    errors, sizes = (values(table, quantity, **where) for quantity in ("test error (%)", SIZE))
    if errors.empty or sizes.empty:
        return None
    images = values(table, "training examples", **where).to_numpy()
    trained = f"{int(images.max()):,} training images, " if images.size else ""
    found = {"share": sizes.mean() / 100, "mean": 100 - errors.mean(), "std": errors.std()}
    rows = pandas.DataFrame(found).dropna(subset=["share", "mean"]).round({"mean": 3, "std": 3})
    levels = [row | {"std": None if math.isnan(row["std"]) else row["std"]} for row in rows.to_dict("records")]
    seeds = f"{len(errors)} seed{'s' * (len(errors) != 1)}"
    return {"label": f"{table.scale} scale, {trained}{seeds}, no label noise", "levels": levels}


def parts(book: Path, root: Path) -> dict[str, str]:
    """Return the parts of the page that follow from files, name of the file in `book/generated/` → MyST.

    Args:
        book: the book's folder, with `prune_it_yourself/`.
        root: the repository, whose committed tables say what retraining gives.
    """
    name = "prune_it_yourself"
    return {f"{name}_network": made_of(book), name: widget(book, root), f"{name}_seen": seen(book, root)}


def widget(book: Path, root: Path) -> str:
    """Return the interactive part, raw HTML with everything in it; a sentence where there is no network."""
    made = read_made(book)
    if made is None:
        return "There is no network yet: `python -m book.prune_it_yourself` trains it in about two minutes.\n"
    folder = book / FOLDER
    tensors = {
        name: base64.b64encode(tensor.tobytes()).decode()
        for name, tensor in load_file(folder / "network.safetensors").items()
        if name != "positions"
    }
    again = retrained(made, root)
    data = {
        "tensors": tensors, "scales": made["scales"], "curves": made["curves"], "stepsPerLevel": made["steps per level"],
        "draws": made["random draws"], "mean": made["mean"], "std": made["std"], "retrained": again,
    }  # fmt: skip
    parts = [
        f"<style>\n{(folder / 'page.css').read_text('utf-8')}</style>",
        (folder / "page.html").read_text("utf-8"),
        f"<noscript>{_without_scripts(made, again)}</noscript>",
        f'<script type="application/json" id="prune-data">{json.dumps(data, separators=(",", ":"))}</script>',
        f"<script>\n{(folder / 'page.js').read_text('utf-8')}</script>",
    ]
    inside = "\n".join(line for part in parts for line in part.splitlines() if line.strip())
    return f"`````{{raw}} html\n{inside}\n`````\n"


def _without_scripts(made: Made, again: Mapping[str, Made]) -> str:
    """Return the curves as an HTML table."""
    heads = ["weights left (%)", *WAYS.values(), *(f"{WAYS[way]}, retrained" for way in again)]
    rows = []
    for level in SHOWN_LEVELS:
        step = level * made["steps per level"]
        size = share(step, made)
        cells = [f"{100 * size:.3g}", *(f"{made['curves'][way][step]:.1f}" for way in WAYS)]
        cells += [
            f"{_at(series, size)['mean']:.1f} (at {100 * _at(series, size)['share']:.3g} %)"
            for series in again.values()
        ]
        rows.append(cells)
    return (
        f"<p>Without scripts nothing moves here. Accuracy in percent on 500 test digits:</p>{wide_table(heads, rows)}"
    )


def _at(series: Made, size: float) -> Made:
    """Return the level of a retrained series whose size is nearest, by ratio."""
    return min(series["levels"], key=lambda level: max(level["share"] / size, size / level["share"]))


def made_of(book: Path) -> str:
    """Say which network it is: recipe, accuracy, what rounding cost."""
    made = read_made(book)
    if made is None:
        return "The network has not been trained yet.\n"
    found: dict[str, float] = made["accuracy (%)"]
    exact, rounded = found["float32, all test images"], found["16 bits, 4-bit pixels, all test images"]
    own = found["16 bits, 4-bit pixels, these digits"]
    whose = "the paper's own recipe" if made["scale"] == "paper" else f"the recipe of {made['scale']} scale"
    return (
        f"The network is LeNet-300-100: 784 pixels → 300 → 100 → 10 digits. It was trained once by {whose} "
        f"(seed {made['seed']}, {made['training images']:,} images of MNIST, {made['recipe']['epochs']} epochs, correct "
        f"labels) and reads **{exact:.2f} %** of MNIST's 10,000 test digits. To fit into this page its weights became "
        f"16-bit integers and the pixels 4-bit ones; with those it reads {rounded:.2f} %. You see 500 of the test digits, "
        f"50 of each class, of which it reads {own:.1f} %. The last layer, 1,000 of the 266,200 weights, is never cut. "
        f"Made by `{made['command']}` on {made['date']}.\n"
    )


def seen(book: Path, root: Path) -> str:
    """Say what the curves show, in sentences chosen by their numbers."""
    made = read_made(book)
    if made is None:
        return "There is nothing to see yet.\n"
    curves: dict[str, list[float]] = made["curves"]
    return "\n\n".join([_how_far(curves, made), _where(curves, made), _again(made, root)]) + "\n"


def _how_far(curves: Mapping[str, Sequence[float]], made: Made) -> str:
    """Compare the smallest, random and the largest weights."""
    per_level, dense = made["steps per level"], curves["magnitude"][0]
    small, chance = (
        next((at - 1 for at, value in enumerate(curves[way]) if value < dense - WORTH), len(curves[way]) - 1)
        for way in ("magnitude", "random")
    )
    best = max(curves["magnitude"][: small + 1])
    more = f", and on the way it reads up to {best:.1f} %" if best > dense else ""
    half = 3 * per_level  # 0.8³ of the weights
    sooner = "much sooner" if chance < small / 2 else "sooner" if chance < small else "no sooner"
    after = curves["largest"][per_level]
    return (
        f"**Which weights matter.** Whole, the network reads {dense:.1f} % of these digits. If the smallest weights go "
        f"first, it stays within {WORTH:g} point of that down to **{_size(small, made)}** of the weights{more}. Random "
        f"cuts leave that margin {sooner}, below {_size(chance, made)}. With half of the weights ({_size(half, made)}) it "
        f"reads {curves['magnitude'][half]:.1f} % without the smallest and {curves['random'][half]:.1f} % without random "
        f"ones. Without the largest fifth it reads {after:.1f} %"
        + (": what it knows sits in its large weights." if after < dense - 10 * WORTH else ".")
    )


def _where(curves: Mapping[str, Sequence[float]], made: Made) -> str:
    """Compare one threshold for both layers with one for each."""
    gaps = [one - other for one, other in zip(curves["magnitude"], curves["layer"], strict=True)]
    step = max(range(len(gaps)), key=lambda at: abs(gaps[at]))
    if abs(gaps[step]) < WORTH:
        return "**One threshold or two.** Cutting both layers together or each by itself makes no difference here."
    better = "One threshold for both layers" if gaps[step] > 0 else "The same share of each layer"
    reverse = [at for at, gap in enumerate(gaps) if gap * gaps[step] < 0 and abs(gap) >= WORTH]
    elsewhere = f"; at {_size(reverse[0], made)} it is the other way round" if reverse else ""
    return (
        f"**One threshold or two.** {better} is better{elsewhere}. The two differ most at {_size(step, made)} of the "
        f"weights: {curves['magnitude'][step]:.1f} % with one threshold, {curves['layer'][step]:.1f} % with the same share "
        "of each layer."
    )


def _again(made: Made, root: Path) -> str:
    """Compare with the sparsest retrained networks on the slider."""
    series, curve = retrained(made, root).get("magnitude"), made["curves"]["magnitude"]
    sizes = [share(step, made) for step in range(len(curve))]
    if series is None:
        return "**After retraining.** No table of retrained networks is there yet."
    level = min((one for one in series["levels"] if one["share"] >= sizes[-1]), key=lambda one: one["share"])
    before = curve[min(range(len(curve)), key=lambda at: abs(sizes[at] - level["share"]))]
    spread = f" ± {level['std']:.1f}" if level["std"] is not None else ""
    verdict = " The size is enough; the cut does the damage." if level["mean"] > before + WORTH else ""
    return (
        f"**After retraining.** Other networks of the same kind ({series['label']}) were trained again after each cut. "
        f"With {100 * level['share']:.3g} % of the weights they read {level['mean']:.1f}{spread} % of the test set. Cut "
        f"to this size without retraining, the network of this page reads {before:.1f} % of its 500 digits.{verdict}"
    )


def _size(step: int, made: Made) -> str:
    return f"{100 * share(step, made):.3g} %"
