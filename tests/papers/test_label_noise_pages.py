"""What LN's pages run, and that they show every figure and table."""

import re
from pathlib import Path

from papers.label_noise import figures, tables
from papers.label_noise.experiments import PAGES
from papers.label_noise.recipes import plan

FOLDER = Path("papers/label_noise/pages")


def test_pages_open_themselves_and_show_every_figure_and_table():
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}
    assert texts.keys() == PAGES.keys()
    assert all(f'PAGES["{name}"]' in text for name, text in texts.items())
    shown = {found for text in texts.values() for found in re.findall(r"figures\.(\w+)\(page", text)}
    assert shown == {name for name, found in vars(figures).items() if hasattr(found, "__wrapped__")}
    shown = {found for text in texts.values() for found in re.findall(r"tables\.(\w+_table)\(page", text)}
    assert shown == {name for name in vars(tables) if name.endswith("_table")}


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


def test_fine_tuning_takes_the_last_quarter_of_the_schedule():
    asked = plan("cifar10-resnet18", "paper")
    rewinding, tuning = PAGES["missed_double_descent"].chains(asked)
    assert [(s.from_epoch, s.to_epoch) for s in tuning.stages[2:]] == [(120, 160)] * asked.levels
    assert rewinding.stages[:2] == tuning.stages[:2]
