"""``python -m minsyn`` is ``minsyn``."""

from minsyn.cli import app

if __name__ == "__main__":
    app(prog_name="minsyn")
