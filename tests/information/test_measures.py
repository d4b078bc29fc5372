"""The registry: what follows from an entry, and that nothing lacks one."""

from pathlib import Path

import numpy as np
import pytest

from minsyn.information import discrete, gaussian, measures, synergy
from minsyn.information._gaussian_sources import GaussianSources
from minsyn.information.measures import MEASURES, Measure, names_of
from minsyn.information.sampled import discrete as tables
from minsyn.information.sampled import estimation, result
from minsyn.information.sampled import gaussian as normal


def test_every_measure_has_its_function_for_each_kind_of_distribution():
    assert {*names_of("gaussian")} <= set(gaussian.__all__)
    assert {*names_of("discrete")} <= set(discrete.__all__)
    on_request = {
        name
        for model in ("gaussian", "discrete", "nearest-neighbors")
        for name in names_of(model, on_request=True)
    }
    of_neighbors = {*names_of("nearest-neighbors")}
    every = {*names_of("gaussian"), *names_of("discrete"), *of_neighbors}
    assert set(MEASURES) == every | on_request
    assert len(of_neighbors) == 3
    assert names_of("copula") == names_of("gaussian")


def test_the_docs_describe_every_measure():
    page = (Path(__file__).parents[2] / "docs" / "measures" / "samples.md").read_text()
    for name, measure in MEASURES.items():
        assert f"`{name}`" in page
        if measure.gaussian is not None:
            assert f"| `{name}` | {measure.description} |" in page


def test_the_measure_of_one_source():
    sources = GaussianSources.of(np.eye(2), np.array([[0.6], [0.3]]))
    for j, alone in enumerate(sources.unexplained_alone):
        found = MEASURES[f"source_information[{j}]"].of(sources)
        np.testing.assert_allclose(found, -0.5 * np.log(alone))
    assert MEASURES["source_information[height]"].least == 0
    for name in ("gk_synergy[0]", "source_information[0", "other"):
        assert name not in MEASURES and MEASURES.get(name) is None
        with pytest.raises(KeyError):
            MEASURES[name]


def test_a_measure_that_is_not_defined_for_a_distribution():
    sources = GaussianSources.of(np.eye(2), np.zeros((2, 1)))
    with pytest.raises(ValueError, match="s_max is not defined"):
        MEASURES["s_max"].of(sources)


def test_a_new_measure_is_one_entry(rng, monkeypatch):
    entry = Measure(
        "explained",
        "the share of variance that is explained, less a half",
        gaussian=lambda s: 0.5 - s.unexplained,
        wishart=lambda w: w.rank / (w.n_samples - 1),
        signed=True,
    )
    for module in (measures, estimation, normal, tables, result):
        monkeypatch.setattr(module, "MEASURES", {**MEASURES, entry.name: entry})
    z = rng.normal(size=(50, 2))
    x = np.column_stack([z[:, 0] + 0.1 * rng.normal(size=50), rng.normal(size=50)])
    found = synergy(z, x, unit="nats", n_bootstrap=20, n_permutations=19, random_state=0)
    assert found.measures == (*names_of("gaussian"),)[: len(found.measures)]
    assert found.measures[-1] == "explained"
    residual = (
        x
        - np.column_stack([z, np.ones(50)])
        @ np.linalg.lstsq(np.column_stack([z, np.ones(50)]), x)[0]
    )
    expected = 0.5 - (residual**2).sum(axis=0) / ((x - x.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(found.uncorrected["explained"], expected)
    np.testing.assert_allclose(found["explained"], expected - 2 / 49)
    assert found.intervals["explained"][1, 0] < 0 and found.p_values["explained"][0] == 1 / 20
    with pytest.raises(ValueError, match="explained"):
        synergy(z > 0, x > 0, "discrete", measures="explained")
