"""The tests of LN's claims, by claim, and the benchmarks that each speaks of."""

from collections.abc import Mapping, Sequence

from lib.analysis.verdicts import ClaimTest

CLAIM_TESTS: Mapping[str, ClaimTest] = {}

CLAIM_BENCHMARKS: Mapping[str, Sequence[str]] = {}
