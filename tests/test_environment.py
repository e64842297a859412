"""One list of packages: environment.yml names python, pip and one line of this project with extras that exist."""

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_has_no_list_of_its_own():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert [re.split("[=<>]", name)[0] for name in conda] == ["python", "pip"]
    (line,) = pip["pip"]
    match = re.fullmatch(r"-e \.\[([a-z,]+)\]", line)
    assert match and set(match[1].split(",")) <= set(PROJECT["optional-dependencies"])
    assert "defaults" not in environment["channels"]


def test_core_needs_none_of_the_books_packages():
    """A GPU machine without the book's packages can import what computes."""
    core = {re.split(r"[><=\[]", name)[0] for name in PROJECT["dependencies"]}
    assert not core & {
        "altair",
        "papermill",
        "jupyterlab",
        "jupytext",
        "snakemake",
        "jupyter-book",
        "ipywidgets",
    }
    foreign = re.compile(
        r"^\s*(?:import|from) (altair|papermill|jupytext|IPython|ipywidgets|snakemake|lib\.(?:charts|widgets|batch|book))\b",
        re.M,
    )
    for room in ("data", "models", "pruning", "training", "stages", "analysis"):
        for file in (ROOT / "lib" / room).rglob("*.py"):
            assert not foreign.search(file.read_text()), f"{file} imports from a room below it"


ROOMS = ("data", "models", "pruning", "training", "stages", "analysis", "charts", "widgets", "batch", "book")


def test_rooms_import_only_from_rooms_above():
    for position, room in enumerate(ROOMS):
        for file in (ROOT / "lib" / room).rglob("*.py"):
            for used in re.findall(r"^\s*(?:from|import) lib\.([a-z]+)", file.read_text(), re.M):
                if used in ROOMS:
                    assert ROOMS.index(used) <= position, f"{file.relative_to(ROOT)} imports lib.{used}"


def test_no_arrow_points_upward():
    """lib knows no paper, and neither lib nor a paper knows the book's own pages; both find papers by name only."""
    for folder, others in (("lib", "papers|book"), ("papers", "book")):
        upward = re.compile(rf"^\s*(?:from|import) (?:{others})\b", re.M)
        for file in (ROOT / folder).rglob("*.py"):
            assert not upward.search(file.read_text()), f"{file.relative_to(ROOT)} imports from a room below it"


def test_no_notebook_is_committed():
    listed = subprocess.run(["git", "ls-files", "*.ipynb"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout == ""
