"""Pages open as notebooks in JupyterLab that read well, belong to the reader, and never write back to their scripts."""

import json
import os
import posixpath
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext import TextFileContentsManager
from playwright.sync_api import Browser, expect

from lib.analysis.files import REPOSITORY
from lib.book import lab
from lib.book.lab import References, citations, glossary, notebook_of, references, sources, write_notebook, written_out

PAGE = """# %% [markdown]
# (first)=
# # A page
#
# About {term}`masks <mask>`, after {cite:t}`jin2022pruning`.

# %% tags=["parameters"]
scale: str = "laptop"

# %% mystnb={"figure": {"caption": "A figure of {term}`mask`.", "name": "fig-a"}} tags=["hide-input"]
draw()
"""


@pytest.fixture(scope="module")
def known() -> References:
    return references(REPOSITORY, sources(REPOSITORY))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    source = tmp_path / "papers/one/pages/page.py"
    source.parent.mkdir(parents=True)
    source.write_text(PAGE)
    return source


def test_no_role_of_any_page_is_left_that_the_lab_does_not_know(known):
    pages = sources(REPOSITORY)
    for home, source in pages.items():
        notebook = notebook_of(source, home, known)
        prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        left = set(re.findall(r"\{([a-z:]+)\}`[^`]*`", prose))
        assert left <= {"eq"}, (home, left)
        for label in re.findall(r"\{eq\}`([^`]+)`", prose):
            assert f"({label})" in prose, f"{home} refers to {label}, a formula of another page"
        assert not re.search(r"^\([\w.:-]+\)=$", prose, flags=re.M), home
        for place in re.findall(r"\]\(([\w./-]+\.(?:ipynb|md))\)", prose):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(home), place))
            assert target in ("references.md", "glossary.md") or target.removesuffix(".ipynb") in pages, (home, place)


def test_every_page_has_its_code_as_it_is_and_its_figures_a_caption(known):
    for home, source in sources(REPOSITORY).items():
        page, notebook = jupytext.read(source), notebook_of(source, home, known)
        code = [[cell.source for cell in one.cells if cell.cell_type == "code"] for one in (page, notebook)]
        assert code[0] == code[1]
        figures = [cell for cell in page.cells if cell.metadata.get("mystnb", {}).get("figure")]
        captions = [cell.source for cell in notebook.cells if cell.source.startswith("**Figure ")]
        assert len(captions) == len(figures)
        nbformat.validate(notebook)


def test_roles_are_written_out():
    places = {"fig-here": lab.Place("a/b", "Seen here.", 2), "fig-there": lab.Place("a/c", "Seen there.", 1)}
    places |= {
        "sec": lab.Place("c/d", "Its title"),
        "eq-there": lab.Place("c/d", "", 3),
        "web": lab.Place("", "On the web"),
    }
    known = References(places, {"mask": 'zeros "and" ones'}, {"jin": ("Jin et al.", "2022")}, {"c/d": "A page"})
    expected = {
        "{term}`Masks <mask>`": '<abbr title="zeros &quot;and&quot; ones">Masks</abbr>',
        "{term}`unheard of`": "unheard of",
        "{cite:t}`jin`": "[Jin et al. (2022)](../references.md)",
        "{cite:p}`jin`": "([Jin et al., 2022](../references.md))",
        "{numref}`fig-here`": "Figure 2",
        "{numref}`fig-there`": "[the figure “Seen there”](c.ipynb)",
        "{ref}`sec`": "[Its title](../c/d.ipynb)",
        "{ref}`so <sec>`": "[so](../c/d.ipynb)",
        "{ref}`web`": "On the web",
        "{eq}`eq-there`": "equation 3 of [A page](../c/d.ipynb)",
        "{eq}`eq-here`": "{eq}`eq-here`",
        "(label)=\n## Heading": "## Heading",
        "[words](../../glossary.md#mask)": "[words](../glossary.md)",
        "[claims](../../scoreboard.md)": "claims",
    }
    for given, wanted in expected.items():
        assert written_out(given, "a/b", known) == wanted


def test_the_books_glossary_and_bibliography_are_read():
    terms, papers = glossary(REPOSITORY / "book/glossary.md"), citations(REPOSITORY / "book/references.bib")
    assert terms["mask"].startswith("A tensor of zeros and ones") and "weights remaining" in terms
    assert not [term for term, meaning in terms.items() if "`" in meaning or not meaning]
    assert papers["jin2022pruning"] == ("Jin et al.", "2022") and papers["anonymous2022noise"] == ("Anonymous", "2022")


