"""A small book: the real guide, style and configuration around one invented page and its invented run."""

import shutil
from pathlib import Path
from typing import Any

import altair as alt
import jupytext
import nbformat
import pandas as pd
import yaml

from lib.analysis.scoreboard import Verdict, scoreboard_text
from lib.batch.fingerprint import code_hash
from lib.book.build import REPOSITORY
from lib.book.staging import RECORD, WIDGET
from lib.charts.theme import MIME

PAPER, PAGE = "training_regularization", "toy"
NAME = f"{PAPER}/{PAGE}"
VARIANT = f"{NAME}_other-seed"  # a second page of the book from the same source
RUN = f"runs/pages/{NAME}/seed~0_scale~laptop.ipynb"
NAMES = (NAME, VARIANT)
DRAFTS = ("costs/what_it_costs", "prune_your_own/prune_your_own")  # the book's own pages, which nobody has run here


def verdict(claim: str, scale: str, answer: Any, cases: str, reason: str) -> Verdict:
    """Return a verdict on LeNet."""
    about: dict[str, Any] = {"seeds": "0, 1, 2", "device": "2 CPU cores", "date": "2026-11-20"}
    return Verdict(claim, PAGE, "mnist-lenet", scale, answer, cases, reason=reason, **about)


VERDICTS = [
    verdict("TR-C07", "laptop", "not reproduced", "0 of 3", "No."),
    verdict("TR-C07", "paper", "reproduced", "3 of 3", "|d| < 1 & more."),
    verdict("TR-C08", "laptop", "undecided", "", "1 replicate, 3 needed."),
]

# A page of the book's own refers to the second label.
SOURCE = r"""# %% [markdown]
# (sec-toy)=
# (tr-preliminaries)=
# # Test error of an invented network
#
# After $k$ levels $0.8^k$ of the weights remain {cite:p}`renda2020rewinding`, see {term}`level` and {numref}`fig-toy`:
#
# $$ E(k) = \frac{1}{n} \sum_{i=1}^{n} \mathbf{1}\left[\arg\max_c p_c(x_i) \ne y_i\right] $$ (eq-toy)

# %% tags=["parameters"]
scale: str = "smoke"
seed: int = 0

# %%
print("measured")

# %% mystnb={"figure": {"caption": "Invented errors.", "name": "fig-toy"}} tags=["hide-input"]
draw("errors")

# %%
draw("panels")

# %%
explore()

# %% [markdown]
# The lowest error is {glue:text}`toy_lowest`.
"""


def chart() -> alt.Chart:
    """Return a line chart with a menu."""
    rows = [(100 * 0.8**k, 5 + noise * abs(k - 6) / 20, noise) for k in range(12) for noise in (0, 5, 10, 15)]
    data = pd.DataFrame(rows, columns=["weights_remaining_percent", "test_error_percent", "noise_percent"])
    chosen = alt.selection_point(
        fields=["noise_percent"], bind=alt.binding_select(options=[0, 5, 10, 15], name="Noise (%) "), value=15
    )
    return (
        alt.Chart(data, title="Test error against weights remaining, an invented example with a rather long title")
        .mark_line(point=True)
        .encode(
            x=alt.X("weights_remaining_percent:Q", title="weights remaining (%)").scale(type="log", reverse=True),
            y=alt.Y("test_error_percent:Q", title="test error (%)"),
            color=alt.Color("noise_percent:N", title="noise (%)"),
            opacity=alt.condition(chosen, alt.value(1), alt.value(0.15)),
            tooltip=["weights_remaining_percent", "test_error_percent", "noise_percent"],
        )
        .add_params(chosen)
        .properties(width=560, height=280, description="Test error falls and rises again as weights are removed.")
    )


def panels() -> alt.HConcatChart | alt.ConcatChart:
    """Return two charts side by side, wider than a phone, with awkward data."""
    data = pd.DataFrame({"kind": ["noisy", "original", "</script><b>"], "loss": [3.8, 0.1, 1.0]})
    bars = alt.Chart(data).mark_bar().encode(x="loss:Q", y="kind:N").properties(width=300, height=120)
    about = "Training loss on noisy and original examples"
    return (bars | bars).properties(title=about, description=about)


def executed(source: Path, target: Path) -> Path:
    """Write what the batch would have written for a run of the toy page."""
    notebook = jupytext.read(source, fmt="py:percent")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    display, stream = "display_data", nbformat.v4.new_output
    code[1].outputs = [
        stream("stream", name="stdout", text="measured\n"),
        stream("stream", name="stderr", text="50%|####     |\n"),
        stream(display, {WIDGET: {"model_id": "a"}, "text/plain": " 40%|████      | 4/10"}),
    ]
    code[2].outputs = [stream(display, {MIME: chart().to_dict(), "text/plain": "A chart."})]
    code[3].outputs = [stream(display, {MIME: panels().to_dict(), "text/plain": "A chart."})]
    code[4].outputs = [stream(display, {WIDGET: {"model_id": "b"}, "text/plain": "VBox(children=())"})]
    glued = {"scrapbook": {"mime_prefix": "application/papermill.record/", "name": "toy_lowest"}}
    code[4].outputs.append(stream(display, {"application/papermill.record/text/plain": "5.0"}, metadata=glued))
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    notebook.metadata[RECORD] = {
        "source": source.as_posix(),
        "parameters": {"scale": "smoke", "seed": 0, "recompute": False, "store": "/somewhere/else"},
        "code_hash": code_hash(source),
        "started": "2026-11-20T14:30:00+00:00",
        "seconds": 184.2,
        "versions": {"python": "3.11.7", "torch": "2.15.0", "altair": "6.3.0"},
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    return target


def write(root: Path) -> Path:
    """Lay the toy book out in a folder and return the page's source; nothing is staged yet."""
    copy_book(root / "book")
    toc = yaml.safe_load((root / "book" / "_toc.yml").read_text("utf-8"))
    pages = [{"file": f"papers/{name}"} for name in NAMES]
    for part in toc["parts"]:
        guide = [
            c for c in part["chapters"] if c["file"].removeprefix("papers/") in DRAFTS or "papers/" not in c["file"]
        ]
        here = any(f"papers/{PAPER}" in chapter["file"] for chapter in part["chapters"])
        part["chapters"] = pages if here else guide
    toc["parts"] = [part for part in toc["parts"] if part["chapters"]]
    (root / "book" / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    (root / "book" / "claims.csv").write_text(scoreboard_text(VERDICTS), "utf-8")
    (root / "papers" / PAPER).mkdir(parents=True)
    plan = {
        PAGE: {
            "grid": {"laptop": {"seed": [0]}},
            "book": {PAGE: {"seed": 0}, f"{PAGE}_other-seed": {"seed": 0}},
        }
    }
    (root / "papers" / PAPER / "plan.yml").write_text(yaml.safe_dump(plan), "utf-8")
    source = root / "papers" / PAPER / "pages" / f"{PAGE}.py"
    source.parent.mkdir()
    source.write_text(SOURCE, "utf-8")
    return source


def copy_book(target: Path) -> None:
    """Copy the repository's book folder without what builds leave in it, be it HTML, generated parts or staged pages."""
    shutil.copytree(REPOSITORY / "book", target, ignore=shutil.ignore_patterns("_build", "generated", "papers", ".*"))
