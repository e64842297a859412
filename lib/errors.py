"""Errors for the reader: what was given, what is allowed, what to do."""

import difflib
import errno
from collections.abc import Iterable


class InputError(ValueError):
    """Something a user wrote cannot be used; the message says what is allowed."""


def unknown(kind: str, given: object, allowed: Iterable[str]) -> InputError:
    """Build the error for a name that is not one of the allowed ones.

    Args:
        kind: what is being named, in words, such as "benchmark".
        given: what the user wrote.
        allowed: every name that would have been accepted.

    Returns:
        An `InputError` that names the nearest allowed name first. The caller raises it.
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return InputError(f"unknown {kind} {given!r}.{hint} Allowed: {', '.join(names) or '(none)'}.")


def refused(error: OSError) -> str:
    """Say why the system would not write, in words that follow the name of a folder: "has no space left"."""
    return {
        errno.ENOSPC: "has no space left",
        errno.EROFS: "is on a read-only file system",
        errno.EACCES: "may not be written by this user",
        errno.EDQUOT: "is over its quota",
    }.get(error.errno or 0, f"cannot be written ({error})")
