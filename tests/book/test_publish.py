"""Publishing executes pages without training, keeps them on a branch, and builds only what changed."""

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from lib.batch.page import PageFailed
from lib.batch.state import RECORD
from lib.book import build as building
from lib.book.build import REPOSITORY, build_if_changed
from lib.book.publish import Asked, execute, in_processes, publish
from lib.data.image_sets import FOLDER_VARIABLE, default_folder, load

from . import toy

PAGE = """# %% tags=["parameters"]
scale: str = "smoke"
seed: int = 0

# %%
import altair
from IPython.display import Markdown, display

from lib.charts import enable

enable()
print("\\033[2Kmeasured with", seed)
altair.Chart(altair.Data(values=[{"x": 1}]), description="A dot.").mark_point().encode(x="x:Q")

# %%
display(Markdown("*first*"))
seed + 1
"""


def in_a_process(*given) -> int | None:
    """Execute a page as publishing does, in a process of its own, and return its exit status."""
    alone = multiprocessing.get_context("fork").Process(target=execute, args=given)
    alone.start()
    alone.join()
    return alone.exitcode


def test_a_page_is_executed_with_what_it_shows(tmp_path: Path):
    source, target = tmp_path / "page.py", tmp_path / "runs" / "page.ipynb"
    source.write_text(PAGE, "utf-8")
    assert in_a_process(source, target, {"scale": "laptop", "seed": 3}, "fingerprint") == 0
    notebook = nbformat.read(target, as_version=4)
    nbformat.validate(notebook)
    record = notebook.metadata[RECORD]
    assert record["parameters"] == {"scale": "laptop", "seed": 3} and record["fingerprint"] == "fingerprint"
    _, drawn, shown = (cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert drawn[0].text == "measured with 3\n" and drawn[1].data["text/plain"] == "A dot."
    assert [output.data["text/plain"] for output in shown][-1] == "4" and shown[0].data["text/markdown"] == "*first*"


def test_a_page_that_fails_is_named_and_leaves_nothing(tmp_path: Path):
    source, target = tmp_path / "page.py", tmp_path / "page.ipynb"
    source.write_text(PAGE + "\n# %%\n1 / 0\n", "utf-8")
    with pytest.raises(PageFailed, match=r"page\.py failed: ZeroDivisionError(.|\n)*1 / 0"):
        execute(source, target, {})
    assert not target.exists()


def test_a_book_is_published_and_only_what_changed_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = toy.write(tmp_path)
    source.write_text(PAGE, "utf-8")
    built = []

    def build(book: Path, output: Path, engine: str = "jupyter-book") -> Path:
        built.append(engine)
        (output / "_build" / "html").mkdir(parents=True, exist_ok=True)
        (output / "_build" / "html" / "index.html").touch()
        return output / "_build" / "html" / "index.html"

    monkeypatch.setattr(building, "build", build)
    for _ in range(2):
        publish(tmp_path, tmp_path / "book", tmp_path, 2)
    assert built == ["jupyter-book"]
    kept = tmp_path / "runs" / "published" / toy.PAPER / f"{toy.PAGE}.ipynb"
    staged = tmp_path / "book" / "papers" / toy.PAPER / f"{toy.PAGE}.ipynb"
    first = kept.stat().st_mtime_ns
    assert "A dot." in staged.read_text("utf-8")
    source.write_text(PAGE.replace("seed + 1", "seed + 2"), "utf-8")
    publish(tmp_path, tmp_path / "book", tmp_path, 1)
    assert len(built) == 2 and kept.stat().st_mtime_ns > first
    source.write_text(PAGE + "\n# %%\n1 / 0\n", "utf-8")
    with pytest.raises(PageFailed, match="ZeroDivisionError"):
        publish(tmp_path, tmp_path / "book", tmp_path, 2)


def test_a_build_that_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "index.md").write_text("# Book", "utf-8")
    tried = []

    def build(book: Path, output: Path, engine: str) -> Path:
        tried.append(engine)
        raise RuntimeError("a warning")

    monkeypatch.setattr(building, "build", build)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            build_if_changed(tmp_path, tmp_path / "out")
    assert len(tried) == 2


