"""Names and types of parameters are checked before anything runs."""

from pathlib import Path

import pytest

from lib.batch import parameters
from lib.errors import InputError


def page_with(folder: Path, cell: str) -> Path:
    page = folder / "page.py"
    page.write_text(f'# %% [markdown]\n# # Title\n\n# %% tags=["parameters"]\n{cell}\n\n# %%\nlater: int = 3\n')
    return page


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("epochs=7", 7),
        ("rate=1", 1.0),
        ("rate=1e-3", 0.001),
        ("fast=true", True),
        ("fast=False", False),
        ("levels=1,2,3", [1, 2, 3]),
        ("levels=[4, 5]", [4, 5]),
        ("levels=", []),
        ("benchmark=7", "7"),
    ],
)
def test_texts_are_read_as_the_annotated_type(project: Path, text: str, value: object) -> None:
    name, _, given = text.partition("=")
    found = parameters.check("papers/toy/pages/page.py", {name: given})
    assert found == {name: value}
    assert type(found[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("epochs", "ten", "parameter epochs was given 'ten'. Allowed: int."),
        ("epochs", "1.5", "Allowed: int."),
        ("epochs", True, "parameter epochs was given True. Allowed: int."),
        ("rate", "nan", "Allowed: float."),
        ("fast", "maybe", "Allowed: bool."),
        ("levels", "1,x", "Allowed: list[int]."),
        ("levels", 3, "Allowed: list[int]."),
        ("benchmark", 3, "Allowed: str."),
        (
            "epoch",
            "3",
            "unknown parameter of page.py 'epoch'. Did you mean 'epochs'? Allowed: benchmark, epochs",
        ),
        ("scale", "labtop", "unknown scale 'labtop'. Did you mean 'laptop'?"),
    ],
)
def test_what_is_wrong_is_refused_with_what_is_allowed(project: Path, name: str, given: object, said: str) -> None:
    with pytest.raises(InputError) as error:
        parameters.check("papers/toy/pages/page.py", {name: given})
    assert said in str(error.value)


def test_literals_name_the_nearest_choice(tmp_path: Path) -> None:
    page = page_with(tmp_path, 'scope: Literal["global", "layer"] = "global"\nfold: Literal[1, 2] = 1')
    assert parameters.check(page, {"scope": "layer", "fold": "2"}) == {"scope": "layer", "fold": 2}
    with pytest.raises(InputError, match="unknown value of parameter scope 'globl'. Did you mean 'global'"):
        parameters.check(page, {"scope": "globl"})
    with pytest.raises(InputError, match="unknown value of parameter fold '3'"):
        parameters.check(page, {"fold": "3"})


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("x = 1", "only lines `name: type = value`"),
        ("x: int = 1\ny: int = x + 1", "computes its value"),
        ("x: complex = 1", "x has the type complex"),
        ("x: int = 1\ny: list[int] = [0, 1", "its line 2 is no Python"),
        ("x: int = 'a'", "parameter x was given 'a'. Allowed: int."),
    ],
)
def test_a_parameters_cell_holds_annotated_values_only(tmp_path: Path, cell: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("+", r"\+")):
        parameters.read(page_with(tmp_path, cell))


def test_only_the_tagged_cell_counts(tmp_path: Path) -> None:
    assert list(parameters.read(page_with(tmp_path, "x: int = 1  # epochs\n# a comment"))) == ["x"]


def test_words_of_the_first_paper() -> None:
    page = Path(__file__).parents[2] / "papers/training_regularization/pages/additional_regularization.py"
    assert parameters.check(page, {"benchmark": "mnist-lenet", "scale": "paper"})
    with pytest.raises(InputError, match="unknown benchmark 'mnist-lenett'. Did you mean 'mnist-lenet'"):
        parameters.check(page, {"benchmark": "mnist-lenett"})
