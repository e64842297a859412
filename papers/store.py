"""Look after the store as `python -m lib.stages` does, knowing what pages need.

python -m papers.store clean --unneeded
python -m papers.store export FILE --paper label_noise --page dynamics --scale laptop
"""

import contextlib
import importlib
from pathlib import Path

from lib.analysis.experiments import keys_of, keys_today, pages_of
from lib.errors import InputError, unknown
from lib.scales import SCALES
from lib.stages.__main__ import main


def needed_keys(paper: str = "", page: str = "", benchmark: str = "", scale: str = "") -> set[str]:
    """Return the keys of every stage that some page of some paper runs at some scale; only of those that are named.

    `papers/<paper>/experiments.py` says it in `PAGES`.

    Raises:
        InputError: no page is so called, or none has such a plan.
    """
    keys: set[str] = set()
    papers = [file.parent.name for file in sorted(Path(__file__).parent.glob("*/experiments.py"))]
    plans = {one: importlib.import_module(f"papers.{one}.recipes").PLANS for one in papers}
    pages = {name for one in papers if paper in ("", one) for name in pages_of(one)}
    benchmarks = {name: scales for one in papers if paper in ("", one) for name, scales in plans[one].items()}
    for what, given, allowed in (
        ("paper", paper, papers), ("page", page, pages), ("benchmark", benchmark, benchmarks), ("scale", scale, SCALES)
    ):  # fmt: skip
        if given and given not in allowed:
            raise unknown(what, given, allowed)
    for one in papers if not paper else [paper]:
        asked = [
            (b, s) for b, scales in plans[one].items() for s in scales if benchmark in ("", b) and scale in ("", s)
        ]
        if not page:
            keys = keys.union(*(keys_today(one, b, s) for b, s in asked))
        elif found := pages_of(one).get(page):
            for b, s in asked:
                with contextlib.suppress(InputError):  # a benchmark or scale that the paper has and the page has not
                    keys |= keys_of(found, found.plans(b, s))
    return keys


if __name__ == "__main__":
    raise SystemExit(main(needed_keys=needed_keys))
