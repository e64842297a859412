"""LN's figures draw the committed tables, show the numbers of these, and say in words what a table lacks."""

import itertools
from typing import Any

import altair
import pandas
import pytest
import vl_convert
from IPython.display import Markdown

from lib.analysis.levels import chosen_level
from lib.analysis.table import SIZE, Table, find_tables, values
from papers.label_noise import figures
from papers.label_noise.names import REDENSE, SCORES, WR
from tests.papers.label_noise_cases import made_up

FIGURES = [
    name
    for name, found in vars(figures).items()
    if "tables" in getattr(getattr(found, "__wrapped__", None), "__annotations__", {})
]
OF_LENET_ALONE = (
    "errors_over_the_lift",
    "sparse_and_redense",
    "along_one_path",
    "loss_along_paths",
    "loss_along_direction",
    "distance_and_error",
    "differences",
)


def committed(benchmark: str) -> list[Table]:
    """The tables of the repository, whatever was measured on this machine besides."""
    found = [one for one in find_tables("label_noise", benchmark) if one.origin == "committed"]
    return sorted(found, key=lambda table: table.scale)


@pytest.fixture(scope="module")
def lenet() -> list[Table]:
    return committed("mnist-lenet")


@pytest.fixture
def asked(monkeypatch) -> dict:
    """What a figure asks of `lines`."""
    found: dict = {}
    monkeypatch.setattr(figures, "lines", lambda rows, **given: found.update(given, rows=rows))
    return found


def mean(rows: Any, **where) -> list[float]:
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows.groupby("level")["value"].mean().tolist()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_the_committed_tables(name, lenet):
    chart = getattr(figures, name)(lenet)
    assert isinstance(chart, altair.LayerChart), chart
    assert chart.to_dict()["description"]
    assert vl_convert.vegalite_to_svg(chart.to_json()).startswith("<svg")


@pytest.mark.parametrize("name", FIGURES)
def test_what_a_table_lacks_is_said(name):
    chart = getattr(figures, name)(committed("cifar10-resnet18"))
    assert isinstance(chart, Markdown if name in OF_LENET_ALONE else altair.LayerChart)
    nothing = getattr(figures, name)([made_up({"original training loss (nats)": [1.0]})])
    assert isinstance(nothing, Markdown) and "no" in str(nothing.data)


def test_the_fall_of_the_last_test_error_is_ringed(asked, lenet):
    figures.errors_while_pruning(lenet)
    rows, laptop = asked["rows"], lenet[0]
    assert asked["shown"] == {"noise_percent": "20 %"}
    for noise in (20.0, 40.0):
        for quantity, error in figures.ERRORS.items():
            drawn = mean(rows, table=laptop.label, noise_percent=noise, algorithm=WR, error=error)
            assert drawn == pytest.approx(values(laptop, quantity, algorithm=WR, noise_percent=noise).mean().tolist())
    ringed = rows[(rows["table"] == laptop.label) & (rows["algorithm"] == WR) & (rows["noise_percent"] == 40.0)]
    for name in ("overfitting", "recovery"):
        level = chosen_level(laptop, name, algorithm=WR, noise_percent=40.0)
        assert set(ringed.loc[ringed[name], "level"]) == ({level} if level else set())
    assert set(rows.loc[rows["overfitting"] | rows["recovery"], "error"]) == {"last test error"}
    assert set(rows["score"]) == set(SCORES.values())


