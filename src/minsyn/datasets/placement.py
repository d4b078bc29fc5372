"""Letters placed on an image: side by side or overlapping, shifted, and of random size."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

__all__ = ["Placement"]


@dataclass(frozen=True)
class Placement:
    """Where the letters of a word are, and how large they are.

    Parameters
    ----------
    length : int
        Letters of a word.
    letter_shape : tuple of int
        Height and width of the image of a letter in pixels.
    jitter : int
        Each letter is shifted by up to so many pixels, horizontally and vertically.
    overlap : float
        Share of a letter's width by which neighbours overlap.
    scale : float
        Each letter is larger or smaller by up to this share of its size.

    Raises
    ------
    TypeError
        If a value is no number of its kind.
    ValueError
        If a value is out of its range.

    Examples
    --------
    >>> placement = Placement(3, (28, 28), overlap=0.25)
    >>> placement.image_shape
    (28, 70)
    >>> placement.groups[18:28]
    array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
    """

    length: int
    letter_shape: tuple[int, int]
    jitter: int = 0
    overlap: float = 0.0
    scale: float = 0.0

    def __post_init__(self) -> None:
        height, width = self.letter_shape
        _require_number("jitter", self.jitter, Integral, "an integer, a number of pixels")
        if not 0 <= self.jitter < max(min(height, width), 1):
            raise ValueError(
                f"jitter: {self.jitter} must be at least 0 and less than the height and the "
                f"width of the letters, {height} and {width} pixels"
            )
        for name, share in (("overlap", self.overlap), ("scale", self.scale)):
            _require_number(name, share, Real, "a number")
            if not 0 <= share < 1:
                raise ValueError(f"{name}: {share} must be a share, at least 0 and less than 1")
        if self.step < 1:
            raise ValueError(
                f"overlap: {self.overlap} leaves no pixel between letters {width} pixels wide"
            )

    @property
    def step(self) -> int:
        """Pixels from a letter to the next."""
        width = self.letter_shape[1]
        return width - round(self.overlap * width)

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of the image of a word."""
        height, width = self.letter_shape
        return height, (self.length - 1) * self.step + width

    @property
    def groups(self) -> Int[np.ndarray, " pixels"]:
        """Position of the letter whose centre is nearest to each pixel."""
        height, width = self.image_shape
        centres = np.arange(self.length) * self.step + (self.letter_shape[1] - 1) / 2
        distances = np.abs(np.arange(width)[:, np.newaxis] - centres)
        return np.tile(distances.argmin(axis=1), height)

    def draw(
        self,
        images: UInt8[np.ndarray, "n h w"],
        rows: Int[np.ndarray, "samples length"],
        rng: np.random.Generator,
    ) -> tuple[Float32[np.ndarray, "samples pixels"], Bool[np.ndarray, "length pixels"]]:
        """Draw words. Where letters overlap, a pixel has the ink of the darker one.

        Parameters
        ----------
        images : uint8 array of shape (n, h, w)
            Images of letters.
        rows : integer array of shape (n_samples, length)
            The image of each letter of each word.
        rng : numpy.random.Generator
            Of shifts and sizes, which are uniform and independent; not used without either.

        Returns
        -------
        pixels : float32 array of shape (n_samples, n_pixels)
            From 0 (background) to 1 (ink).
        parents : bool array of shape (length, n_pixels)
            Whether the letter at each position makes a difference at each pixel: whether its own
            ink varies there.
        """
        n_samples = len(rows)
        height, width = self.letter_shape
        word_height, word_width = self.image_shape
        shifts = np.zeros((n_samples, self.length, 2))
        sizes = np.ones((n_samples, self.length))
        if self.jitter:
            shifts += rng.integers(-self.jitter, self.jitter, shifts.shape, endpoint=True)
        if self.scale:
            sizes += rng.uniform(-self.scale, self.scale, sizes.shape)
        margin = self.jitter + int(np.ceil(self.scale * width / 2))
        pixels = np.zeros((n_samples, word_height, word_width), np.float32)
        parents = np.zeros((self.length, word_height, word_width), bool)
        for position in range(self.length):
            left = position * self.step
            here = slice(max(left - margin, 0), left + width + margin)
            ink = np.divide(images[rows[:, position]], 255, dtype=np.float32)
            if margin:
                size = sizes[:, position]
                vertical, horizontal = shifts[:, position].T
                y, x = np.arange(word_height), np.arange(word_width)[here] - left
                ink = _resampling(y, height, vertical, size) @ ink
                ink = ink @ _resampling(x, width, horizontal, size).swapaxes(1, 2)
            if n_samples:
                parents[position, :, here] = ink.min(axis=0) != ink.max(axis=0)
            np.maximum(pixels[:, :, here], ink, out=pixels[:, :, here])
        np.minimum(pixels, 1.0, out=pixels)  # averages round
        n_pixels = word_height * word_width
        return pixels.reshape(n_samples, n_pixels), parents.reshape(self.length, n_pixels)


def _require_number(name: str, value: Any, kind: type, what: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name}: {value!r} must be {what}")


def _resampling(
    pixels: Int[np.ndarray, " k"],
    n: int,
    shift: Float[np.ndarray, " samples"],
    size: Float[np.ndarray, " samples"],
) -> Float32[np.ndarray, "samples k n"]:
    """Weights of the n pixels of a line in those of the same line, shifted and resized.

    Linear interpolation; of smaller letters, averages over as much more. Whole shifts are exact.
    """
    centre = (n - 1) / 2
    source = centre + (pixels - centre - shift[:, np.newaxis]) / size[:, np.newaxis]
    finer = np.minimum(size, 1.0)[:, np.newaxis, np.newaxis]
    beyond = int(np.ceil(1 / finer.min(initial=1.0)))
    of = np.arange(-beyond, n + beyond)
    weights = np.maximum(1 - finer * np.abs(source[:, :, np.newaxis] - of), 0.0)
    # Averages, also at the edges, beyond which there is no ink. Lines far from all have none.
    weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1e-6)
    return weights[:, :, beyond : beyond + n].astype(np.float32)
