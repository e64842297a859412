import json
from pathlib import Path

import altair as alt
import pytest
import vl_convert

from lib.charts import costs
from lib.charts.theme import PALETTE, VEGALITE_VERSION, specification
from lib.errors import InputError
from tests.charts import made_up_costs as made_up
from tests.charts.made_up import rows_of, texts


def drawn(folder: Path, draw, **tables):
    return specification(draw(made_up.table(folder, **tables)))


DRAWINGS = [
    (costs.speed, {"epochs_cpu": made_up.EPOCHS}),
    (costs.speed, {"epochs_cuda": made_up.GPU_EPOCHS}),
    (costs.paths, {"paths_cpu": made_up.PATHS}),
    (costs.precisions, {"precision_cpu": made_up.PRECISION}),
]


@pytest.mark.parametrize("draw, tables", DRAWINGS)
def test_a_chart_is_complete_and_draws(draw, tables, tmp_path: Path):
    made = drawn(tmp_path, draw, **tables)
    assert made["config"]["background"] == "#ffffff" and made["config"]["range"]["category"] == list(PALETTE)
    device = "one GPU" if "epochs_cuda" in tables else "2 CPU cores (a model), 2 threads, 2026-11-20"
    assert device in texts(made) and device in made["description"]
    svg = vl_convert.vegalite_to_svg(made, vl_version=VEGALITE_VERSION)
    assert "NaN" not in svg and "undefined" not in svg
    assert len(json.dumps(made)) < 20_000


@pytest.mark.parametrize("draw, tables", DRAWINGS)
def test_a_chart_is_the_same_every_time(draw, tables, tmp_path: Path):
    """A build in the same process must not take a chart for a new one."""
    assert drawn(tmp_path, draw, **tables) == drawn(tmp_path, draw, **tables)


def test_the_theme_is_only_lent(tmp_path: Path):
    before = alt.theme.active
    drawn(tmp_path, costs.paths, paths_cpu=made_up.PATHS)
    assert alt.theme.active == before


def test_bars_begin_at_the_conventional_loop_and_the_floor_is_behind_them(tmp_path: Path):
    made = drawn(tmp_path, costs.speed, epochs_cpu=made_up.EPOCHS)
    assert [panel["title"]["text"] for panel in made["vconcat"]] == ["mnist-lenet", "cifar10-resnet20"]
    domains = {json.dumps(p["layer"][0]["encoding"]["x"]["scale"]["domain"]) for p in made["vconcat"]}
    assert len(domains) == 1, "panels share their axis"
    bars = [layer for layer in made["vconcat"][0]["layer"] if layer["mark"].get("height") == 14]
    assert bars[0]["encoding"]["x2"] == {"datum": 1}
    rows = {(row["benchmark"], row["row"]): row for row in rows_of(made, "times_faster")}
    stacked = rows["mnist-lenet", "this book; bfloat16, stack of 12"]
    assert stacked["label"] == "20×"
    assert stacked["floor_times"] == pytest.approx(19.6 * 0.27 / 0.23, abs=1e-4)
    assert rows["cifar10-resnet20", "this book; bfloat16, 1 replicate"]["floor_times"] is None
    assert "this book; bfloat16, stack of 12: 20 times faster, at the floor 23 times." in made["description"]


def test_every_network_has_its_own_unit_and_the_axis_of_the_book(tmp_path: Path):
    made = drawn(tmp_path, costs.paths, paths_cpu=made_up.PATHS)
    lenet, vgg = made["concat"]
    assert lenet["layer"][0]["encoding"]["y"]["title"] == "time (s per replicate and epoch)"
    assert vgg["layer"][0]["encoding"]["y"]["title"] == "time (s per step)"
    x = lenet["layer"][0]["encoding"]["x"]
    assert x["scale"]["type"] == "log" and x["scale"]["reverse"] and "weights remaining (%)" in x["title"]
    assert {row["way"] for row in rows_of(made, "way")} == {costs.MASKS_ALONE, costs.LEFT_OUT}
    assert {row["label"] for row in rows_of(made, "label")} >= {"3.5×", "3.4×"}
    svg = vl_convert.vegalite_to_svg(made, vl_version=VEGALITE_VERSION)
    assert f">{costs.MASKS_ALONE}</text>" in svg and f">{costs.LEFT_OUT}</text>" in svg, "the legend"


def test_a_single_network_takes_the_whole_width(tmp_path: Path):
    one = drawn(tmp_path, costs.paths, paths_cpu=made_up.PATHS[:5])
    assert len(one["concat"]) == 1 and one["concat"][0]["width"] > 500


def test_precisions_are_drawn_against_float32_with_their_spread(tmp_path: Path):
    made = drawn(tmp_path, costs.precisions, precision_cpu=made_up.PRECISION)
    rows = rows_of(made, "low")
    assert [row["precision"] for row in rows] == ["bfloat16", "bfloat16", "tf32"]
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((-0.05, 0.11))
    assert rows[2]["low"] == rows[2]["high"] == 0.1, "one replicate has no spread"
    assert "mnist-lenet; 15 % noise, bfloat16; 16.8 % of weights: -0.05 ± 0.22." in made["description"]


def test_a_table_of_another_part_or_without_differences_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="draws the part 'epochs' of book/costs, not 'paths'"):
        costs.speed(made_up.table(tmp_path / "paths", paths_cpu=made_up.PATHS))
    with pytest.raises(InputError, match="no difference from float32"):
        costs.precisions(made_up.table(tmp_path / "precision", precision_cpu=made_up.PRECISION[:1]))
