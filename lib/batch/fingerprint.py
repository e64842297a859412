"""Tell a change of code from a change of prose.

    code_hash(files) = sha256( syntax tree of each file, without docstrings )[:16]

A syntax tree knows neither comments nor layout, and in a py:percent page all prose is comments. So editing
prose leaves the hash as it was and re-runs nothing; editing what is computed changes it.
"""

import ast
import hashlib
from pathlib import Path

import lib
from lib.errors import InputError

OTHERS = ("batch", "book")
"""The parts of `lib` that only start a page or put it into the book; all others decide what it shows."""

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _tree(path: Path) -> str:
    """Return the file's syntax tree as text, docstrings taken out."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: this is not Python: {error.msg}.") from None
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return _dump(tree)


def _dump(node: object) -> str:
    """Write a tree as text. Empty fields are left out, since Python versions differ in which of them they have."""
    if isinstance(node, list):
        return f"[{','.join(map(_dump, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    return f"{type(node).__name__}({','.join(f'{name}={_dump(value)}' for name, value in fields)})"


def code_hash(*paths: Path | str) -> str:
    """Hash what Python files do, given in an order that stays the same, as sixteen hexadecimal digits.

    Raises:
        InputError: a file is not valid Python.
    """
    text = "\n".join(_tree(Path(path)) for path in paths)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def data_hash(*paths: Path) -> str:
    """Hash the names and the bytes of files, as `code_hash` does their code: tables that a page reads, for instance."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def core_hash() -> str:
    """Hash the code of `lib` that computes, all but `OTHERS`."""
    home = Path(lib.__file__).parent
    files = (file for file in home.rglob("*.py") if file.relative_to(home).parts[0] not in OTHERS)
    return code_hash(*sorted(files))
