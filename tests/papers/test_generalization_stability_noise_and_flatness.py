"""Figures and sentences of GS on noise, flat minima and CIFAR-100; that their pages run, by hand and as a whole."""

import itertools
import re
from pathlib import Path
from typing import Any

import altair
import jupytext
import pandas
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Markdown

from lib.analysis.flatness import (
    ALONG,
    COVARIANCE,
    CRITERION,
    CURVE,
    DRAWN,
    EIGENVALUE,
    EIGENVALUE_SUM,
    TOLERATED,
    TRACE,
)
from lib.analysis.stability import BEST, HELD_OUT, LAST, STABILITY, WITHOUT_TARGETED
from lib.analysis.statistics import mean_interval
from papers.generalization_stability import noise_and_flatness_figures as figures
from papers.generalization_stability import noise_and_flatness_observations as observations
from papers.generalization_stability.experiments import PAGES
from papers.generalization_stability.names import FLAT, NONE, noised, pruned
from tests.papers.generalization_stability_cases import configurations, table

FOLDER = Path("papers/generalization_stability/pages")
OWN = ("is_it_noise", "flat_minima", "another_data_set")
PERMANENT = pruned("largest", 40, more="normalization left")
ZEROING = [noised("zero", n) for n in (1, 50, 1105)]
GAUSSIAN = [noised("gaussian", n) for n in (1, 50, 1105)]
RESTORED = [noised("zero", n, restore=True) for n in (89, 2480)]
NOISES = [*ZEROING, *GAUSSIAN, *RESTORED]

OF_TABLES = {
    "is_it_noise": ("accuracy_by_noise", "accuracy_restored", "without_targeted", "accuracy_and_stability_of_noise"),
    "flat_minima": ("accuracy_and_stability", "flatness_and_stability", "accuracy_and_flatness", "eigenvalues",
                    "loss_along_eigenvectors"),
    "another_data_set": ("printed_beside_measured",),
}  # fmt: skip
EVERY = [name for names in OF_TABLES.values() for name in names]


def noise_table(runs: int = 6, lost: float = 10.0):
    """Long noise ends where pruning does; without the targeted filters all but the longest zeroing lose."""
    names = [NONE, PERMANENT, *NOISES]
    accuracies = [70.0, 72.0, 70.2, 71.0, 72.1, 70.0, 71.0, 72.0, 70.5, 72.0]
    cells: dict[str, Any] = configurations(
        names, [100.0, 98.0, 98.2, 98.1, 98.0, 99.5, 99, 98.5, 97.5, 97.0], accuracies
    )
    for name in NOISES:
        kept = name == ZEROING[-1] and lost > 0
        cells[name] |= {HELD_OUT: cells[name][STABILITY] - 0.1, WITHOUT_TARGETED: cells[name][LAST] - lost * (not kept)}
    return table(cells, runs=runs)


def flat_table(runs: int = 6):
    """The less stable, the flatter and the better; the loss rises less along later eigenvectors."""
    stabilities, accuracies = [100.0, 99.9, 99.0, 97.0, 98.0, 100.0], [80.0, 80.2, 81.0, 83.0, 82.0, 80.1]
    cells: dict[str, Any] = configurations(FLAT, stabilities, accuracies)
    for name, accuracy in zip(FLAT, accuracies, strict=True):
        for images in ("test", "training"):
            cells[name] |= {
                f"{images} {EIGENVALUE_SUM}": 90 - accuracy, f"{images} {TRACE}": 91 - accuracy,
                f"{images} {COVARIANCE}": 2 * (90 - accuracy), f"{images} {CRITERION}": 95 - accuracy,
                f"{images} {EIGENVALUE}": {float(i): (90 - accuracy) / i for i in range(1, 13)},
            }  # fmt: skip
        cells[name] |= {TOLERATED: accuracy - 79}
        cells[name] |= {ALONG.format(i): {e: 1 + 100 * e * e / i for e in CURVE} for i in DRAWN}
    return table(cells, runs=runs, spread=1e-3)


def cifar100_table(runs: int = 3, scale: str = "paper"):
    names = list(figures.CIFAR100.values())
    cells = configurations(names, [100.0, 100.0, 92.0, 87.0], [73.28, 73.11, 73.22, 73.41])
    return table(cells, benchmark="cifar100-resnet18", runs=runs, spread=0.01, scale=scale)


