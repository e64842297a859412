"""What LN's pages run, that they show and explain every figure and table, and that their computations by hand are right."""

import re
from pathlib import Path

import jupytext
import pytest
from IPython.core.interactiveshell import InteractiveShell

from lib import data
from lib.analysis.inventory import place_of, read_experiments
from lib.data.generated import generate
from papers.label_noise import figures, observations, tables
from papers.label_noise.experiments import NEEDS, PAGES, PLACES
from papers.label_noise.recipes import plan

FOLDER = Path("papers/label_noise/pages")
WITHOUT_RUN = {"closing"}  # reads verdicts
BY_HAND = [name for name in PAGES if name != "opening"]


def texts() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}


def test_pages_open_themselves_and_show_every_figure_and_table():
    found = texts()
    assert found.keys() == PAGES.keys() | WITHOUT_RUN
    assert all(f'open_page(PAGES["{name}"], vars())' in found[name] for name in PAGES)
    shown = {name for text in found.values() for name in re.findall(r"figures\.(\w+)\(page", text)}
    assert shown == {name for name, one in vars(figures).items() if hasattr(one, "__wrapped__")}
    shown = {name for text in found.values() for name in re.findall(r"tables\.(\w+_table)\(", text)}
    assert shown == {name for name in vars(tables) if name.endswith("_table")}


def test_what_is_seen_follows_every_figure_and_what_was_learned_ends_a_page():
    for name, text in texts().items():
        codes = [one for one in re.split(r"^# %%.*$", text, flags=re.MULTILINE) if one.strip()]
        for code, after in zip(codes, codes[1:], strict=False):
            if (drawn := re.search(r"^figures\.(\w+)\(page", code, re.MULTILINE)) and hasattr(observations, drawn[1]):
                assert f"observations.{drawn[1]}(page.tables)" in after, (name, drawn[1])
        if name in BY_HAND:
            assert f"observations.learned_{name}(page.tables)" in text
            assert "**The question.**" in text and "## Try it" in text and "{dropdown} Answer" in text


def test_everything_in_the_paper_has_a_place_and_figures_stand_where_the_map_says():
    found = texts()
    for one in read_experiments("label_noise"):
        place = place_of(one.id, PLACES)
        assert place.page in found, one.id
        assert not place.figure or f'"name": "{place.figure}"' in found[place.page], one.id
    assert NEEDS.keys() <= PLACES.keys()


@pytest.mark.parametrize("name", BY_HAND)
def test_the_library_does_what_is_computed_by_hand(name, monkeypatch):
    digits = data.ImageSet("mnist", **generate("generated-digits", train=2000))
    monkeypatch.setattr(data, "load", lambda name: digits)
    shell, last = InteractiveShell(), None
    for cell in jupytext.read(FOLDER / f"{name}.py").cells:
        if "parameters" in cell.metadata.get("tags", ()):
            break
        if cell.cell_type == "code":
            done = shell.run_cell(cell.source)
            done.raise_error()
            last = done.result
    assert last is True or name == "missed_double_descent" and last == {"every 1": 11.0, "every 2": 5.0, "every 4": 0.0}


def test_pages_share_the_sparse_networks():
    for scale in ("smoke", "paper"):
        asked = plan("mnist-lenet", scale)
        [sparse] = PAGES["dynamics"].chains(asked)
        assert all(page.chains(asked)[0] == sparse for page in PAGES.values())
        family = PAGES["redense_training"].chains(asked)[1:]
        assert len(family) == asked.levels + 1
        for level, chain in enumerate(family):
            assert chain.stages[-1].lift_masks and chain.stages[-1].level == level
            assert chain.stages[-1].to_epoch == 2 * asked.recipe.epochs


def test_a_score_of_the_readers_own_comes_first_and_none_twice():
    asked = plan("mnist-lenet", "smoke")
    for score in ("magnitude", "random", "snip"):
        pruned = [
            chain.stages[-1].prune
            for chain in PAGES["double_descent"].chains(asked.but(prune=asked.prune.but(score=score)))
            if chain.stages[-1].prune
        ]
        assert [one.score for one in pruned] == list(dict.fromkeys([score, "gradient", "random"]))


def test_fine_tuning_takes_the_last_quarter_of_the_schedule():
    asked = plan("cifar10-resnet18", "paper")
    rewinding, tuning = PAGES["missed_double_descent"].chains(asked)
    assert [(s.from_epoch, s.to_epoch) for s in tuning.stages[2:]] == [(120, 160)] * asked.levels
    assert rewinding.stages[:2] == tuning.stages[:2]
