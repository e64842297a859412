"""Run what is missing, then stage the pages of the book; after a crash, the same command again.

    python -m lib.batch [--scale laptop] [--paper P] [--page P] [--set noise_percents=20,60] [--gpus 0,1]
                        [--places-per-gpu N] [--plan] [--dry-run] [--profile slurm] [-- options of snakemake]

Everything is checked first: plans, names of parameters, their types and values. One batch works in a folder
at a time. What `--set` changes of a plan (`lib.changes`) makes runs of their own, which the book does not show.
Executed notebooks are in `runs/pages/<paper>/<page>/`, what they printed in `runs/logs/<paper>/<page>/`.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from lib.batch import parameters, plan, state
from lib.batch.gpu import names, visible_gpus
from lib.changes import read_changes
from lib.errors import InputError, unknown

HERE = Path(__file__).parent
LOCK = ".batch.lock"
STAGING = HERE.parent / "book" / "staging.py"
MADE_OF = ("papers/*/pages/*.py", "book/*/pages/*.py", "runs/pages/*/*/*.ipynb", "book/papers/*/*.ipynb")
"""Whose times decide what is up to date, from the repository's folder."""
PAGES_AT_ONCE = 4
"""Small networks do not keep two cores busy: two pages with a core each train nearly twice as much as one page with both.
A page takes about a gigabyte of memory."""


def take_folder(folder: Path) -> FileLock:
    """Lock a folder for one batch, until this process ends, however it ends, and return the lock, to be kept.

    Raises:
        InputError: another batch works there, or the folder cannot be written.
    """
    path = folder / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
        path.write_text(f"process {os.getpid()}, since {datetime.now():%Y-%m-%d %H:%M}\n", encoding="utf-8")
    except Timeout:
        raise InputError(
            f"another batch works in {folder} ({path.read_text(encoding='utf-8').strip() or 'unknown'}). "
            "Nothing was started. Wait for it, or end that process and start again: what it has finished is kept."
        ) from None
    except OSError as error:
        problem = f"that is not possible: {error.strerror}"
        raise InputError(f"a batch writes into {folder}, and {problem}.") from None
    return lock


def find_profile(name: str) -> tuple[Path, dict[str, object]]:
    """Find a profile, by name or as a folder of the user's, and check that its plugins are installed.

    Args:
        name: "default", "slurm", "kubernetes" or a folder with a `config.yaml`.

    Returns:
        The folder and its settings.

    Raises:
        InputError: there is no such profile, or its executor's plugin is missing.
    """
    shipped = {folder.name: folder for folder in (HERE / "profiles").iterdir()}
    folder = shipped.get(name, Path(name))
    if not (folder / "config.yaml").is_file():
        raise unknown("profile", name, shipped)
    settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")) or {}
    plugins = {"executor": settings.get("executor"), "storage": settings.get("default-storage-provider")}
    for kind, plugin in plugins.items():
        module = f"snakemake-{kind}-plugin-{plugin}" if plugin else "snakemake"
        if importlib.util.find_spec(module.replace("-", "_")) is None:
            extra = name if name in shipped and plugin else "book"
            remedy = f'pip install -e ".[{extra}]"' if name in shipped or not plugin else f"pip install {module}"
            raise InputError(f"the profile {name!r} needs the package {module}, which is missing: {remedy}")
    return folder, settings


def check_parameters(wanted: list[plan.Run]) -> None:
    """Check the parameters of every run before any starts.

    Runs that are finished were checked when they ran; for them, names and types only, since checking words
    such as the benchmark's imports the paper's recipes and with them torch.

    Raises:
        InputError: a parameter's name, type or value is wrong; the message names the plan.
    """
    for run in wanted:
        try:
            parameters.check(run.source, dict(run.every), words=not Path(run.notebook).exists())
            if run.changes:
                _check_changes(run)
        except InputError as error:
            where = f"{plan.home_of(run.paper)}/plan.yml, {run.page} at {run.parameters['scale']} scale"
            raise InputError(f"{where}: {error}") from None


def _check_changes(run: plan.Run) -> None:
    """Raise InputError unless the plan of a run can be changed so."""
    from lib.analysis.experiments import pages_of  # imports torch, which other checks do without
    from lib.stages.experiment_plan import real_changes

    if page := pages_of(run.paper).get(run.page):
        benchmark = run.parameters.get("benchmark") or parameters.read(run.source)["benchmark"].default
        real_changes(page.plans(str(benchmark), str(run.parameters["scale"])), run.changes)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m lib.batch", description="Run what is missing of the book's pages.")
    add = parser.add_argument
    add("--scale", default="laptop", help=f"{', '.join(plan.SCALES)} (default: laptop)")
    add("--paper", default="", help="only this paper, a folder's name in papers/")
    add("--page", default="", help="only this page, a file's name in papers/*/pages/ without .py")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="change the plans: noise_percents=20,60")
    add("--gpus", help="names as in CUDA_VISIBLE_DEVICES: 0,1; none; default: all")
    add("--places-per-gpu", type=_count, default=1, help="pages that share a GPU (default: 1)")
    add("--at-once", type=_count, help=f"pages, or jobs, at once (default: one a core, at most {PAGES_AT_ONCE})")
    add("--again", action="store_true", help="execute the selected pages even if they are finished")
    add("--dry-run", action="store_true", help="only say what would run, and why")
    add("--plan", action="store_true", help="only say what is missing and what it takes: stages, time, memory, disk")
    add("--profile", default="default", help="default, slurm, kubernetes, or a folder (default: default)")
    add("--no-book", action="store_true", help="do not stage the pages into the book")
    return parser


