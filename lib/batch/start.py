"""Start pages from one process that has read what executing a page needs, which takes longer than the start of a kernel.

That process is `multiprocessing`'s fork server. A page is a process of its own all the same, with its own environment, and
ends with the process that asked for it. Elsewhere than on Linux each page reads everything itself: forking is unsafe there.
"""

import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What libraries of matrix products read when the page's kernel loads them."""

if sys.platform == "linux":
    _ready = multiprocessing.get_context("forkserver")
    _ready.set_forkserver_preload(["lib.batch.page"])
else:
    _ready = multiprocessing.get_context("spawn")

_one_at_a_time = threading.Lock()
"""Starting a process also asks whether the others have ended, and how one ended can be read from its pipe only once."""


def execute(arguments: Sequence[str], threads: int) -> None:
    """Execute a page, and wait for its end; many threads may do so at once.

    Args:
        arguments: as `python -m lib.batch.page` takes them.
        threads: of the page's matrix products.

    Raises:
        RuntimeError: the page failed; it has said why.
    """
    process = _ready.Process(target=_page, args=(list(arguments), threads))
    with _one_at_a_time:
        process.start()
    multiprocessing.connection.wait([process.sentinel])
    with _one_at_a_time:
        process.join()
    if process.exitcode:
        raise RuntimeError(f"the page {arguments[0]} ended with status {process.exitcode}")


def end_with_parent(end: Callable[[], object] = lambda: os._exit(1)) -> None:
    """End this process, or call `end`, within a second of its parent's end; a kernel does the same with a page.

    Of a process that `multiprocessing` started, the parent is the one that asked for it.
    """
    asked, parent = multiprocessing.parent_process(), os.getppid()

    def watch() -> None:
        if asked:
            asked.join()
        while os.getppid() == parent and not asked:
            time.sleep(0.5)
        end()

    threading.Thread(target=watch, daemon=True).start()


def _page(arguments: list[str], threads: int) -> None:
    os.environ |= dict.fromkeys(THREADS, str(threads))
    from lib.batch import page

    sys.exit(page.main(arguments))
