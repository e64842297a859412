"""A batch that is killed -9 in the middle of a stage, or disturbed by another and by cleaning, ends with the same table."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.stages import Store, housekeeping

PAGE = """\
# %% tags=["parameters"]
benchmark: str = "digits"
scale: str = "laptop"
store: str = ""

# %%
from pathlib import Path

from lib.analysis.experiments import Page
from lib.analysis.measure import How, measure
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.training import DataRecipe, Recipe

recipe = Recipe(
    benchmark="digits", network="lenet-300-100", epochs=30, batch_size=32, optimizer="adam", learning_rate=1.2e-3,
    data=DataRecipe(image_set="generated-digits", validation=100, normalization="mnist"),
)
plan = Plan(recipe=recipe, levels=3, seeds=(0, 1), noise_percents=(20.0,))
page = Page("toy", "page", lambda benchmark, scale: plan, lambda p: [learning_rate_rewinding(p.recipe, p.levels, p.prune)])
measure(page, benchmark, scale, How("store", root=Path(".")))
"""

TABLE = Path("runs/tables/toy/digits_laptop/learning_rate_rewinding.csv")


def make_project(folder: Path, page: str = PAGE) -> Path:
    pages = folder / "papers" / "toy" / "pages"
    pages.mkdir(parents=True)
    (pages / "page.py").write_text(page)
    (pages.parent / "plan.yml").write_text("page:\n  grid:\n    laptop: {benchmark: [digits]}\n")
    return folder


def batch(project: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "lib.batch", "--no-book", "--gpus", "none"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=project, env=environment, start_new_session=True)


def finished(project: Path) -> dict[str, int]:
    """Return when each finished stage appeared."""
    folder = project / "store" / "entries"
    return {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} if folder.exists() else {}


@pytest.mark.slow
def test_killed_in_the_middle_of_a_stage(tmp_path):
    whole, killed = make_project(tmp_path / "whole"), make_project(tmp_path / "killed")
    assert batch(whole).wait(timeout=300) == 0
    driver = batch(killed)
    until = time.monotonic() + 200
    while len(finished(killed)) < 4:  # level 0 of both replicates is there; level 1 trains
        assert driver.poll() is None and time.monotonic() < until, "the batch ended before it could be killed"
        time.sleep(0.02)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    time.sleep(3)  # kernels that were not in the group notice that their parent is gone
    kept = finished(killed)
    assert 4 <= len(kept) < 10 and not (killed / TABLE).exists()
    assert batch(killed).wait(timeout=300) == 0
    after = finished(killed)
    assert len(after) == 10 and {key: after[key] for key in kept} == kept
    assert (killed / TABLE).read_bytes() == (whole / TABLE).read_bytes()


@pytest.mark.slow
def test_two_batches_and_a_clean_at_once(tmp_path):
    """They share a store, which is cleaned all the while of everything that nobody holds."""
    page = PAGE.replace('How("store"', 'How("../store"').replace("epochs=30", "epochs=5")
    projects = [make_project(tmp_path / name, page) for name in ("one", "other")]
    batches, store, cleaned = [batch(project) for project in projects], Store(tmp_path / "store"), 0
    while any(one.poll() is None for one in batches):
        housekeeping.clean(store, keep=[])
        cleaned += 1
        time.sleep(0.02)
    assert [one.returncode for one in batches] == [0, 0] and cleaned > 10
    one, other = ((project / TABLE).read_bytes() for project in projects)
    assert one == other and one.count(b"\n") > 10
    housekeeping.clean(store, keep=[])
    assert store.keys() == [] and not [*store.incoming.iterdir()], "what nobody holds any more goes"
