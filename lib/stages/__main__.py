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

SELECTION = ("paper", "page", "benchmark", "scale")


def main(arguments: list[str] | None = None, needed_keys: Callable[..., set[str]] | None = None) -> int:
    """Run one command; return 2 for bad input.

    `clean --unneeded` and a part of `export` are there for those who know which keys are needed, of all or of a `SELECTION`.
    """
    parser = argparse.ArgumentParser(description="Look after the store of finished stages.")
    parser.add_argument("--store", help="folder of the store; the default one if not given")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("size", help="entries and bytes")
    commands.add_parser("verify", help="check every file against its checksum")
    for name in ("export", "import"):
        moved = commands.add_parser(name)
        moved.add_argument("file", type=Path)
        for part in SELECTION if needed_keys and name == "export" else ():
            moved.add_argument(f"--{part}", default="", help=f"only what this {part} needs")
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
            part = {name: chosen for name in SELECTION if (chosen := getattr(given, name, ""))}
            keys, of = None, ""
            if needed_keys and part:
                needed = needed_keys(**part)
                keys, of = [key for key in needed if (store.entries / key).exists()], f" of {len(needed)}"
            print(f"{housekeeping.export(store, given.file, keys)}{of} stages written to {given.file}")
        elif given.command == "import":
            print(f"{housekeeping.import_(store, given.file)} new stages taken in from {given.file}")
        else:
            if given.days is None and not getattr(given, "unneeded", False):
                raise InputError(
                    f"clean needs --days N{', --unneeded, or both' if needed_keys else ''}: what is to go."
                )
            keep = needed_keys() if needed_keys and given.unneeded else None
            print(f"{len(housekeeping.clean(store, given.days, keep))} stages removed")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
