import numpy as np
import pytest

from minsyn.estimators import AutoEncoder


@pytest.fixture
def blocks(rng):
    """Two causes, each seen in five features."""
    causes = rng.exponential(size=(100, 2))
    return np.repeat(causes, 5, axis=1) + 0.1 * rng.normal(size=(100, 10))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("origin", "scale"), [(1e6, 1.0), (0.0, 1e-3), (-50.0, 1000.0)])
def test_does_not_depend_on_origin_and_scale(blocks, origin, scale):
    settings = {"noise_std": 0.1, "max_iter": 150, "learning_rate": 0.01, "random_state": 0}
    plain = AutoEncoder(2, **settings).fit(blocks)
    settings["noise_std"] *= scale
    moved = AutoEncoder(2, **settings).fit(scale * blocks + origin)
    np.testing.assert_allclose(
        (moved.reconstruct(scale * blocks + origin) - origin) / scale,
        plain.reconstruct(blocks),
        atol=1e-2,
    )


def test_linear_decoder_comes_close_to_pca(blocks):
    model = AutoEncoder(2, learning_rate=0.02, max_iter=2000, random_state=0).fit(blocks + 100)
    variance = np.linalg.svd(blocks - blocks.mean(axis=0), compute_uv=False) ** 2 / len(blocks)
    assert variance[2:].sum() < -model.score(blocks + 100) < 1.3 * variance[2:].sum()


def test_noise_shrinks_the_reconstruction(blocks):
    """What noisy inputs tell less about is reconstructed nearer to the mean."""
    settings = {"learning_rate": 0.02, "max_iter": 300, "random_state": 0}
    plain, noisy = (AutoEncoder(2, noise_std=std, **settings).fit(blocks) for std in (0.0, 2.0))
    kept = [model.reconstruct(blocks).std(axis=0).mean() for model in (plain, noisy)]
    assert kept[1] < 0.75 * kept[0]


def test_sigmoid_decoder_needs_data_in_the_unit_interval(blocks):
    with pytest.raises(ValueError, match="MinMaxScaler"):
        AutoEncoder(2, decoder="sigmoid").fit(blocks)
