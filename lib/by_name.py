"""Functions that a description names: the book's by a short name, the reader's own by "package.module:function".

The book's stand in a plain dict. What a reader's own function computes may change without its name, so its identity, which
enters the keys of stages, has the SHA-256 of the whole module that defines it: helpers and constants in that module count,
what the module imports does not.
"""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Mapping
from typing import Any

from lib.errors import InputError, unknown


def find_function(kind: str, name: str, known: Mapping[str, Any]) -> Any:
    """Return what a name stands for.

    Args:
        kind: what is named, in words, such as "score".
        name: one of `known`, or "package.module:function".
        known: the book's own.

    Raises:
        InputError: if there is no such function.
    """
    if ":" not in name:
        if name not in known:
            raise unknown(kind, name, [*known, "package.module:function"])
        return known[name]
    module, function = name.split(":", 1)
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        message = f"{kind} {name!r} cannot be imported ({error}); write it as package.module:function"
        raise InputError(message) from error
    if not callable(found):
        raise InputError(f"{kind} {name!r} is {found!r}; allowed: a function or a class")
    return found


def identity(name: str) -> str:
    """Return the name, for a reader's own function with the hash of the module that defines it; that needs a file."""
    if ":" not in name:
        return name
    function = find_function("function", name, {})
    named = inspect.isroutine(function) or inspect.isclass(function)
    module = function.__module__ if named else name.split(":", 1)[0]  # other callables lie where they were found
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError) as error:
        why = "since stages are kept under the hash of its source"
        raise InputError(f"{name!r} must be defined in a file, {why} ({error})") from error
    return f"{name}#{hashlib.sha256(source.encode()).hexdigest()[:16]}"
