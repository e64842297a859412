"""Look after the store: python -m lib.stages size | verify | export FILE | import FILE | clean [--days N].

`python -m papers.store` does the same and can also remove what no page of any paper needs.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from lib.errors import InputError
from lib.stages import housekeeping
from lib.stages.store import Store


def main(arguments: list[str] | None = None, needed_keys: Callable[[], set[str]] | None = None) -> int:
    """Run one command; return 2 for bad input. `clean --unneeded` is there for those who know which keys are needed."""
    parser = argparse.ArgumentParser(description="Look after the store of finished stages.")
    parser.add_argument("--store", help="folder of the store; the default one if not given")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("size", help="entries and bytes")
    commands.add_parser("verify", help="check every file against its checksum")
    for name in ("export", "import"):
        commands.add_parser(name).add_argument("file", type=Path)
    clean = commands.add_parser("clean", help="remove entries")
    clean.add_argument("--days", type=float, help="older than this many days")
    if needed_keys:
        clean.add_argument("--unneeded", action="store_true", help="that no page of any paper needs")
    given = parser.parse_args(arguments)
    try:
        store = Store(given.store)
        if given.command == "size":
            count, size = housekeeping.size(store)
            print(f"{store.folder}: {count} finished stages, {size / 2**20:.1f} MiB")
        elif given.command == "verify":
            damaged = housekeeping.verify(store)
            print(f"{len(store.keys())} stages whole; damaged and set aside: {', '.join(damaged) or 'none'}")
            return 1 if damaged else 0
        elif given.command == "export":
            print(f"{housekeeping.export(store, given.file)} stages written to {given.file}")
        elif given.command == "import":
            print(f"{housekeeping.import_(store, given.file)} new stages taken in from {given.file}")
        else:
            keep = needed_keys() if needed_keys and given.unneeded else None
            print(f"{len(housekeeping.clean(store, given.days, keep))} stages removed")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
