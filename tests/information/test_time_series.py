"""Time series: lags within trials, blocks, surrogates, and tests that keep their size."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from minsyn.information import PairwiseStatistics, embed, gaussian, synergy
from minsyn.information.sampled.autocorrelation import (
    autocovariances,
    block_length,
    decorrelation,
    effective_number,
)
from minsyn.information.sampled.discrete import DiscreteModel, smoothed
from minsyn.information.sampled.gaussian import GaussianModel
from minsyn.information.sampled.quantile_residuals import Residuals
from minsyn.information.sampled.series import Series


def autoregressive(n, k, phi, rng):
    return lfilter([1], [1, -phi], rng.normal(size=(n + 200, k)), axis=0)[200:]


def of_one_trial(n):
    return np.array([n])


@pytest.fixture
def slow(rng):
    return autoregressive(400, 3, 0.95, rng)


def test_lags_never_cross_trials():
    table = pd.DataFrame({"a": range(7), "b": range(10, 17)})
    trials = ["u", "v", "u", "v", "u", "v", "v"]
    found = embed(table[["a"]], table.b, lag=[0, 2], trials=trials)
    assert list(found.Z.columns) == ["a(t)", "a(t-2)"] and found.groups == ("a", "a")
    # u: rows 0, 2, 4; v: rows 1, 3, 5, 6.
    assert found.Z.to_numpy().tolist() == [[4, 0], [5, 1], [6, 3]]
    assert found.X.b.tolist() == [14, 15, 16] and found.trials.tolist() == [0, 1, 1]


def test_one_call_is_the_measure_of_the_embedded_rows(rng):
    z = rng.normal(size=(100, 2))
    x = np.r_[0.0, z[:-1].sum(axis=1)] + rng.normal(size=100)
    rows = embed(z, x, 1)
    statistics = PairwiseStatistics.of(rows.Z.to_numpy(), rows.X.to_numpy())
    result = synergy(z, x, lag=1, bias_correction="none")
    for name in result.measures:
        expected = getattr(gaussian, name)(statistics.sigma, statistics.rho)
        np.testing.assert_allclose(result[name], expected, rtol=1e-12)
    assert result.sources == ("z0(t-1)", "z1(t-1)") and result.n_samples == 99
    two = synergy(z, x, lag=[2, 1])
    assert two.sources == ("z0(t-1, t-2)", "z1(t-1, t-2)") and two.lags == (1, 2)
    assert two.members[0] == ("z0(t-1)", "z0(t-2)")
    assert synergy(z, x, groups=[5, 5], lag=1).members == (("z0(t-1)", "z1(t-1)"),)
    assert "time series at lag 1, 2: worth at least" in repr(two)


def test_lags_of_categories_are_combined(rng):
    z = rng.integers(2, size=300)
    x = np.r_[0, 0, z[:-2] ^ z[1:-1]]
    names = ["mutual_information", "union_information"]  # of one source, the same
    result = synergy(z, x, "discrete", lag=[1, 2], measures=names)
    assert [result[name][0] for name in names] == pytest.approx([1, 1], abs=0.02)
    other = np.arange(300) % 2
    together = synergy(
        np.repeat(z, 2), np.repeat(x, 2), "discrete", lag=[1, 2], trials=np.tile([0, 1], 300),
        measures="mutual_information",
    )  # fmt: skip
    assert together["mutual_information"][0] == pytest.approx(1, abs=0.02)
    alone = synergy(z, x, "discrete", lag=[1, 2], trials=other, measures="mutual_information")
    assert alone["mutual_information"][0] < 0.1


def test_autocovariances_cell_by_cell(rng):
    a, lengths = rng.normal(size=(11, 2)), np.array([4, 1, 6])
    centred, trial = a - a.mean(axis=0), np.repeat([0, 1, 2], lengths)
    for lag, found in enumerate(autocovariances(a, lengths, 3)):
        pairs = [t for t in range(lag, 11) if trial[t] == trial[t - lag]]
        np.testing.assert_allclose(found, sum(centred[t] * centred[t - lag] for t in pairs) / 11)


def test_block_length_is_politis_and_whites(rng):
    """For x(t) = phi x(t-1) + e their rule tends to (2 phi / (1 - phi^2))^(2/3) N^(1/3)."""
    n, phi = 100_000, 0.5
    # R(k) = R(0) phi^|k|: g = 2 R(0) phi / (1 - phi)^2 and sum R = R(0) (1 + phi) / (1 - phi).
    expected = (2 * phi / (1 - phi**2)) ** (2 / 3) * n ** (1 / 3)
    found = block_length(autoregressive(n, 4, phi, rng), of_one_trial(n))
    assert found == pytest.approx(expected, rel=0.1)


def test_memory_has_no_unit(slow):
    lengths = of_one_trial(len(slow))
    blocks = [block_length(unit * slow, lengths) for unit in (1e-6, 1, 1e6)]
    assert blocks == pytest.approx([blocks[1]] * 3) and blocks[1] > 5
    steps = [decorrelation(unit * slow, lengths) for unit in (1e-6, 1, 1e6)]
    assert steps == [steps[1]] * 3 and steps[1] > 5


def test_short_trials_are_not_left_out_whole():
    """A quarter of a trial counts as memory at most, and a twentieth of all shifts as near 0."""
    rising = np.arange(30.0)[:, None]
    assert decorrelation(rising[:4], of_one_trial(4)) == 1
    assert decorrelation(rising, of_one_trial(30)) == 7
    assert Series.of(rising, rising, of_one_trial(30)).gap == 1


def test_effective_number_is_the_spread_of_correlations(rng):
    phi, n = 0.8, 2000
    z, x = autoregressive(n, 1, phi, rng), autoregressive(n, 3, phi, rng)
    expected = n * (1 - phi**2) / (1 + phi**2)
    found = effective_number(z, np.column_stack([x, np.ones(n)]), of_one_trial(n))
    assert found[:3] == pytest.approx(expected, rel=0.3)
    assert found[3] == n
    assert effective_number(np.ones((n, 1)), x, of_one_trial(n)).tolist() == [n] * 3


@pytest.mark.parametrize("n_trials", [1, 3, 30])
def test_resampled_rows_stay_in_their_trials(rng, n_trials):
    lengths = rng.integers(5, 9, size=n_trials) + (60 if n_trials == 1 else 0)
    series = Series(lengths, 4.0, 2, np.ones(1))
    trial = np.repeat(np.arange(n_trials), lengths)
    starts = np.cumsum(lengths) - lengths
    rows = series.resampled(50, rng)
    assert rows.shape == (50, lengths.sum()) and rows.min() == 0 and rows.max() == len(trial) - 1
    follows = starts[trial] + (np.arange(len(trial)) - starts[trial] + 1) % lengths[trial]
    in_block = rows[:, 1:] == follows[rows[:, :-1]]
    assert in_block.mean() == pytest.approx(1 - 1 / 4, abs=0.06)
    for order in series.shifted(5, rng):
        if n_trials < 20:
            assert sorted(order) == list(range(len(trial)))
        assert (np.abs(order - np.arange(len(trial))) < 2).mean() <= 0.35


@pytest.mark.parametrize("length", [64, 65])
def test_surrogates_keep_spectra_and_forget_the_rest(slow, rng, length):
    a = slow[: 2 * length]
    series = Series(np.array([length, length]), 4.0, 2, np.ones(1))
    drawn = series.draw(3, 1, rng)[:, 0]
    found = series.surrogates(a, drawn)
    for start in (0, length):
        part = slice(start, start + length)
        cross = [np.fft.rfft(b[part], axis=0) for b in (a, *found)]
        for one in cross[1:]:
            np.testing.assert_allclose(
                one * np.conj(one[:, :1]), cross[0] * np.conj(cross[0][:, :1]), atol=1e-9
            )
    assert abs(np.corrcoef(found[0, :, 0], found[1, :, 0])[0, 1]) < 0.9


def test_residuals_of_categories_give_them_back(rng):
    given = rng.dirichlet(np.ones(4), size=50)
    codes = np.array([rng.choice(4, p=p) for p in given])
    for residuals in (
        Residuals.of(codes, given, of_one_trial(50)),
        Residuals.in_order(codes, given, np.argsort(-given, axis=1)),
    ):
        u = residuals.draw(rng.random((6, 50)))
        np.testing.assert_array_equal(residuals.categories(u), np.tile(codes, (6, 1)))
        at = residuals.draw(rng.random((2000, 50)))
        assert at.min() >= 0 and at.max() <= 1


def rejected(z, x, model, measure, trials=None):
    """Share of targets with a p-value of at most .05."""
    result = synergy(
        z, x, model, measures=measure, bias_correction="none", n_permutations=39, lag=1,
        trials=trials, random_state=0,
    )  # fmt: skip
    return (result.p_values[measure] <= 0.05).mean()


def chains(n, k, rng):
    return (rng.random((n, k)) < 0.03).cumsum(axis=0) % 2


@pytest.mark.parametrize(
    ("model", "measure"),
    [
        ("gaussian", "mutual_information"),
        ("copula", "gk_synergy"),
        ("gaussian", "ci_synergy"),
        ("discrete", "gk_synergy"),
        ("discrete", "ci_synergy"),
    ],
)
def test_slow_independent_series_are_rarely_called_dependent(rng, model, measure):
    """Taken for independent samples, 40 to 90 % are."""
    draw = chains if model == "discrete" else lambda n, k, rng: autoregressive(n, k, 0.95, rng)
    k = 15 if model == "discrete" else 60
    assert rejected(draw(300, 2, rng), draw(300, k, rng), model, measure) <= 0.17
    if measure == "ci_synergy":
        return
    tells = draw(300, 2, rng)
    x = np.column_stack([tells[:, 0]] * k)
    x = (
        x ^ (draw(300, k, rng) * draw(300, k, rng))
        if model == "discrete"
        else x + draw(300, k, rng)
    )
    if measure == "gk_synergy":  # what one source tells is no synergy
        assert rejected(tells, x, model, measure) <= 0.25
    assert rejected(tells, x, model, "mutual_information") > 0.5


def test_trials_that_are_alike_in_themselves_only(rng):
    """Whose rows differ little: forty samples, not three hundred."""
    z, x = (np.repeat(rng.normal(size=(40, k)), 8, axis=0) for k in (2, 60))
    noise = 0.1 * rng.normal(size=(320, 62))
    trials = np.repeat(np.arange(40), 8)
    z, x = z + noise[:, :2], x + noise[:, 2:]
    assert rejected(z, x, "gaussian", "mutual_information", trials) <= 0.17
    assert rejected(z, x + z[:, :1], "gaussian", "mutual_information", trials) > 0.8


def test_what_the_own_past_tells_is_no_synergy(rng):
    a = autoregressive(300, 2, 0.95, rng)
    x = autoregressive(300, 40, 0.95, rng)
    shares = [
        rejected(np.column_stack([a, x[:, i]]), x[:, i], "gaussian", "gk_synergy")
        for i in range(40)
    ]
    assert np.mean(shares) <= 0.17


def test_others_made_anew_keep_the_best_source_and_what_it_tells_of_them(slow, rng):
    z = np.column_stack([slow[:, 0], slow[:, 0] + slow[:, 1], slow[:, 2]])
    x = slow[:, :1] + 0.5 * slow[:, 2:]
    fitted = GaussianModel(z, x, ("gk_synergy",), series=Series.of(z, x, of_one_trial(400)))
    assert fitted.moments.sources.best[0] == 0
    seen = []
    object.__setattr__(fitted, "_stack_of", lambda z, x: seen.append(z) or made(z, x))
    made = type(fitted)._stack_of.__get__(fitted)
    fitted.without_gk_synergy(20, rng)
    drawn = np.concatenate(seen)
    standard = (z - z.mean(axis=0)) / z.std(axis=0)
    np.testing.assert_allclose(drawn[:, :, 0], np.tile(standard[:, 0], (20, 1)))
    kept = np.mean([np.corrcoef(d[:, 0], d[:, 1])[0, 1] for d in drawn])
    assert kept == pytest.approx(np.corrcoef(z[:, 0], z[:, 1])[0, 1], abs=0.1)
    assert np.abs([np.corrcoef(d[:, 2], z[:, 2])[0, 1] for d in drawn]).mean() < 0.6


def test_blocks_are_no_longer_than_trials(slow):
    trials = np.repeat(np.arange(20), 20)
    cut = synergy(slow[:, :1], slow[:, 0] + slow[:, 1], lag=0, trials=trials)
    assert (
        synergy(slow[:, :1], slow[:, 0] + slow[:, 1], lag=0).block_length > cut.block_length == 20
    )


def test_what_drives_a_series_is_found(rng):
    z = autoregressive(300, 2, 0.8, rng)
    x = np.roll(z.sum(axis=1, keepdims=True), 1, axis=0) + autoregressive(300, 40, 0.8, rng)
    assert rejected(z, x, "gaussian", "gk_synergy") > 0.7


def test_intervals_of_slow_series_are_wider(slow):
    z, x = slow[:, :2], slow[:, 2] + slow[:, 0]
    options = {"measures": "mutual_information", "n_bootstrap": 100, "random_state": 0}
    of_series, alike = (synergy(z, x, **options, **more) for more in ({"lag": 0}, {}))
    width = [np.ptp(result.intervals["mutual_information"]) for result in (of_series, alike)]
    assert width[0] > 2 * width[1]
    assert of_series.block_length > 5 and of_series.n_effective[0] < 100
    assert alike.n_effective is None and alike.lags == ()
    one = synergy(z, x, lag=0, block_length=1.0, **options)
    assert np.ptp(one.intervals["mutual_information"]) < width[0]


@pytest.mark.parametrize("model", ["gaussian", "discrete"])
def test_draws_of_series_do_not_depend_on_the_size_of_batches(slow, model, monkeypatch):
    from minsyn.information.sampled import discrete as tables
    from minsyn.information.sampled import gaussian as normal

    z, x, names = slow[:90, :2], slow[:90, 2:], ("gk_synergy", "ci_synergy")
    series = Series.of(z, x, np.array([40, 50]))
    if model == "discrete":
        fitted = DiscreteModel(
            (z > 0).astype(int), (x > 0).astype(int), (2, 2), (2,), names, series=series
        )
    else:
        fitted = GaussianModel(z, x, names, series=series)
    draws = {
        "bootstrap": lambda rng: (fitted.bootstrap(5, rng),),
        "independent": lambda rng: (fitted.independent(5, rng),),
        "gk": lambda rng: fitted.without_gk_synergy(5, rng),
        "ci": lambda rng: fitted.without_ci_synergy(5, rng),
    }
    together = {name: draw(np.random.default_rng(5)) for name, draw in draws.items()}
    for module in (normal, tables):
        monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 1)
    for name, draw in draws.items():
        for one, all_at_once in zip(draw(np.random.default_rng(5)), together[name], strict=True):
            for measure in names:
                np.testing.assert_allclose(one[measure], all_at_once[measure], atol=1e-6)


def test_constants_and_short_series(rng):
    z, x = rng.normal(size=(9, 1)), np.column_stack([rng.normal(size=9), np.ones(9)])
    result = synergy(z, x, lag=1, n_bootstrap=5, n_permutations=5, random_state=0)
    assert result["mutual_information"][1] == 0 and result.p_values["gk_synergy"][1] == 1
    assert all(np.isfinite(v).all() for v in result.intervals.values())
    tiny = synergy([0, 1, 0], [0, 1, 1], "discrete", lag=1, n_bootstrap=2, n_permutations=2)
    assert tiny.n_samples == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lag": -1}, "whole number of steps, 0 or more"),
        ({"lag": []}, "whole number of steps"),
        ({"lag": 50}, "trials of more than 50 samples; the longest has 50"),
        ({"lag": 25, "trials": np.arange(50) // 25}, "the longest has 25"),
        ({"lag": 1, "trials": [0, 1]}, "one label for each of the 50 samples"),
        ({"lag": 1, "trials": np.r_[np.nan, np.zeros(49)]}, "missing labels"),
        ({"trials": np.zeros(50)}, "trials is for time series: give lag"),
        ({"block_length": 3.0}, "block_length is for time series"),
        ({"lag": 1, "block_length": 0.5}, "at least 1"),
        ({"lag": 1, "bias_correction": "wishart"}, "for independent samples; series take jackk"),
    ],
)
def test_bad_options(rng, options, message):
    with pytest.raises(ValueError, match=message):
        synergy(rng.normal(size=(50, 2)), rng.normal(size=50), **options)


def test_trials_of_different_levels_have_surrogates_about_zero(rng):
    """Random signs of the levels of a few trials add up to a mean, which is taken off again."""
    z, x = (np.repeat(rng.normal(size=(4, 1)), 50, axis=0) for _ in range(2))
    z, x = z + 0.1 * rng.normal(size=z.shape), x + 0.1 * rng.normal(size=x.shape)
    fitted = GaussianModel(z, x, ("mutual_information",), series=Series.of(z, x, np.full(4, 50)))
    # Four levels: what they seem to tell is of the size of what four samples tell.
    assert 0.05 < fitted.independent(200, rng)["mutual_information"].mean() < 1


def test_blocks_of_tables_have_the_smoothed_distribution(rng):
    """Even cells that were never seen get their share, as from tables that are smoothed."""
    z, x = np.zeros((64, 1), dtype=int), np.repeat([0, 1], 32)[:, None]
    series = Series.of(z.astype(float), x.astype(float), np.array([64]), 4)
    fitted = DiscreteModel(z, x, (2,), (2,), ("mutual_information",), series=series)
    (found,) = fitted._blocks((2, 2), [0], 2000, rng)
    (expected,) = smoothed(np.array([[[32, 32], [0, 0]]]))
    mean = found.mean(axis=(0, 1)) / 64
    np.testing.assert_allclose(mean[0], expected[0], atol=0.01)
    np.testing.assert_allclose(mean[1], expected[1], atol=0.001)


def test_groups_of_the_jackknife_are_longer_than_blocks():
    series = Series(np.array([400]), 25.0, 1, np.ones(1))
    groups = list(series.jackknife_groups())
    assert [len(group) for group in groups] == [50] * 8
    np.testing.assert_array_equal(np.concatenate(groups), np.arange(400))
    for length, n_groups in ((1.0, 20), (300.0, 5)):  # at most twenty, and at least five
        assert len(list(replace(series, block_length=length).jackknife_groups())) == n_groups


def test_a_null_of_series_knows_categories_that_do_not_occur_together(rng):
    """The last one of the best source never meets the last one of the target."""
    z = (rng.random((60, 2)) < 0.5).astype(int)
    x = np.where(z[:, 0] == 1, 0, rng.integers(2, size=60))
    options = {"measures": "gk_synergy", "n_permutations": 3, "random_state": 0}
    p_value = synergy(z, x, "discrete", lag=0, **options).p_values["gk_synergy"]
    assert 0 < p_value[0] <= 1
