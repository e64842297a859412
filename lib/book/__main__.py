"""Make the book: python -m lib.book [--scale laptop]. Fetch the image sets, run the pages that are not of today, judge the
claims by the committed tables, build the HTML if anything in it changed. A page that fails, say for want of its images, does
not keep the others from the book. One process, since importing is most of the work where nothing changed."""

import argparse
import sys

sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]  # see lib.charts

from lib.batch import __main__ as batch  # noqa: E402
from lib.batch import claims  # noqa: E402
from lib.book import build  # noqa: E402
from lib.data import __main__ as data  # noqa: E402
from lib.scales import SCALES  # noqa: E402

IMAGE_SETS = ("mnist", "cifar10")
CLAIMS = "book/claims.csv"


def main(arguments: list[str] | None = None) -> None:
    """Make this repository's book from the command line, in its folder."""
    parser = argparse.ArgumentParser("python -m lib.book", description="Make the book.")
    parser.add_argument("--scale", default="laptop", help=f"{', '.join(SCALES)} (default: laptop)")
    given = parser.parse_args(arguments)
    status = data.main(["fetch", *IMAGE_SETS])
    try:
        batch.main(["--scale", given.scale])
    except SystemExit as ended:  # Snakemake ends so, whole or not
        if isinstance(ended.code, str):  # nothing was started
            raise
        status = ended.code or status
    claims.main([CLAIMS])
    build.main([])
    if status:
        raise SystemExit("error: some images are missing or some pages did not run, see above; the book shows what did")


if __name__ == "__main__":
    main()
