"""One page: whole under its final name, or not there."""

import contextlib
import io
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nbformat
import pytest

from lib.batch import page
from lib.batch.fingerprint import code_hash
from lib.errors import InputError

SOURCE = "papers/toy/pages/page.py"


def test_a_whole_run(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # A kernel that the user installed under the usual name must not be taken for this Python.
    other = project / "share/kernels/python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(project / "share"))
    target = Path("runs/a/rate~0.5.ipynb")
    target.parent.mkdir(parents=True)
    target.with_suffix(".failed.ipynb").write_text("of an earlier run")
    options = ["--log", "runs/a.log", "--gpus", "stand-in", "--fingerprint", "abc"]
    assert page.main([SOURCE, str(target), "epochs=3", "rate=0.5", *options]) == 0
    assert [file.name for file in target.parent.glob("[!.]*")] == ["rate~0.5.ipynb"]
    notebook = nbformat.read(target, as_version=4)
    record = notebook.metadata.pruning_book
    assert record.source == SOURCE
    assert record.parameters == {
        "benchmark": "one", "scale": "laptop", "epochs": 3, "rate": 0.5, "levels": [0, 1], "fast": False
    }  # fmt: skip
    assert (record.code_hash, record.fingerprint) == (code_hash(SOURCE), "abc")
    assert record.seconds > 0
    assert record.versions["python"] == sys.version.split()[0]
    assert notebook.metadata.papermill.input_path == SOURCE
    outputs = {output.name: output.text for cell in notebook.cells for output in cell.get("outputs", [])}
    assert outputs["stdout"] == f"{sys.executable} one 3 stand-in\n"
    assert outputs["stderr"] == "100%|##########|\n"
    log = Path("runs/a.log").read_text()
    assert f"{sys.executable} one 3 stand-in" in log.splitlines()
    assert "\r" not in log
    assert "100%|##########|" in capsys.readouterr().out


def test_a_failed_run_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = Path("runs/a/x.ipynb")
    assert page.main([SOURCE, str(target), "epochs=100", "--log", "runs/a.log"]) == 1
    assert [file.name for file in target.parent.glob("[!.]*")] == ["x.failed.ipynb"]
    error = capsys.readouterr().err
    assert "AssertionError" in error
    assert "too many epochs" in error
    assert "x.failed.ipynb" in error
    assert "too many epochs" in Path("runs/a.log").read_text()
    assert nbformat.read("runs/a/x.failed.ipynb", as_version=4).metadata.pruning_book.seconds > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["epoch=3"], "Did you mean 'epochs'?"),
        (["epochs=x"], "Allowed: int."),
        (["epochs"], "Allowed: name=value."),
        (["scale=big"], "unknown scale 'big'"),
    ],
)
def test_bad_input_starts_nothing(
    project: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert page.main([SOURCE, "runs/x.ipynb", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not Path("runs").exists()


def test_progress_becomes_plain_lines() -> None:
    out = io.StringIO()
    lines = page.PlainLines(out)
    for text in ("be", "gin\n", "\r  0%", "\r 10%  ", "\r\x1b[32m100%\x1b[0m\n", "end"):
        lines.write(text)
    assert out.getvalue() == "begin\n\n  0%\n 10%  \n100%\nend"


def test_two_executions_of_a_page_exclude_each_other_also_when_one_has_just_renamed_its_notebook(
    tmp_path: Path,
) -> None:
    target = tmp_path / "x.ipynb"
    unfinished = target.with_suffix(".partial.ipynb")

    def another() -> None:
        with page._alone(target, patience=0.2):
            unfinished.unlink(missing_ok=True)

    with ThreadPoolExecutor() as pool:
        with page._alone(target):
            unfinished.write_text("{}")
            unfinished.replace(target)
            with pytest.raises(InputError, match="x.ipynb is being written by another process"):
                pool.submit(another).result()
        pool.submit(another).result()


def test_who_waits_for_another_process_takes_what_it_has_finished(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = project / "x.ipynb"
    record = {"metadata": {"pruning_book": {"fingerprint": "abc"}}}
    monkeypatch.setattr(page, "_alone", partial(page._alone, patience=0.1))
    with ThreadPoolExecutor() as pool:
        with page._alone(target):
            waiting = pool.submit(page.run_page, SOURCE, target, {}, None, "abc", True)
            until = time.monotonic() + 60
            while "this one waits for it" not in capsys.readouterr().out:
                assert time.monotonic() < until
                time.sleep(0.05)
            target.write_text(json.dumps(record))
        waiting.result(60)
    assert json.loads(target.read_text()) == record


def test_a_live_widget_has_no_front_end_here(project: Path) -> None:
    """What a widget captures is sent to a front end and comes back to the kernel, which may lose the end of the cell."""
    with Path(SOURCE).open("a") as file:
        file.write(
            "\n# %%\nimport ipywidgets\nfrom IPython.display import display\nbox = ipywidgets.Output()\n"
            "with box:\n    for number in range(50):\n        display({'number': number})\nlen(box.outputs)\n"
        )
    assert page.main([SOURCE, "runs/a/x.ipynb"]) == 0
    last = nbformat.read("runs/a/x.ipynb", as_version=4).cells[-1]
    assert last.outputs[-1].data["text/plain"] == "0"  # nothing came back


def test_a_disk_that_is_full_or_read_only_is_told_as_such(
    project: Path, disk: Path, read_only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(OSError), (disk / "something").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))
    for folder, said in ((disk, "has no space left"), (read_only, "is on a read-only file system")):
        assert page.main([SOURCE, str(folder / "x.ipynb")]) == 2
        assert (
            capsys.readouterr().err
            == f"error: {folder / 'x.ipynb'}: its folder {said}; nothing of that name was written\n"
        )
        assert not [*folder.glob("x*.ipynb")] or (folder / "x.partial.ipynb").stat().st_size == 0
