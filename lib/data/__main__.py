"""Fetch image sets ahead of time: `python -m lib.data fetch mnist cifar10 [--folder FOLDER]`.

Some cannot be fetched by a program, such as ImageNet: `fetch imagenet` says whether its folders are there, with every file.
"""

import argparse
import sys
from pathlib import Path

from lib.data.folder_images import STREAMED, open_folders
from lib.data.image_sets import NAMES, default_folder, load
from lib.errors import InputError, unknown


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0 when every set is there and whole, 2 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m lib.data", description="Fetch and check image sets.")
    fetch = parser.add_subparsers(dest="command", required=True).add_parser("fetch", help="fetch and check")
    fetch.add_argument("names", nargs="+", metavar="NAME", help=f"of {', '.join((*NAMES, *STREAMED))}")
    fetch.add_argument("--folder", type=Path, help=f"data folder (default {default_folder()})")
    chosen = parser.parse_args(arguments)
    try:
        for name in chosen.names:  # refused before any work
            if name not in (*NAMES, *STREAMED):
                raise unknown("image set", name, (*NAMES, *STREAMED))
    except InputError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    status = 0
    for name in chosen.names:  # one that is out of reach does not keep the others away
        try:
            images = (open_folders if name in STREAMED else load)(name, chosen.folder)
        except InputError as problem:
            print(f"error: {problem}", file=sys.stderr)
            status = 2
            continue
        train, test = len(images.train_images), len(images.test_images)
        print(f"{name}: {train:,} training and {test:,} test images, whole.")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