MADE = {"is_it_noise": noise_table, "flat_minima": flat_table, "another_data_set": cifar100_table}
OF_PAGE = {name: page for page, names in OF_TABLES.items() for name in names}


def said(name: str, *tables) -> str:
    return str(getattr(observations, name)(tables).data)


@pytest.mark.parametrize(("name", "runs"), [*itertools.product(EVERY, (1, 3))])
def test_every_figure_draws_one_run_and_three(name, runs):
    chart = getattr(figures, name)([MADE[OF_PAGE[name]](runs)])
    assert isinstance(chart, altair.LayerChart), chart.data
    assert chart.to_dict()["description"]
    assert "What we see" in said(name, MADE[OF_PAGE[name]](runs))


@pytest.mark.parametrize("name", EVERY)
def test_what_is_not_measured_is_said(name):
    other = table(configurations(["something else"], [99.0], [70.0]))
    for tables in ([], [other]):
        found = getattr(figures, name)(tables)
        drawn_in_print = name == "printed_beside_measured"
        assert isinstance(found, altair.LayerChart if drawn_in_print else Markdown)
        assert "Nothing to see yet" in said(name, *tables)


@pytest.mark.parametrize("name", OWN)
def test_what_was_learned_holds_with_one_run_and_without_a_table(name):
    learned = getattr(observations, f"learned_{name}")
    assert "What we learned" in str(learned([MADE[name](1)]).data)
    assert "Nothing to learn yet" in str(learned([]).data)


# Is it noise?


def test_configurations_are_in_the_order_of_what_is_done_and_for_how_long():
    found = figures.noise_of([noise_table(1)], *figures.KINDS)
    assert found == [NONE, PERMANENT, *ZEROING, *GAUSSIAN, *RESTORED]
    assert [figures.kind(name) for name in (NONE, PERMANENT, ZEROING[1], RESTORED[0])] == [
        ("no pruning", 0), ("pruning", 0), ("zeroing", 50), ("zeroing, restored", 89),
    ]  # fmt: skip


def test_bars_are_bootstrap_intervals_of_means():
    rows = pandas.DataFrame({"table": "t", "algorithm": ["a"] * 4 + ["b"], "value": [1.0, 2.0, 3.0, 6.0, 5.0]})
    found: Any = figures.with_intervals(rows, ["algorithm"])
    assert tuple(found.loc[0, ["low", "high"]]) == mean_interval([1.0, 2.0, 3.0, 6.0])
    assert found.loc[4, ["low", "high"]].isna().all()
    chart: Any = figures.accuracy_by_noise([noise_table()])
    assert "bars: 95 % interval of the mean" in chart.to_dict()["description"]


def test_a_length_of_noise_is_told_as_a_share_of_the_time_between_events():
    found: Any = figures.lengths_of_noise("cifar10-vgg11")
    longest = found.data.query("scale == 'paper' and batches == 1105").iloc[0]
    assert longest["epochs"] == pytest.approx(1105 / 391)
    assert longest["% of the time between two events"] == pytest.approx(100 * 1105 / (40 * 391))
    assert "has noise" in str(figures.lengths_of_noise("cifar10-resnet20").data)


def test_long_noise_that_does_as_much_as_pruning_is_told_as_the_papers():
    assert "as the paper has it" in said("accuracy_by_noise", noise_table())
    worse = noise_table()
    frame = worse.frame.copy()
    frame.loc[(frame["algorithm"] == ZEROING[-1]) & (frame["quantity"] == BEST), "value"] -= 3
    assert "That is not what the paper has" in said("accuracy_by_noise", worse.with_frame(frame))
    frame.loc[(frame["algorithm"] == PERMANENT) & (frame["quantity"] == BEST), "value"] -= 3
    assert "there is no gain that noise could explain" in said("accuracy_by_noise", worse.with_frame(frame))


def test_which_networks_use_the_filters_again_is_told_one_by_one():
    told = said("without_targeted", noise_table())
    assert f"it does not after {ZEROING[-1]}" in told and f"−10.0 points after {ZEROING[0]}" in told
    assert "None of these networks relies on them" in said("without_targeted", noise_table(lost=-1.0))


# Flat minima