def test_a_readers_changes_are_kept_and_scripts_never_written(page, known, tmp_path):
    target = tmp_path / "work/one/page.ipynb"

    def make() -> str:
        return write_notebook(target, notebook_of(page, "one/page", known))

    def change(text: str) -> None:
        notebook = nbformat.read(target, as_version=4)
        notebook.cells[1].source = text
        nbformat.write(notebook, target)

    assert make() == "" and make() == ""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)  # names the formats of notebooks
    manager = TextFileContentsManager(root_dir=str(tmp_path))
    run = manager.get("work/one/page.ipynb")
    run["content"]["cells"][1]["outputs"] = [nbformat.v4.new_output("stream", text="run")]
    manager.save(run, "work/one/page.ipynb")  # as JupyterLab does
    assert make() == "" and "run" in target.read_text("utf-8"), "to run a page is no change"
    page.write_text(PAGE.replace("About", "All about"))
    assert make() == "" and "All about" in target.read_text("utf-8"), "today's page, since nobody changed the old one"
    change('scale: str = "smoke"')
    assert make() == "changed"
    page.write_text(PAGE)
    assert make() == "changed, and older" and "smoke" in target.read_text("utf-8")
    manager.save(manager.get("work/one/page.ipynb"), "work/one/page.ipynb")
    assert page.read_text() == PAGE and [*page.parent.iterdir()] == [page]


def test_saving_a_script_as_a_notebook_leaves_it_as_it_was(tmp_path: Path):
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    manager = TextFileContentsManager(root_dir=str(tmp_path))
    for source in sources(REPOSITORY).values():
        copy = tmp_path / source.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
        script = copy.relative_to(tmp_path).as_posix()
        manager.save(manager.get(script, type="notebook"), script)
        # But for letters that jupytext escapes in the metadata of cells.
        assert _lines(copy) == _lines(source), script
        assert {path.suffix for path in copy.parent.iterdir() if path.is_file()} == {".py"}


def _lines(script: Path) -> list[str]:
    lines = script.read_text("utf-8").splitlines()
    return [json.dumps(line).replace("\\\\u", "\\u") if line.startswith("# %% ") else line for line in lines]


def test_the_list_names_every_page_and_what_is_left_of_it(known, tmp_path):
    pages = sources(REPOSITORY)
    text = lab.page_list(
        REPOSITORY,
        pages,
        dict.fromkeys(pages, "") | {"label_noise/dynamics": " (changed by you)"},
        known.titles,
        str(tmp_path),
    )
    assert set(re.findall(r"\]\(([\w/]+)\.ipynb\)", text)) == pages.keys()
    dynamics = next(line for line in text.splitlines() if "label_noise/dynamics" in line)
    assert "mnist-lenet: about" in dynamics and ".ipynb) (changed by you) |" in dynamics


def test_the_lab_reads_what_is_left_without_a_network():
    """Folded answers and formulas are MyST; its JupyterLab extension comes prebuilt, scripts included."""
    shipped = [file for file in files("jupyterlab-myst") or [] if "labextensions" in file.parts]
    assert any(file.name == "package.json" for file in shipped) and any(file.suffix == ".js" for file in shipped)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Start JupyterLab as `make lab` does, in a tree of its own with the repository's pages, and give its address."""
    for name in ("papers", "book"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    lab.prepare(tmp_path, str(tmp_path / "store"))
    settings = tmp_path / lab.WORK / lab.SETTINGS_FOLDER / "overrides.json"
    whole = {
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}
    }  # also what is out of view is there to read
    settings.write_text(json.dumps(lab.SETTINGS | whole))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        f"JUPYTER{name}": str(tmp_path / "jupyter")
        for name in ("_CONFIG_DIR", "_DATA_DIR", "LAB_SETTINGS_DIR", "LAB_WORKSPACES_DIR")
    }
    start = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    start += ["--IdentityProvider.token=", f"--notebook-dir={tmp_path}", *lab.jupyterlab_settings(tmp_path)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(start, stdout=log, stderr=log, env=os.environ | own)
    try:
        for _ in range(240):
            if "is running at" in (tmp_path / "log").read_text():
                break
            assert server.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(30)


CHANGED = """scale: str = "smoke"
recompute: bool = True
benchmark: str = "mnist-lenet"
noise_percents: list[float] = [35.0]
seeds: list[int] = [0]
store: str = "{store}"
device: str = "cpu"
"""


@pytest.mark.browser
@pytest.mark.slow
def test_a_reader_changes_the_noise_runs_the_page_and_moves_the_explorer(
    browser: Browser, address: str, tmp_path: Path
):
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 1300, "height": 3000})
    page.set_default_timeout(120_000)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.locator(".jp-MarkdownViewer a", has_text="Double descent while pruning").click()
    expect(page.locator(".jp-MarkdownCell h1", has_text="Double descent while pruning")).to_be_visible(timeout=120_000)
    expect(page.locator(".jp-MarkdownCell abbr[title]").first).to_be_visible()
    assert not re.search(r"\{[a-z:]+\}`|:::", page.locator(".jp-Notebook").inner_text())

    page.locator(".jp-CodeCell .cm-content", has_text="noise_percents").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(CHANGED.format(store=tmp_path / "store"))
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("[data-command='runmenu:run-all']").click()
    box = page.locator(".jp-OutputArea-output .widget-vbox").last
    expect(box).to_contain_text("%", timeout=300_000)
    page.wait_for_function("!document.querySelector('.jp-StatusBar-Widget')?.innerText.includes('Busy')")
    expect(page.locator(".jp-Notebook")).to_contain_text("yours: noise 35 %")

    box.locator(".noUi-handle").first.focus()
    before = box.inner_text()
    page.keyboard.press("ArrowRight")
    expect(box).not_to_have_text(before)
    assert all(url.startswith((address, address.replace("http", "ws"), "data:", "blob:")) for url in asked)
    page.close()
