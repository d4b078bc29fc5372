"""``python -m minsyn`` is ``minsyn``; Ctrl-C ends it in one line from its first import on."""

# Few and light imports: Ctrl-C before `main` begins is Python's own to show.
import atexit
import os
import signal
import sys

__all__ = ["main"]

_CODE, _LINE = 130, "Stopped.\n"


def main() -> None:
    """Run the command line.

    Ctrl-C has exit code 130 and one line, whether it meets a command, the imports before it, or the
    end of Python after it. Files are written such that a process may end at any moment: a second
    Ctrl-C ends it at once.

    Examples
    --------
    >>> main()  # doctest: +SKIP
    """
    # A shell lets its background jobs ignore Ctrl-C, which must stay so.
    guarded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if guarded:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _unraisable
        # The last of what runs at exit. Python then gives signals their defaults back, but not to
        # those that are ignored.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    code: object = _CODE
    try:
        from minsyn.cli import app

        app(prog_name="minsyn")
    except KeyboardInterrupt:
        sys.stderr.write(_LINE)
    except SystemExit as end:
        code = end.code
    if guarded:
        signal.signal(signal.SIGINT, lambda *_: _leave(code if isinstance(code, int) else 0))
    # Python ends itself by a signal if Ctrl-C met a string that it executed, as dataclasses do,
    # unless it executes another.
    exec("")
    raise SystemExit(code)


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGINT, lambda *_: _leave(_CODE))
    raise KeyboardInterrupt


def _unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Ctrl-C in a destructor, where Python would drop the exception and go on."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    sys.stderr.write(_LINE)
    _leave(_CODE)


def _leave(code: int) -> None:
    """End the process at once."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
