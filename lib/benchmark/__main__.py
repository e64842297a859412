"""Print what training costs here, and keep the tables for the book: python -m lib.benchmark --help."""

import argparse
import datetime
import json
import os
import platform
from collections.abc import Callable

import pandas
import torch

from lib.analysis.files import REPOSITORY, write_whole
from lib.benchmark.epochs import epochs
from lib.benchmark.other import other
from lib.benchmark.pages import pages
from lib.benchmark.paths import paths
from lib.benchmark.precision import precision
from lib.training.device import describe_device, find_device
from lib.training.processor import prepare_processor

Part = Callable[[torch.device, bool], tuple[pandas.DataFrame, list[str]]]
PARTS: dict[str, Part] = {
    "epochs": epochs,
    "other": other,
    "paths": paths,
    "pages": pages,
    "precision": precision,
}
DEFAULT = ("epochs", "other", "paths", "pages")


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that were asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m lib.benchmark", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help=f"default: {' '.join(DEFAULT)}")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true", help="a few batches, to try the benchmark itself")
    parser.add_argument("--write", action="store_true", help="keep the tables in book/costs for the book")
    given = parser.parse_args(arguments)
    device = find_device(given.device)
    prepare_processor()
    if given.write and given.quick:
        parser.error("--quick measures nothing worth keeping; leave out --write")
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    print(f"{describe_device(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for part in given.part or DEFAULT:
        table, notes = PARTS[part](device, given.quick)
        if os.environ.get("OMP_WAIT_POLICY") == "PASSIVE":
            notes = [
                *notes,
                "Other work kept this machine busy: threads slept while they waited, which is slower.",
            ]
        print(f"\n{part}\n{table.to_string(index=False)}\n" + "\n".join(notes), flush=True)
        if given.write:
            where = REPOSITORY / "book" / "costs" / f"{part}_{device.type}"
            about = {
                "device": describe_device(device),
                "threads": torch.get_num_threads(),
                "versions": versions,
                "date": datetime.date.today().isoformat(),
                "command": f"python -m lib.benchmark {part} --write",
                "notes": notes,
            }
            write_whole(
                {
                    where.with_suffix(".csv"): table.to_csv(index=False, lineterminator="\n"),
                    where.with_suffix(".json"): json.dumps(about, indent=1) + "\n",
                }
            )


if __name__ == "__main__":
    main()
