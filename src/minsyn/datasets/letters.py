"""Images of single letters, and random choice among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, Shaped, UInt8


@dataclass(frozen=True, eq=False)
class Letters:
    """Images of letters with the character that each one shows.

    Parameters
    ----------
    images : uint8 array of shape (n, h, w)
        Ink is bright (255), background is 0.
    labels : array of n strings
        One character each: letters, digits, or any other sign of a script.
    styles : array of shape (n,), optional
        Handwriting or font of each image. :meth:`draw` then chooses all letters from one style.
    name : str
        Name of the source of the images, for tables, captions and error messages.

    Raises
    ------
    TypeError
        If ``images`` are not uint8, or ``labels`` are not strings.
    ValueError
        If there are no images, images have no pixels, arrays differ in length, or a label is not
        exactly one character.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn.datasets import Letters
    >>> letters = Letters(np.zeros((3, 2, 2), np.uint8), np.array(["b", "a", "b"]))
    >>> letters.alphabet
    ('a', 'b')
    >>> letters.draw(np.random.default_rng(0), "a")
    {'a': 1}
    """

    images: UInt8[np.ndarray, "n h w"]
    labels: Shaped[np.ndarray, "n"]
    styles: Shaped[np.ndarray, "n"] | None = None
    name: str = "letters"

    def __post_init__(self) -> None:
        require_letters(self.images, self.labels, self.styles)

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The characters with at least one image, sorted."""
        return tuple(self._rows)

    def pick(self, letter: str, rng: np.random.Generator, n: int = 1) -> Int[np.ndarray, "{n}"]:
        """Choose images of a letter at random, uniformly and with replacement.

        Parameters
        ----------
        letter : str
            One character of :attr:`alphabet`.
        rng : numpy.random.Generator
            Advanced by ``n`` draws.
        n : int
            Number of choices.

        Returns
        -------
        integer array of shape (n,)
            Rows of :attr:`images`.

        Raises
        ------
        ValueError
            If the letter has no image.

        Examples
        --------
        >>> import numpy as np
        >>> from minsyn.datasets import load_letters
        >>> letters = load_letters("typewriter")
        >>> rows = letters.pick("q", np.random.default_rng(0), n=3)
        >>> letters.labels[rows].tolist()
        ['q', 'q', 'q']
        """
        self.require([letter])
        return rng.choice(self._rows[letter], size=n)

    def draw(
        self, rng: np.random.Generator, alphabet: Iterable[str] | None = None
    ) -> dict[str, int]:
        """Choose one image for each letter.

        If styles are known, all images have the same style, chosen at random among those with all
        requested letters. A word then has one handwriting or font. If no style has all of them,
        each letter is chosen from all of its images.

        Parameters
        ----------
        rng : numpy.random.Generator
            Advanced by one draw for each letter, and one for the style.
        alphabet : iterable of str, optional
            The requested letters. Repetitions and order do not matter. Default: all letters.

        Returns
        -------
        dict of str to int
            For each letter, a row of :attr:`images`.

        Raises
        ------
        ValueError
            If a letter has no image.

        Examples
        --------
        >>> import numpy as np
        >>> from minsyn.datasets import load_letters
        >>> letters = load_letters("typewriter")
        >>> rows = letters.draw(np.random.default_rng(0), "minsyn")
        >>> sorted(rows)
        ['i', 'm', 'n', 's', 'y']
        >>> len(set(letters.styles[list(rows.values())]))
        1
        """
        wanted = self.alphabet if alphabet is None else tuple(sorted(set(alphabet)))
        self.require(wanted)
        pools = self._rows
        if self.styles is not None:
            complete = [pool for pool in self._rows_by_style if pool.keys() >= set(wanted)]
            if complete:
                pools = complete[rng.integers(len(complete))]
        return {letter: int(rng.choice(pools[letter])) for letter in wanted}

    def require(self, alphabet: Iterable[str]) -> None:
        """Raise ``ValueError`` if a letter of ``alphabet`` has no image.

        Examples
        --------
        >>> from minsyn.datasets import load_letters
        >>> load_letters("typewriter").require("abc")
        """
        missing = sorted(set(alphabet) - self._rows.keys())
        if missing:
            raise ValueError(
                f"letters: {self.name!r} has no image of {', '.join(map(repr, missing))}; it has "
                f"{''.join(self.alphabet)!r}. Add images, or leave out the words that need them"
            )

    @cached_property
    def _rows(self) -> dict[str, Int[np.ndarray, "rows"]]:
        return _rows_by_label(self.labels, np.arange(len(self.labels)))

    @cached_property
    def _rows_by_style(self) -> list[dict[str, Int[np.ndarray, "rows"]]]:
        if self.styles is None:
            return []
        return [
            _rows_by_label(self.labels, np.flatnonzero(self.styles == style))
            for style in np.unique(self.styles)
        ]


def require_letters(
    images: Shaped[np.ndarray, "..."],
    labels: Shaped[np.ndarray, "..."],
    styles: Shaped[np.ndarray, "..."] | None,
) -> None:
    """Raise an error, with advice, if arrays are not valid for :class:`Letters`.

    Raises
    ------
    TypeError, ValueError
        As for :class:`Letters`.

    Examples
    --------
    >>> import numpy as np
    >>> require_letters(np.ones((1, 2, 2)), np.array(["a"]), None)
    Traceback (most recent call last):
    TypeError: images: expected dtype uint8 (0 background, 255 ink), found float64; ...
    """
    if images.dtype != np.uint8:
        raise TypeError(f"images: {_describe_pixels(images)}")
    if images.ndim != 3 or images.size == 0:
        raise ValueError(
            f"images: expected shape (n, h, w) with at least one pixel, found {images.shape}"
        )
    if labels.dtype.kind != "U":
        raise TypeError(
            f"labels: expected an array of strings, found dtype {labels.dtype}; "
            "labels.astype(str) makes digits of the integers 0 to 9"
        )
    if labels.shape != (len(images),):
        raise ValueError(
            f"labels: {len(images)} images need labels of shape ({len(images)},), "
            f"found {labels.shape}"
        )
    if styles is not None and styles.shape != (len(images),):
        raise ValueError(
            f"styles: {len(images)} images need styles of shape ({len(images)},), "
            f"found {styles.shape}"
        )
    wrong = np.flatnonzero(np.char.str_len(labels) != 1)
    if wrong.size:
        raise ValueError(
            f"labels: each must be exactly one character, but label {wrong[0]} is "
            f"{str(labels[wrong[0]])!r}; rename or remove it"
        )


def _rows_by_label(
    labels: Shaped[np.ndarray, "n"], rows: Int[np.ndarray, "rows"]
) -> dict[str, Int[np.ndarray, "_"]]:
    here = labels[rows]
    return {str(label): rows[here == label] for label in np.unique(here)}


def _describe_pixels(images: Shaped[np.ndarray, "..."]) -> str:
    found = f"expected dtype uint8 (0 background, 255 ink), found {images.dtype}"
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        return f"{found} with NaN or infinite pixels; replace them, scale to 0-255 and convert"
    return f"{found}; scale to 0-255 and convert with .astype(np.uint8)"
