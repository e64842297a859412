"""What a GPU is asked first can be asked: its steps name pages that are there, and its aims read the table of its device."""

import shlex

import pytest

from book.costs import gpu, tables
from lib.analysis.experiments import find_page


@pytest.mark.parametrize("line", gpu.COLUMNS)
def test_columns_are_pages_with_plans_and_algorithms(line: str):
    _, paper, name, benchmark, scale, *rest = shlex.split(line)
    page = find_page(paper, name)
    algorithms = {chain.algorithm for chain in page.chains(page.plans(benchmark, scale))}
    assert set(rest[1:]) <= algorithms


def test_a_step_that_fails_leaves_the_others_and_tables_are_copied_as_they_come(tmp_path, monkeypatch, capsys):
    table, ran = tmp_path / "papers" / "a" / "results" / "digits_paper" / "one.csv", []

    def run(command: list[str], **_):
        ran.append(command[2])
        if command[2] == "book.costs":
            table.parent.mkdir(parents=True, exist_ok=True)
            table.write_text("1\n")
        return gpu.subprocess.CompletedProcess(command, 1 if command[2] == "book.costs.check" else 0)

    monkeypatch.setattr(gpu, "REPOSITORY", tmp_path)
    monkeypatch.setattr(gpu.subprocess, "run", run)
    assert gpu.main(["--device", "cpu", "--quick", "--out", str(tmp_path / "out")]) == 1
    assert (tmp_path / "out" / "papers/a/results/digits_paper/one.csv").read_text() == "1\n"
    assert ran[0] == "book.costs.check" and "lib.analysis.measure" in ran and ran[-1] == "lib.stages"
    assert "failed" in capsys.readouterr().out


def test_aims_are_read_from_the_table_of_the_device():
    there = {costs.device_type for costs in tables.read("epochs")}
    for kind in ("cpu", "cuda"):
        assert bool(len(gpu.aims(kind))) == (kind in there)
