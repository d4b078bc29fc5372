"""Decompositions: published atoms, sums, the lattice's size and order."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minsyn.information import _maximum_entropy, _shared_exclusions, examples
from minsyn.information._antichains import antichain_lattice
from minsyn.information._maximum_entropy import maximum_entropy
from minsyn.information.decomposition import MaximumEntropyWarning, dependency_constraint, pid
from minsyn.information.discrete import (
    entropy,
    imin_redundancy,
    mutual_information,
    s_max,
    source_informations,
)
from minsyn.information.lattice import shared_exclusions, williams_beer_lattice

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


def smallest_change(p, j):
    """I_dep by its definition: the least change that adding Z_jX makes, anywhere in the lattice."""
    edge, other = (j, 2), (1 - j, 2)
    nodes = [[(0,), (1,), (2,)], [(0, 1), (2,)], [(j,), other], [(0, 1), other]]
    changes = []
    for held in nodes:
        more = [edge, *(group for group in held if not set(group) <= set(edge))]
        before, after = (mutual_information(fitted(p, s, 500)) for s in (held, more))
        changes.append(after - before)
    return min(changes), int(np.argmin(changes))


def test_dependency_constraint_against_its_definition():
    rng = np.random.default_rng(1)
    binding = set()
    for _ in range(6):
        p = rng.dirichlet(np.full(12, 2.0)).reshape(2, 3, 2)
        for j, found in enumerate(dependency_constraint(p)):
            expected, at = smallest_change(p, j)
            binding.add(at)
            assert found == pytest.approx(expected, abs=1e-9)
    # The case is not settled by one edge of the lattice alone.
    assert binding == {2, 3}


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 4)])
def test_maximum_entropy_against_proportional_fitting(rng, shape, monkeypatch):
    monkeypatch.setattr(_maximum_entropy, "MAX_ITER", 25)  # Newton steps: about a dozen
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


def test_an_unfinished_maximum_entropy_warns(monkeypatch):
    monkeypatch.setattr(_maximum_entropy, "MAX_ITER", 3)
    with pytest.warns(MaximumEntropyWarning, match="nat"):
        dependency_constraint(examples.and_gate())


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
    # Shared exclusions may be misinformative; the others are not.
    assert table.measures[-1] == "sxpid"
    assert min(table.unique_1[:-1].min(), table.unique_2[:-1].min()) >= -1e-8
    # MMI is the greatest redundancy, so the greatest synergy, of these four.
    assert (table["mmi"]["synergy"] >= table.synergy[:-1] - 1e-8).all()


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


def test_atoms_are_found_by_any_spelling_of_their_antichain():
    lattice = williams_beer_lattice(examples.parity(3))
    for i, antichain in enumerate(lattice.antichains):
        assert lattice[antichain] == lattice[[set(g) for g in reversed(antichain)]]
        assert lattice[antichain] == lattice[[g[::-1] for g in antichain]] == lattice.atoms[i]
    for wrong in [((0,), (3,)), ((0,), (0, 1)), ()]:
        with pytest.raises(ValueError, match="sources 0 to 2"):
            lattice[wrong]


@pytest.mark.parametrize("m", [2, 3, 4])
def test_inversion_is_that_of_the_order_of_antichains(m):
    """alpha <= beta where every set of beta holds one of alpha; inverted as a matrix."""
    lattice = antichain_lattice(m)
    sets = [[set(group) for group in antichain] for antichain in lattice.antichains]
    at_or_below = np.array(
        [[all(any(a <= b for a in alpha) for b in beta) for alpha in sets] for beta in sets]
    )
    np.testing.assert_array_equal(
        lattice.moebius.toarray(), np.round(np.linalg.inv(at_or_below.astype(float)))
    )


def test_five_sources(rng):
    p = rng.dirichlet(np.full(64, 0.3)).reshape((2,) * 6)
    table = pid(p)
    assert table.measures == ("williams_beer", "mmi", "sxpid")
    assert table.atoms.shape == (3, 7579)
    np.testing.assert_allclose(table.atoms.sum(axis=1), mutual_information(p), atol=1e-10)
    # What a source tells is what lies at or below it.
    for j, alone in enumerate(source_informations(p)):
        has = [(j,) in antichain for antichain in table.antichains]
        np.testing.assert_allclose(table.atoms[:, has].sum(axis=1), alone, atol=1e-10)
    assert table.atoms[0].min() >= -1e-10
    assert len(repr(table).splitlines()) == 22 and "of 7,579" in repr(table)


def test_synergy_of_any_number_of_sources(rng):
    p = rng.dirichlet(np.full(24, 0.3)).reshape(2, 3, 2, 2)
    by = dict(zip(*(getattr(pid(p), name) for name in ("measures", "synergy")), strict=True))
    assert by["williams_beer"] == pytest.approx(s_max(p), abs=1e-12)
    assert by["mmi"] == pytest.approx(mutual_information(p) - source_informations(p).max())
    least = pid(examples.williams_beer_4a())
    assert least["mmi"]["redundancy"] == pytest.approx(0.918296, abs=1e-6)
    assert least["williams_beer"]["redundancy"] == pytest.approx(0.584963, abs=1e-6)
    lattice, alone = pid(p).lattice("williams_beer"), williams_beer_lattice(p)
    assert lattice[(0,), (1, 2)] == alone[(0,), (1, 2)] and repr(lattice) == repr(alone)
    one = pid(p[:, :, 0, 0].sum(axis=1, keepdims=True).T / p[:, :, 0, 0].sum(), "mmi")
    assert list(one["mmi"]) == ["{1}"]


def bits(**outcomes):
    """A pmf of outcomes z1 z2 ... x that are written as digits."""
    cells = [[int(digit) for digit in key.strip("_")] for key in outcomes]
    p = np.zeros(np.max(cells, axis=0) + 1)
    for cell, mass in zip(cells, outcomes.values(), strict=True):
        p[tuple(cell)] = mass
    return p


#: SxPID atoms that Makkeh, Gutknecht and Wibral (2021) and the tests of dit and IDTxl publish.
SXPID = {
    "XOR": (examples.xor(), [2 / 3, 3 / 2, 3 / 2, 4 / 3]),
    "point-wise unique": (bits(_011=0.25, _101=0.25, _022=0.25, _202=0.25), [1, 2**0.5, 2**0.5, 1]),
    "unique": (bits(_000=0.25, _010=0.25, _101=0.25, _111=0.25), [4 / 3, 3 / 2, 3 / 4, 4 / 3]),
    "reduced or": (
        bits(_000=0.5, _011=0.25, _101=0.25),
        [(2 / 3) ** 0.5, (4 / 3) ** 0.5 * 3**0.25, (4 / 3) ** 0.5 * 3**0.25, (9 / 8) ** 0.5],
    ),
    "AND": (examples.and_gate(), [2**0.12255624891826572]),
}  # fmt: skip


@pytest.mark.parametrize("name", SXPID)
def test_published_atoms_of_shared_exclusions(name):
    p, powers = SXPID[name]
    found = shared_exclusions(p).mean()
    np.testing.assert_allclose(found.atoms[: len(powers)], np.log2(powers), atol=1e-12)
    np.testing.assert_allclose(list(pid(p, "sxpid")["sxpid"].values()), found.atoms, atol=1e-12)


def test_published_shared_exclusions_of_three_bits_of_even_parity():
    lattice = pid(examples.parity(3), "sxpid").lattice("sxpid")
    published = {
        ((0,),): 5 / 4,
        ((0, 1),): 9 / 8,
        ((0, 1, 2),): 32 / 27,
        ((0,), (1,)): 7 / 8,
        ((0,), (1, 2)): 32 / 35,
        ((0, 1), (0, 2)): 16 / 15,
        ((0,), (1,), (2,)): 8 / 7,
        ((0, 1), (0, 2), (1, 2)): 875 / 1024,
    }
    for antichain, power in published.items():
        assert lattice[antichain] == pytest.approx(np.log2(power), abs=1e-12)


def test_pointwise_shared_exclusions_of_and():
    """Published by IDTxl: the shared part in each cell."""
    shared = shared_exclusions(examples.and_gate())[(0,), (1,)]
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 0] = expected[1, 1, 1] = np.log2(4 / 3)
    expected[0, 1, 0] = expected[1, 0, 0] = np.log2(8 / 9)
    np.testing.assert_allclose(shared, expected, atol=1e-12)


def test_shared_exclusions_by_their_definition(rng, monkeypatch):
    monkeypatch.setattr(_shared_exclusions, "_NUMBERS_AT_ONCE", 100)
    p = rng.dirichlet(np.full(36, 0.3)).reshape(3, 2, 2, 3)
    p[0, 0] = 0
    p[2, 1, 1] *= 1e-30  # rare cells keep their digits
    p /= p.sum()
    result = shared_exclusions(p, unit="nats")
    for k in rng.choice(18, 6, replace=False):
        for cell in zip(*np.nonzero(p), strict=True):
            event = np.zeros(p.shape, dtype=bool)
            for group in result.antichains[k]:
                where = [cell[j] if j in group else slice(None) for j in range(3)]
                event[tuple(where)] = True
            x = np.arange(3) == cell[-1]
            odds = p[event & x].sum() / p[event].sum() / p[..., cell[-1]].sum()
            assert result.redundancy[k][cell] == pytest.approx(np.log(odds), abs=1e-11)
    assert (result.atoms[:, p == 0] == 0).all()
    assert min(result.informative.min(), result.misinformative.min()) > -1e-12
    assert "misinformative" in repr(result)
    np.testing.assert_allclose(result.mean().atoms, pid(p, "sxpid", unit="nats").atoms[0])


def test_bad_input():
    with pytest.raises(ValueError, match="'broja'"):
        pid(examples.xor(), "mmi")["broja"]
    with pytest.raises(ValueError, match=r"'broja' decomposes two sources, found 3; williams_beer"):
        pid(examples.parity(3), ["mmi", "broja"])
    with pytest.raises(ValueError, match="no name"):
        pid(examples.xor(), [])
    with pytest.raises(AttributeError, match="of two sources"):
        _ = pid(examples.parity(3), "mmi").unique_1
    with pytest.raises(ValueError, match="two sources"):
        dependency_constraint(np.ones((2, 2)) / 4)
    for decompose in (williams_beer_lattice, pid, shared_exclusions):
        with pytest.raises(ValueError, match="at most 5"):
            decompose(np.ones((2,) * 7) / 128)
    with pytest.raises(ValueError, match="too many to hold"):
        shared_exclusions(np.ones((4,) * 6) / 4**6)
    with pytest.raises(ValueError, match="at least 1"):
        examples.parity(0)
