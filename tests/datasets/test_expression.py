import numpy as np
import pytest

from minsyn.datasets import make_expression


def test_genes_and_cells_are_as_many_as_asked_for():
    table = make_expression((8, 5), (2, 1), n_unregulated=4, n_types=6, n_test=50, random_state=0)
    assert table.train.shape == (30, 17) and table.test.shape == (50, 17)
    assert np.bincount(table.groups + 1).tolist() == [4, 8, 5]
    assert table.image_shape is None
    np.testing.assert_allclose(table.train.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(table.train.std(axis=0), 1)


def test_held_out_cells_combine_known_states_in_ways_not_seen():
    table = make_expression(random_state=0)
    train, test = (set(map(tuple, f.tolist())) for f in (table.train_factors, table.test_factors))
    assert len(train) == 60 and not train & test
    for seen, new in zip(table.train_factors.T, table.test_factors.T, strict=True):
        assert set(new) == set(seen) == set(range(5))


def test_same_seed_same_bits():
    first, again, other = (make_expression(random_state=seed).test for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.fixture(scope="module")
def many_cells():
    return make_expression(n_types=200, cells_per_type=100, n_test=10, random_state=0)


def test_modules_have_as_many_causes_as_said(many_cells):
    for module, n_causes in enumerate((3, 3, 3, 2, 2, 2)):
        own = many_cells.train[:, many_cells.groups == module]
        values = np.linalg.eigvalsh(np.corrcoef(own.T))[::-1]
        # Poisson noise and log(1 + count) bend the subspace only a little.
        assert values[n_causes - 1] > 3 * values[n_causes], module


def test_other_modules_tell_nothing_beyond_the_types(many_cells):
    """Within cells of one type, genes of a module go together and those of others do not."""
    types = many_cells.train_factors @ 5 ** np.arange(6)
    within = many_cells.train.copy()
    for one in np.unique(types):
        within[types == one] -= within[types == one].mean(axis=0)
    squares = np.corrcoef(within.T) ** 2
    np.fill_diagonal(squares, 0)
    same = np.equal.outer(many_cells.groups, many_cells.groups) & (many_cells.groups >= 0)
    assert squares[~same].mean() < 2 / len(within)  # 1/n is what chance leaves
    assert squares[same].mean() > 100 / len(within)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"module_sizes": (3, 4), "n_causes": (1,)}, "module_sizes, n_causes"),
        ({"module_sizes": (3, 0), "n_causes": (1, 1)}, "module_sizes, n_causes"),
        ({"n_types": 16, "n_states": 2, "module_sizes": (3,) * 4, "n_causes": (1,) * 4}, "n_types"),
        ({"n_states": 1}, "n_states: 1 must be at least 2"),
        ({"n_test": -1}, "n_test"),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        make_expression(**settings)
