"""Build the HTML book from what is there: python -m lib.book.build [--sphinx] [--output FOLDER]

A page that was run shows its results, any other its text and code, so the book builds in a fresh clone,
without data, GPU or network. Nothing is executed here; unchanged pages are not built again, and where nothing changed at
all, nothing is started. `--sphinx` leaves Jupyter Book out and builds the same folder with Sphinx and `book/conf.py`.
"""

import argparse
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from lib.analysis.files import REPOSITORY
from lib.batch.plan import book_pages, read_plans
from lib.book import prune_it_yourself
from lib.book.front import against_print, cards, front
from lib.book.generated import runs, scoreboard
from lib.book.staging import executed_of, stage, write_if_changed
from lib.errors import InputError, refused

ENGINES = ("jupyter-book", "sphinx")


def prepare(root: Path, book: Path | None = None) -> list[str]:
    """Bring the generated parts of the book's folder up to date.

    A page that was staged before keeps the run that it shows, with the prose of today; another one shows the
    finished run that its paper's plan names, if there is one.

    Args:
        root: the repository, with `papers/` and perhaps `runs/`.
        book: the book's folder; the repository's own by default.

    Returns:
        The names of the pages that are drafts, such as "training_regularization/some_page".
    """
    book = book or root / "book"
    names, drafts = [], []
    for page in book_pages(read_plans(root), "laptop", root=root):
        target = book / Path(page.target).relative_to("book")
        names.append(f"{target.parent.name}/{target.stem}")
        planned = root / page.executed if page.executed else None
        executed = executed_of(target) or (planned if planned and planned.is_file() else None)
        stage(root / page.source, executed, target)
        if executed is None:
            drafts.append(names[-1])
    generated = {
        "front": front(root),
        "against_print": against_print(root, names),
        "cards": cards(book, names),
        "scoreboard": scoreboard(book, names),
    }
    generated["runs"] = runs(root / "papers", root / "runs")
    generated |= prune_it_yourself.parts(book, root)
    for name, text in generated.items():
        write_if_changed(book / "generated" / f"{name}.md", text)
    return drafts


def build(book: Path, output: Path, engine: str = "jupyter-book") -> Path:
    """Build the HTML of a prepared book folder into `_build` of an output folder, and return its first page.

    Raises:
        InputError: the engine is not one of `ENGINES`.
        RuntimeError: the build had a warning or an error; the message holds them.
    """
    if engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}. Allowed: {', '.join(ENGINES)}.")
    html = output / "_build" / ("html" if engine == "jupyter-book" else "sphinx")
    if engine == "jupyter-book":
        # Without a parser of addresses that jsonschema loads where it is there, a second at every start.
        start = "import sys; sys.modules['rfc3987_syntax'] = None; from jupyter_book.cli.main import main; main()"
        command = ["-c", start, "build", "-q", "-W", "--keep-going", "--path-output", str(output), str(book)]
    else:
        command = ["-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        command += ["-d", str(html.with_name("sphinx-doctrees")), str(book), str(html)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    if done.returncode:
        said = f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        raise RuntimeError(f"{engine} could not build the book:\n{said}")
    return html / "index.html"


def inputs_hash(book: Path, engine: str) -> str:
    """Hash all that the HTML is made from: the book's folder, the code that displays charts, and versions of packages."""
    made = {"_build", "__pycache__", "jupyter_execute"}
    files = [path for path in book.rglob("*") if path.is_file() and not made & set(path.relative_to(book).parts)]
    code = [
        path for room in ("book", "charts") for path in (REPOSITORY / "lib" / room).rglob("*") if path.suffix != ".pyc"
    ]
    digest = hashlib.sha256(engine.encode())
    for package in ("jupyter-book", "sphinx", "myst-nb", "sphinx-book-theme", "vl-convert-python", "altair"):
        digest.update(importlib.metadata.version(package).encode())
    for path in sorted([*files, *(path for path in code if path.is_file())]):
        digest.update(str(path).encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build_if_changed(book: Path, output: Path, engine: str = "jupyter-book") -> Path:
    """Build the HTML, see `build`, unless it was built from exactly what is there now. One process builds at a time.

    What a build left that was killed or failed is dropped: Sphinx would take the page that it was writing for a new one,
    and pages that it had read and not yet written for written ones.
    """
    made = output / "_build"
    stamp, begun = made / f".{engine}.inputs", made / f".{engine}.begun"
    first = made / ("html" if engine == "jupyter-book" else "sphinx") / "index.html"
    made.mkdir(parents=True, exist_ok=True)
    with FileLock(made / ".lock"):
        now = inputs_hash(book, engine)
        if first.is_file() and stamp.is_file() and stamp.read_text("utf-8") == now:
            return first
        if begun.exists():
            for folder in filter(Path.is_dir, [*made.iterdir()]):
                shutil.rmtree(folder)
        stamp.unlink(missing_ok=True)
        begun.touch()
        first = build(book, output, engine)
        begun.unlink()
        write_if_changed(stamp, now)
    return first


def main(arguments: list[str] | None = None) -> None:
    """Build this repository's book from the command line."""
    parser = argparse.ArgumentParser("python -m lib.book.build", description="Build the HTML book.")
    parser.add_argument("--sphinx", action="store_true", help="use plain Sphinx instead of Jupyter Book")
    parser.add_argument("--output", type=Path, help="the folder in which _build is made (default: book)")
    given = parser.parse_args(arguments)
    book = REPOSITORY / "book"
    try:
        drafts = prepare(REPOSITORY)
        output, engine = (given.output or book).resolve(), "sphinx" if given.sphinx else "jupyter-book"
        first = build_if_changed(book, output, engine)
    except (InputError, RuntimeError) as error:
        raise SystemExit(f"error: {error}") from None
    except OSError as error:
        raise SystemExit(f"error: {error.filename or REPOSITORY} {refused(error)}") from None
    for name in drafts:
        print(f"draft, not run yet: {name}")
    print(f"The book is ready: {first.resolve().as_uri()}")


if __name__ == "__main__":
    main()
