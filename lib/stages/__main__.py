"""Housekeeping of the store: python -m lib.stages size | verify | export FILE | import FILE | clean [--days N]."""

import argparse
import importlib
import sys
from pathlib import Path

from lib.errors import InputError
from lib.stages.experiment_plan import plan_keys
from lib.stages.stage import stage_keys
from lib.stages.store import Store

PAPERS = Path(__file__).parents[2] / "papers"


def needed_keys(papers: Path = PAPERS) -> set[str]:
    """Return the keys of every stage that some page of some paper runs at some scale.

    A page's module `papers/<paper>/<page>.py` says it in `PAGE`.
    """
    keys: set[str] = set()
    for file in sorted(papers.glob("*/pages/*.py")):
        module = importlib.import_module(f"papers.{file.parents[1].name}.{file.stem}")
        recipes = importlib.import_module(f"papers.{file.parents[1].name}.recipes")
        for plan in (module.PAGE.plans(b, s) for b, scales in recipes.PLANS.items() for s in scales):
            keys |= plan_keys(plan, module.PAGE.chains(plan))
            for chain, replicates in module.PAGE.further(plan):
                keys |= {key for one in replicates for key in stage_keys(chain, one, plan.precision)}
    return keys


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.stages", description="Look after the store of finished stages."
    )
    parser.add_argument("--store", help="folder of the store; the default one if not given")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("size", help="entries and bytes")
    commands.add_parser("verify", help="check every entry against its checksums")
    for name in ("export", "import"):
        commands.add_parser(name).add_argument("file", type=Path)
    clean = commands.add_parser(
        "clean", help="remove entries by age, or all that no page needs, or both at once"
    )
    clean.add_argument("--days", type=float, help="older than this many days")
    clean.add_argument("--unneeded", action="store_true", help="that no page of any paper needs")
    given = parser.parse_args(arguments)
    try:
        store = Store(given.store)
        if given.command == "size":
            count, size = store.size()
            print(f"{store.folder}: {count} finished stages, {size / 2**20:.1f} MiB")
        elif given.command == "verify":
            keys = store.keys()
            damaged = [key for key in keys if store.find(key) is None]
            print(f"{len(keys) - len(damaged)} whole, {len(damaged)} damaged and set aside")
            return 1 if damaged else 0
        elif given.command == "export":
            print(f"{store.export(given.file)} stages written to {given.file}")
        elif given.command == "import":
            print(f"{store.import_(given.file)} new stages taken in from {given.file}")
        else:
            removed = store.clean(given.days, needed_keys() if given.unneeded else None)
            print(f"{len(removed)} stages removed")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
