"""Checkpoints: how far a stack has come within a stage, every minute, so that a run that is killed goes on from there."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields

import torch
from torch import Tensor

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
    """

    def __init__(self, store: Store, keys: Sequence[str]):
        self._store, self._path = store, store.checkpoint_path(keys)
        self._started = self._last = time.perf_counter()
        saved = store.load_checkpoint(self._path) or {}
        self._saved = saved if sorted(saved.get("keys", [])) == sorted(keys) else {}
        self._before = self._saved.get("seconds", 0.0)
        self.keys: list[str] = self._saved.get("keys", list(keys))

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
        state = {field.name: getattr(progress, field.name) for field in fields(progress)}
        state["stack"] = {name: tensor.detach() for name, tensor in progress.stack.items()}
        self._store.save_checkpoint(
            self._path, {"keys": self.keys, "seconds": self.seconds(), "progress": state}
        )
        self._last = time.perf_counter()

    def seconds(self) -> float:
        """Return what was spent on the stage, also before the run was killed."""
        return self._before + time.perf_counter() - self._started

    def remove(self) -> None:
        """Forget the checkpoint of a stage that is done."""
        self._path.unlink(missing_ok=True)


def on_device(tensors: Mapping[str, Tensor], device: torch.device) -> State:
    """Return tensors by name on a device."""
    return {name: tensor.to(device) for name, tensor in tensors.items()}
