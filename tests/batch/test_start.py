"""Pages that are forked from one process are processes of their own."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from lib.batch.start import execute

SOURCE = "papers/toy/pages/page.py"


def test_a_page_has_its_own_environment_and_a_failing_one_is_an_error(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = project / SOURCE
    page.write_text(page.read_text() + '\nprint(os.environ["OMP_NUM_THREADS"])\n')
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    execute([SOURCE, "runs/a.ipynb", "epochs=3", "--attached"], threads=3)
    outputs = nbformat.read("runs/a.ipynb", as_version=4).cells[-1].outputs
    assert "".join(output.text for output in outputs if output.name == "stdout").endswith("3\n")
    assert os.environ["OMP_NUM_THREADS"] == "1"
    with pytest.raises(RuntimeError, match=f"{SOURCE} ended with status 1"):
        execute([SOURCE, "runs/b.ipynb", "epochs=100", "--attached"], threads=1)
    assert Path("runs/b.failed.ipynb").exists() and not Path("runs/b.ipynb").exists()
    runners = {line.split()[1] for line in Path("begun-one").read_text().splitlines()}
    assert len(runners) == 2, "each page has a process"


def test_a_page_that_ends_while_another_starts_is_no_error() -> None:
    with ThreadPoolExecutor(4) as threads:
        ended = [threads.submit(execute, ["--help"], 1) for _ in range(100)]
    assert [error for page in ended if (error := page.exception())] == []
