"""Decompositions: published atoms, sums, the lattice's size and order."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minsyn.information import examples
from minsyn.information._maximum_entropy import maximum_entropy
from minsyn.information.decomposition import dependency_constraint, pid
from minsyn.information.discrete import (
    entropy,
    imin_redundancy,
    mutual_information,
    source_informations,
)
from minsyn.information.lattice import williams_beer_lattice

PUBLISHED = {"BROJA": "broja", "WB_Imin_PID": "williams_beer"}


def test_published_atoms(real_data):
    known = json.loads(real_data("known_synergy_values.json").read_text())["discrete"]
    n_checked = 0
    for name, record in known.items():
        if name not in examples.EXAMPLES or record["n_sources"] != 2:
            continue
        table = pid(examples.EXAMPLES[name]())
        for theirs, ours in PUBLISHED.items():
            atoms, expected = table[ours], record["values_bits"][theirs]
            n_checked += 1
            found = [atoms[k] for k in ("redundancy", "unique_1", "unique_2", "synergy")]
            np.testing.assert_allclose(found, list(expected.values()), atol=1e-8)
    assert n_checked >= 14


#: Unique information by dependency constraints of James et al. (2017): exact by symmetry.
DEPENDENCY = {"XOR": 0.0, "RDN": 0.0, "UNQ": 1.0, "RDNXOR": 0.0}


@pytest.mark.parametrize("name", DEPENDENCY)
def test_dependency_constraint_of_plain_cases(name):
    found = dependency_constraint(examples.EXAMPLES[name]())
    np.testing.assert_allclose(found, [DEPENDENCY[name]] * 2, atol=1e-9)


def fitted(p, subsets, n_sweeps=5000):
    """Maximum entropy by iterative proportional fitting."""
    q = np.ones_like(p) / p.size
    for _ in range(n_sweeps):
        for subset in subsets:
            rest = tuple(a for a in range(p.ndim) if a not in subset)
            q = q * (p.sum(rest, keepdims=True) / q.sum(rest, keepdims=True))
    return q


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 4)])
def test_maximum_entropy_against_proportional_fitting(rng, shape):
    p = rng.dirichlet(np.full(np.prod(shape), 2.0)).reshape(shape)
    pairs = [(0, 1), (0, 2), (1, 2)]
    q, error = maximum_entropy(p, pairs)
    assert error < 1e-10
    np.testing.assert_allclose(q, fitted(p, pairs), atol=1e-9)


def test_maximum_entropy_finds_zeros_that_the_marginals_hide():
    """The pairwise marginals of AND allow AND alone."""
    p = examples.and_gate()
    q, error = maximum_entropy(p, [(0, 1), (0, 2), (1, 2)])
    assert error < 1e-9
    assert entropy(q / q.sum()) == pytest.approx(entropy(p), abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_atoms_add_up(seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(12, rng.choice([0.1, 1.0]))).reshape(2, 3, 2)
    table = pid(p)
    total = table.redundancy + table.unique_1 + table.unique_2 + table.synergy
    np.testing.assert_allclose(total, mutual_information(p), atol=1e-12)
    one, two = source_informations(p)
    np.testing.assert_allclose(table.redundancy + table.unique_1, one, atol=1e-12)
    np.testing.assert_allclose(table.redundancy + table.unique_2, two, atol=1e-12)
    assert min(table.unique_1.min(), table.unique_2.min()) >= -1e-8
    # MMI is the greatest redundancy, so the greatest synergy, of the four.
    assert (table["mmi"]["synergy"] >= table.synergy - 1e-8).all()


def test_one_measure_units_and_frame():
    table = pid(examples.and_gate(), "mmi", unit="nats")
    assert table.measures == ("mmi",)
    assert table["mmi"]["synergy"] == pytest.approx(0.5 * np.log(2))
    frame = pid(examples.and_gate()).to_frame()
    assert list(frame.columns) == ["redundancy", "unique_1", "unique_2", "synergy"]
    assert frame.loc["broja", "synergy"] == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize(("m", "size"), [(1, 1), (2, 4), (3, 18), (4, 166)])
def test_lattice_has_every_antichain_and_sums_to_the_information(rng, m, size):
    p = rng.dirichlet(np.full(2 ** (m + 1), 0.4)).reshape((2,) * (m + 1))
    lattice = williams_beer_lattice(p)
    assert len(set(lattice.antichains)) == len(lattice.atoms) == size
    assert lattice.atoms.sum() == pytest.approx(mutual_information(p), abs=1e-11)
    assert lattice.atoms.min() >= -1e-11
    assert lattice.redundancy[-1] == pytest.approx(mutual_information(p), abs=1e-12)
    assert lattice.redundancy[0] == pytest.approx(imin_redundancy(p), abs=1e-12)
    assert lattice.antichains[-1] == (tuple(range(m)),)
    assert len(lattice.to_frame()) == len(repr(lattice).splitlines()) - 1 == size


def test_lattice_of_two_sources_is_the_decomposition(rng):
    p = rng.dirichlet(np.full(18, 0.4)).reshape(3, 2, 3)
    lattice, atoms = williams_beer_lattice(p), pid(p, "williams_beer")["williams_beer"]
    assert lattice[((0,), (1,))] == pytest.approx(atoms["redundancy"], abs=1e-12)
    assert lattice[((0,),)] == pytest.approx(atoms["unique_1"], abs=1e-12)
    assert lattice[((1,),)] == pytest.approx(atoms["unique_2"], abs=1e-12)
    assert lattice[((0, 1),)] == pytest.approx(atoms["synergy"], abs=1e-12)


def test_lattice_of_parity_is_synergy_of_all():
    lattice = williams_beer_lattice(examples.parity(3))
    assert lattice[((0, 1, 2),)] == pytest.approx(1.0)
    assert lattice.atoms.sum() == pytest.approx(1.0)


def test_bad_input():
    with pytest.raises(ValueError, match="two sources"):
        pid(examples.parity(3))
    with pytest.raises(ValueError, match="two sources"):
        dependency_constraint(np.ones((2, 2)) / 4)
    with pytest.raises(ValueError, match="at most 4"):
        williams_beer_lattice(np.ones((2,) * 6) / 64)
    with pytest.raises(ValueError, match="at least 1"):
        examples.parity(0)
