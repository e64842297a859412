"""Prose, comments and layout leave a fingerprint as it is; code and tables change it."""

from pathlib import Path

import pytest

import lib
from lib.batch.fingerprint import code_hash, core_hash
from lib.batch.plan import read_plans, runs
from lib.batch.state import Fingerprints
from lib.errors import InputError


def hash_of(folder: Path, text: str) -> str:
    (folder / "x.py").write_text(text)
    return code_hash(folder / "x.py")


def test_prose_is_not_code(tmp_path: Path) -> None:
    before = hash_of(tmp_path, '"""Doc."""\n# %% [markdown]\n# Prose\ndef f(x):\n    """Old."""\n    return x+1\n')
    assert hash_of(tmp_path, "# %% [markdown]\n# Better\ndef f(\n    x):\n    return x + 1  # why\n") == before
    assert hash_of(tmp_path, "def f(x):\n    return x + 2\n") != before


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x.py, line 2: this is not Python"):
        hash_of(tmp_path, "x = 1\ny = = 2\n")


def test_every_part_of_lib_counts_but_those_that_only_start_and_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("training/loop.py", "scales.py", "batch/plan.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1")
    monkeypatch.setattr(lib, "__file__", str(tmp_path / "__init__.py"))
    seen = [core_hash()]
    for name in ("batch/plan.py", "training/loop.py", "scales.py"):
        (tmp_path / name).write_text("x = 2")
        seen.append(core_hash())
    assert seen[0] == seen[1] and len(set(seen)) == 3


def test_a_paper_s_code_and_tables_count(project: Path) -> None:
    (run, _) = runs(read_plans(project), "laptop")
    seen = [Fingerprints(project).of(run)]
    for file, text in (
        ("recipes.py", "EPOCHS = 3\n"),
        ("figures.py", "COLOUR = 1\n"),
        ("results/one_paper/errors.csv", "seed\n1\n"),
    ):
        path = project / "papers/toy" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        seen.append(Fingerprints(project).of(run))
    assert len(set(seen)) == 4
    (project / "papers/toy/recipes.py").write_text("# Three suffice.\nEPOCHS = 3\n")
    assert Fingerprints(project).of(run) == seen[-1]
