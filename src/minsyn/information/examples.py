"""Named distributions: standard test cases for measures of synergy.

`EXAMPLES` maps a name to its function, which returns ``p[z_1, ..., z_m, x]``; its docstring gives
the values in bits: I the information of all sources, U the union information, S = I - U the
Griffith-Koch synergy, CI the correlational importance.
"""

from collections.abc import Callable, Iterable
from itertools import product
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from minsyn.information._options import whole_number

__all__ = [
    "EXAMPLES",
    "and3",
    "and_duplicate",
    "and_gate",
    "grue_bleen",
    "parity",
    "rdn",
    "rdn_unq_xor",
    "rdn_xor",
    "sum_gate",
    "unq",
    "williams_beer_4a",
    "xor",
    "xor_multicoal",
]


#: Most sources of `parity`: a table of half a gigabyte.
_MOST_BITS = 25


def _uniform(
    outcomes: Iterable[tuple[int, ...]], shape: tuple[int, ...]
) -> Float[np.ndarray, "*sources x"]:
    """Equally likely outcomes (z_1, ..., z_m, x)."""
    p = np.zeros(shape)
    for outcome in outcomes:
        p[outcome] += 1
    pmf: np.ndarray = p / p.sum()
    return pmf


def xor() -> Float[np.ndarray, "2 2 2"]:
    """X = Z_1 xor Z_2: synergy and nothing else. I = 1, U = 0, S = 1, CI = 1.

    Examples
    --------
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(xor()), 9)
    1.0
    """
    return _uniform(((a, b, a ^ b) for a, b in product((0, 1), repeat=2)), (2, 2, 2))


def and_gate() -> Float[np.ndarray, "2 2 2"]:
    """X = Z_1 and Z_2. I = 0.811278, U = 0.311278, S = 0.5, CI = 0.103759.

    Examples
    --------
    >>> from minsyn.information.discrete import ci_synergy
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(and_gate()), 9), round(ci_synergy(and_gate()), 6)
    (0.5, 0.103759)
    """
    return _uniform(((a, b, a & b) for a, b in product((0, 1), repeat=2)), (2, 2, 2))


def and_duplicate() -> Float[np.ndarray, "2 2 2 2"]:
    """AND with its first source twice: the copy changes neither U = 0.311278 nor S = 0.5.

    CI = 0.038001 does change.

    Examples
    --------
    >>> from minsyn.information.discrete import ci_synergy
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(and_duplicate()), 9), round(ci_synergy(and_duplicate()), 6)
    (0.5, 0.038001)
    """
    return _uniform(((a, b, a, a & b) for a, b in product((0, 1), repeat=2)), (2, 2, 2, 2))


def and3() -> Float[np.ndarray, "2 2 2 2"]:
    """X = Z_1 and Z_2 and Z_3. I = 0.543564, U = 0.137925, S = 0.405639, CI = 0.079152.

    Examples
    --------
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(and3()), 6)
    0.405639
    """
    return _uniform(((a, b, c, a & b & c) for a, b, c in product((0, 1), repeat=3)), (2, 2, 2, 2))


def rdn() -> Float[np.ndarray, "2 2 2"]:
    """X = Z_1 = Z_2, a fair bit: redundancy. I = 1, U = 1, S = 0, CI = 0, WMS = -1.

    Examples
    --------
    >>> from minsyn.information.discrete import ci_synergy, whole_minus_sum
    >>> whole_minus_sum(rdn()), ci_synergy(rdn())
    (-1.0, 0.0)
    """
    return _uniform(((a, a, a) for a in (0, 1)), (2, 2, 2))


def unq() -> Float[np.ndarray, "2 2 4"]:
    """X = (Z_1, Z_2), two fair bits: unique information. I = 2, U = 2, S = 0, CI = 0.

    I_min calls it redundant: R = 1 and S_max = 1.

    Examples
    --------
    >>> from minsyn.information.discrete import imin_redundancy
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(unq()), 9), imin_redundancy(unq())
    (0.0, 1.0)
    """
    return _uniform(((a, b, 2 * a + b) for a, b in product((0, 1), repeat=2)), (2, 2, 4))


def rdn_xor() -> Float[np.ndarray, "4 4 4"]:
    """An XOR bit and a shared bit. I = 2, U = 1, S = 1, CI = 1, WMS = 0.

    Examples
    --------
    >>> from minsyn.information.discrete import whole_minus_sum
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(rdn_xor()), 9), abs(whole_minus_sum(rdn_xor())) < 1e-12
    (1.0, True)
    """
    bits = product((0, 1), repeat=3)
    return _uniform(((2 * a + r, 2 * b + r, 2 * (a ^ b) + r) for a, b, r in bits), (4, 4, 4))