def test_signs_of_flatness_are_the_papers_where_they_are():
    for name in ("flatness_and_stability", "accuracy_and_flatness"):
        told = said(name, flat_table())
        assert (
            "the paper's sign, with p below 0.05, for the Hessian's trace, the trace of the gradients' covariance"
            in told
        )
        assert "the tolerated perturbation" in told.partition("the paper's sign")[2]


def test_opposite_signs_are_not_called_the_papers():
    turned = flat_table()
    frame = turned.frame.copy()
    of_flatness = frame["quantity"] == f"test {EIGENVALUE_SUM}"
    frame.loc[of_flatness, "value"] = 20 - frame.loc[of_flatness, "value"]
    told = said("flatness_and_stability", turned.with_frame(frame)).partition("the paper's sign")[2]
    own, _, opposite = told.partition("the opposite sign")
    assert "the Hessian's trace" in opposite and "the Hessian's trace" not in own


def test_unpruned_networks_are_told_to_have_their_stability_by_definition():
    assert "have a stability of 100 by definition; without them r = " in said("accuracy_and_stability", flat_table())


def test_a_rise_that_falls_from_eigenvector_to_eigenvector_is_told():
    told = said("loss_along_eigenvectors", flat_table())
    assert "along each later eigenvector for no pruning, small filters often" in told
    rise = 100 * max(CURVE) ** 2
    assert f"{rise:.2f} and {rise / 10:.2f} (no pruning)" in told


def test_the_spectrum_of_every_run_and_the_whole_one_have_a_menu():
    chart: Any = figures.eigenvalues([flat_table(2)])
    menus = {
        one["name"]: one["bind"]["options"] for one in chart.to_dict()["params"] if "options" in one.get("bind", {})
    }
    assert menus["images_menu"] == ["test", "training"]
    assert menus["eigenvalues_menu"] == [figures.TEN, figures.WHOLE]


# Another data set


def test_the_printed_table_is_drawn_without_any_measured_one():
    chart: Any = figures.printed_beside_measured([])
    assert "no pruning: printed 73.28" in chart.to_dict()["description"]
    both: Any = figures.printed_beside_measured([cifar100_table()])
    assert re.search(r"no pruning: printed 73\.28, measured 73\.\d+", both.to_dict()["description"])


def test_large_filters_are_compared_by_t_tests_and_generated_images_are_called_so():
    told = said("printed_beside_measured", cifar100_table())
    assert re.search(
        r"0\.1\d points above no pruning \(t test p [=<] .*\), 0\.\d+ points above pruning from scratch", told
    )
    assert "generated" not in told
    assert "say nothing about CIFAR-100" in said("printed_beside_measured", cifar100_table(1, "smoke"))


# The pages


def test_pages_show_every_figure_and_say_what_is_seen():
    for page, names in OF_TABLES.items():
        text = (FOLDER / f"{page}.py").read_text(encoding="utf-8")
        assert f'open_page(PAGES["{page}"], vars())' in text and f"observations.learned_{page}(page.tables)" in text
        order = ["## The idea", "**What the paper claims**", "show_source(", "y hand", 'tags=["parameters"]', "open_page(",
                 "## Measured beside printed", "## What it means", "page.chips()", "page.verdicts()", "What differs",
                 "## Try it", "page.explore("]  # fmt: skip
        places = [text.index(mark) for mark in order]
        assert places == sorted(places), page
        for name in names:
            figure, seen = (text.index(f"{module}.{name}(page.tables)") for module in ("figures", "observations"))
            assert figure < seen and text[figure:seen].count("# %%") == 1, name
        assert text.count("{dropdown} Answer") >= 3
    assert {name for name in vars(figures) if hasattr(getattr(figures, name), "__wrapped__")} == {
        *EVERY, "one_weight", "lengths_of_noise", "chance_by_runs",
    }  # fmt: skip
    assert all(
        f"({claim})" in "".join(path.read_text() for path in FOLDER.glob("*.py"))
        for page in OWN
        for claim in PAGES[page].claims
    )


@pytest.mark.parametrize("name", OWN)
def test_the_library_does_what_is_computed_by_hand(name):
    shell, last = InteractiveShell(), None
    for cell in jupytext.read(FOLDER / f"{name}.py").cells:
        if "parameters" in cell.metadata.get("tags", ()):
            break
        if cell.cell_type == "code":
            done = shell.run_cell(cell.source)
            done.raise_error()
            last = done.result
    assert last is True
