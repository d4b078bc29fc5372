"""Threads of BLAS, OpenMP and torch: one for small work, which more would slow down."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import Lock, local

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread", "one_thread_if_small"]

#: Multiplications up to which one thread is about as fast as more (`benchmarks/threads.py`).
_SMALL = 2_000_000
_HERE, _LOCK = local(), Lock()
#: Threads of torch outside `one_thread`, for each Python thread that is inside. A Python thread
#: that is new to torch takes over the last number that was set: only the first inside can ask.
_OUTSIDE: list[int] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS, OpenMP and torch to one thread each.

    Sums then have the same order, and so the same bits, whatever the number of processors. Of
    several Python threads, the first limits BLAS, whose threads are those of the process.
    """
    if getattr(_HERE, "inside", False):
        yield
        return
    torch = sys.modules.get("torch")
    _HERE.inside = True
    limit = ExitStack()
    with _LOCK:
        n_threads = torch.get_num_threads() if torch else 1
        if not _OUTSIDE:
            limit.enter_context(_libraries().limit(limits=1))
        _OUTSIDE.append(_OUTSIDE[0] if _OUTSIDE else n_threads)
        if torch:
            torch.set_num_threads(1)
    try:
        yield
    finally:
        with _LOCK:
            limit.close()
            n_threads = _OUTSIDE.pop()
            if torch:
                torch.set_num_threads(n_threads)
        _HERE.inside = False


@contextmanager
def one_thread_if_small(n_multiplications: float) -> Iterator[None]:
    """Keep work to one thread if it is too small to be shared.

    More threads hardly make such work faster. They make it far slower where other work keeps the
    processors busy, as each waits for the others at the end of every product.

    Parameters
    ----------
    n_multiplications : float
        Multiplications of one step, which is repeated: a pass over a batch.
    """
    if n_multiplications > _SMALL:
        yield
        return
    with one_thread():
        yield


@cache
def _libraries() -> ThreadpoolController:
    """The libraries that are loaded at the first call; looking for them takes milliseconds."""
    return ThreadpoolController()
