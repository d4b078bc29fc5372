"""Damages to images of words: noise, patches, blanked and replaced characters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from minsyn.datasets import WordImages

__all__ = ["DAMAGES", "Damage", "Damaged"]

#: Side of a patch in pixels: about an eighth of a letter's area.
_PATCH = 10


@dataclass(frozen=True, eq=False)
class Damaged:
    """Damaged test words.

    Attributes
    ----------
    X : float64 array of shape (n_samples, n_pixels)
        Images; with Gaussian noise they leave the range from 0 to 1.
    position : integer array of shape (n_samples,), or None
        The character of each word that was damaged, where it was one as a whole.
    """

    X: Float[np.ndarray, "samples pixels"]
    position: Int[np.ndarray, " samples"] | None = None


@dataclass(frozen=True)
class Damage:
    """A kind of damage to images.

    Attributes
    ----------
    key : str
        Name in files; with the seed it decides the random numbers.
    label : str
        Name in tables and figures.
    apply : callable
        Takes word images and a Generator, and returns their test words `Damaged`.

    Examples
    --------
    >>> from minsyn.datasets import make_word_images
    >>> words = make_word_images(random_state=0)
    >>> blank = DAMAGES["blank"].apply(words, np.random.default_rng(0))
    >>> gone = words.groups == blank.position[0]
    >>> float(blank.X[0, gone].sum()), bool((blank.X[0, ~gone] == words.test[0, ~gone]).all())
    (0.0, True)
    """

    key: str
    label: str
    apply: Callable[[WordImages, np.random.Generator], Damaged]


def _noise(std: float, words: WordImages, rng: np.random.Generator) -> Damaged:
    return Damaged(words.test + rng.normal(0.0, std, words.test.shape))


def _salt_and_pepper(share: float, words: WordImages, rng: np.random.Generator) -> Damaged:
    """Each pixel with a chance of ``share`` becomes 0 or 1, equally likely."""
    hit = rng.random(words.test.shape) < share
    return Damaged(np.where(hit, rng.integers(0, 2, hit.shape), words.test).astype(np.float64))


def _patch(ink: float, words: WordImages, rng: np.random.Generator) -> Damaged:
    """A square of one ink, anywhere within each word."""
    height, width = words.image_shape
    side = min(_PATCH, height, width)
    images = words.test.astype(np.float64).reshape(-1, height, width)
    tops = rng.integers(0, height - side + 1, len(images))
    lefts = rng.integers(0, width - side + 1, len(images))
    for image, top, left in zip(images, tops, lefts, strict=True):
        image[top : top + side, left : left + side] = ink
    return Damaged(images.reshape(words.test.shape))


def _blank(words: WordImages, rng: np.random.Generator) -> Damaged:
    """One character of each word becomes background."""
    position = rng.integers(0, words.test_factors.shape[1], len(words.test))
    gone = words.groups == position[:, None]
    return Damaged(np.where(gone, 0.0, words.test).astype(np.float64), position)


def _replace(words: WordImages, rng: np.random.Generator) -> Damaged:
    """One character of each word becomes that of a test word with another letter there."""
    factors = words.test_factors
    position = rng.integers(0, factors.shape[1], len(factors))
    donors = np.arange(len(factors))
    for row, place in enumerate(position):
        others = np.flatnonzero(factors[:, place] != factors[row, place])
        if len(others):
            donors[row] = rng.choice(others)
    gone = words.groups == position[:, None]
    return Damaged(np.where(gone, words.test[donors], words.test).astype(np.float64), position)


def _all() -> Iterator[Damage]:
    for std in (0.1, 0.2, 0.3, 0.4, 0.5):
        yield Damage(f"noise-{std}", f"Gaussian noise, σ = {std}", partial(_noise, std))
    for share in (0.05, 0.1, 0.2):
        label = f"Salt and pepper, {round(100 * share)} %"
        yield Damage(f"salt-pepper-{share}", label, partial(_salt_and_pepper, share))
    yield Damage("patch-0", "Background patch", partial(_patch, 0.0))
    yield Damage("patch-1", "Ink patch", partial(_patch, 1.0))
    yield Damage("blank", "Character blanked", _blank)
    yield Damage("replaced", "Character replaced", _replace)


#: By their keys; ink is 1 and the background 0.
DAMAGES: Mapping[str, Damage] = {damage.key: damage for damage in _all()}
