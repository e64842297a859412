"""What `make book` does to files under version control: nothing but what committed tables say."""

import dataclasses
from pathlib import Path

import pytest

from lib.analysis import scoreboard
from lib.analysis.files import REPOSITORY
from lib.analysis.table import find_tables


def test_the_scoreboard_of_make_book_is_that_of_committed_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    assert "lib.analysis.claims --write book/claims.csv\n" in makefile, "without --local"
    committed = [table for table in find_tables("training_regularization") if table.origin == "committed"]
    largest = next(table for table in committed if table.scale == "paper")
    local = dataclasses.replace(largest, benchmark="cifar10-resnet20", origin="this machine")
    monkeypatch.setattr(scoreboard, "find_tables", lambda paper: [local] if paper == local.paper else [])
    monkeypatch.setattr(scoreboard, "current", lambda table: (table, []))
    scoreboard.main(["--write", str(tmp_path / "claims.csv")])
    assert {one.scale for one in scoreboard.read_verdicts(tmp_path / "claims.csv")} == {""}
    scoreboard.main(["--write", str(tmp_path / "local.csv"), "--local"])
    assert "paper" in {one.scale for one in scoreboard.read_verdicts(tmp_path / "local.csv")}
