"""Claims are decided where code or tables have changed, and only there."""

from pathlib import Path

import pytest

from lib.analysis import scoreboard
from lib.batch import claims


def test_claims_are_decided_once_until_a_table_or_code_changes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decided = []

    def decide(arguments: list[str]) -> None:
        decided.append(arguments)
        Path(arguments[1]).write_text("verdicts")

    monkeypatch.setattr(scoreboard, "main", decide)
    table, code = Path("papers/toy/results/one_laptop/a.csv"), Path("papers/toy/claims.py")
    for change in (
        lambda: table.parent.mkdir(parents=True) or table.write_text("1"),
        lambda: table.write_text("2"),
        lambda: code.write_text("CLAIMS = {}"),
        lambda: Path("claims.csv").write_text("by hand"),
        lambda: Path("claims.csv").unlink(),
    ):
        change()
        before = len(decided)
        claims.main(["claims.csv"])
        claims.main(["claims.csv"])
        assert len(decided) == before + 1
    monkeypatch.setattr(scoreboard, "main", lambda arguments: (decide(arguments), table.write_text("3")))
    table.write_text("4")
    claims.main(["claims.csv"])
    monkeypatch.setattr(scoreboard, "main", decide)
    claims.main(["claims.csv"])
    assert len(decided) == before + 3, "a table that is written while claims are decided may not have been read"
    code.write_text("# a remark\nCLAIMS = {}")
    claims.main(["claims.csv"])
    assert decided == [["--write", "claims.csv"]] * 7
