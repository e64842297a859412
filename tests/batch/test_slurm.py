"""The batch on a Slurm cluster of this machine: the tables of a local run, also if jobs, slurmd and the batch die.

Where Slurm is not installed these tests are skipped; `make slurm` installs Debian's packages and runs them.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .slurm_cluster import Cluster, missing_programs, slurm_cluster, wait_for

LACKING = missing_programs()
ROOT = Path(__file__).parents[2]
QUICKLY = ["--", "--slurm-init-seconds-before-status-checks", "1"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}. As root on Debian: make slurm"),
]

PAGE = """\
# %% tags=["parameters"]
benchmark: str = "whole"
scale: str = "smoke"

# %%
import os
import time
from pathlib import Path

from lib.analysis.experiments import Page
from lib.analysis.measure import How, measure
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.training import DataRecipe, Recipe

recipe = Recipe(
    benchmark="digits", network="lenet-300-100", epochs=4, batch_size=32, optimizer="adam", learning_rate=1.2e-3,
    data=DataRecipe(image_set="generated-digits", validation=100, normalization="mnist"),
)
plan = Plan(recipe=recipe, levels=3, seeds=(len(benchmark),), noise_percents=(20.0,))

def train(levels):
    chains = lambda plan: [learning_rate_rewinding(recipe, levels, plan.prune)]
    measure(Page("toy", "page", lambda benchmark, scale: plan, chains), benchmark, scale, How("store", root=Path(".")))

train(1)
with Path(f"begun-{benchmark}").open("a") as file:
    file.write(f"{os.getpid()} {os.environ.get('SLURM_JOB_ID')} {os.environ.get('CUDA_VISIBLE_DEVICES')}\\n")

# %%
while benchmark != "whole" and not Path("go").exists():
    time.sleep(0.1)
