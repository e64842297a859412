"""Run what is missing, then stage the pages of the book; after a crash, the same command again.

    python -m lib.batch [--scale laptop] [--paper P] [--page P] [--gpus 0,1] [--places-per-gpu N] [--dry-run]
                        [--profile slurm] [-- options of snakemake]

Everything is checked first: plans, names of parameters, their types and values. One batch works in a folder
at a time. Executed notebooks are in `runs/pages/<paper>/<page>/`, what they printed in
`runs/logs/<paper>/<page>/`.
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
from lib.batch.gpu import visible_gpus
from lib.errors import InputError, unknown

HERE = Path(__file__).parent
LOCK = ".batch.lock"


def take_folder(folder: Path) -> FileLock:
    """Lock a folder for one batch, until this process ends, however it ends.

    Args:
        folder: where the batch works.

    Returns:
        The lock; to be kept.

    Raises:
        InputError: another batch works there, or the folder cannot be written.
    """
    path = folder / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"another batch works in {folder} ({path.read_text(encoding='utf-8').strip() or 'unknown'}). "
            "Nothing was started. Wait for it, or end that process and start again: what it has finished is kept."
        ) from None
    except OSError as error:
        raise InputError(
            f"a batch writes into {folder}, and that is not possible: {error.strerror}."
        ) from None
    path.write_text(f"process {os.getpid()}, since {datetime.now():%Y-%m-%d %H:%M}\n", encoding="utf-8")
    return lock


def profile_folder(name: str) -> Path:
    """Find a profile, by name or as a folder of the user's, and check that its plugins are installed.

    Args:
        name: "default", "slurm", "kubernetes" or a folder with a `config.yaml`.

    Returns:
        The folder.

    Raises:
        InputError: there is no such profile, or its executor's plugin is missing.
    """
    shipped = {folder.name: folder for folder in (HERE / "profiles").iterdir()}
    folder = shipped.get(name, Path(name))
    if not (folder / "config.yaml").is_file():
        raise unknown("profile", name, shipped)
    settings = profile_settings(folder)
    plugins = {"executor": settings.get("executor"), "storage": settings.get("default-storage-provider")}
    for kind, plugin in plugins.items():
        module = f"snakemake-{kind}-plugin-{plugin}" if plugin else "snakemake"
        if importlib.util.find_spec(module.replace("-", "_")) is None:
            remedy = f'pip install -e ".[{name}]"' if name in shipped else f"pip install {module}"
            raise InputError(f"the profile {name!r} needs the package {module}, which is missing: {remedy}")
    return folder


def profile_settings(folder: Path) -> dict[str, object]:
    """Read a profile's `config.yaml`."""
    return yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")) or {}


def check_everything(plans: plan.Plans, scale: str, paper: str, page: str) -> None:
    """Check the parameters of every run before any starts.

    Runs that are finished were checked when they ran; for them, names and types only, since checking words
    such as the benchmark's imports the paper's recipes and with them torch.

    Raises:
        InputError: a parameter's name, type or value is wrong; the message names the plan.
    """
    for run in plan.runs(plans, scale, paper, page):
        try:
            parameters.check(run.source, dict(run.parameters), words=not Path(run.notebook).exists())
        except InputError as error:
            raise InputError(
                f"{plan.home_of(run.paper)}/plan.yml, {run.page} at {scale} scale: {error}"
            ) from None
    plan.book_pages(plans, scale, paper, page)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib.batch", description="Run what is missing of the book's pages."
    )
    parser.add_argument("--scale", default="laptop", help=f"{', '.join(plan.SCALES)} (default: laptop)")
    parser.add_argument("--paper", default="", help="only this paper, a folder's name in papers/")
    parser.add_argument(
        "--page", default="", help="only this page, a file's name in papers/*/pages/ without .py"
    )
    parser.add_argument(
        "--gpus", help="names as in CUDA_VISIBLE_DEVICES: 0,1; none; default: all of the machine"
    )
    parser.add_argument(
        "--places-per-gpu", type=_count, default=1, help="pages that share a GPU (default: 1)"
    )
    parser.add_argument(
        "--at-once", type=_count, help="pages at once without GPUs (default: 1, with all cores)"
    )
    parser.add_argument(
        "--again", action="store_true", help="execute the selected pages even if they are finished"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would run, and why")
    parser.add_argument(
        "--profile", default="default", help="default, slurm, kubernetes, or a folder (default: default)"
    )
    parser.add_argument("--no-book", action="store_true", help="do not stage the pages into the book")
    return parser


def command(arguments: Sequence[str]) -> tuple[list[str], bool] | None:
    """Turn the command line into Snakemake's, after checking all of it and looking at what is finished.

    Args:
        arguments: what stands after `python -m lib.batch`.

    Returns:
        Snakemake's options, and whether it writes anything (a dry run does not); None if there is nothing to do.

    Raises:
        InputError: something given is wrong.
    """
    cut = list(arguments).index("--") if "--" in arguments else len(arguments)
    given, extra = _parser().parse_args(arguments[:cut]), list(arguments[cut + 1 :])

    profile = profile_folder(given.profile)
    plans = plan.read_plans()
    check_everything(plans, given.scale, given.paper, given.page)
    config: dict[str, object] = {"scale": given.scale, "paper": given.paper, "page": given.page}
    settings = profile_settings(profile)
    options: list[str] = []
    if settings.get("executor", "local") == "local":  # elsewhere the scheduler hands out the GPUs
        named = (
            [name.strip() for name in given.gpus.split(",") if name.strip()]
            if given.gpus is not None
            else None
        )
        gpus = visible_gpus() if named is None else [] if named == ["none"] else named
        places = len(gpus) * given.places_per_gpu
        config |= {"gpus": gpus, "places": given.places_per_gpu, "at_once": given.at_once or max(1, places)}
        options += ["--resources", f"gpu={places}"] if gpus else []
    elif settings.get("default-storage-provider") == "fs":
        options += ["--default-storage-prefix", str(Path.cwd())]
        config["root"] = str(Path.cwd())
    staging = _staging() if not given.no_book else None
    wanted = plan.runs(plans, given.scale, given.paper, given.page)
    pages = plan.book_pages(plans, given.scale, given.paper, given.page) if staging else []
    execute = state.unfinished(plans, wanted)
    if given.again:
        execute += [run for run in wanted if run not in execute]
    if not execute and not extra and all(state.is_staged(page, staging) for page in pages if staging):
        print(
            f"Nothing to do: {len(wanted)} runs at {given.scale} scale are finished, "
            f"{len(pages)} pages are in the book."
        )
        return None
    config["staging"] = str(staging or "")
    line = ["--snakefile", str(HERE / "Snakefile"), "--directory", ".", "--nolock"]
    line += ["--workflow-profile", str(profile), *options]
    line += ["--config", *(f"{name}={json.dumps(value)}" for name, value in config.items())]
    force = [run.notebook for run in execute] + [page.target for page in pages if state.shows_another(page)]
    line += ["--forcerun", *force] if force else []
    return [*line, *(["--dry-run"] if given.dry_run else []), *extra], not given.dry_run


def _staging() -> Path | None:
    """Return the file of the module that stages pages; None in an installation without the book."""
    with contextlib.suppress(ModuleNotFoundError):
        found = importlib.util.find_spec("lib.book.staging")
        return Path(found.origin) if found and found.origin else None
    return None


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
