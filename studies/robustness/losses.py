"""Losses of models of clean words whose inputs are damaged."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from joblib import Parallel, delayed
from sklearn.decomposition import NMF

from minsyn.benchmark import Experiment, Method, make_estimator, one_thread, reconstruct
from minsyn.datasets import WordImages
from minsyn.metrics import squared_error
from studies.robustness.damage import DAMAGES, Damage, Damaged

__all__ = ["CLEAN", "damage_losses", "damaged_words", "measure_robustness"]

#: Name in the column ``damage`` of inputs that are not damaged.
CLEAN = "clean"


def measure_robustness(
    experiment: Experiment, damages: Sequence[Damage] = tuple(DAMAGES.values()), *, n_jobs: int = 1
) -> Iterator[pd.DataFrame]:
    """Fit methods to clean training words and give them damaged test words.

    In a draw all methods are given the same damaged images.

    Parameters
    ----------
    experiment : Experiment
        Methods, draws and words.
    damages : sequence of Damage
        Damages to the test words. Default: all of `DAMAGES`.
    n_jobs : int, default=1
        Cells at once, -1 for one on each core.

    Yields
    ------
    DataFrame
        `damage_losses` of one method in one draw, in order, with the columns ``method`` and
        ``draw``.

    Raises
    ------
    ValueError
        There are no test words.
    ImportError
        A method needs a package that is not installed.

    Examples
    --------
    >>> from minsyn.benchmark import find_methods
    >>> from minsyn.datasets import load_letters
    >>> experiment = Experiment(load_letters("typewriter"), find_methods(["pca"]), draws=1)
    >>> (frame,) = measure_robustness(experiment, [DAMAGES["noise-0.5"], DAMAGES["patch-1"]])
    >>> frame.damage.tolist(), bool((frame.relative[1:] > 1).all())
    (['clean', 'noise-0.5', 'patch-1'], True)
    """
    if not experiment.vocabulary.test:
        raise ValueError("experiment: its vocabulary has no test words; robustness needs some")
    for method in experiment.methods:
        method.require()
    parallel = Parallel(n_jobs=n_jobs, return_as="generator", max_nbytes=None)
    yield from parallel(
        delayed(_measure)(experiment, method, draw, damages) for method, draw in experiment.cells()
    )


def damaged_words(experiment: Experiment, words: WordImages, draw: int, damage: Damage) -> Damaged:
    """The test words of a draw, damaged: the same for all methods.

    Parameters
    ----------
    experiment : Experiment
        Its seed counts.
    words : WordImages
        The draw's words.
    draw : int
        From 0.
    damage : Damage
        Its key counts.

    Returns
    -------
    Damaged

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> experiment = Experiment(load_letters("typewriter"))
    >>> damaged_words(experiment, experiment.data(0), 0, DAMAGES["noise-0.1"]).X.shape
    (363, 2352)
    """
    sequence = np.random.SeedSequence(experiment.seed, spawn_key=(2, draw, *damage.key.encode()))
    return damage.apply(words, np.random.default_rng(sequence))


def damage_losses(estimator: Any, words: WordImages, damaged: dict[str, Damaged]) -> pd.DataFrame:
    """Losses of a fitted model's reconstructions of damaged words, against the clean words.

    Parameters
    ----------
    estimator : object
        Fitted.
    words : WordImages
        The clean words.
    damaged : dict of str to Damaged
        Their damaged versions, by name.

    Returns
    -------
    DataFrame
        A row for the clean words and one for each damage: ``damage``; ``loss``, the squared error
        summed over the pixels; ``relative``, its ratio to that of clean inputs; ``others_loss``
        and ``others_relative``, the same for the pixels of the undamaged characters (NaN where no
        character is damaged as a whole). Ratios to a loss of 0 are NaN.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from minsyn.datasets import make_word_images
    >>> words = make_word_images(random_state=0)
    >>> blank = DAMAGES["blank"].apply(words, np.random.default_rng(0))
    >>> frame = damage_losses(PCA(9).fit(words.train.astype(float)), words, {"blank": blank})
    >>> bool(frame.others_loss[1] < frame.loss[1])
    True
    """
    clean = words.test.astype(np.float64)
    of_clean = reconstruct(estimator, clean)
    clean_loss = squared_error(clean, of_clean)
    rows: list[tuple[str, float, float, float, float]] = [
        (CLEAN, clean_loss, 1.0, float("nan"), float("nan"))
    ]
    for name, given in damaged.items():
        # NMF refuses values below 0, which Gaussian noise leaves.
        X = given.X.clip(min=0.0) if isinstance(estimator, NMF) else given.X
        found = reconstruct(estimator, X)
        loss = squared_error(clean, found)
        others = others_relative = float("nan")
        if given.position is not None:
            kept = words.groups != given.position[:, None]
            others = _loss_of(kept, clean, found)
            others_relative = _ratio(others, _loss_of(kept, clean, of_clean))
        rows.append((name, loss, _ratio(loss, clean_loss), others, others_relative))
    columns = ["damage", "loss", "relative", "others_loss", "others_relative"]
    return pd.DataFrame(rows, columns=columns)


def _measure(
    experiment: Experiment, method: Method, draw: int, damages: Sequence[Damage]
) -> pd.DataFrame:
    words = experiment.data(draw)
    random_state = experiment.random_state(method, draw)
    estimator = make_estimator(method, words, experiment.n_components, random_state)
    with one_thread():
        estimator.fit(words.train.astype(np.float64))
        damaged = {damage.key: damaged_words(experiment, words, draw, damage) for damage in damages}
        frame = damage_losses(estimator, words, damaged)
    frame.insert(0, "method", method.key)
    frame.insert(1, "draw", draw)
    return frame


def _ratio(loss: float, clean: float) -> float:
    return loss / clean if clean > 0 else float("nan")


def _loss_of(
    pixels: np.ndarray,
    X: Float[np.ndarray, "samples pixels"],
    X_hat: Float[np.ndarray, "samples pixels"],
) -> float:
    return float(np.mean(np.sum(np.where(pixels, X - X_hat, 0.0) ** 2, axis=1)))
