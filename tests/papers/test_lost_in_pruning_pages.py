"""LIP's first and last page, its map and its list of networks."""

import re
from pathlib import Path

import jupytext
import pytest
from IPython.core.interactiveshell import InteractiveShell

from lib.analysis import inventory
from papers.lost_in_pruning import menu
from papers.lost_in_pruning.experiments import PAGES, PLACES, SHOWS
from papers.lost_in_pruning.recipes import BENCHMARKS
from tests.papers.lost_in_pruning_cases import Networks, table

FOLDER = Path("papers/lost_in_pruning/pages")
ORDER = (
    "opening", "test_set", "informative_pixels", "same_function", "prune_potential", "excess_error", "robust_training",
    "how_far", "closing",
)  # fmt: skip
TEXTS = {name: (FOLDER / f"{name}.py").read_text(encoding="utf-8") for name in ORDER}


def run(name):
    """Run the code of a page and return what its cells show."""
    shell, shown = InteractiveShell(), []
    for cell in jupytext.read(FOLDER / f"{name}.py").cells:
        if cell.cell_type == "code":
            done = shell.run_cell(cell.source.replace('scale: str = "laptop"', 'scale: str = "smoke"'))
            done.raise_error()
            shown.append(done.result)
    return shown


@pytest.mark.parametrize("name", ["opening", "closing"])
def test_the_first_and_the_last_page_run(name):
    assert any("Of 28 claims" in str(getattr(one, "data", "")) for one in run(name))


def test_every_page_opens_itself_and_is_known_by_its_label():
    for name, text in TEXTS.items():
        assert text.startswith(f"# %% [markdown]\n# (lip-{name.replace('_', '-')})=\n# # "), name
    assert all(f'open_page(PAGES["{name}"], vars())' in TEXTS[name] for name in PAGES)
    ways = re.findall(r"^# \| \{ref\}`lip-([\w-]+)`", TEXTS["opening"], re.MULTILINE)
    assert ways == [name.replace("_", "-") for name in ORDER[1:]]


def test_figures_have_names_of_their_own_and_references_lead_to_one():
    named = [name for text in TEXTS.values() for name in re.findall(r'"name": "(fig-[\w-]+)"', text)]
    assert len(named) == len(set(named))
    asked = {name for text in TEXTS.values() for name in re.findall(r"\{numref\}`(fig-lip-[\w-]+)`", text)}
    assert asked <= set(named)
    labels = {label for text in TEXTS.values() for label in re.findall(r"^# \((lip-[\w-]+)\)=", text, re.MULTILINE)}
    refs = {name for text in TEXTS.values() for name in re.findall(r"\{ref\}`(?:[^`]*<)?(lip-[\w-]+)>?`", text)}
    assert refs <= labels


def test_terms_are_in_the_glossary():
    words = Path("book/glossary.md").read_text(encoding="utf-8").splitlines()
    asked = {
        term.lower() for text in TEXTS.values()
        for term in re.findall(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`", re.sub(r"\n# ?", " ", text))
    }  # fmt: skip
    assert not asked - {line.lower() for line in words}


def test_every_figure_of_a_network_is_on_the_menu():
    experiments = inventory.read_experiments("lost_in_pruning")
    assert len(experiments) == 86 == len(SHOWS)
    listed = {name for benchmark in BENCHMARKS for name in menu.shown(benchmark)}
    rest = {one.id for one in experiments if one.kind in inventory.MAPPED} - listed
    assert rest == {"LIP-fig5", "LIP-tab1", "LIP-tab11"}, "which show no network"
    assert all(set(shows) <= set(BENCHMARKS) for shows in SHOWS.values())


def test_the_map_names_the_networks_of_a_figure_alone():
    tables = [
        table({"WT": Networks(), "FT": Networks()}, benchmark) for benchmark in ("cifar10-resnet20", "cifar10-resnet56")
    ]
    rows = {row.name: row for row in inventory.paper_map("lost_in_pruning", tables=tables)}
    assert list(rows["Figure 30"].measured) == ["cifar10-resnet56"]
    assert list(rows["Figure 29"].measured) == ["cifar10-resnet20"]
    assert not rows["Figure 35"].measured and not rows["Figure 49"].measured and not rows["Figure 4"].measured
    assert set(rows["Figure 28"].measured) == {"cifar10-resnet20", "cifar10-resnet56"}
    assert (
        len(rows)
        == len({name.rstrip("ab") if name == "LIP-fig4a" else name for name in PLACES if "run" not in name}) - 1
    )


def test_costs_count_every_network_once():
    plan = menu.PLANS["cifar10-resnet20"]["paper"]
    count, images = menu.passes(plan)
    assert count == 3 * (1 + 4 * 23) and images == pytest.approx(count * 182 * 45_000 / 1e9)
    assert menu.flops_of(plan) == pytest.approx(41e6, rel=0.01)
    found = menu.networks([table({"WT": Networks()}, scale="short")]).set_index("benchmark")
    assert found.loc["cifar10-resnet20", "measured"] == "short" and found.loc["cifar10-vgg16", "measured"] == "not yet"
    assert found.loc["imagenet-resnet18", "in the paper"] == "Fig. 7, 10, 35, 45; Tab. 2, 5, 6, 9, 10"
