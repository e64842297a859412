"""A few kills while measuring, and that a soak would see what it looks for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from lib.stages import Store
from tests.batch.test_killed_training import PAGE
from tests.soak.__main__ import Count, soak, table
from tests.soak.checks import different, finished, half, locked, lost
from tests.soak.works import STAGES, TAKEN_IN, Work, copy_repository, fill_store

GROUPS = {"weights": {"w": torch.arange(6.0)}, "masks": {"w": torch.ones(6, dtype=torch.bool)}}


@pytest.mark.slow
def test_nothing_is_lost_by_kills_while_measuring(tmp_path: Path):
    page = PAGE.replace("epochs=30", "epochs=6")
    work = Work("measuring", (("page",),), lambda folder: (folder / "page.py").write_text(page))
    count = soak(work, 4, 0, tmp_path)
    assert count.faults == [] and count.kills == 4
    assert "measuring             4" in table([count])


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    """What an uninterrupted run has made, and the same again."""
    for name in ("whole", "killed"):
        folder = tmp_path / name / "runs" / "tables" / "paper" / "lenet_smoke"
        folder.mkdir(parents=True)
        Store(tmp_path / name / "store").put({"k1": ({"seconds": len(name)}, GROUPS)})
        (folder / "part.detail.json").write_text("[1]")
        (folder.parents[3] / "page.ipynb").write_text(
            json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})
        )
    return tmp_path / "whole", tmp_path / "killed"


def test_two_runs_that_made_the_same_are_told_to_be_so(copies):
    whole, killed = copies
    assert (
        half(killed, whole=True) == different(whole, killed) == locked(killed) == lost(finished(killed), killed) == []
    )


def test_what_is_gone_or_made_again_is_seen(copies):
    _, killed = copies
    before = finished(killed)
    (killed / "store/entries/k1").rename(killed / "elsewhere")
    assert lost(before, killed) == ["store/entries/k1 is gone"]
    Store(killed / "store").put({"k1": ({}, GROUPS)})
    assert lost(before, killed) == ["store/entries/k1 was made again"]


def test_another_number_is_seen(copies):
    whole, killed = copies
    (killed / "runs/tables/paper/lenet_smoke/part.detail.json").write_text("[2]")
    assert different(whole, killed) == ["runs/tables/paper/lenet_smoke/part.detail.json"]
    assert different(killed, whole) == different(whole, killed)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("store/entries/k1/weights.safetensors", "cut", "weights.safetensors differs from its checksum"),
        ("store/checkpoints/x.partial", "cut", "was left"),
        ("runs/tables/paper/lenet_smoke/part.csv", "a", "has no JSON beside it"),
        ("runs/tables/paper/lenet_smoke/part.json", "{", "JSONDecodeError|no provenance"),
        ("runs/tables/paper/lenet_smoke/.part.csv.1.partial", "a", "was left"),
        ("runs/page.ipynb", "{", "NotJSONError"),
        ("work/store.tar", "cut", "ReadError"),
        ("book/_build/html/page.html", "<html>", "does not end as HTML does"),
    ],
)
def test_half_a_file_is_seen(copies, name, content, said):
    _, killed = copies
    (killed / name).parent.mkdir(parents=True, exist_ok=True)
    (killed / name).write_text(content)
    (wrong,) = half(killed, whole=True)
    assert any(one in wrong for one in said.split("|")), wrong


def test_a_lock_and_a_process_that_stay_are_seen(copies, monkeypatch):
    _, killed = copies
    monkeypatch.setenv("PRUNING_BOOK_STORE", str(killed / "store"))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with FileLock(killed / "store" / "locks" / "k1.lock"):
            wrong = locked(killed, patience=0)
        process.kill()
    assert wrong == [f"process {process.pid} lives on", "store/locks/k1.lock is held"]


def test_a_copy_is_what_git_would_take_and_its_store_is_the_same_each_time(tmp_path: Path):
    copy_repository(tmp_path)
    assert (tmp_path / "Makefile").is_file() and not (tmp_path / "runs").exists() and not (tmp_path / ".git").exists()
    fill_store(tmp_path)
    assert len(Store(tmp_path / "store").keys()) == STAGES and not (tmp_path / TAKEN_IN).exists()


def test_a_table_of_counts_adds_them_up():
    counts = [Count("batch", kills=3, lost=["a", "b"]), Count("building", kills=2, half=["c"])]
    last = table(counts).splitlines()[-1]
    assert last.split()[:8] == ["all", "5", "0", "2", "0", "0", "1", "0"]
