import numpy as np
import pandas as pd
import pytest
from minsyn.estimators._synergy_report import synergy_report

from minsyn.estimators import AutoEncoder, MinSyn
from minsyn.information import synergy


@pytest.fixture
def frame(rng):
    causes = rng.normal(size=(200, 2))
    X = causes @ rng.normal(size=(2, 4)) + 0.5 * rng.normal(size=(200, 4))
    return pd.DataFrame(np.column_stack([X, np.full(200, 0.1)]), columns=list("abcde"))


@pytest.mark.parametrize("make", [MinSyn, AutoEncoder])
def test_agrees_with_the_measures_of_samples(make, frame):
    model = make(2, max_iter=100, random_state=0).fit(frame)
    report = model.synergy_report(frame)
    expected = synergy(model.transform(frame), frame.iloc[:, :4], bias_correction="none")
    for name, column in [
        ("mutual_information", report.total_information),
        ("union_information", report.gk_union),
        ("gk_synergy", report.gk_synergy),
        ("ci_synergy", report.ci_synergy),
    ]:
        np.testing.assert_allclose(column[:4], expected[name], atol=1e-9)
        assert column[4] == 0
    corrected = synergy(model.transform(frame), frame.iloc[:, :4])["mutual_information"]
    np.testing.assert_allclose(report.total_information[:4] - report.bias, corrected, atol=1e-9)
    assert report.best_latent[4] == -1
    assert report.features == tuple("abcde")
    table = report.to_frame()
    assert report.sum["ci_synergy"] == pytest.approx(table.ci_synergy.sum())
    assert report.mean["ci_synergy"] == pytest.approx(
        np.average(table.ci_synergy, weights=frame.var(ddof=0))
    )
    assert "CI synergy" in str(report)
    assert "bias" not in str(report)


def test_few_samples_are_pointed_out(rng):
    Z, X = rng.normal(size=(12, 6)), rng.normal(size=(12, 2))
    report = synergy_report(Z, X, ("a", "b"))
    assert f"{report.bias:.4f} bits are bias" in str(report)
    with pytest.raises(ValueError, match="at least 8"):
        synergy_report(Z[:7], X[:7], ("a", "b"))


def test_bias_is_what_independent_data_show(rng):
    found = [
        synergy_report(rng.normal(size=(12, 4)), rng.normal(size=(12, 50)), ("x",) * 50)
        for _ in range(100)
    ]
    informations = np.mean([report.total_information.mean() for report in found])
    assert informations == pytest.approx(found[0].bias, rel=0.05)


def test_constants_tell_nothing(rng):
    X = rng.normal(size=(30, 3))
    Z = np.column_stack([np.full(30, 0.3), X[:, 0] + rng.normal(size=30), np.ones(30)])
    report = synergy_report(Z, X, ("a", "b", "c"))
    assert list(report.best_latent) == [1, 1, 1]
    np.testing.assert_allclose(report.ci_synergy, 0, atol=1e-9)
    nothing = synergy_report(np.ones((30, 2)), X, ("a", "b", "c"))
    assert nothing.sum == dict.fromkeys(nothing.sum, 0.0)
    assert list(nothing.best_latent) == [-1, -1, -1]
    constant = synergy_report(X, np.ones((30, 2)), ("a", "b"))
    assert constant.mean == dict.fromkeys(constant.mean, 0.0)
