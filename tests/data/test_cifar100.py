"""CIFAR-100 is read from torchvision's files: right files are decoded, wrong ones are refused and named.

The real files are not needed: a generated tree has their format, and its class carries its own MD5s.
"""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lib.data import load
from lib.data.generated import generate, write_cifar100
from lib.data.image_sources import KNOWN, TENSORS, _shapes
from lib.errors import InputError

REAL = KNOWN["cifar100"]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the known CIFAR-100 a set of 200 and 100 images and lay its files in the data folder."""
    kind = write_cifar100(tmp_path, 200, 100)
    names = generate("generated-objects", 1, 1, 100)["class_names"]
    known = replace(REAL, class_names=names, shapes=_shapes(200, 100, 32, 32, 3))
    monkeypatch.setattr("torchvision.datasets.CIFAR100", kind)
    monkeypatch.setitem(KNOWN, "cifar100", known)
    return tmp_path


def test_files_are_decoded(tree: Path) -> None:
    """Against the pickles themselves: a row is the red, then the green, then the blue plane."""
    images = load("cifar100", tree, download=False)
    expected = generate("generated-objects", 200, 100, 100)
    assert all(torch.equal(getattr(images, part), expected[part]) for part in TENSORS)
    with (tree / "cifar-100-python" / "test").open("rb") as file:
        content = pickle.load(file)
    row = content["data"][7].reshape(3, 32, 32)
    assert images.test_images[7, 3, 5].tolist() == row[:, 3, 5].tolist()
    assert images.test_labels.tolist() == content["fine_labels"] and len(images.class_names) == 100


def test_the_kept_file_is_used_and_watched(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = load("cifar100", tree, download=False)
    (tree / "cifar-100-python").rename(tree / "away")
    assert torch.equal(first.train_images, load("cifar100", tree, download=False).train_images)
    kept = tree / "cifar100.safetensors"
    content = bytearray(kept.read_bytes())
    content[-1500] ^= 1  # a pixel: neither shape nor labels show it
    kept.write_bytes(content)
    with pytest.raises(InputError, match=r"SHA-256 of train_images .*kept as cifar100\.safetensors\.damaged"):
        load("cifar100", tree, download=False)
    assert "is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["train", "test", "meta"])
def test_a_file_with_another_md5_is_refused_before_it_is_decoded(tree: Path, file: str, monkeypatch) -> None:
    path = tree / "cifar-100-python" / file
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    if file != "meta":  # which torchvision checks last
        monkeypatch.setattr("torchvision.datasets.cifar.pickle.load", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(InputError, match="corrupted"):
        load("cifar100", tree, download=False)


def test_generated_files_are_not_taken_for_the_real_ones(tmp_path: Path) -> None:
    write_cifar100(tmp_path, 200, 100)
    with pytest.raises(InputError, match="not found or corrupted") as caught:
        load("cifar100", tmp_path, download=False)
    assert "cifar-100-python/train, test and meta" in str(caught.value) and "npm" not in str(caught.value)


def test_other_names_and_other_numbers_are_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(set(REAL.class_names)) == 100 and list(REAL.class_names) == sorted(REAL.class_names)
    with monkeypatch.context() as others:
        others.setitem(KNOWN, "cifar100", replace(KNOWN["cifar100"], class_names=REAL.class_names))
        with pytest.raises(InputError, match="class names in cifar-100-python/meta"):
            load("cifar100", tree, download=False)
    monkeypatch.setitem(KNOWN, "cifar100", replace(KNOWN["cifar100"], shapes=_shapes(200, 99, 32, 32, 3)))
    with pytest.raises(InputError, match=r"test_images is torch.uint8 \(100, 32, 32, 3\)"):
        load("cifar100", tree, download=False)


def test_the_generated_set_needs_no_file() -> None:
    images = load("generated-cifar100")
    assert len(images.class_names) == 100 and images.train_images.shape == (600, 32, 32, 3)
    assert torch.bincount(images.train_labels.long()).tolist() == [6] * 100
