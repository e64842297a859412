"""A toy project: one paper, one page, in a temporary folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = """\
# %% [markdown]
# # A toy
# Prose.

# %% tags=["parameters"]
benchmark: str = "one"
scale: str = "laptop"
epochs: int = 2
rate: float = 0.1
levels: list[int] = [0, 1]
fast: bool = False

# %%
import os
import sys
import time
from pathlib import Path

with Path(f"begun-{benchmark}").open("a") as file:
    file.write(f"{os.getpid()} {os.getppid()}\\n")
while benchmark == "slow" and not Path("go").exists():
    time.sleep(0.05)

# %%
print(sys.executable, benchmark, epochs, os.environ.get("CUDA_VISIBLE_DEVICES"))
print("\\r 10%|#\\r100%|##########|", file=sys.stderr)
assert epochs < 100, "too many epochs"
"""

PLAN = """\
page:
  grid:
    laptop: {benchmark: [one, slow]}
  book:
    shown: {benchmark: one}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with papers/toy, which is also the current folder."""
    pages = tmp_path / "papers" / "toy" / "pages"
    pages.mkdir(parents=True)
    (pages / "page.py").write_text(PAGE)
    (pages.parent / "plan.yml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return tmp_path


@pytest.fixture
def batch(project: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m lib.batch` in the project with the given options."""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lib.batch", *options]
        return subprocess.run(command, cwd=project, env=dict(os.environ), capture_output=True, text=True, timeout=300)

    return run
