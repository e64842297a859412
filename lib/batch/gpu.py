"""Give each run one place on one GPU, by a lock file per place.

A place is the file `<GPU>.<place>` in a folder of the machine, and whoever locks that file holds it. The
operating system frees such a lock however its holder ends, so a killed run leaves its place to the next one.
Where a scheduler hands out GPUs (Slurm, Kubernetes), give no names and nothing is locked.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from lib.errors import InputError

VARIABLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus() -> list[str]:
    """Return the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES would spell them."""
    if VARIABLE in os.environ:
        return [name.strip() for name in os.environ[VARIABLE].split(",") if name.strip()]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return re.findall(r"^GPU (\d+):", listed.stdout, flags=re.MULTILINE) if listed.returncode == 0 else []


def default_folder() -> Path:
    """Return the folder of the lock files: one per machine, whose GPUs all copies of the repository share."""
    return Path(tempfile.gettempdir()) / "pruning-book-gpu-places"


@contextlib.contextmanager
def gpu_place(
    gpus: Sequence[str], places_per_gpu: int = 1, folder: Path | None = None
) -> Iterator[str | None]:
    """Hold a place on one GPU; every GPU gets a first run before any gets a second one.

    While it is held, CUDA_VISIBLE_DEVICES names that GPU alone, for this process and those that it starts.

    Args:
        gpus: names as in CUDA_VISIBLE_DEVICES; with none, nothing is locked and nothing is set.
        places_per_gpu: how many runs may share a GPU. Its memory is nobody's: keep sharing to small networks.
        folder: where the lock files are; default one folder per machine.

    Yields:
        The GPU's name, or None without `gpus`.

    Raises:
        InputError: `places_per_gpu` is below one, or a name cannot be one of a GPU.
    """
    if places_per_gpu < 1:
        raise InputError(f"places per GPU was given {places_per_gpu}. Allowed: 1 or more.")
    for name in gpus:
        if not re.fullmatch(r"[\w.:-]+", name):
            raise InputError(
                f"{name!r} is not the name of a GPU. Allowed: a number such as 0, or an identifier."
            )
    if not gpus:
        yield None
        return
    folder = folder or default_folder()
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
    places = [(gpu, folder / f"{gpu}.{place}") for place in range(places_per_gpu) for gpu in gpus]
    before = os.environ.get(VARIABLE)
    while True:
        for gpu, place in places:
            lock = FileLock(place, mode=0o666)  # other users of the machine take places too
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            os.environ[VARIABLE] = gpu
            try:
                yield gpu
            finally:
                lock.release()
                if before is None:
                    del os.environ[VARIABLE]
                else:
                    os.environ[VARIABLE] = before
            return
        time.sleep(0.2)
