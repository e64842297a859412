"""Pages open as notebooks in JupyterLab, and saving one there leaves its script as it was."""

import shutil
from importlib.metadata import files
from pathlib import Path

import nbformat
from jupytext import TextFileContentsManager

from lib.analysis.files import REPOSITORY


def test_saving_a_notebook_leaves_the_page_as_it_was(tmp_path: Path):
    pages = sorted(REPOSITORY.glob("papers/*/pages/*.py"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)  # names the folders that are paired
    for page in pages:
        copy = tmp_path / page.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, copy)
    lab = TextFileContentsManager(root_dir=str(tmp_path))
    for page in pages:
        script = page.relative_to(REPOSITORY)
        notebook = lab.get(script.as_posix(), type="notebook")
        lab.save(notebook, script.as_posix())  # this makes the pair
        paired = Path("work", *script.with_suffix(".ipynb").parts[1:])
        assert nbformat.read(tmp_path / paired, as_version=4).cells[0].cell_type == "markdown"
        lab.save(lab.get(paired.as_posix()), paired.as_posix())
        assert (tmp_path / script).read_text("utf-8") == page.read_text("utf-8"), script


def test_the_lab_reads_roles_without_a_network():
    """`{term}` and its like are MyST; its JupyterLab extension comes prebuilt, scripts included."""
    shipped = [file for file in files("jupyterlab-myst") or [] if "labextensions" in file.parts]
    assert any(file.name == "package.json" for file in shipped) and any(file.suffix == ".js" for file in shipped)
