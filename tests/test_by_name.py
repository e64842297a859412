"""Functions of the reader's own: found by name, and known by the source of the module that defines them (A9)."""

import functools
import importlib
import sys
import warnings

import pytest

from lib import by_name
from lib.errors import InputError
from lib.stages import Prune, stage_keys
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Replicate

SCORE = """
def sign(module, name):
    return {}module.get_parameter(name).detach()

def score(module, names, batch):
    return {{name: sign(module, name) for name in names}}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes the reader's module anew and imports it."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(sign: str) -> None:
        (tmp_path / "readers_own.py").write_text(SCORE.format(sign))
        sys.modules.pop("readers_own", None)
        importlib.invalidate_caches()

    yield written
    sys.modules.pop("readers_own", None)


def test_a_changed_helper_is_another_score(write, recipe):
    keys = []
    for sign in ("", "-", ""):
        write(sign)
        chain = learning_rate_rewinding(recipe, 1, Prune(score="readers_own:score"))
        keys.append(stage_keys(chain, Replicate(seed=0), "float32"))
        assert chain.algorithm == "learning-rate rewinding, score score"
    assert keys[0] == keys[2] and keys[0][:2] == keys[1][:2] and keys[0][2] != keys[1][2]


def test_a_file_that_changes_is_known_as_it_was_imported(write, tmp_path):
    write("")
    name = "readers_own:score"
    found, before = by_name.find_function("score", name, {}), by_name.identity(name)
    (tmp_path / "readers_own.py").write_text(SCORE.format("-"))
    with pytest.warns(UserWarning, match="has changed since this process imported it"):
        assert by_name.identity(name) == before and by_name.find_function("score", name, {}) is found
    with warnings.catch_warnings(action="error"):
        assert by_name.identity(name) == before, "it is said once"
    importlib.reload(sys.modules["readers_own"])
    assert by_name.identity(name) != before and by_name.find_function("score", name, {}) is not found


def test_the_books_own_are_known_by_name():
    assert by_name.identity("magnitude") == "magnitude"
    assert by_name.find_function("score", "one", {"one": len}) is len


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("oen", "Did you mean 'one'"),
        ("no.such.module:score", "cannot be imported"),
        ("math:no_such_function", "cannot be imported"),
        ("math:pi", "allowed: a function"),
    ],
)
def test_what_there_is_not_is_named(name, says):
    with pytest.raises(InputError, match=says):
        by_name.find_function("score", name, {"one": len})


def test_a_function_without_a_file_has_no_identity():
    with pytest.raises(InputError, match="must be defined in a file"):
        by_name.identity("math:floor")


NOTEBOOK = """
SHARE = 3
OTHERS = {"one": [1, 2]}
def helper(number, share=SHARE): return number * share * len(OTHERS['one'])
class Base:
    def twice(self): return helper(2)
class Used(Base): pass
def build(classes): return Used()
"""


def test_what_a_notebook_defines_is_known_with_all_that_it_uses():
    from IPython.core.interactiveshell import InteractiveShell

    changes = [
        "",
        "OTHERS = {'one': [1, 3]}",
        "OTHERS = {'one': [1, 2]}",
        "SHARE = 4\ndef helper(number, share=SHARE): return number * share * len(OTHERS['one'])",
        "def helper(number): return -number",
        "class Base: pass\nclass Used(Base): pass",
        "x = 1",
    ]
    script = ["from lib import by_name", "found = []"]
    held = (
        "import torch\nweights = torch.ones(2)\ndef build(classes): return weights\nby_name.identity('__main__:build')"
    )
    shell, main = InteractiveShell(user_module=type(sys)("__main__")), sys.modules["__main__"]
    try:
        sys.modules["__main__"] = shell.user_module
        for cell in [*script, NOTEBOOK, *(f"{c}\nfound.append(by_name.identity('__main__:build'))" for c in changes)]:
            shell.run_cell(cell).raise_error()
        with pytest.raises(InputError, match="'build' uses 'weights' of the notebook, a Tensor"):
            shell.run_cell(held).raise_error()
    finally:
        sys.modules["__main__"] = main
    first, others, same, default, helper, base, unused = shell.user_module.found
    assert first == same and len({first, others, default, helper, base}) == 5 and base.startswith("__main__:build#")
    assert unused == base


def test_what_is_kept_is_found_by_a_name_made_from_its_content():
    name = by_name.keep("network", len, "what it computes")
    assert name == by_name.keep("network", len, "what it computes") != by_name.keep("network", len, "something else")
    assert by_name.find_function("network", name, {}) is len is by_name.kept(name)
    assert by_name.identity(name) == name and by_name.kept("own network 0") is None


def twice(score):
    return lambda *asked: score(*asked)


def plain(module, names, batch):
    return {}


def test_a_function_has_a_name_that_leads_to_it():
    assert by_name.name_of("score", plain) == f"{__name__}:plain"
    for other in (twice(plain), functools.partial(plain, names=[]), functools.wraps(plain)(twice(plain))):
        with pytest.raises(InputError, match="no name leads"):
            by_name.name_of("score", other)
