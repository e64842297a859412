"""Execute one page.

    python -m lib.batch.page papers/p/pages/x.py runs/pages/p/x/y.ipynb benchmark=mnist-lenet scale=laptop

The page runs under `y.partial.ipynb` and gets its final name only when it is whole, so a file of that name is
a finished run. A page that fails leaves `y.failed.ipynb`, with the error in the cell where it happened; a
killed one leaves `y.partial.ipynb`. Neither is ever taken for a result.
"""

import argparse
import contextlib
import importlib.metadata
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO
from unittest.mock import patch

import jupytext
import nbformat
import papermill
from filelock import FileLock, Timeout
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets import default

from lib.batch import parameters as page_parameters
from lib.batch.fingerprint import code_hash
from lib.batch.gpu import VARIABLE, gpu_place, names, visible_gpus
from lib.batch.start import end_with_parent
from lib.batch.state import RECORD, record_of
from lib.batch.together import train_together
from lib.errors import InputError, refused

KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}
PACKAGES = ("pruning-book", "torch", "torchvision", "numpy", "pandas", "altair", "papermill")
_PLAIN_PROGRESS = """
# Progress bars as text: a widget would show nothing in a log, and nothing in a page without a kernel.
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tqdm.autonotebook, tqdm.std
tqdm.autonotebook.tqdm, tqdm.autonotebook.trange = tqdm.std.tqdm, tqdm.std.trange
del warnings, tqdm
"""
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class PageFailed(Exception):
    """A cell of the page raised an error, or its kernel died; the message says where and shows it."""


class PlainLines:
    """A stream that writes what a page prints as plain lines of a log, also a progress bar that redraws its line."""

    def __init__(self, *streams: TextIO):
        self.streams = streams

    def write(self, text: str) -> int:
        """Write to all streams, without colours; what a redrawing overwrites stays, as a line above it."""
        plain = re.sub(r"[ \t]*[\r\n]+", "\n", _COLOURS.sub("", text))
        for stream in self.streams:
            stream.write(plain)
            stream.flush()
        return len(text)

    def flush(self) -> None:
        """Do nothing: every piece is passed on at once."""


class _Client(PapermillNotebookClient):
    """Leaves live widgets alone: nobody looks at them here, and a client that answers them, as the front end of a notebook
    would, now and then waits for good for the end of the cell."""

    def on_comm_open_jupyter_widget(self, msg: dict) -> None:
        """Do not stand in for a front end."""


