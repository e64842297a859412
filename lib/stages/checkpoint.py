"""Checkpoints: how far a stack has come within a stage, so that a run that is killed goes on from there.

One is written at the end of an epoch, once the last is a minute old.

The SHA-256 of what torch writes stands at the end of the file: torch reads numbers with flipped bits as they are.
"""

import hashlib
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from lib.stages.entry import digest, sha256, unreadable
from lib.stages.store import Store
from lib.training import Progress
from lib.training.stack import State

CHECKPOINT_SECONDS = 60.0


class Checkpoint:
    """The checkpoint of one stack in one stage.

    Args:
        store: where it is kept.
        keys: of the stage, one for each replicate.

    Attributes:
        keys: in the order of the stack's rows: that of the checkpoint, where there is one, else as given.
        path: of the file.
    """

    def __init__(self, store: Store, keys: Sequence[str]):
        self._store, self.path = store, store.checkpoints / f"{digest(sorted(keys))}.pt"
        self._partial = self.path.with_suffix(
            ".partial"
        )  # whoever trains the stage holds its locks: one writes at a time
        self._started = self._last = time.perf_counter()
        saved = self._load()
        self._saved = saved if sorted(saved.get("keys", [])) == sorted(keys) else {}
        self._before = self._saved.get("seconds", 0.0)
        self.keys: list[str] = self._saved.get("keys", list(keys))

    def _load(self) -> dict:
        if not self.path.exists():
            return {}
        try:
            _check(self.path)
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except FileNotFoundError:  # another process has removed it meanwhile
            return {}
        except OSError as error:
            raise unreadable(self.path, error) from error
        except MemoryError:
            raise
        except Exception as error:  # whatever torch makes of a damaged file
            warnings.warn(f"{self.path} cannot be read ({error}); its stage starts over", stacklevel=3)
            self.path.unlink(missing_ok=True)  # several processes may find it so
            return {}

    def resume(self, device: torch.device) -> Progress | None:
        """Return the progress on a device, once; None where there is no checkpoint."""
        if not self._saved:
            return None
        progress, self._saved = Progress(**self._saved["progress"]), {}
        progress.stack, progress.masks = on_device(progress.stack, device), on_device(progress.masks, device)
        if progress.optimizer:
            progress.optimizer = {kind: on_device(t, device) for kind, t in progress.optimizer.items()}
        return progress

    def due(self) -> bool:
        """Return whether the last checkpoint is old enough."""
        return time.perf_counter() - self._last > CHECKPOINT_SECONDS

    def save(self, progress: Progress) -> None:
        """Keep the progress, in place of an earlier one."""
        state = {**vars(progress), "stack": {name: t.detach() for name, t in progress.stack.items()}}
        with self._store.explained():
            try:
                with self._partial.open("wb") as file:
                    torch.save({"keys": self.keys, "seconds": self.seconds(), "progress": state}, file)
                checksum = sha256(self._partial)
                with self._partial.open("a") as file:
                    file.write(checksum)
                self._partial.replace(self.path)
            except RuntimeError as error:  # torch has its own words for what the file refused
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise
            finally:
                self._partial.unlink(missing_ok=True)
        self._last = time.perf_counter()

    def seconds(self) -> float:
        """Return what was spent on the stage, also before the run was killed."""
        return self._before + time.perf_counter() - self._started

    def remove(self) -> None:
        """Forget the checkpoint of a stage that is done, and what a kill left of a further one."""
        self._partial.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def keys_of(path: Path) -> list[str]:
    """Return the keys of the stages that a checkpoint is of; none for one that cannot be read."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)["keys"]
    except Exception:  # whatever torch makes of a damaged file, or of one that is gone
        return []


def _check(path: Path) -> None:
    """Raise ValueError where a checkpoint is not as it was written."""
    content = memoryview(path.read_bytes())
    without = content[-22:-18] == b"PK\x05\x06"  # it ends as torch ends: written before there was a checksum
    if not without and content[-64:] != hashlib.sha256(content[:-64]).hexdigest().encode():
        raise ValueError("it differs from its checksum")


def on_device(tensors: Mapping[str, Tensor], device: torch.device) -> State:
    """Return tensors by name on a device."""
    return {name: tensor.to(device) for name, tensor in tensors.items()}