def test_what_a_killed_build_left_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Sphinx would take the page that was being written for a new one, since it is newer than its source."""
    book, page = tmp_path / "book", tmp_path / "_build" / "html" / "index.html"
    book.mkdir()
    (book / "index.md").write_text("# Book", "utf-8")

    def build(book: Path, output: Path, engine: str) -> Path:
        page.parent.mkdir(parents=True, exist_ok=True)
        if not page.exists():
            page.write_text("<html>", "utf-8")
            if not killed:
                killed.append(1)
                raise SystemExit("killed")
            page.write_text("<html></html>", "utf-8")
        return page

    killed: list[int] = []
    monkeypatch.setattr(building, "build", build)
    with pytest.raises(SystemExit):
        build_if_changed(book, tmp_path)
    assert (tmp_path / "_build" / ".jupyter-book.begun").exists()
    assert build_if_changed(book, tmp_path) == page and page.read_text("utf-8") == "<html></html>"
    assert not (tmp_path / "_build" / ".jupyter-book.begun").exists()


def draw(given: Asked) -> str:
    source, target, _, word = given
    if word == "dies":
        os._exit(9)
    target.write_text(word, "utf-8")
    return "" if word == "drawn" else f"{source} failed"


@pytest.mark.timeout(60)
def test_a_page_whose_process_dies_is_named_and_the_others_are_drawn(tmp_path: Path):
    words = ["drawn", "dies", "wrong", "drawn", "drawn"]
    asked: list[Asked] = [(Path(f"page{i}"), tmp_path / str(i), {}, word) for i, word in enumerate(words)]
    failed = in_processes(draw, asked, 2)
    assert sorted(failed) == [
        "page1 failed: its process ended with status 9; memory may be short", "page2 failed"
    ]  # fmt: skip
    assert len([*tmp_path.iterdir()]) == 4


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_page_is_drawn_without_networks_and_with_mnist_alone(tmp_path: Path):
    """From committed tables, or with a sentence that says what is missing: what `make html` does in a fresh clone.

    Every page in continuous integration, which sets CI, else every third.
    """
    load("mnist")
    mnist = default_folder() / "mnist.safetensors"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / mnist.name).symlink_to(mnist)
    own = {FOLDER_VARIABLE: str(tmp_path / "data"), "PRUNING_BOOK_STORE": str(tmp_path / "store")}
    code = f"""
from pathlib import Path
from lib.book import publish
whole = publish.published
publish.published = lambda root: dict([*whole(root).items()][::{1 if "CI" in os.environ else 3}])
publish.execute_pages(Path({str(REPOSITORY)!r}), Path({str(tmp_path / "executed")!r}), 2)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
    assert not [*tmp_path.glob("store/entries/*")], "nothing was trained"
    executed = {path.stem: path.read_text("utf-8") for path in tmp_path.glob("executed/*/*.ipynb")}
    assert len(executed) > (20 if "CI" in os.environ else 12)
    for page, text in executed.items():
        if "cifar" not in page:  # LeNet's laptop tables name examples and keep what cuts did
            assert "the store does not hold" not in text, page


@pytest.mark.skipif(shutil.which("git") is None, reason="git keeps the branch")
def test_executed_notebooks_are_kept_on_a_branch(tmp_path: Path):
    def git(*words: str, where: Path = tmp_path / "clone") -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", *who, *words], cwd=where, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet", "--bare", "bare.git", where=tmp_path)
    git("init", "--quiet", "--initial-branch=main", "clone", where=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "bare.git"))
    git("commit", "--quiet", "--allow-empty", "-m", "A commit")
    notebook = tmp_path / "clone" / "runs" / "published" / "paper" / "page.ipynb"
    script = REPOSITORY / ".github" / "keep_executed.sh"
    nothing = subprocess.run([script], cwd=tmp_path / "clone", capture_output=True, text=True)
    assert nothing.returncode == 1 and "make html" in nothing.stderr
    for content in ("first", "second"):
        notebook.parent.mkdir(parents=True, exist_ok=True)
        notebook.write_text(content, "utf-8")
        subprocess.run([script, "origin", "executed"], cwd=tmp_path / "clone", check=True, capture_output=True)
    assert git("show", "executed:paper/page.ipynb", where=tmp_path / "bare.git") == "second"
    assert git("rev-list", "--count", "executed", where=tmp_path / "bare.git").strip() == "2"
    assert git("status", "--short") == "?? runs/\n", "the checkout is as it was"


def test_the_workflow_runs_what_is_tried_here():
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "publish.yml").read_text("utf-8"))
    steps = workflow["jobs"]["book"]["steps"]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    commands = [step["run"].split() for step in steps if "run" in step]
    assert [one[0] for one in commands] == ["make", ".github/keep_executed.sh"] and commands[0][1] == "html"
    assert os.access(REPOSITORY / commands[1][0], os.X_OK)
    assert [step["with"]["path"] for step in steps if "pages-artifact" in step.get("uses", "")] == ["book/_build/html"]
