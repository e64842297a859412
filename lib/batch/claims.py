"""Decide the papers' claims where code or tables have changed since: python -m lib.batch.claims book/claims.csv

    fingerprint = hash of lib's and the papers' code + hash of the committed tables and of the file

It is kept in `runs/claims.txt`. Where it is the same, nothing is imported that takes time (`lib.analysis.claims` decides).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lib.batch.fingerprint import code_hash, core_hash, data_hash

RECORD = Path("runs/claims.txt")


def basis(root: Path = Path()) -> str:
    """Return the hash of what verdicts depend on: code and tables."""
    papers = root / "papers"
    tables = [*papers.glob("claims.csv"), *papers.glob("*/results/*/*"), *papers.glob("*/printed/*")]
    return core_hash() + code_hash(*sorted(papers.glob("*/*.py"))) + data_hash(*filter(Path.is_file, sorted(tables)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Decide the claims unless nothing has changed, in the repository's folder."""
    parser = argparse.ArgumentParser("python -m lib.batch.claims", description="Decide the claims where needed.")
    parser.add_argument("file", type=Path, help="such as book/claims.csv")
    file = parser.parse_args(arguments).file
    today = basis()  # before they are read: what is written meanwhile is of another day
    if file.is_file() and RECORD.is_file() and RECORD.read_text(encoding="utf-8") == today + data_hash(file):
        print(f"{file} is as tables and code have it.")
        return
    from lib.analysis.scoreboard import main as decide  # imports torch and pandas

    decide(["--write", str(file)])
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(today + data_hash(file), encoding="utf-8")


if __name__ == "__main__":
    main()