class _Engine(NBClientEngine):
    """papermill's own engine with this client."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: object, kernel_name: str, start_timeout: int = 60, **settings: Any
    ) -> object:
        """Execute a notebook; see papermill."""
        for unused in ("input_path", "output_path", "execution_timeout", "log_output"):
            settings.pop(unused, None)
        return _Client(nb_man, kernel_name=kernel_name, startup_timeout=start_timeout, **settings).execute()


papermill_engines.register("no widgets", _Engine)
nbformat.validate(nbformat.v4.new_notebook())  # compiles the schema, once for all that `lib.batch.start` forks


class _Kernel(AsyncKernelManager):
    """Starts this very Python, whatever kernels the user has installed."""

    @default("kernel_spec_manager")
    def _own_python(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])  # no folder to look in: the running interpreter is left

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        """Look more often whether the kernel has ended: a page waits for it."""
        await super()._async_wait(min(pollinterval, 0.02))


@contextlib.contextmanager
def private_kernel() -> Iterator[type[AsyncKernelManager]]:
    """Give the kernel a folder of its own: no start-up files of the user, no shared history, no ports but files."""
    with tempfile.TemporaryDirectory(prefix="page-", ignore_cleanup_errors=True) as folder:
        startup = Path(folder) / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "plain_progress.py").write_text(_PLAIN_PROGRESS, encoding="utf-8")
        own = {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder, "TQDM_MININTERVAL": "10"}  # seconds
        files = {"_connection_file_default": lambda self: f"{folder}/k.json", "transport": "ipc"}
        short = len(folder) < 80  # the operating system refuses longer paths for sockets, from 104 letters on
        with patch.dict(os.environ, own):
            yield type("Kernel", (_Kernel,), files if short else {})


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _alone(target: Path, wait: bool = False, patience: float = 10.0) -> contextlib.AbstractContextManager:
    """Hold a lock beside the target, so that two executions of one page never mix their cells.

    The lock is a file of its own: a notebook is renamed when it is whole, and a lock on it would go with it.
    """
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:  # a run whose batch was killed needs a second to notice and to let go
        return lock.acquire(timeout=patience)
    except Timeout:
        written = f"{target} is being written by another process"
        if not wait:
            raise InputError(f"{written}; wait for it or end it.") from None
    print(f"{written}; this one waits for it", flush=True)
    return lock.acquire()


def _when(target: Path) -> float:
    """Return when a file was written, 0 for one that is not there."""
    return target.stat().st_mtime if target.exists() else 0.0


def run_page(
    source: Path | str,
    target: Path | str,
    parameters: dict[str, object],
    log: Path | str | None = None,
    fingerprint: str = "",
    wait: bool = False,
    gpus: int = 1,
) -> None:
    """Execute a page with papermill and give the notebook its final name when it is whole.

    Its metadata keep, under `pruning_book`: `source`, `parameters` (all of them, with the defaults),
    `code_hash` (of the page alone), `fingerprint` (of all that the run depends on), `started` (UTC),
    `seconds` (wall clock) and `versions`.

    Args:
        source: the page, a py:percent file.
        target: the notebook to write, `*.ipynb`.
        parameters: values by name; a text stands for the value that it spells.
        log: a file that gets what the page prints, as plain lines, beside standard output.
        fingerprint: what `lib.batch.state` will compare to say whether this run is still of today; "" for never.
        wait: while another process writes the target, wait for its end, and take what it has finished: on a cluster jobs
            outlive the batch that asked for them. Otherwise that is an error.
        gpus: on which its networks are trained together first, see `lib.batch.together`.

    Raises:
        InputError: a parameter is unknown or of the wrong type, or the target is being written; nothing was started.
        PageFailed: a cell raised an error; nothing of the final name was written.
    """
    source, target = Path(source), Path(target)
    if target.suffix != ".ipynb":
        raise InputError(f"the target {target} is no notebook. Allowed: a name ending in .ipynb.")
    given = page_parameters.check(source, parameters, words=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, failed = target.with_suffix(".partial.ipynb"), target.with_suffix(".failed.ipynb")
    start, before = time.monotonic(), _when(target)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(target, wait))
        if wait and _when(target) > before and record_of(target).get("fingerprint") == fingerprint:
            print(f"{target} was finished by another process after {time.monotonic() - start:.0f} s")
            return
        start, streams = time.monotonic(), [sys.stdout]
        if log is not None:
            Path(log).parent.mkdir(parents=True, exist_ok=True)
            streams.append(stack.enter_context(Path(log).open("w", encoding="utf-8")))
        lines = PlainLines(*streams)
        kernel = stack.enter_context(private_kernel())
        lines.write(f"{source} with {', '.join(f'{k}={v!r}' for k, v in given.items()) or 'its defaults'}\n")
        if gpus > 1 and given.get("recompute"):
            every = {name: parameter.default for name, parameter in page_parameters.read(source).items()} | given
            if status := train_together(source, every, gpus, streams[-1]):
                raise PageFailed(f"{source}: training on {gpus} GPUs ended with status {status}, see {log or 'above'}")
        # papermill reads a file: given the object, it would record all of it as a path
        nbformat.write(notebook_of(source, given, fingerprint), partial)

        def finish(done: nbformat.NotebookNode, path: Path) -> None:
            done.metadata[RECORD]["seconds"] = round(time.monotonic() - start, 1)
            nbformat.write(done, partial)
            partial.replace(path)

        try:
            done = papermill.execute_notebook(
                str(partial),
                str(partial),
                parameters=given,
                engine_name="no widgets",
                progress_bar=False,
                stdout_file=lines,
                stderr_file=lines,
                coalesce_streams=True,  # of a bar that was redrawn, the notebook keeps the last drawing
                kernel_manager_class=kernel,
            )
        except (PapermillExecutionError, DeadKernelError) as error:
            finish(nbformat.read(partial, as_version=4), failed)
            message = _explained(source, failed, error)
            if log is not None:
                print(message, file=streams[-1])
            raise PageFailed(message) from None
        done.metadata.papermill.update(input_path=source.as_posix(), output_path=target.as_posix())
        finish(done, target)
        failed.unlink(missing_ok=True)
        lines.write(f"{target} is done after {time.monotonic() - start:.0f} s\n")


def notebook_of(source: Path, given: dict[str, object], fingerprint: str) -> nbformat.NotebookNode:
    """Return a page as a notebook that says what it is going to be run with."""
    defaults = {name: parameter.default for name, parameter in page_parameters.read(source).items()}
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata["kernelspec"] = KERNEL
    notebook.metadata[RECORD] = {
        "source": source.as_posix(),
        "parameters": defaults | given,
        "code_hash": code_hash(source),
        "fingerprint": fingerprint,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
    }
    return notebook


def _explained(source: Path, failed: Path, error: PapermillExecutionError | DeadKernelError) -> str:
    """Say which cell failed and how, without colours, as the cell's reader would see it."""
    if isinstance(error, DeadKernelError):
        what = f": the kernel died, which mostly means that memory ran out ({error})."
    else:
        cell = "\n".join("    " + line for line in error.source.splitlines())
        trace = _COLOURS.sub("", "\n".join(error.traceback))
        what = f" failed in cell [{error.exec_count}]:\n\n{cell}\n\n{trace}\n"
    return f"{source}{what}\nUp to there: {failed}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0 whole, 1 the page failed, 2 bad input."""
    parser = argparse.ArgumentParser("python -m lib.batch.page", description="Execute one page of the book.")
    add = parser.add_argument
    add("source", help="the page, papers/<paper>/pages/<page>.py")
    add("target", help="the notebook to write")
    add("parameters", nargs="*", metavar="name=value")
    add("--log", help="also write there what the page prints")
    add("--attached", action="store_true", help="end when the process that started this one ends")
    add("--wait", action="store_true", help="if another process writes the notebook, wait and take what it finishes")
    add("--checked", action="store_true", help="the words of scale and benchmark are known to be right")
    add("--fingerprint", default="", help="recorded in the notebook: what the run depends on")
    add("--gpus", default="", help="names of GPUs to take a place on, such as 0,1")
    add("--places-per-gpu", type=int, default=1)
    add(
        "--gpu-count",
        type=int,
        default=1,
        help="on how many to train networks together, where there are some; 0: use none",
    )
    options = parser.parse_args(arguments)
    if options.attached:
        end_with_parent()
    try:
        given: dict[str, object] = {}
        for pair in options.parameters:
            name, equals, value = pair.partition("=")
            if not equals:
                raise InputError(f"{pair!r} is no parameter. Allowed: name=value.")
            given[name] = value
        page_parameters.check(options.source, given, not options.checked)  # before waiting for a GPU
        if not options.gpu_count:
            os.environ[VARIABLE] = ""
        with gpu_place(names(options.gpus), options.places_per_gpu, count=options.gpu_count):
            gpus = min(options.gpu_count, len(visible_gpus())) if options.gpu_count > 1 else 1
            run_page(options.source, options.target, given, options.log, options.fingerprint, options.wait, gpus)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"error: {options.target}: its folder {refused(error)}; nothing of that name was written", file=sys.stderr
        )
        return 2
    except PageFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
