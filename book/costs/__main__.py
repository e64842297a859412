"""Print what training costs here, and keep the tables for the book: python -m book.costs --help."""

import argparse
import datetime
import os
import platform
from collections.abc import Callable

import pandas
import torch

from book.costs import tables
from book.costs.batch import batch
from book.costs.convolutions import convolutions
from book.costs.epochs import epochs
from book.costs.estimates import pages
from book.costs.other import other
from book.costs.paths import paths
from book.costs.precision import precision
from lib.training.device import describe_device, find_device
from lib.training.processor import prepare_processor

Part = Callable[[torch.device, bool], tuple[pandas.DataFrame, list[str]]]
PARTS: dict[str, Part] = {
    "epochs": epochs,
    "other": other,
    "batch": batch,
    "paths": paths,
    "convolutions": convolutions,
    "pages": pages,
    "precision": precision,
}
DEFAULT = ("epochs", "other", "batch", "paths", "convolutions", "pages")
BUSY = "Other work kept this machine busy: threads slept while they waited, which is slower."


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that were asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m book.costs", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help=f"default: {' '.join(DEFAULT)}")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true", help="a few batches, to try the measurements themselves")
    parser.add_argument("--write", action="store_true", help="keep the tables in book/costs for the book")
    given = parser.parse_args(arguments)
    device = find_device(given.device)
    prepare_processor()
    if given.write and given.quick:
        parser.error("--quick measures nothing worth keeping; leave out --write")
    print(f"{describe_device(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for part in given.part or DEFAULT:
        frame, notes = PARTS[part](device, given.quick)
        notes = [*notes, *([BUSY] if os.environ.get("OMP_WAIT_POLICY") == "PASSIVE" else [])]
        print(f"\n{part}\n{frame.to_string(index=False)}\n" + "\n".join(notes), flush=True)
        if given.write:
            source = tables.Source(
                device=describe_device(device),
                threads=torch.get_num_threads(),
                versions={"python": platform.python_version(), "torch": torch.__version__},
                date=datetime.date.today(),
                command=tables.command(part),
                notes=tuple(notes),
            )
            tables.write(tables.Costs(part, device.type, source, frame))


if __name__ == "__main__":
    main()
