"""Look after the store as `python -m lib.stages` does, knowing what pages need: python -m papers.store clean --unneeded."""

import importlib
from pathlib import Path

from lib.analysis.experiments import keys_today
from lib.stages.__main__ import main


def needed_keys() -> set[str]:
    """Return the keys of every stage that some page of some paper runs at some scale.

    `papers/<paper>/experiments.py` says it in `PAGES`.
    """
    keys: set[str] = set()
    for file in sorted(Path(__file__).parent.glob("*/experiments.py")):
        paper = file.parent.name
        plans = importlib.import_module(f"papers.{paper}.recipes").PLANS
        keys = keys.union(*(keys_today(paper, b, s) for b, scales in plans.items() for s in scales))
    return keys


if __name__ == "__main__":
    raise SystemExit(main(needed_keys=needed_keys))
