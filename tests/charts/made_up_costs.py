"""Tables of costs made by hand: a CPU with every part, and a GPU with two of them."""

import json
from pathlib import Path
from typing import Any

from lib.analysis.costs import PARTS, Costs, read

CPU: dict[str, Any] = {
    "device": "2 CPU cores (a model)",
    "threads": 2,
    "versions": {"python": "3.11.7", "torch": "2.15.0"},
    "date": "2026-11-20",
    "command": "python -m lib.benchmark epochs --write",
    "notes": ["Medians of 5 rounds, <fast> & `slow` in turns.", "A second sentence."],
}
GPU = {**CPU, "device": "one GPU [a_model]", "threads": 8}
EPOCHS = [
    ("mnist-lenet", "conventional loop", "float32", 1, 5.3, 1.0, 0.46, "operations"),
    ("mnist-lenet", "this book", "float32", 1, 0.58, 9.1, 0.46, "operations"),
    ("mnist-lenet", "this book", "bfloat16", 1, 0.42, 12.6, 0.23, "bytes"),
    ("mnist-lenet", "this book", "float32", 12, 0.49, 10.8, 0.46, "operations"),
    ("mnist-lenet", "this book", "bfloat16", 12, 0.27, 19.6, 0.23, "bytes"),
    ("cifar10-resnet20", "conventional loop", "float32", 1, 71.2, 1.0, 22.1, "operations"),
    ("cifar10-resnet20", "this book", "float32", 1, 41.5, 1.7, 22.1, "operations"),
    ("cifar10-resnet20", "this book", "bfloat16", 1, 29.0, 2.5, "", ""),
]
GPU_EPOCHS = [
    ("mnist-lenet", "conventional loop", "float32", 1, 6.1, 1.0, 0.002, "bytes"),
    ("mnist-lenet", "this book", "float32", 1, 0.21, 29.0, 0.002, "bytes"),
    ("mnist-lenet", "this book", "tf32", 12, 0.031, 196.8, 0.002, "bytes"),
    ("mnist-lenet", "this book, deterministic", "float32", 1, 0.252, 24.2, 0.002, "bytes"),
]
PATHS = [
    ("lenet-300-100", 100, 0.49, 0.485, "s per replicate and epoch", 1.01, 91.5),
    ("lenet-300-100", 51.2, 0.49, 0.41, "s per replicate and epoch", 1.2, 78.0),
    ("lenet-300-100", 26.2, 0.49, 0.33, "s per replicate and epoch", 1.48, 61.0),
    ("lenet-300-100", 6.87, 0.49, 0.21, "s per replicate and epoch", 2.33, 33.0),
    ("lenet-300-100", 0.922, 0.49, 0.14, "s per replicate and epoch", 3.5, 12.2),
    ("cifar-vgg16", 100, 1.10, 1.11, "s per step", 0.99, 100.0),
    ("cifar-vgg16", 20, 1.10, 1.02, "s per step", 1.08, 93.0),
    ("cifar-vgg16", 5, 1.11, 0.80, "s per step", 1.39, 70.1),
    ("cifar-vgg16", 0.8, 1.10, 0.32, "s per step", 3.44, 21.0),
]
PRECISION = [
    ("mnist-lenet", 0, 100, "float32", 3, 1.98, 0.06, "", ""),
    ("mnist-lenet", 0, 100, "bfloat16", 3, 2.01, 0.07, 0.03, 0.08),
    ("mnist-lenet", 15, 16.8, "float32", 3, 8.6, 0.2, "", ""),
    ("mnist-lenet", 15, 16.8, "bfloat16", 3, 8.55, 0.31, -0.05, 0.22),
    ("cifar10-resnet20", 0, 16.8, "float32", 1, 11.2, "", "", ""),
    ("cifar10-resnet20", 0, 16.8, "tf32", 1, 11.3, "", 0.1, ""),
]
OTHER = [
    ("scoring and masking ResNet-50", 0.7, "s", "25.5 M weights, magnitude, global"),
    ("peak memory, LeNet on MNIST, stack of 12", 1.43, "GB", "one epoch at paper scale, float32"),
]
PAGES = [
    ("training_regularization", "additional_regularization", "mnist-lenet", "paper", 15840, 7900, "estimated"),
    ("training_regularization", "additional_regularization", "mnist-lenet", "laptop", 480, 200, "estimated"),
    ("training_regularization", "additional_regularization", "cifar10-resnet20", "paper", 42240, 1.7e6, "estimated"),
]  # fmt: skip
EVERYTHING = {
    "epochs_cpu": EPOCHS,
    "epochs_cuda": GPU_EPOCHS,
    "paths_cpu": PATHS,
    "precision_cpu": PRECISION,
    "other_cpu": OTHER,
    "pages_cpu": PAGES,
}


def write(folder: Path, **tables: list[tuple]) -> Path:
    """Write tables, named as their files: write(folder, epochs_cpu=EPOCHS)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        part, device = name.rsplit("_", 1)
        lines = [",".join(PARTS[part]), *(",".join(f'"{cell}"' for cell in row) for row in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")
        about = {**(CPU if device == "cpu" else GPU), "command": f"python -m lib.benchmark {part} --write"}
        (folder / f"{name}.json").write_text(json.dumps(about), "utf-8")
    return folder


def table(folder: Path, **tables: list[tuple]) -> Costs:
    """Write one table and read it."""
    return read(write(folder, **tables))[0]
