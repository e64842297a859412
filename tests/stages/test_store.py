"""The store: whole or not at all, whatever happens."""

import errno
import json
import os
import time

import pytest
import torch

from lib.errors import InputError
from lib.stages import Store
from lib.stages.__main__ import main

RECORD = {"metrics": [], "diverged": False}
GROUPS = {"weights": {"w": torch.arange(6.0)}, "masks": {"w": torch.tensor([255], dtype=torch.uint8)}}


def test_an_entry_comes_back_as_it_went_in(store):
    store.put({"a" * 8: (RECORD, GROUPS)})
    entry = store.find("a" * 8)
    assert entry and entry.record == RECORD
    assert torch.equal(entry.tensors("weights")["w"], torch.arange(6.0))
    assert store.find("b" * 8) is None
    count, size = store.size()
    assert count == 1 and size > 100


@pytest.mark.parametrize("how", ["flip", "truncate", "remove", "manifest"])
def test_a_damaged_entry_is_named_set_aside_and_absent(store, how):
    store.put({"k1": (RECORD, GROUPS)})
    file = store.folder / "entries" / "k1" / ("manifest.json" if how == "manifest" else "weights.safetensors")
    content = bytearray(file.read_bytes())
    if how == "flip":
        content[-1] ^= 1
        file.write_bytes(content)
    elif how == "truncate":
        file.write_bytes(content[:-3])
    elif how == "remove":
        file.unlink()
    else:
        file.write_bytes(content[: len(content) // 2])
    with pytest.warns(UserWarning, match="k1 is damaged"):
        assert store.find("k1") is None
    assert [p.name[:2] for p in (store.folder / "damaged").iterdir()] == ["k1"]
    store.put({"k1": (RECORD, GROUPS)})
    assert store.find("k1") is not None


def test_a_full_disk_leaves_nothing_half_written(store, monkeypatch):
    store.put({"k0": (RECORD, GROUPS)})
    from lib.stages import store as module

    calls = []

    def full(tensors, path):
        calls.append(path)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(b"x")

    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(InputError, match="no space left.*finished stages are untouched"):
        store.put({"k1": (RECORD, GROUPS), "k2": (RECORD, GROUPS)})
    assert store.keys() == ["k0"]
    assert not any(p.is_dir() for p in (store.folder / "incoming").iterdir())


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="the store .* cannot be written.*another folder|Another folder"):
        Store(tmp_path / "file" / "store")


def test_a_batch_declared_complete_is_carried_to_its_end(store):
    """Killed between the declaration and the moves: both entries appear; an undeclared batch never does."""
    store.put({"k1": (RECORD, GROUPS)})
    batch = store.folder / "incoming" / "x.complete"
    batch.mkdir()
    (store.folder / "entries" / "k1").rename(batch / "k1")
    undeclared = store.folder / "incoming" / "y"
    (undeclared / "k2").mkdir(parents=True)
    os.utime(undeclared, times=(time.time() - 7200, time.time() - 7200))
    again = Store(store.folder)
    assert again.keys() == ["k1"] and again.find("k1")
    assert not any(p.is_dir() for p in (store.folder / "incoming").iterdir())


def test_export_and_import(store, tmp_path):
    store.put({"k1": (RECORD, GROUPS), "k2": (RECORD, GROUPS)})
    file = tmp_path / "export.tar"
    assert store.export(file) == 2
    other = Store(tmp_path / "other")
    assert other.import_(file) == 2 and other.import_(file) == 0
    assert other.find("k2")
    file.write_bytes(file.read_bytes()[:1500])
    with pytest.raises(InputError, match="nothing was imported"):
        Store(tmp_path / "third").import_(file)
    assert Store(tmp_path / "third").keys() == []


def test_import_refuses_damaged_entries(store, tmp_path):
    store.put({"k1": (RECORD, GROUPS)})
    manifest = store.folder / "entries" / "k1" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"]["weights.safetensors"] = "0" * 64
    manifest.write_text(json.dumps(content))
    store.export(tmp_path / "bad.tar")
    with pytest.raises(InputError, match="k1 is damaged"):
        Store(tmp_path / "other").import_(tmp_path / "bad.tar")


def test_cleaning(store):
    store.put({key: (RECORD, GROUPS) for key in ("old", "new", "kept")})
    for key in ("old", "kept"):
        os.utime(store.folder / "entries" / key, times=(time.time() - 10 * 86400, time.time() - 10 * 86400))
    with pytest.raises(InputError, match="older_than_days"):
        store.clean()
    assert store.clean(older_than_days=5, keep=["kept"]) == ["old"]
    assert store.clean(keep=["kept"]) == ["new"]
    assert store.keys() == ["kept"]


def test_damaged_checkpoint_starts_over(store):
    path = store.checkpoint_path(["k1"])
    store.save_checkpoint(path, {"epoch": 3})
    assert store.load_checkpoint(path) == {"epoch": 3}
    path.write_bytes(b"nonsense")
    with pytest.warns(UserWarning, match="starts over"):
        assert store.load_checkpoint(path) is None


def test_housekeeping_commands(store, tmp_path, capsys):
    store.put({"k1": (RECORD, GROUPS)})
    at = ["--store", str(store.folder)]
    assert main([*at, "size"]) == 0 and "1 finished stages" in capsys.readouterr().out
    assert main([*at, "verify"]) == 0
    assert main([*at, "export", str(tmp_path / "f.tar")]) == 0
    assert main([*at, "clean"]) == 2 and "older_than_days" in capsys.readouterr().err
    assert main([*at, "clean", "--unneeded"]) == 0 and store.keys() == []
    assert main([*at, "import", str(tmp_path / "f.tar")]) == 0 and store.keys() == ["k1"]
