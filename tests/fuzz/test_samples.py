"""Synergy from samples: columns of every kind, scale and type, few samples, and options."""

import numpy as np
import pandas as pd
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from fuzzing import fuzz, nonsense, result_of
from minsyn.information import embed, synergy, synergy_graph

MODELS = st.sampled_from(["gaussian", "copula", "discrete", "nearest-neighbors"])
SCALES = [1e-308, 1e-300, 1e-150, 1e-12, 1.0, 1.0, 1.0, 1e12, 1e70, 1e100, 1e307]
OFFSETS = [0.0, 0.0, 0.0, 1e8, -1e12]


@st.composite
def columns(draw, n, k):
    """Columns that vary, some in units of their own, some constant, tied, or made of others."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = np.zeros((n, k))
    for j in range(k):
        kind = draw(st.sampled_from("rrrructdsm"))
        if kind == "r":
            column = rng.normal(size=n)
        elif kind == "u":
            column = rng.integers(0, 3, size=n).astype(float)
        elif kind == "c":
            column = np.full(n, draw(st.sampled_from([0.0, 1.0, 0.1, 1e8, 1e-308])))
        elif kind == "t":
            column = np.where(np.arange(n) == n - 1, 1.0, 0.0)
        elif kind == "m":
            column = np.where(rng.random(n) < 0.5, 1.0, rng.normal(size=n))
        else:
            column = found[:, :j].sum(axis=1) if kind == "s" else found[:, max(j - 1, 0)]
        found[:, j] = column
        if kind in "ru":
            found[:, j] *= draw(st.sampled_from(SCALES))
            found[:, j] += draw(st.sampled_from(OFFSETS))
    return found


@st.composite
def tables(draw, most_samples=30, most_columns=4):
    n = draw(st.one_of(st.integers(1, 6), st.integers(7, most_samples)))
    k = draw(st.integers(2, most_columns))
    table = draw(columns(n, k))
    m = draw(st.integers(1, k - 1))
    return table[:, :m], table[:, m:]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def integers(a):
    return np.clip(np.nan_to_num(a), -(2**62), 2**62).astype(np.int64)


FORMS = (
    np.asfortranarray,
    lambda a: np.repeat(a, 2, axis=0)[::2],
    lambda a: np.repeat(a, 2, axis=1)[:, ::-2][:, ::-1],
    read_only,
    np.ndarray.tolist,
    pd.DataFrame,
    lambda a: pd.DataFrame(a).convert_dtypes(),
    lambda a: pd.DataFrame(a).astype(object),
    lambda a: pd.DataFrame(a).astype("Float64"),
    torch.from_numpy,
    lambda a: a.astype(np.longdouble),
)
COARSE = (
    lambda a: np.clip(a, -3e38, 3e38).astype(np.float32),
    lambda a: np.clip(a, -6e4, 6e4).astype(np.float16),
    integers,
    lambda a: integers(a) % 200,
    lambda a: a > np.median(a, axis=0),
    lambda a: (integers(a) % 7).astype(np.uint8),
    lambda a: (integers(a) % 3).astype(str),
    lambda a: pd.DataFrame((integers(a) % 3).astype(str)).astype("category"),
    lambda a: pd.DataFrame(a > 0).astype("boolean"),
    lambda a: pd.DataFrame((integers(a) % 3).astype(str)).astype("string"),
    lambda a: pd.DataFrame(integers(a) % 5).astype("Int8"),
)


@fuzz(3)
@given(
    tables(),
    MODELS,
    st.sampled_from(["all", "atoms", "o_information", "source_information"]),
    st.sampled_from([None, 2, 3]),
    st.sampled_from([0, 3]),
    st.sampled_from([0, 3]),
    st.sampled_from(["auto", "none"]),
)
def test_values_intervals_and_p_values(
    table, model, measures, bins, n_bootstrap, n_permutations, correction
):
    Z, X = table
    result = result_of(
        synergy,
        Z,
        X,
        model,
        measures=measures,
        bins=bins if model == "discrete" else None,
        n_bootstrap=n_bootstrap,
        n_permutations=n_permutations,
        bias_correction=correction,
        random_state=0,
    )
    if result is None:
        return
    for values in (result.values, result.uncorrected, result.intervals or {}):
        for name, v in values.items():
            assert not np.isnan(v).any(), name
    for p in (result.p_values or {}).values():
        assert ((p > 0) & (p <= 1)).all()
    assert str(result)
    assert len(result.to_frame())


@fuzz(3)
@given(tables(), MODELS, st.sampled_from(FORMS), st.sampled_from(FORMS))
def test_the_form_of_the_arrays_does_not_count(table, model, of_sources, of_targets):
    Z, X = table
    bins = 3 if model == "discrete" else None
    plain = result_of(synergy, Z, X, model, bins=bins)
    found = result_of(synergy, of_sources(Z), of_targets(X), model, bins=bins)
    assert (plain is None) == (found is None)
    if plain is not None:
        for name, values in plain.values.items():
            np.testing.assert_allclose(found.values[name], values, rtol=1e-9, atol=1e-9)


@fuzz(3)
@given(tables(), MODELS, st.sampled_from(COARSE), st.sampled_from([*COARSE, *FORMS]))
def test_types_of_columns(table, model, of_sources, of_targets):
    Z, X = table
    result = result_of(
        synergy, of_sources(Z), of_targets(X), model, bins=3 if model == "discrete" else None
    )
    if result is not None:
        for name, v in result.values.items():
            assert not np.isnan(v).any(), name


@fuzz(3)
@given(tables(), st.sampled_from(["gaussian", "copula"]), st.data())
def test_units_do_not_count(table, model, data):
    Z, X = table
    units = np.array(
        data.draw(
            st.lists(
                st.sampled_from([0.5, 2.0, 1024.0, -4.0]), min_size=Z.shape[1], max_size=Z.shape[1]
            )
        )
    )
    plain = result_of(synergy, Z, X, model, bias_correction="none")
    scaled = result_of(synergy, Z * units, X * 0.25, model, bias_correction="none")
    assume(np.isfinite(Z * units).all() and (np.abs(Z * units)[Z != 0] > 1e-290).all())
    assert (plain is None) == (scaled is None)
    if plain is not None:
        for name, values in plain.values.items():
            np.testing.assert_allclose(scaled.values[name], values, rtol=1e-6, atol=1e-9)


@fuzz(3)
@given(tables(), MODELS)
def test_the_order_of_sources_and_samples_does_not_count(table, model):
    Z, X = table
    bins = 2 if model == "discrete" else None
    plain = result_of(synergy, Z, X, model, bins=bins, bias_correction="none")
    turned = result_of(synergy, Z[::-1, ::-1], X[::-1], model, bins=bins, bias_correction="none")
    assert (plain is None) == (turned is None)
    if plain is not None and model != "nearest-neighbors":  # whose ties are parted at random
        for name, values in plain.values.items():
            np.testing.assert_allclose(turned.values[name], values, rtol=1e-6, atol=1e-8)


@fuzz(3)
@given(
    tables(40),
    MODELS,
    st.sampled_from([0, 1, [1, 2], 5, [3], 50, -1, [], "1", 1.5, None]),
    st.sampled_from([None, 1, 3.5, 100, 0, np.nan]),
    st.sampled_from([0, 0, 3]),
    st.data(),
)
def test_time_series(table, model, lag, block_length, n_resamples, data):
    Z, X = table
    trials = data.draw(
        st.sampled_from(
            [
                None,
                np.arange(len(Z)) // 4,
                ["a"] * len(Z),
                np.arange(len(Z)),
                [np.nan] * len(Z),
                [1],
            ]
        )
    )
    result = result_of(
        synergy,
        Z,
        X,
        model,
        bins=2 if model == "discrete" else None,
        lag=lag,
        trials=trials,
        block_length=block_length,
        n_bootstrap=n_resamples,
        n_permutations=n_resamples,
    )
    if result is not None:
        for values in (result.values, result.intervals or {}):
            for name, v in values.items():
                assert not np.isnan(v).any(), name
    result_of(embed, Z, X, lag, trials=trials)


@fuzz(3)
@given(tables(), st.sampled_from([None, 1, 2, 3, 0, -1, 100]))
def test_graph(table, n_groups):
    Z, X = table
    found = result_of(synergy_graph, Z, X, n_groups)
    if found is not None:
        assert np.isfinite(found.synergy).all() and np.isfinite(found.eigenvalues).all()


OPTIONS = {
    "model": [
        "gaussian",
        "copula",
        "discrete",
        "nearest-neighbors",
        "normal",
        None,
        3,
        ["gaussian"],
    ],
    "groups": [None, [0, 0], ["a", "b"], [0], [np.nan, 1.0], "ab", [None, 1], [[0], [1, 2]], 5],
    "measures": [
        "all",
        "atoms",
        "gk_synergy",
        ["ci_synergy"],
        [],
        "",
        None,
        5,
        ["gk_synergy", 3],
        "source_information[0]",
    ],
    "unit": ["bits", "nats", "bit", None],
    "bias_correction": [
        "auto",
        "none",
        "wishart",
        "jackknife",
        "shrinkage",
        "miller-madow",
        "x",
        None,
    ],
    "bins": [None, 2, 1, 0, -3, 2.5, "3", 10**9, np.int64(3), True, np.nan],
    "binning": ["equal-frequency", "equal-width", "x", None],
    "n_bootstrap": [0, 2, -1, 1.5, "3", None, np.int32(2)],
    "confidence": [0.95, 0, 1, np.nan, "a", None],
    "n_permutations": [0, 2, -1, 1.5, None],
    "null": ["synergy", "independence", "x", None],
    "lag": [None, 0, 1, -1, "a", [0, 1], 10**20],
    "trials": [None, [0, 0, 1, 1, 1, 1] * 3, "abc", [[1], [2, 3]]],
    "block_length": [None, 2, 0, np.inf, "a"],
    "n_neighbors": [3, 0, -1, 100, 2.5, "3", None],
    "random_state": [None, 0, -1, "a", 1.5, np.random.default_rng(0)],
}
Z6, X6 = (np.random.default_rng(seed).normal(size=(18, 2)) for seed in (0, 1))


@fuzz(6)
@given(
    st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in OPTIONS.items()}),
    st.booleans(),
)
def test_options(options, whole_numbers):
    tables = (np.round(Z6), np.round(X6)) if whole_numbers else (Z6, X6)
    result_of(synergy, *tables, **options)


@fuzz(6)
@given(nonsense(), nonsense(), MODELS)
def test_nonsense_is_refused(one, two, model):
    bins = 2 if model == "discrete" else None
    for pair in ((one, two), (one, X6), (Z6, two)):
        result_of(synergy, *pair, model, bins=bins)
    result_of(embed, one, two)
