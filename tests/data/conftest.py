"""Real data for the tests that need it: CI must have it; elsewhere these tests are skipped without it."""

import os

import pytest

from lib.data import ImageSet, load
from lib.errors import InputError


@pytest.fixture(scope="session")
def mnist() -> ImageSet:
    try:
        return load("mnist")
    except InputError as problem:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have the real MNIST. {problem}")
        pytest.skip(str(problem))
