"""Every example of the guide for contributions does what the guide says."""

import dataclasses
import multiprocessing
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lib.analysis.display import Markdown
from lib.analysis.experiments import find_page
from lib.analysis.files import REPOSITORY
from lib.analysis.findings import ANSWERS
from lib.analysis.measure import How, measure
from lib.analysis.table import read_table, values
from lib.book.publish import execute
from lib.charts.theme import MIME, specification

GUIDE = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")


def blocks(title: str) -> list[str]:
    """Return the Python of one section."""
    [section] = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", GUIDE, re.M | re.S)
    return re.findall(r"^```python\n(.*?)^```", section, re.M | re.S)


def executed(*code: str) -> dict[str, Any]:
    """Run blocks one after the other and return their names."""
    names: dict[str, Any] = {}
    for one in code:
        exec(compile(one, "CONTRIBUTING.md", "exec"), names)
    return names


@pytest.fixture(scope="module")
def table():
    found = read_table("label_noise", "mnist-lenet", "laptop", "committed")
    assert found is not None
    return found


def test_a_score(tmp_path, monkeypatch):
    module, use = blocks("A score in ten lines")
    assert len(module.splitlines()) <= 10
    (tmp_path / "my_scores.py").write_text(module, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PRUNING_BOOK_STORE", str(tmp_path / "store"))
    masks = executed(use)["results"].entries[0][-1].masks()
    first, second = (mask.double().mean().item() for mask in masks.values())
    assert first < second, "early layers lose more"
    sys.modules.pop("my_scores")


def test_a_figure_and_what_is_seen(table):
    figure, observation = (executed(code)["training_loss_while_pruning"] for code in blocks("A figure"))
    assert specification(figure([table]))["title"]["text"]
    said = observation([table])
    assert isinstance(said, Markdown) and "wrong labels" in str(said.data) and "nats" in str(said.data)


def test_a_claim(table):
    [code] = blocks("A claim")
    found = executed(code)["claim"](table)
    assert found.answer in ANSWERS and found.reason


def test_a_measurement(tmp_path):
    [code] = blocks("A measurement")
    page = dataclasses.replace(find_page("label_noise", "dynamics"), measurements=(executed(code)["LARGEST_WEIGHT"],))
    measured = measure(page, "mnist-lenet", "smoke", How(str(tmp_path / "store"), "cpu", root=tmp_path))
    found = values(measured, "largest weight", algorithm="weight rewinding", noise_percent=20.0)
    assert found.shape == (2, 5) and (found > 0).to_numpy().all()


def test_a_page(tmp_path):
    entry, script = blocks("A page")
    page = executed(entry)["PAGE"]
    assert [chain.algorithm for chain in page.chains(page.plans("mnist-lenet", "smoke"))] == ["weight rewinding"]
    source, target = tmp_path / "my_page.py", tmp_path / "my_page.ipynb"
    source.write_text(script, "utf-8")
    given: Any = (source, target, {"scale": "laptop", "store": str(tmp_path / "store")})
    alone = multiprocessing.get_context("fork").Process(target=execute, args=given)
    alone.start()
    alone.join()
    cells = nbformat.read(Path(target), as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert any(MIME in output.get("data", {}) for output in outputs)
    assert any("text/markdown" in output.get("data", {}) for output in outputs)
