"""Functions that a description names: the book's by a short name, the reader's own by "package.module:function".

The book's stand in a plain dict. What a reader's own function computes may change without its name, so its identity,
which enters the keys of stages, has a SHA-256 of its source. That is the whole module that defines it: helpers and
constants in that module count, what the module imports does not. A process computes with the module that it has imported,
so the source is that which it had when it was first asked for here, or reloaded; a file that changes later brings a warning.
In a notebook ("__main__:function") it is the function with the functions, classes and constants of the notebook that it
uses; of what else the notebook holds it may use nothing.

What has no name that another process could import, such as a network that a notebook has built, is kept in this process
under a name made from its content (`keep`).
"""

import contextlib
import dis
import hashlib
import importlib
import inspect
import sys
import warnings
from collections.abc import Mapping
from types import CodeType, ModuleType
from typing import Any

from lib.errors import InputError, unknown

CONSTANTS = (bool, int, float, complex, str, bytes, tuple, frozenset, list, dict, type(None))

_kept: dict[str, Any] = {}
_sources: dict[str, tuple[Any, str, str]] = {}
"""By module: its specification, which a reload replaces, its source then, and that of which was warned."""


def keep(kind: str, thing: Any, content: str) -> str:
    """Keep something of the reader's in this process, and return its name.

    Args:
        kind: what it is, in words.
        thing: what `kept` and `find_function` return for that name.
        content: all that it computes or holds, as text or as a hash of it; the name follows from it.
    """
    name = f"own {kind} {_sha256(content)}"
    _kept[name] = thing
    return name


def kept(name: str) -> Any:
    """Return what `keep` was given under a name, None if this process keeps nothing of that name."""
    return _kept.get(name)


def find_function(kind: str, name: str, known: Mapping[str, Any]) -> Any:
    """Return what a name stands for.

    Args:
        kind: what is named, in words, such as "score".
        name: one of `known`, "package.module:function", or what `keep` returned.
        known: the book's own.

    Raises:
        InputError: if there is no such function.
    """
    if name in _kept:
        return _kept[name]
    if ":" not in name:
        if name not in known:
            raise unknown(kind, name, [*known, "package.module:function"])
        return known[name]
    module, function = name.split(":", 1)
    try:
        imported = importlib.import_module(module)
        found = getattr(imported, function)
    except (ImportError, AttributeError) as error:
        message = f"{kind} {name!r} cannot be imported ({error}); write it as package.module:function"
        raise InputError(message) from error
    if not callable(found):
        raise InputError(f"{kind} {name!r} is {found!r}; allowed: a function or a class")
    with contextlib.suppress(OSError, TypeError):  # what has no source
        _source_of(imported)
    return found


def name_of(kind: str, function: Any) -> str:
    """Return the name by which `find_function` finds a function.

    Raises:
        InputError: it has none, or its name leads to another, as where a function was decorated under a new name.
    """
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    try:
        found = find_function(kind, name, {})
    except (InputError, ValueError):
        found = None
    if found is not function:
        raise InputError(
            f"the {kind} is {function!r}, to which no name leads. Allowed: what def or class defines, decorated where it is "
            f"defined, under its own name; for one with other settings: def my_{kind}(...): return ..."
        )
    return name


def identity(name: str) -> str:
    """Return the name, for a reader's own function with the hash of its source."""
    if ":" not in name:
        return name
    function = find_function("function", name, {})
    named = inspect.isroutine(function) or inspect.isclass(function)
    module = function.__module__ if named else name.split(":", 1)[0]  # other callables lie where they were found
    return f"{name}#{_sha256(source(function, module))}"


def source(thing: Any, module: str) -> str:
    """Return the text that says what a function or a class computes.

    Args:
        thing: function or class.
        module: in which it is defined: a file, of which all is returned, or a notebook, of which what it uses is.

    Raises:
        InputError: there is no source.
    """
    try:
        return _source_of(sys.modules[module])
    except (OSError, TypeError) as error:
        if module != "__main__":
            raise _without_source(thing, error) from error
    found: dict[Any, str] = {}
    _add(thing, found)
    return "\n".join(found.values())


def _source_of(module: ModuleType) -> str:
    """Return the source that a module was imported from; warn once where its file is another by now."""
    now = inspect.getsource(module)
    known = _sources.get(module.__name__)
    if known is None or known[0] is not module.__spec__:
        _sources[module.__name__] = module.__spec__, now, now
        return now
    specification, imported, told = known
    if now not in (imported, told):
        _sources[module.__name__] = specification, imported, now
        warnings.warn(
            f"{module.__file__} has changed since this process imported it, which goes on with what it imported; "
            "restart the kernel, or the command, for the change",
            stacklevel=2,
        )
    return imported


def _add(thing: Any, found: dict[Any, str]) -> None:
    """Add the source of a notebook's function or class, and of what it uses there, to those found so far."""
    if thing in found or thing.__module__ != "__main__":
        return
    if inspect.isclass(thing):
        members = {name: value for name, value in vars(thing).items() if not name.startswith("__") or callable(value)}
        constants = {name: value for name, value in members.items() if type(value) in CONSTANTS}
        parts = [getattr(value, "__func__", getattr(value, "fget", value)) for value in members.values()]
        found[thing] = f"class {thing.__qualname__} {[base.__qualname__ for base in thing.__bases__]} {constants!r}"
        for used in (*thing.__bases__, *filter(inspect.isfunction, parts)):
            _add(used, found)
        return
    try:
        found[thing] = inspect.getsource(thing.__code__)  # of a decorated function what stands around it, too
    except (OSError, TypeError) as error:
        raise _without_source(thing, error) from error
    values = {name: thing.__globals__[name] for name in _names(thing.__code__) if name in thing.__globals__}
    defaults = {f"default {i}": value for i, value in enumerate(thing.__defaults__ or ())} | (
        thing.__kwdefaults__ or {}
    )
    for name, value in sorted({**values, **inspect.getclosurevars(thing).nonlocals, **defaults}.items()):
        if type(value) in CONSTANTS:
            found[thing] += f"{name} = {value!r}\n"
        elif inspect.isfunction(value) or inspect.isclass(value):
            _add(value, found)
        elif not inspect.ismodule(value) and not inspect.isroutine(value):
            raise InputError(
                f"{thing.__qualname__!r} uses {name!r} of the notebook, a {type(value).__name__}, which may change without "
                "its source. Allowed: constants, lists and dicts of them, functions and classes; make it in the function."
            )


def _names(code: CodeType) -> set[str]:
    """Return the global names that a function and the functions inside it look up."""
    own = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    return own.union(*(_names(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def _without_source(thing: Any, error: Exception) -> InputError:
    name = getattr(thing, "__qualname__", repr(thing))
    why = "since stages are kept under the hash of its source"
    return InputError(f"{name!r} must be defined in a file or a notebook, {why} ({error})")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
