import numpy as np
import pytest

from minsyn.metrics import Scree, empirical_kaiser, parallel_analysis


def clusters(n_causes, rng, n_samples=200, per_cause=6):
    causes = np.repeat(rng.normal(size=(n_samples, n_causes)), per_cause, axis=1)
    return np.corrcoef((causes + rng.normal(size=causes.shape)).T)


def test_filled_marks_are_the_factors(rng):
    scree = parallel_analysis(clusters(3, rng), 200, random_state=0)
    axes = scree.plot().axes[0]
    assert axes.get_title(loc="left") == "3 factors"
    filled, open_ = (marks.get_offsets()[:, 1] for marks in axes.collections[1:])
    np.testing.assert_allclose(filled, scree.eigenvalues[:3])
    np.testing.assert_allclose(open_, scree.eigenvalues[3:15])
    np.testing.assert_allclose(axes.lines[0].get_ydata(), scree.reference[:15])
    few = scree.plot(max_shown=5).axes[0]
    assert len(few.lines[0].get_ydata()) == 5


@pytest.mark.parametrize("n_causes", [1, 20])
@pytest.mark.parametrize("kind", ["components", "factors"])
def test_everything_lies_inside(rng, pixels, n_causes, kind):
    scree = parallel_analysis(clusters(n_causes, rng), 200, kind=kind, random_state=0)
    figure = scree.plot()
    pixels(figure)
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    for line in axes.lines[:2]:
        assert low <= min(line.get_ydata()) and max(line.get_ydata()) <= high
    around = axes.get_tightbbox()
    assert around.x0 > -1 and around.x1 < figure.bbox.width + 1


def test_one_eigenvalue_and_no_factor(pixels):
    figure = empirical_kaiser([[1.0]], 10).plot()
    pixels(figure)
    assert figure.axes[0].get_title(loc="left") == "no factor"
    one = Scree(np.array([2.0, 0.0]), np.array([1.0, 1.0]), 1, "a bound")
    assert one.plot().axes[0].get_title(loc="left") == "1 factor"
