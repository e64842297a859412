"""Altair charts, one theme; every chart says its scale and replicates."""

import sys

# Altair checks specifications with jsonschema, which loads this parser of addresses where it is installed, a second at every
# start of a kernel, for a check that no chart uses. jsonschema does without it where it cannot be imported.
sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
