"""The weights of the page's network as 16-bit integers, with one scale per matrix: w ≈ q · max |w| / 32767."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

FOLDER, FILE = Path(__file__).parent, "network.safetensors"
LARGEST = 2**15 - 1

State = dict[str, Tensor]


def to_integers(state: Mapping[str, Tensor]) -> tuple[State, dict[str, float]]:
    """Return weight matrices as int16 and all else as it is, and the scale of each matrix."""
    scales = {name: float(w.abs().max() / LARGEST) for name, w in state.items() if w.dim() > 1}
    whole = {name: (w / scales[name]).round().to(torch.int16) if name in scales else w for name, w in state.items()}
    return whole, scales


def from_integers(kept: Mapping[str, Tensor], scales: Mapping[str, float]) -> State:
    """Undo `to_integers`, in float32 as the page's script does."""
    return {name: w.float() * scales[name] if name in scales else w for name, w in kept.items()}


def read(folder: Path = FOLDER) -> State:
    """Return the weights and biases of the network, name → float32, as `lib.models.LeNet` has them."""
    made = json.loads((folder / "network.json").read_text("utf-8"))
    return from_integers({n: t for n, t in load_file(folder / FILE).items() if "." in n}, made["scales"])
