"""The profile for Kubernetes against the plugins' own settings, and what a cluster would be given, without a cluster."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.batch.__main__ import find_profile

from .kubernetes_cluster import kubernetes_cluster

ROOT = Path(__file__).parents[2]
PACKAGES = ("executor_plugin_kubernetes", "executor_plugin_slurm", "storage_plugin_fs")
LACKING = [name for name in PACKAGES if importlib.util.find_spec(f"snakemake_{name}") is None]
pytestmark = pytest.mark.skipif(
    bool(LACKING), reason=f"not installed: {', '.join(LACKING)}. pip install -e '.[slurm,kubernetes]'"
)

PAGE = """\
# %% tags=["parameters"]
benchmark: str = "digits"
scale: str = "smoke"

# %%
from lib.analysis.experiments import Page
from lib.analysis.measure import measure
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.training import DataRecipe, Recipe

recipe = Recipe(
    benchmark="digits", network="lenet-300-100", epochs=2, batch_size=32, optimizer="adam", learning_rate=1.2e-3,
    data=DataRecipe(image_set="generated-digits", validation=100, normalization="mnist"),
)
plan = Plan(recipe=recipe, levels=1, seeds=(0,), noise_percents=(20.0,))
page = Page("toy", "page", lambda benchmark, scale: plan, lambda p: [learning_rate_rewinding(recipe, 1, p.prune)])
measure(page, benchmark, scale)
"""


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
def test_every_setting_of_a_profile_reaches_snakemake_or_its_plugin(profile: str):
    from snakemake.cli import parse_args
    from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

    folder, written = find_profile(profile)
    _, given = parse_args(["--workflow-profile", str(folder)])  # ends here at a name that neither knows
    settings: Any = ExecutorPluginRegistry().get_plugin(profile).get_settings(given)  # its dataclass checks the values
    for key, value in written.items():
        if (name := key.replace("-", "_")).startswith(f"{profile}_"):
            read = getattr(settings, name.removeprefix(f"{profile}_"))
            assert read == type(read)(value), key
    resources = written["default-resources"]
    assert isinstance(resources, list)
    assert {pair.partition("=")[0] for pair in resources} <= given.default_resources.keys()


def project_of(folder: Path) -> Path:
    """A copy of the code with one page that trains within seconds, under git."""
    shutil.copytree(ROOT / "lib", folder / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    pages = folder / "papers" / "toy" / "pages"
    pages.mkdir(parents=True)
    (pages / "page.py").write_text(PAGE)
    (pages.parent / "plan.yml").write_text("page: {grid: {smoke: {benchmark: [digits]}}, book: {shown: {}}}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed, with which the storage fs copies")
def test_a_pod_gets_a_gpu_and_the_volume_and_leaves_there_what_it_trains_and_measures(tmp_path: Path):
    project = project_of(tmp_path / "book")
    (tmp_path / "cluster").mkdir()
    with kubernetes_cluster(tmp_path / "cluster", runs=True) as cluster:
        command = [sys.executable, "-m", "lib.batch", "--scale", "smoke", "--profile", "kubernetes", "--"]
        command += ["--container-image", "registry/book:1", "--kubernetes-persistent-volumes", f"book:{project}"]
        command += ["--seconds-between-status-checks", "1"]
        done = subprocess.run(
            command, cwd=project, env=cluster.environment, capture_output=True, text=True, timeout=500
        )
        pods = "\n".join(log.read_text() for log in (tmp_path / "cluster").glob("*.log"))
        assert done.returncode == 0, done.stdout + done.stderr + pods
    (job,) = cluster.jobs.values()
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry/book:1"
    assert container["resources"]["limits"] == {
        "cpu": "4000m", "memory": "16000M", "ephemeral-storage": "20000M", "nvidia.com/gpu": "1"
    }  # fmt: skip
    assert container["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert {"name": "book", "mountPath": str(project)} in container["volumeMounts"]
    assert {"name": "book", "persistentVolumeClaim": {"claimName": "book"}} in pod["volumes"]
    assert "--snakefile 'lib/batch/Snakefile'" in container["args"][1]
    assert "--target-jobs 'execute:paper=toy,page=page," in container["args"][1]

    assert (project / "runs/pages/toy/page/benchmark~digits_scale~smoke.ipynb").exists(), pods
    assert (project / "runs/tables/toy/digits_smoke/learning_rate_rewinding.csv").exists(), pods
    assert (project / "book/papers/toy/shown.ipynb").exists(), done.stderr
    assert len([*(project / ".cache/pruning-book/store/entries").iterdir()]) == 3, pods
