"""What many tests share: a recipe on generated images that trains within a second."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.stages import Store
from lib.training import DataRecipe, Recipe, Replicate

LONGEST = "tests/book/test_real_book.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the real book first, which takes longest, then what shares the toy book."""
    items.sort(key=lambda item: (not item.nodeid.startswith(LONGEST), not item.nodeid.startswith("tests/book/")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let one of several processes (`pytest -n 2`) run all tests that share what is made once, such as the toy book."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/book" if file.startswith("tests/book/") and file != LONGEST else file

    return Together(config, log)


@pytest.fixture
def recipe() -> Recipe:
    """LeNet on generated digits: 300 images, three epochs."""
    return Recipe(
        benchmark="digits",
        data=DataRecipe(image_set="generated-digits", validation=100, train=300, normalization="mnist"),
        network="lenet-300-100",
        epochs=3,
        batch_size=64,
        optimizer="adam",
        learning_rate=1.2e-3,
        rewind_epoch=1,
    )


@pytest.fixture
def objects_recipe() -> Recipe:
    """A narrow ResNet-20 on generated objects: 96 images, two epochs."""
    return Recipe(
        benchmark="objects",
        data=DataRecipe(
            image_set="generated-objects",
            validation=50,
            train=96,
            normalization="imagenet",
            augmentation="flip-crop",
        ),
        network="cifar-resnet20",
        width=4,
        epochs=2,
        batch_size=32,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=1e-4,
        drop_epochs=(1,),
        rewind_epoch=1,
    )


@pytest.fixture
def replicates() -> list[Replicate]:
    """Two seeds at two noise levels."""
    return [Replicate(seed=s, noise_percent=n) for s in (0, 1) for n in (0.0, 20.0)]


@pytest.fixture
def store(tmp_path) -> Store:
    """An empty store, for tests of what is trained and what is kept."""
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of the whole session, for tests that only need trained networks: what one has trained, others find."""
    return Store(tmp_path_factory.mktemp("shared") / "store")


def mount(*words: str) -> None:
    """Give `mount` its options, or skip the test where that is not allowed."""
    done = subprocess.run(["mount", *words], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"only root may mount a disk, and only on Linux: {done.stderr}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """What lies in the test's folder, at another place where nothing can be written."""
    place = tmp_path / "read_only"
    place.mkdir()
    mount("--bind", str(tmp_path), str(place))
    mount("-o", "remount,ro,bind", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
