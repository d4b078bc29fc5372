import numpy as np
import pytest

from minsyn.information import gaussian
from minsyn.report.figure1 import figure1


@pytest.fixture(scope="module")
def figure():
    return figure1(n_points=201)


def test_curves_are_the_measures(figure):
    curves = {line.get_color(): line for line in figure.axes[2].lines if len(line.get_xdata()) > 2}
    assert len(curves) == 4
    x, information = curves["black"].get_data()
    expected = [gaussian.mutual_information([[1, s], [s, 1]], [[0.5], [0.75]])[0] for s in x[::40]]
    np.testing.assert_allclose(information[::40], expected, rtol=1e-12)
    half = np.sqrt((1 - 0.25) * (1 - 0.5625))
    assert figure.axes[2].get_xlim() == pytest.approx((0.375 - half, 0.375 + half))


def test_curves_are_named_beside_them(figure):
    assert {t.get_text() for t in figure.axes[2].texts} >= {"GK synergy", "CI synergy"}


def test_ellipsoids_keep_within_their_box(figure):
    for ax in figure.axes[:2]:
        low, high = ax.get_zlim()
        assert low < -2 and high > 2
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"sigma12": (-0.1, 0.99)}, "between -0.1978"), ({"rho": (1.0, 0.5)}, "strictly")],
)
def test_no_such_joint(arguments, message):
    with pytest.raises(ValueError, match=message):
        figure1(**arguments)
