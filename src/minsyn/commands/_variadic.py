"""Options that take several words: ``--sources a b c --targets x y``."""

from typing import Any

from typer.core import TyperCommand

__all__ = ["VariadicCommand"]


class VariadicCommand(TyperCommand):
    """A command whose list options take all words up to the next option.

    ``--sources a b c`` is the same as ``--sources a --sources b --sources c``. Arguments of the
    command stand before its options, or after ``--``.

    Examples
    --------
    >>> import typer
    >>> app = typer.Typer()
    >>> @app.command(cls=VariadicCommand)
    ... def add(file: str, numbers: list[int] = typer.Option([])) -> None:
    ...     print(file, sum(numbers))
    >>> app(["f.csv", "--numbers", "1", "2", "3"], standalone_mode=False)
    f.csv 6
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        several = {
            name
            for parameter in self.params
            if getattr(parameter, "multiple", False)
            for name in parameter.opts
        }
        return super().parse_args(ctx, _repeated(args, several))


def _repeated(args: list[str], several: set[str]) -> list[str]:
    """Repeat the name of an option before each of its values."""
    result: list[str] = []
    option, fresh = None, False
    for position, word in enumerate(args):
        if word == "--":
            return result + args[position:]
        if word.startswith("--") or (word.startswith("-") and not _is_number(word)):
            name = word.split("=", 1)[0]
            option, fresh = (name if name in several else None), "=" not in word
        elif option is not None:
            if not fresh:
                result.append(option)
            fresh = False
        result.append(word)
    return result


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
