"""Give each run a place on one GPU, or on several, by a lock file per place.

A place is the file `<GPU>.<place>` in a folder of the machine, and whoever locks that file holds it. The
operating system frees such a lock however its holder ends, so a killed run leaves its place to the next one.
Where a scheduler hands out GPUs (Slurm, Kubernetes), give no names and nothing is locked.
"""

import contextlib
import itertools
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

from filelock import FileLock, Timeout

from lib.errors import InputError

VARIABLE = "CUDA_VISIBLE_DEVICES"


def names(text: str) -> list[str]:
    """Split names of GPUs, as CUDA_VISIBLE_DEVICES has them: "0,1"."""
    return re.findall(r"[^,\s]+", text)


def visible_gpus() -> list[str]:
    """Return the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES would spell them.

    As for CUDA, what follows a -1 there does not count.
    """
    if VARIABLE in os.environ:
        return [*itertools.takewhile("-1".__ne__, names(os.environ[VARIABLE]))]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return re.findall(r"^GPU (\d+):", listed.stdout, flags=re.MULTILINE) if listed.returncode == 0 else []


@contextlib.contextmanager
def gpu_place(
    gpus: Sequence[str], places_per_gpu: int = 1, folder: Path | None = None, count: int = 1
) -> Iterator[str | None]:
    """Hold a place on one GPU, which CUDA_VISIBLE_DEVICES then names alone; every GPU gets a first run before
    any gets a second one.

    Args:
        gpus: names as in CUDA_VISIBLE_DEVICES; with none, nothing is locked and nothing is set.
        places_per_gpu: how many runs may share a GPU. Its memory is nobody's: keep sharing to small networks.
        folder: of the lock files; by default one per machine, whose GPUs all copies of the repository share.
        count: of GPUs to hold a place on, or as many as there are.

    Yields:
        The GPU's name, or several as CUDA_VISIBLE_DEVICES has them, or None without `gpus`.

    Raises:
        InputError: `places_per_gpu` is below one, or a name cannot be one of a GPU.
    """
    if places_per_gpu < 1:
        raise InputError(f"places per GPU was given {places_per_gpu}. Allowed: 1 or more.")
    for name in gpus:
        if not re.fullmatch(r"[\w.:-]+", name):
            allowed = "a number such as 0, or an identifier"
            raise InputError(f"{name!r} is not the name of a GPU. Allowed: {allowed}.")
    if not gpus:
        yield None
        return
    folder = folder or Path(tempfile.gettempdir()) / "pruning-book-gpu-places"
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # other users of the machine take places too
    places = [(gpu, folder / f"{gpu}.{place}") for place in range(places_per_gpu) for gpu in gpus]
    while True:
        with contextlib.ExitStack() as held:
            taken: list[str] = []
            for gpu, place in places:
                if gpu in taken or len(taken) == min(count, len(gpus)):
                    continue
                with contextlib.suppress(Timeout):
                    held.enter_context(FileLock(place, mode=0o666).acquire(blocking=False))
                    taken.append(gpu)
            if len(taken) == min(count, len(gpus)):
                with patch.dict(os.environ, {VARIABLE: ",".join(taken)}):
                    yield ",".join(taken)
                return
        time.sleep(random.uniform(0.1, 0.3))  # without any: two that hold some each would wait for ever