def _on_cluster(given: argparse.Namespace) -> list[str]:
    """Return Snakemake's options for a profile whose scheduler hands out cores and GPUs.

    Raises:
        InputError: for options that are of one machine.
    """
    if given.gpus not in (None, "none") or given.places_per_gpu != 1:
        raise InputError(
            f"--profile {given.profile} leaves it to the scheduler which GPUs a page gets. Allowed: --gpus none, for a "
            "cluster without; else leave --gpus and --places-per-gpu out."
        )
    return ["--jobs", str(given.at_once)] if given.at_once else []


def command(arguments: Sequence[str]) -> tuple[list[str], bool] | None:
    """Turn the command line into Snakemake's, after checking all of it and looking at what is finished.

    Args:
        arguments: what stands after `python -m lib.batch`.

    Returns:
        Snakemake's options, and whether it writes anything (a dry run does not); None if there is nothing to do, or was
        nothing to be done but say what it takes.

    Raises:
        InputError: something given is wrong.
    """
    cut = list(arguments).index("--") if "--" in arguments else len(arguments)
    given, extra = _parser().parse_args(arguments[:cut]), list(arguments[cut + 1 :])

    profile, settings = find_profile(given.profile)
    plans = plan.read_plans()
    changes = read_changes(given.set)
    wanted = plan.changed(plan.runs(plans, given.scale, given.paper, given.page), changes)
    if (given.paper or given.page) and not wanted:
        there = [s for s in plan.SCALES if plan.runs(plans, s, given.paper, given.page)]
        raise unknown(f"scale of {' '.join(filter(None, (given.paper, given.page)))}", given.scale, there)
    check_parameters(wanted)
    if given.plan:
        from lib.batch.outlook import costs, outlook  # imports torch, which a batch that starts does without

        print(outlook(costs(state.with_needed(plans, wanted))))
        return None
    if not given.dry_run:
        state.bring_back(file for pattern in MADE_OF for file in Path().glob(pattern))
    no_book = given.no_book or bool(changes)
    pages = [] if no_book else plan.book_pages(plans, given.scale, given.paper, given.page)
    execute = state.unfinished(plans, wanted)
    if given.again:
        execute += [run for run in wanted if run not in execute]
    if not execute and not extra and all(state.is_staged(page, STAGING) for page in pages):
        finished = f"{len(wanted)} runs at {given.scale} scale are finished"
        print(f"Nothing to do: {finished}, {len(pages)} pages are in the book.")
        return None

    config: dict[str, object] = {"scale": given.scale, "paper": given.paper, "page": given.page}
    config["staging"] = "" if no_book else str(STAGING)
    config["set"] = given.set
    line = ["--snakefile", str(HERE / "Snakefile"), "--directory", ".", "--nolock"]
    line += ["--workflow-profile", str(profile), "--force-use-threads"]  # a page is a process, its waiting is not
    if settings.get("executor", "local") == "local":  # elsewhere the scheduler hands out the GPUs
        gpus = visible_gpus() if given.gpus is None else [] if given.gpus == "none" else names(given.gpus)
        places = len(gpus) * given.places_per_gpu
        at_once = given.at_once or places or min(PAGES_AT_ONCE, os.cpu_count() or 1)
        config |= {"places": given.places_per_gpu, "at_once": at_once}
        config |= {"gpus": gpus} if gpus or given.gpus else {}  # where none was found, a page looks for itself
        line += ["--resources", f"pages={at_once}", *([f"gpu={places}"] if gpus else [])]
    else:
        line += _on_cluster(given)
        config |= {"gpus": []} if given.gpus == "none" else {}
        if settings.get("default-storage-provider") == "fs":
            line += ["--default-storage-prefix", str(Path.cwd())]
            config["root"] = str(Path.cwd())
    line += ["--config", *(f"{name}={json.dumps(value)}" for name, value in config.items())]
    force = [run.notebook for run in execute] + [page.target for page in pages if state.shows_another(page)]
    line += ["--forcerun", *force] if force else []
    return [*line, *(["--dry-run"] if given.dry_run else []), *extra], not given.dry_run


def main(arguments: Sequence[str]) -> None:
    """Check, take the folder, and run Snakemake in this process: whoever ends it ends the batch."""
    try:
        if (todo := command(arguments)) is None:
            return
        options, writes = todo
        lock = take_folder(Path.cwd()) if writes else contextlib.nullcontext()
    except InputError as error:
        raise SystemExit(f"error: {error}") from None
    with lock:
        import snakemake.cli  # here, since it takes a second that a batch with nothing to do need not wait for

        sys.argv = ["snakemake", *options]
        snakemake.cli.main()


if __name__ == "__main__":
    main(sys.argv[1:])
