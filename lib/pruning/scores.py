"""Scores: one number per weight; the lowest are pruned first.

Each score is a pure function (module, names, batch) → {name: tensor like the weight}. A chain names a score of this
module by its name, or any other as "package.module:function".

    magnitude   s(w) = |w|                  Han et al. 2015; TR section 2, LN section 3.2
"""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from lib.errors import InputError, unknown

Batch = tuple[Tensor, Tensor]
Score = Callable[[nn.Module, Sequence[str], Batch | None], dict[str, Tensor]]


def magnitude(module: nn.Module, names: Sequence[str], batch: Batch | None = None) -> dict[str, Tensor]:
    """Return |w| for each named weight tensor; the batch is not used."""
    return {name: module.get_parameter(name).detach().abs() for name in names}


def _own_scores() -> dict[str, Score]:
    return {
        name: function
        for name, function in inspect.getmembers(sys.modules[__name__], inspect.isfunction)
        if function.__module__ == __name__
        and list(inspect.signature(function).parameters) == ["module", "names", "batch"]
    }


def find_score(name: str) -> Score:
    """Return the score function of that name.

    Args:
        name: a function of this module, or "package.module:function" for one of the reader's own.

    Raises:
        InputError: if there is no such function.
    """
    if ":" not in name:
        if name not in (scores := _own_scores()):
            raise unknown("score", name, [*scores, "package.module:function"])
        return scores[name]
    module, function = name.split(":", 1)
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"score {name!r} cannot be imported ({error}); write it as package.module:function"
        ) from error


def score_identity(name: str) -> str:
    """Return what identifies a score in a stage's key: its name, and for a reader's own score also its source."""
    if ":" not in name:
        return name
    return name + "#" + hashlib.sha256(inspect.getsource(find_score(name)).encode()).hexdigest()[:16]