train(3)
"""
NAMES = ("whole", "cancelled", "killed-step")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm_cluster(cores=16, gpus=4) as started:
        yield started


def begin(project: Path, cluster: Cluster | None = None, quickly: bool = True) -> subprocess.Popen[str]:
    """Start a batch in a project, on this machine or on the cluster, `quickly` asking about its jobs at once."""
    command = [sys.executable, "-m", "lib.batch", "--scale", "smoke", "--no-book"]
    command += ["--profile", "slurm", *(QUICKLY if quickly else [])] if cluster else ["--gpus", "none"]
    own = {"OMP_NUM_THREADS": "1", "PRUNING_BOOK_STORE": str(project / "store")}
    own["PYTHONPATH"] = f"{project}:{os.environ.get('PYTHONPATH', '')}"
    with (project / "batch.log").open("w") as log:
        return subprocess.Popen(
            command,
            cwd=project,
            env=(cluster.environment if cluster else os.environ) | own,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def logs(project: Path) -> str:
    """What a batch and its pages have said last."""
    files = [project / "batch.log", *project.glob("runs/logs/**/*.log")]
    return "\n".join(file.read_text()[-2000:] for file in files)


def tables(project: Path) -> dict[str, bytes]:
    """All tables of a project, by path."""
    return {str(file.relative_to(project)): file.read_bytes() for file in project.glob("runs/tables/**/*.csv")}


def stages(project: Path) -> dict[str, int]:
    """When each finished stage of the store appeared."""
    folder = project / "store" / "entries"
    return {entry.name: entry.stat().st_mtime_ns for entry in folder.iterdir()} if folder.exists() else {}


def begun(project: Path, name: str) -> list[list[str]]:
    """For each time that a page came to where it waits: its kernel's process, its job, its GPU."""
    file = project / f"begun-{name}"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def is_over(process: int) -> bool:
    """Say whether a process is gone, or dead and only not yet collected."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def toy(folder: Path) -> Path:
    pages = folder / "papers" / "toy" / "pages"
    pages.mkdir(parents=True)
    (pages / "page.py").write_text(PAGE)
    (pages.parent / "plan.yml").write_text(f"page: {{grid: {{smoke: {{benchmark: [{', '.join(NAMES)}]}}}}}}\n")
    return folder


def two_pages(folder: Path) -> Path:
    """A copy of the code in which only one small page each of two papers is planned."""
    unused = shutil.ignore_patterns("results", "__pycache__")
    shutil.copytree(ROOT / "lib", folder / "lib", ignore=unused)
    shutil.copytree(ROOT / "papers", folder / "papers", ignore=unused)
    for plan in folder.glob("papers/*/plan.yml"):
        plan.unlink()
    for paper, page in (("training_regularization", "preliminaries"), ("label_noise", "missed_double_descent")):
        plan = f"{page}: {{grid: {{smoke: {{benchmark: [mnist-lenet], recompute: [true]}}}}}}\n"
        (folder / "papers" / paper / "plan.yml").write_text(plan)
    return folder


def test_pages_measure_on_slurm_what_they_measure_here(cluster: Cluster, tmp_path: Path):
    here, there = two_pages(tmp_path / "here"), two_pages(tmp_path / "there")
    both = {here: begin(here), there: begin(there, cluster)}
    assert [batch.wait(timeout=600) for batch in both.values()] == [0, 0], logs(here) + logs(there)
    assert len(tables(here)) >= 2
    assert tables(there) == tables(here)
    made = [
        sorted(str(f.relative_to(where)) for f in where.glob("runs/pages/*/*/[!.]*.ipynb")) for where in (here, there)
    ]
    assert made[0] == made[1] and len(made[0]) == 2


def test_whatever_is_killed_the_same_command_ends_with_the_same_tables(cluster: Cluster, tmp_path: Path):
    undisturbed, project = toy(tmp_path / "undisturbed"), toy(tmp_path / "project")
    (undisturbed / "go").touch()
    reference = begin(undisturbed)
    driver = begin(project, cluster)
    whole = project / "runs/pages/toy/page/benchmark~whole_scale~smoke.ipynb"
    wait_for(lambda: whole.exists() and all(begun(project, name) for name in NAMES), "one page is whole, two wait", 300)
    finished, kept = whole.read_bytes(), stages(project)
    gpus = [begun(project, name)[0][2] for name in NAMES]
    assert sorted(gpus) == ["0", "1", "2"], "Slurm hands out a GPU to each run"

    held = {name: [int(part) for part in begun(project, name)[0][:2]] for name in NAMES[1:]}  # kernels and their jobs

    node = cluster.daemons["slurmd"]
    node.kill()
    node.wait()
    cluster.start_node()
    assert not any(is_over(kernel) for kernel, _ in held.values()), "jobs outlive slurmd"

    kernel, job = held["cancelled"]
    cluster.ask("scancel", str(job))
    wait_for(lambda: is_over(kernel), "a cancelled job takes its kernel along")
    wait_for(lambda: len(begun(project, "cancelled")) == 2, "the batch asks for another job", 300)

    _, job = held["killed-step"]
    os.kill(cluster.steps()[f"{job}.0"], signal.SIGKILL)
    driver.send_signal(signal.SIGKILL)
    driver.wait()

    again = begin(project, cluster)
    waiting = "this one waits for it"
    wait_for(lambda: logs(project).count(waiting) == 2, "jobs wait for those that the killed batch has left", 300)
    (project / "go").touch()
    assert again.wait(timeout=300) == 0, logs(project)
    assert reference.wait(timeout=300) == 0, logs(undisturbed)
    assert tables(project) == tables(undisturbed) and len(tables(project)) == 3
    assert whole.read_bytes() == finished
    assert {key: stages(project)[key] for key in kept} == kept
    assert [len(begun(project, name)) for name in NAMES[:2]] == [1, 2]
    cluster.ask("scancel", *cluster.jobs("running"))
    wait_for(lambda: not cluster.jobs("running,completing"), "no job runs")
    assert len([*whole.parent.glob("[!.]*.ipynb")]) == 3, "a job that ends late takes no notebook along"
    begin(project, cluster, quickly=False).wait(60)
    assert "Nothing to do: 3 runs at smoke scale are finished" in logs(project)