def test_differences_are_paired_by_seed(asked, lenet):
    figures.differences(lenet)
    leading = lenet[0]
    rows, rules = (asked[one][asked[one]["table"] == leading.label] for one in ("rows", "rules"))
    for quantity, called in (
        ("test error (%)", "difference of error (points)"),
        ("distance from initialization", "difference of distance"),
    ):
        sparse, redense = (values(leading, quantity, algorithm=one, noise_percent=20.0) for one in (WR, REDENSE))
        own = rows[
            (rows["quantity"] == called) & (rows["noise_percent"] == 20.0) & (rows["distance from"] == "initialization")
        ]
        drawn = own.pivot(index="seed", columns="level", values="value")
        pandas.testing.assert_frame_equal(drawn, sparse - redense, check_names=False)
    sizes = values(leading, SIZE, algorithm=WR, noise_percent=20.0).mean()
    sparse, redense = (
        values(leading, "test error (%)", algorithm=one, noise_percent=20.0).mean() for one in (WR, REDENSE)
    )
    signs = [gap > 0 for _, gap in sorted(zip(sizes, sparse - redense, strict=True)) if gap]
    changes = sum(a != b for a, b in itertools.pairwise(signs))
    own = rules[(rules["quantity"] == "difference of error (points)") & (rules["noise_percent"] == 20.0)]
    assert len(own[own["distance from"] == "initialization"]) == changes


def test_networks_over_the_epochs_are_named_by_their_levels(asked, lenet):
    figures.errors_over_epochs(lenet)
    rows = asked["rows"]
    for noise in (20.0, 40.0):
        own = rows[(rows["table"] == lenet[0].label) & (rows["noise_percent"] == noise)]
        named = own.drop_duplicates("level").set_index("level")["network"].to_dict()
        assert named[0] == "dense"
        for name in ("overfitting", "recovery"):
            level = chosen_level(lenet[0], name, algorithm=WR, noise_percent=noise)
            size = values(lenet[0], SIZE, algorithm=WR, noise_percent=noise).mean()
            assert level is None or named[level] == name
            assert level is None or f"{size[level]:.3g} % left" in own["caption"].iloc[0]


def test_a_walk_along_a_path_says_the_numbers_of_each_place(asked, lenet):
    figures.along_one_path(lenet)
    rows, table = asked["rows"], lenet[0]
    own = rows[(rows["table"] == table.label) & (rows["noise_percent"] == 20.0) & (rows["path from"] == "recovery")]
    assert own[figures.STEP].nunique() == own[figures.ALPHA].nunique() == 26
    level = chosen_level(table, "recovery", algorithm=WR, noise_percent=20.0)
    where = {"algorithm": REDENSE, "noise_percent": 20.0, "level": level}
    losses = values(table, "training loss on path (nats)", "position", **where).mean()
    for at in (0.0, 0.32, 1.0):
        [caption] = own.loc[own[figures.ALPHA] == at, "caption"].unique()
        assert f"α = {at:.2f}: training loss {losses[at]:.3g} nats" in caption


def test_every_score_of_the_table_is_drawn(asked):
    table = made_up(algorithms=(WR, f"{WR}, largest_first score"))
    figures.errors_by_score([table])
    assert "largest_first score" in asked["domain"] and set(asked["rows"]["score"]) == {
        "magnitude score",
        "largest_first score",
    }


def test_a_table_without_a_fall_is_drawn():
    rising = {
        "test error (%)": [10.0, 11.0, 12.0],
        "best test error (%)": [9.0, 9.5, 9.9],
        "training error (%)": [0.0, 1.0, 2.0],
    }
    assert isinstance(figures.errors_while_pruning([made_up(rising)]), altair.LayerChart)
    assert SIZE in set(made_up(rising).frame["quantity"])


def test_curves_over_epochs_open_at_the_test_set(asked, lenet):
    figures.errors_over_epochs.__wrapped__(lenet)
    assert asked["shown"]["examples"] == "test set"


@pytest.mark.parametrize("name", ["distance_and_error", "differences"])
def test_distances_without_redense_networks_are_said_to_lack_them(name, lenet):
    errors = [9.0, 8.0, 7.0]
    distances = ["distance from initialization", "distance from masked initialization", "test error (%)"]
    sparse = made_up(dict.fromkeys(distances, errors))
    chart = getattr(figures, name)([sparse])
    assert isinstance(chart, Markdown) and "re-dense training" in str(chart.data)
    assert isinstance(getattr(figures, name)([*lenet, sparse]), altair.LayerChart)
