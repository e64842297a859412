"""Look after the store as `python -m lib.stages` does, knowing what pages need: python -m papers.store clean --unneeded."""

import importlib
from pathlib import Path

from lib.stages.__main__ import main
from lib.stages.experiment_plan import plan_keys
from lib.stages.stage import stage_keys


def needed_keys() -> set[str]:
    """Return the keys of every stage that some page of some paper runs at some scale.

    A page's module `papers/<paper>/<page>.py` says it in `PAGE`.
    """
    keys: set[str] = set()
    for file in sorted(Path(__file__).parent.glob("*/pages/*.py")):
        module = importlib.import_module(f"papers.{file.parents[1].name}.{file.stem}")
        recipes = importlib.import_module(f"papers.{file.parents[1].name}.recipes")
        for plan in (module.PAGE.plans(b, s) for b, scales in recipes.PLANS.items() for s in scales):
            keys |= plan_keys(plan, module.PAGE.chains(plan))
            for chain, replicates in module.PAGE.further(plan):
                keys |= {key for one in replicates for key in stage_keys(chain, one, plan.precision)}
    return keys


if __name__ == "__main__":
    raise SystemExit(main(needed_keys=needed_keys))