def rdn_unq_xor() -> Float[np.ndarray, "8 8 16"]:
    """An XOR bit, a bit of each source's own and a shared bit. I = 4, U = 3, S = 1, CI = 1.

    Examples
    --------
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(rdn_unq_xor()), 9)
    1.0
    """
    outcomes = (
        (4 * a + 2 * u + r, 4 * b + 2 * v + r, 8 * (a ^ b) + 4 * u + 2 * v + r)
        for a, b, u, v, r in product((0, 1), repeat=5)
    )
    return _uniform(outcomes, (8, 8, 16))


def xor_multicoal() -> Float[np.ndarray, "4 4 4 2"]:
    """Z = (ab, ac, bc), X = a xor b xor c: any two sources suffice. I = 1, U = 0, S = 1, CI = 1.

    Examples
    --------
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(xor_multicoal()), 9)
    1.0
    """
    outcomes = (
        (2 * a + b, 2 * a + c, 2 * b + c, a ^ b ^ c) for a, b, c in product((0, 1), repeat=3)
    )
    return _uniform(outcomes, (4, 4, 4, 2))


def parity(n_sources: int = 3) -> Float[np.ndarray, "*sources x"]:
    """Parity of n fair bits: I = 1, U = 0, S = 1, CI = 1 for any n >= 2.

    Parameters
    ----------
    n_sources : int
        Number of bits, from 1 to 25.

    Raises
    ------
    ValueError
        If ``n_sources`` is no whole number from 1 to 25.

    Examples
    --------
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(parity(5)), 9)
    1.0
    """
    whole_number(n_sources, "n_sources", 1, _MOST_BITS)
    bits = product((0, 1), repeat=n_sources)
    return _uniform(((*z, sum(z) % 2) for z in bits), (2,) * (n_sources + 1))


def sum_gate() -> Float[np.ndarray, "2 2 3"]:
    """X = Z_1 + Z_2 of two fair bits. I = 1.5, U = 0.5, S = 1, CI = 0.292481.

    Examples
    --------
    >>> from minsyn.information.discrete import ci_synergy
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(sum_gate()), 9), round(ci_synergy(sum_gate()), 6)
    (1.0, 0.292481)
    """
    return _uniform(((a, b, a + b) for a, b in product((0, 1), repeat=2)), (2, 2, 3))


def williams_beer_4a() -> Float[np.ndarray, "2 2 3"]:
    """Figure 4A of Williams and Beer (2010). I = 1.584963, U = 1.584963, S = 0, S_max = 0.333333.

    Examples
    --------
    >>> from minsyn.information.discrete import s_max
    >>> from minsyn.information import gk_synergy
    >>> round(gk_synergy(williams_beer_4a()), 9), round(s_max(williams_beer_4a()), 6)
    (0.0, 0.333333)
    """
    return _uniform([(0, 0, 0), (0, 1, 1), (1, 0, 2)], (2, 2, 3))


def grue_bleen() -> Float[np.ndarray, "2 2 2"]:
    """Goodman's colours: a word (grue, bleen) and the time (day, night) give a colour.

    Grue is green by day and blue by night, bleen the other way round. To one who speaks of grue
    and bleen, what is green is told by neither word nor time alone: I = 1, U = 0, S = 1. It is XOR
    with names.

    Examples
    --------
    >>> from minsyn.information.discrete import mutual_information
    >>> p = grue_bleen()
    >>> mutual_information(p), mutual_information(p.sum(axis=1)), mutual_information(p.sum(axis=0))
    (1.0, 0.0, 0.0)
    """
    grue, bleen = day, night = green, blue = 0, 1
    language = [
        (grue, day, green),
        (grue, night, blue),
        (bleen, day, blue),
        (bleen, night, green),
    ]
    return _uniform(language, (2, 2, 2))


_FUNCTIONS: dict[str, Callable[[], Float[np.ndarray, "*sources x"]]] = {
    "XOR": xor,
    "AND": and_gate,
    "ANDDUPLICATE": and_duplicate,
    "AND3": and3,
    "RDN": rdn,
    "UNQ": unq,
    "RDNXOR": rdn_xor,
    "RDNUNQXOR": rdn_unq_xor,
    "XORMULTICOAL": xor_multicoal,
    "PARITY3": parity,
    "SUM": sum_gate,
    "WB_FIG4A": williams_beer_4a,
    "GRUE_BLEEN": grue_bleen,
}
#: Every example by its name in the literature; the values are functions without arguments.
EXAMPLES = MappingProxyType(_FUNCTIONS)
