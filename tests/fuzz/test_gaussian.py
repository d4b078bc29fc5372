"""Gaussian measures: correlations of every rank and rounding, and matrices that are none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fuzzing import NUMBERS, fuzz, nonsense, result_of
from minsyn.information import gaussian, gaussian_vectors
from minsyn.information.ci.gaussian import ci_decoder

MEASURES = (
    gaussian.mutual_information,
    gaussian.union_information,
    gaussian.gk_synergy,
    gaussian.ci_synergy,
    gaussian.whole_minus_sum,
    gaussian.total_correlation,
)
OF_RHO = (gaussian.source_informations, gaussian.gk_distribution)
OF_VECTORS = (
    gaussian_vectors.mutual_information,
    gaussian_vectors.source_informations,
    gaussian_vectors.union_information,
    gaussian_vectors.gk_synergy,
    gaussian_vectors.ci_synergy,
    gaussian_vectors.pid,
)
LOADINGS = st.sampled_from([0.0, 1.0, 1.0, -1.0, 0.5, 2.0, 1e-4, 1e-8, 1e-12, 1e8])
FORMS = (
    np.float64,
    np.float32,
    np.float16,
    np.asfortranarray,
    lambda a: np.repeat(np.repeat(a, 2, axis=0), 2, axis=1)[::2, ::2],
    np.ndarray.tolist,
)


@st.composite
def covariances(draw, most=5, least=2):
    """Of mixed independent variables, fewer or as many as there are: often singular or nearly."""
    p = draw(st.integers(least, most))
    mixing = draw(hnp.arrays(float, (p, draw(st.integers(1, p))), elements=LOADINGS))
    noise = draw(st.sampled_from([0.0, 0.0, 1e-16, 1e-8, 1.0]))
    return mixing @ mixing.T + noise * np.eye(p)


def correlations(covariance):
    std = np.sqrt(np.diag(covariance))
    std = np.where(std > 0, std, 1.0)
    found = np.clip(covariance / std / std[:, None], -1, 1)
    np.fill_diagonal(found, 1.0)
    return found


@st.composite
def sources_and_targets(draw):
    r = correlations(draw(covariances(6)))
    m = draw(st.integers(1, len(r)))
    form = draw(st.sampled_from(FORMS))
    return form(r[:m, :m]), form(r[:m, m:])


@fuzz(6)
@given(sources_and_targets())
def test_laws(arguments):
    sigma, rho = arguments
    found = [result_of(measure, sigma, rho) for measure in MEASURES]
    whole, union, gk, ci, wms, tc = found
    if whole is None:
        return
    for value in found:
        assert value.dtype == np.float64 and not np.isnan(value).any()
    assert min(v.min(initial=0) for v in (whole, union, gk, ci, tc)) >= 0
    alone = gaussian.source_informations(rho)
    best = alone.max(axis=0, initial=0.0)
    np.testing.assert_allclose(union, best, rtol=1e-6, atol=1e-9)
    assert (union <= whole * (1 + 1e-9) + 1e-12).all()
    regular = np.isfinite(whole)
    np.testing.assert_allclose((gk + union)[regular], whole[regular], rtol=1e-9, atol=1e-9)
    assert (wms <= gk + 1e-9).all()
    assert (tc >= whole - 1e-9).all()


@fuzz(3)
@given(sources_and_targets())
def test_sources_may_be_exchanged_and_turned(arguments):
    sigma, rho = (np.asarray(a, dtype=float) for a in arguments)
    sigma = np.atleast_2d(sigma)  # of one source, it may come as a number
    signs = np.where(np.arange(len(sigma)) % 2, -1.0, 1.0)
    for measure in MEASURES:
        found = result_of(measure, sigma, rho)
        turned = result_of(
            measure, (sigma * signs * signs[:, None])[::-1, ::-1], (rho.T * signs).T[::-1]
        )
        if found is not None and turned is not None:
            np.testing.assert_allclose(turned, found, rtol=1e-5, atol=1e-7)


@fuzz(6)
@given(
    hnp.arrays(float, (2, 2), elements=st.sampled_from([*NUMBERS, -0.3, 1 + 1e-14, 1 + 1e-9])),
    hnp.arrays(float, (2, 2), elements=st.sampled_from([*NUMBERS, 0.3, 1 + 1e-14, 1 + 1e-9])),
    st.booleans(),
)
def test_what_is_no_distribution_is_refused_or_is_one_to_rounding(sigma, rho, unit_diagonal):
    if unit_diagonal:
        np.fill_diagonal(sigma, 1.0)
        sigma[1, 0] = sigma[0, 1]
    whole = np.block([[sigma, rho[:, :1]], [rho[:, :1].T, np.ones((1, 1))]])
    is_one = np.isfinite(whole).all() and np.linalg.eigvalsh(whole)[0] > -1e-3
    for measure in MEASURES:
        found = result_of(measure, sigma, rho)
        if found is not None:
            assert is_one and not np.isnan(found).any()
    for measure in OF_RHO:
        found = result_of(measure, rho)
        assert found is None or not np.isnan(found).any()
    decoder = result_of(ci_decoder, rho)
    assert decoder is None or all(np.isfinite(part).all() for part in decoder)


@st.composite
def vector_sources(draw):
    covariance = draw(covariances(6, 3))
    labels = draw(st.lists(st.integers(0, 3), min_size=len(covariance), max_size=len(covariance)))
    groups = [[i for i, found in enumerate(labels) if found == k] for k in range(4)]
    scale = draw(
        hnp.arrays(float, len(covariance), elements=st.sampled_from([1.0, 1.0, 1e-150, 1e140]))
    )
    return covariance * scale * scale[:, None], [g for g in groups[:3] if g], groups[3]


@fuzz(6)
@given(vector_sources())
def test_vectors(arguments):
    covariance, sources, target = arguments
    found = [result_of(measure, covariance, sources, target) for measure in OF_VECTORS]
    whole, alone, union, gk, ci, atoms = found
    if whole is None:
        return
    assert whole >= 0 and (alone >= 0).all()
    if union is not None:
        assert union.certified and union.lower <= union.upper + 1e-12
        assert max(alone) - 1e-7 <= union.value <= whole + 1e-7 or np.isinf(whole)
        assert np.isfinite(union.covariance).all()
    assert gk is None or gk >= 0
    assert ci is None or ci >= 0
    if atoms is not None and np.isfinite(atoms.atoms).all():
        np.testing.assert_allclose(atoms.atoms.sum(axis=1), whole, rtol=1e-6, atol=1e-7)


@fuzz(3)
@given(covariances(5), st.integers(2, 4), st.sampled_from(FORMS))
def test_multiplets(covariance, order, form):
    found = result_of(gaussian.multiplet_information, form(covariance), order)
    if found is not None:
        assert (found.total_correlation >= 0).all()
        assert not np.isnan(found.o_information).any()


@fuzz(6)
@given(nonsense(), nonsense(), st.data())
def test_nonsense_is_refused(one, two, data):
    measure = data.draw(
        st.sampled_from((*MEASURES, *OF_RHO, *OF_VECTORS, gaussian.multiplet_information))
    )
    if measure in MEASURES:
        result_of(measure, one, two)
    elif measure in OF_RHO:
        result_of(measure, one)
    elif measure in OF_VECTORS:
        groups = st.sampled_from(
            [
                [0],
                [[0], [1]],
                [0, [1]],
                [],
                [[]],
                0,
                None,
                [["a"]],
                [[-1]],
                [[0.5]],
                [[10**30]],
                two,
            ]
        )
        result_of(
            measure,
            data.draw(st.sampled_from([one, np.eye(3)])),
            data.draw(groups),
            data.draw(groups),
        )
    else:
        result_of(
            measure, one, data.draw(st.sampled_from([2, 3, 0, -1, 10**9, 2.5, "2", None, np.nan]))
        )
