"""Inference from draws: bootstrap intervals of means, and paired tests of methods."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import bootstrap, wilcoxon

from minsyn.benchmark.cell import CellResult

__all__ = [
    "CONFIDENCE",
    "REFERENCE",
    "SCORES",
    "Comparison",
    "bootstrap_interval",
    "compare",
    "holm",
    "least_p_value",
]

#: The scores of the table, with the decimals that they are shown with. Lower is better for all.
SCORES = {"train_loss": 2, "test_loss": 2, "acc": 3}

#: Of all intervals; tests count as significant at 1 minus this.
CONFIDENCE = 0.95
_LEVEL = 1 - CONFIDENCE

#: Key of the method that the others are tested against.
REFERENCE = "minsyn-gaussian"

_N_RESAMPLES = 9999
#: Intervals of the same scores are the same, in whatever table.
_SEED = 0


@dataclass(frozen=True)
class Comparison:
    """A method against the reference on the same draws of letters.

    Attributes
    ----------
    key, reference : str
        Keys of the method and of the reference.
    score : str
        A name in `SCORES`.
    draws : int
        Draws in which both have the score.
    difference : float
        Mean of the method's score less the reference's: below 0 if the method is better. NaN
        without a common draw.
    interval : tuple of two float, or None
        Bootstrap interval of the mean difference, from two draws on.
    p_value : float
        Two-sided Wilcoxon signed-rank test. NaN where no outcome of so few draws is below 5 %.
    p_holm : float
        The same, corrected for all methods that are compared with the reference in this score. NaN
        where no outcome of so few draws, corrected for so many methods, is below 5 %.
    """

    key: str
    reference: str
    score: str
    draws: int
    difference: float
    interval: tuple[float, float] | None
    p_value: float
    p_holm: float


def bootstrap_interval(values: Float[np.ndarray, " draws"]) -> tuple[float, float] | None:
    """Bootstrap interval of a mean: bias-corrected and accelerated (BCa), 9999 resamples.

    It never leaves the range of the values, so that with a handful of draws it is too short.

    Parameters
    ----------
    values : ndarray of shape (n_draws,)
        A score of each draw.

    Returns
    -------
    tuple of two float, or None
        The 95 % interval; None for fewer than two values, or if one is NaN.

    References
    ----------
    Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82, 1987.

    Examples
    --------
    >>> low, high = bootstrap_interval(np.array([48.0, 50.0, 51.0, 53.0, 48.0, 50.0]))
    >>> 48 < low < 50 < high < 53
    True
    >>> bootstrap_interval(np.array([48.0])) is None
    True
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    if np.ptp(values) == 0:  # BCa is undefined there
        return float(values[0]), float(values[0])
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=_N_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="BCa",
        vectorized=True,
        random_state=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def holm(p_values: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    """Holm's step-down correction: the chance of any false alarm stays at the level.

    Parameters
    ----------
    p_values : ndarray of shape (n_tests,)
        Of the tests that are made together.

    Returns
    -------
    ndarray of shape (n_tests,)
        Corrected p-values, in the same order.

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979.

    Examples
    --------
    >>> holm(np.array([0.04, 0.01, 0.03])).round(3).tolist()
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(factors * p_values[order]), 1.0)
    return corrected


def least_p_value(n_draws: int, n_tests: int) -> float:
    """The smallest corrected p-value that paired draws can give: ``n_tests * 2**(1 - n_draws)``.

    The signed-rank test's most extreme outcome is that all differences have one sign. With five
    draws or fewer it is at least 1/16, even for a single test: nothing is significant at 5 %.

    Parameters
    ----------
    n_draws : int
        Draws that both methods have.
    n_tests : int
        Tests corrected together.

    Returns
    -------
    float
        At most 1.

    Examples
    --------
    >>> least_p_value(5, 1), least_p_value(10, 8)
    (0.0625, 0.015625)
    """
    return min(1.0, n_tests * 2.0 ** (1 - n_draws))


def compare(
    results: Sequence[CellResult], keys: Sequence[str], reference: str = REFERENCE
) -> list[Comparison]:
    """Test methods against one of them, on the draws that both have.

    Wilcoxon's signed-rank test, two-sided; p-values are corrected by Holm's method over the
    methods, for each score by itself. A p-value that could not be below 5 %, whatever the
    differences, is not given. Differences that round to zero in the table's decimals count as
    none, so that two ways to the same reconstruction do not differ by their rounding.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells.
    keys : sequence of str
        Methods to test. The reference may be among them.
    reference : str, default="minsyn-gaussian"
        Key of the method that the others are compared with.

    Returns
    -------
    list of Comparison
        Method after method, each with all scores; none if the reference has no cells.

    Examples
    --------
    >>> compare([], ["pca"])
    []
    """
    by_key = {
        key: {cell.draw: cell for cell in results if cell.method == key}
        for key in (*keys, reference)
    }
    others = [key for key in dict.fromkeys(keys) if key != reference and by_key[key]]
    if not by_key[reference]:
        return []
    found: dict[tuple[str, str], Comparison] = {}
    for score, decimals in SCORES.items():
        differences = [_differences(by_key[key], by_key[reference], score) for key in others]
        p_values = np.array(
            # Rounding all of them would make ties, and with these an approximation of the test.
            [_signed_rank(np.where(d.round(decimals) == 0, 0.0, d)) for d in differences]
        )
        least = np.array([least_p_value(len(d), 1) for d in differences])
        p_holm = np.where(holm(least) < _LEVEL, holm(p_values), np.nan)
        p_values = np.where(least < _LEVEL, p_values, np.nan)
        for key, values, p_value, corrected in zip(
            others, differences, p_values, p_holm, strict=True
        ):
            found[key, score] = Comparison(
                key=key,
                reference=reference,
                score=score,
                draws=len(values),
                difference=float(values.mean()) if len(values) else float("nan"),
                interval=bootstrap_interval(values),
                p_value=float(p_value),
                p_holm=float(corrected),
            )
    return [found[key, score] for key in others for score in SCORES]


def _differences(
    cells: dict[int, CellResult], reference: dict[int, CellResult], score: str
) -> Float[np.ndarray, " draws"]:
    common = sorted(cells.keys() & reference.keys())
    values = [getattr(cells[draw], score) - getattr(reference[draw], score) for draw in common]
    differences = np.array(values, dtype=float)
    return differences[np.isfinite(differences)]


def _signed_rank(differences: Float[np.ndarray, " draws"]) -> float:
    differences = differences[differences != 0]
    if not len(differences):
        return 1.0
    p_value = float(wilcoxon(differences).pvalue)
    # With ties SciPy may fall back on a normal approximation, which knows no such bound.
    return max(p_value, least_p_value(len(differences), 1))
