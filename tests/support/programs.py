"""Programs that tests start, none of which outlives its test."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager


@contextmanager
def started(*words, **options):
    """Start Python on these words, with what it starts in turn; kill what is left in the end.

    Forks of the tests' own process would be shorter, but wait for ever for a lock that another
    thread held at that moment.
    """
    options.setdefault("stdout", subprocess.PIPE)
    process = subprocess.Popen([sys.executable, *words], start_new_session=True, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            kill_all(process)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def kill_all(process):
    """Kill a program and what it has started, where the system has groups of processes."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def script(text):
    """Words that have Python run an indented script."""
    return "-c", textwrap.dedent(text)


@contextmanager
def heard_interrupts():
    """Let programs that are started hear Ctrl-C, also where the tests were started without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
