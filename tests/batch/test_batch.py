"""The whole batch on a toy project: what is missing runs, what is finished stays, whatever is killed."""

import importlib.util
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.batch import __main__ as command_line
from lib.batch import state
from lib.errors import InputError

Batch = Callable[..., subprocess.CompletedProcess[str]]
ONE, SLOW = (f"runs/pages/toy/page/benchmark~{name}_scale~laptop.ipynb" for name in ("one", "slow"))


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.1)


def ended(process: int) -> bool:
    """Say whether a process is gone, or dead and only not yet collected by whoever inherited it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def begun(name: str) -> list[str]:
    file = Path(f"begun-{name}")
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.slow
def test_kill_and_resume(project: Path, batch: Batch) -> None:
    both = ["--at-once", "2", "--", "--cores", "2"]
    first = subprocess.Popen([sys.executable, "-m", "lib.batch", *both], cwd=project, start_new_session=True)
    try:
        wait_for(lambda: Path(ONE).exists() and begun("slow"))
        second = batch()
        assert second.returncode == 1
        assert f"another batch works in {project} (process {first.pid}" in second.stderr
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    kernel, runner = map(int, begun("slow")[0].split())
    wait_for(lambda: ended(kernel) and ended(runner), 20)
    assert not Path(SLOW).exists()
    assert Path(SLOW).with_suffix(".partial.ipynb").exists()
    finished = Path(ONE).read_bytes()

    Path("go").touch()
    again = batch()
    assert again.returncode == 0, again.stderr
    assert Path(ONE).read_bytes() == finished, again.stderr
    assert (len(begun("one")), len(begun("slow"))) == (1, 2)
    assert [file.name for file in Path(SLOW).parent.iterdir() if "partial" in file.name] == []
    assert "is done after" in Path("runs/logs/toy/page/benchmark~slow_scale~laptop.log").read_text()

    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    third = batch()
    assert "Nothing to do: 2 runs at laptop scale are finished, 1 pages" in third.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 3  # seconds of CPU: others work here

    page = project / "papers/toy/pages/page.py"
    page.write_text(page.read_text().replace("# Prose.", "# Better prose."))
    todo = command_line.command([])
    assert todo is not None  # the page of the book is made anew,
    assert "--forcerun" not in todo[0]  # but nothing is executed
    assert command_line.command(["--no-book"]) is None

    page.write_text(page.read_text().replace("epochs < 100", "epochs < 50"))
    todo = command_line.command([])
    assert todo is not None
    assert {ONE, SLOW} <= set(todo[0])


@pytest.mark.slow
def test_a_failing_page_does_not_stop_the_others(project: Path, batch: Batch) -> None:
    (project / "papers/toy/plan.yml").write_text("page: {grid: {laptop: {epochs: [100, 2]}}}")
    done = batch("--no-book", "--gpus", "stand-in-a,stand-in-b")
    assert done.returncode == 1
    assert "too many epochs" in done.stderr
    names = sorted(file.name for file in Path("runs/pages/toy/page").glob("[!.]*"))
    assert names == [
        "epochs~100_scale~laptop.failed.ipynb",
        "epochs~2_scale~laptop.ipynb",
    ]
    assert "one 2 stand-in-" in Path("runs/logs/toy/page/epochs~2_scale~laptop.log").read_text()


@pytest.mark.slow
def test_a_changed_run_is_another_one_and_no_page_of_the_book(batch: Batch) -> None:
    changed = ["--page", "page", "--set", "epochs=3", "--set", "levels=4"]
    Path("papers/toy/plan.yml").write_text(
        "page: {grid: {laptop: {benchmark: [one]}}, book: {shown: {benchmark: one}}}"
    )
    page = Path("papers/toy/pages/page.py")
    page.write_text(page.read_text().replace("levels: list[int] = [0, 1]", "levels: int = 0\nseeds: list[int] = []"))
    os.utime(
        page, (time.time() + 7200, time.time() + 7200)
    )  # the clock was set back since: Snakemake alone would refuse
    done = batch(*changed)
    assert done.returncode == 0, done.stderr
    (made,) = Path("runs/pages/toy/page").glob("*.ipynb")
    assert re.fullmatch(r"benchmark~one_scale~laptop_yours~4-levels-3-epochs-[0-9a-f]{8}.ipynb", made.name)
    (log,) = Path("runs/logs/toy/page").glob("*.log")
    assert "levels=4, epochs=3" in log.read_text() and "one 3\n" in log.read_text()
    assert not Path("book").exists() and not Path(ONE).exists()
    assert "Nothing to do: 1 runs" in batch(*changed).stdout
    todo = command_line.command(["--page", "page"])
    assert todo is not None and ONE in todo[0], "the book's run is still to be made"


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
def test_dry_run_of_a_cluster(batch: Batch, profile: str) -> None:
    needed = {
        "slurm": ["executor_plugin_slurm"],
        "kubernetes": ["executor_plugin_kubernetes", "storage_plugin_fs"],
    }
    for package in needed[profile]:
        if importlib.util.find_spec(f"snakemake_{package}") is None:
            pytest.skip(f"the package snakemake_{package} is not installed: pip install -e .[{profile}]")
    extra = ["--", "--container-image", "image"] if profile == "kubernetes" else []
    done = batch("--profile", profile, "--dry-run", *extra)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ONE in done.stdout + done.stderr
    assert "gpu=1" in done.stdout + done.stderr
    assert not Path("runs").exists()


SOON = ("--slurm-init-seconds-before-status-checks", "1")


def test_what_slurm_is_asked_for(project: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("snakemake-executor-plugin-slurm is not installed: pip install -e .[slurm]")
    programs = project / "bin"
    programs.mkdir()
    refuse = '#!/bin/sh\nprintf "%s\\n" "$@" > sbatch-line\necho "not today" >&2\nexit 1\n'
    for name in ("sbatch", "squeue", "sacct", "sinfo", "scontrol"):  # of a cluster that takes no jobs
        (programs / name).write_text(refuse if name == "sbatch" else "#!/bin/sh\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    Path("papers/toy/plan.yml").write_text("page: {grid: {laptop: {benchmark: [one]}}}")
    done = batch("--profile", "slurm", "--no-book", "--", "--retries", "0", *SOON)
    assert done.returncode == 1 and "not today" in done.stderr, done.stdout + done.stderr
    asked = Path("sbatch-line").read_text().splitlines()
    assert {"--gpus=1", "--cpus-per-task=4", "--export=ALL"} <= {*asked}
    for option, value in (("--mem", "16000"), ("-t", "240"), ("-D", str(project))):
        assert asked[asked.index(option) + 1] == value
    (wrapped,) = (word for word in asked if word.startswith("--wrap="))
    assert wrapped.startswith(f"--wrap={sys.executable} -m snakemake --snakefile")
    assert "--target-jobs 'execute:paper=toy,page=page,configuration=benchmark~one_scale~laptop'" in wrapped


def test_a_missing_plugin_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"snakemake-executor-plugin-slurm, which is missing: pip install -e \"\.\[slurm"
    ):
        command_line.find_profile("slurm")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scale", "papr"], "Did you mean 'paper'?"),
        (["--page", "pag"], "Did you mean 'page'?"),
        (["--profile", "slrm"], "Did you mean 'slurm'?"),
        (["--set", "epoch=3"], "unknown name after --set 'epoch'. Did you mean 'epochs'?"),
        (["--set", "epochs=few"], "--set epochs was given 'few'. Allowed: a whole number."),
        (["--set", "seeds=3"], "no page has the parameter seeds."),
        (["--page", "alone", "--set", "seeds=3"], "unknown parameter of papers/toy/pages/alone.py 'seeds'"),
    ],
)
def test_bad_options_are_refused(project: Path, options: list[str], said: str) -> None:
    shutil.copy("papers/toy/pages/page.py", "papers/toy/pages/alone.py")
    with (project / "papers/toy/plan.yml").open("a") as file:
        file.write("alone: {grid: {laptop: {}}}\n")
    with pytest.raises(SystemExit) as error:
        command_line.main(options)
    assert said in str(error.value), error.value
    assert [file.name for file in project.iterdir()] == ["papers"]


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ("{epoch: [1]}", "page at laptop scale: unknown parameter of page.py 'epoch'"),
        ("{epochs: [a]}", "Allowed: int."),
    ],
)
def test_a_plan_is_held_against_its_page(project: Path, grid: str, said: str) -> None:
    (project / "papers/toy/plan.yml").write_text(f"page: {{grid: {{laptop: {grid}}}}}")
    with pytest.raises(InputError, match=said):
        command_line.command([])


def test_a_scale_that_a_page_does_not_have_is_not_called_finished(project: Path) -> None:
    with pytest.raises(InputError, match="unknown scale of page 'short'.*laptop"):
        command_line.command(["--scale", "short", "--page", "page"])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a batch writes into .*file, and that is not possible"):
        command_line.take_folder(tmp_path / "file")


def test_gpus_become_places(project: Path) -> None:
    todo = command_line.command(["--gpus", "0,1", "--places-per-gpu", "2", "--no-book"])
    assert todo is not None
    assert "gpu=4" in todo[0]
    assert 'gpus=["0", "1"]' in todo[0]


@pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_slurm") is None, reason="needs pip install -e .[slurm]"
)
def test_what_is_of_one_machine_is_refused_on_a_cluster_or_handed_on(project: Path) -> None:
    at = ["--profile", "slurm", "--no-book"]
    for options in (["--gpus", "0"], ["--places-per-gpu", "2"]):
        with pytest.raises(InputError, match="leaves it to the scheduler"):
            command_line.command([*at, *options])
    todo = command_line.command([*at, "--gpus", "none", "--at-once", "3"])
    assert todo is not None
    line = todo[0]
    assert "gpus=[]" in line and line[line.index("--jobs") + 1] == "3"
    todo = command_line.command(at)
    assert todo is not None and "--jobs" not in todo[0]


def test_a_plan_says_what_needed_pages_take(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.batch import outlook

    shutil.copy("papers/toy/pages/page.py", "papers/toy/pages/later.py")
    Path("papers/toy/plan.yml").write_text("page: {grid: {laptop: {}}}\nlater: {grid: {laptop: {}}, needs: [page]}\n")
    asked = []
    monkeypatch.setattr(outlook, "costs", lambda wanted: asked.extend(run.page for run in wanted) or [])
    assert command_line.command(["--page", "later", "--plan"]) is None
    assert asked == ["later", "page"]


def test_runs_from_elsewhere_count_and_needed_ones_come_first(project: Path) -> None:
    from lib.batch import plan

    shutil.copy("papers/toy/pages/page.py", "papers/toy/pages/later.py")
    Path("papers/toy/plan.yml").write_text("page: {grid: {laptop: {}}}\nlater: {grid: {laptop: {}}, needs: [page]}\n")
    plans = plan.read_plans()
    (later,) = plan.runs(plans, "laptop", page="later")
    (first,) = plan.needed(plans, later)
    assert state.unfinished(plans, [later]) == [later, first]
    for age, run in ((20, first), (10, later)):
        Path(run.notebook).parent.mkdir(parents=True)
        record = f'{{"metadata": {{"pruning_book": {{"fingerprint": "{state.Fingerprints().of(run)}"}}}}}}'
        Path(run.notebook).write_text(record)
        os.utime(run.notebook, (time.time() - age, time.time() - age))
    assert state.unfinished(plans, [later]) == []
    os.utime(first.notebook)
    assert state.unfinished(plans, [later]) == [later]


def test_files_from_the_future_come_back_in_their_order(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("past", "source", "first", "later")]
    for file, hours in zip(files, (-1, 2, 1, 3), strict=True):
        file.touch()
        os.utime(file, (time.time() + 3600 * hours, time.time() + 3600 * hours))
    state.bring_back(files)
    assert sorted(files, key=lambda file: file.stat().st_mtime_ns) == [files[i] for i in (0, 2, 1, 3)]
    times = [file.stat().st_mtime for file in files]
    assert max(times) <= time.time() and times[0] < time.time() - 3000
