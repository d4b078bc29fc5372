"""Simulated gene expression, with modules of genes that are regulated together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from minsyn.datasets.random_state import RandomState

#: Standard deviation of a cell's activity around its state; that of the states is 1.
_WITHIN_STATE = 0.3
#: Standard deviation of the noise in a gene's log expression.
_OWN_DEVIATION = 0.3
#: Range of the standard deviation of a gene's log expression that is due to its module.
_SIGNAL = (0.5, 1.2)
#: Standard deviation of the log expression of genes without a module.
_UNREGULATED = 0.7
#: Median count of a gene, and the standard deviation of its logarithm over genes.
_MEDIAN_COUNT, _COUNT_DEVIATION = 20.0, 1.0


@dataclass(frozen=True, eq=False)
class ExpressionTable:
    """Gene expression in training cells and in test cells of held-out types.

    Attributes
    ----------
    train, test : float64 arrays of shape (n_cells, n_genes)
        log(1 + count). Each gene has mean 0 and standard deviation 1 over the training cells.
    train_factors, test_factors : integer arrays of shape (n_cells, n_modules)
        Ground-truth factors: the state of each module.
    groups : integer array of shape (n_genes,)
        The module of each gene, from 0; -1 for genes without a module.
    image_shape : None
        Always None, as the table does not hold images.
    """

    train: Float[np.ndarray, "train_cells genes"]
    test: Float[np.ndarray, "test_cells genes"]
    train_factors: Int[np.ndarray, "train_cells modules"]
    test_factors: Int[np.ndarray, "test_cells modules"]
    groups: Int[np.ndarray, " genes"]
    image_shape: None = None


def make_expression(
    module_sizes: Sequence[int] = (50, 40, 30, 20, 15, 10),
    n_causes: Sequence[int] = (3, 3, 3, 2, 2, 2),
    *,
    n_unregulated: int = 35,
    n_states: int = 5,
    n_types: int = 60,
    cells_per_type: int = 5,
    n_test: int = 300,
    random_state: RandomState = None,
) -> ExpressionTable:
    r"""Draw gene counts from modules with several causes and several states.

    A cell type is a combination of states, one for each module, like a word of letters. Training
    cells have ``n_types`` types. Test cells are random combinations of states that do not occur
    among the training types. For a gene :math:`i` of module :math:`k`, in a cell with state
    :math:`s` of the module,

    .. math::

        a_k = c_{ks} + 0.3\,\epsilon, \qquad
        x_i \sim \mathrm{Poisson}(\exp(b_i + w_i a_k + 0.3\,\epsilon')).

    The centres :math:`c_{ks}` and the noise are standard normal. The weights :math:`w_i` have a
    random direction, and a length that gives the gene's log expression a standard deviation of 0.5
    to 1.2. Genes without a module have log-normal rates with a standard deviation of 0.7.

    Parameters
    ----------
    module_sizes : sequence of int
        Number of genes of each module.
    n_causes : sequence of int
        Dimension of each module's activity :math:`a_k`.
    n_unregulated : int
        Number of genes without a module.
    n_states : int
        Number of states of each module, at least 2.
    n_types : int
        Number of different types of training cells.
    cells_per_type : int
        Number of training cells of each type.
    n_test : int
        Number of test cells.
    random_state : int, SeedSequence, Generator or None
        The same seed gives the same bits.

    Returns
    -------
    ExpressionTable
        Genes in random order.

    Raises
    ------
    ValueError
        If a number is out of range, ``module_sizes`` and ``n_causes`` differ in length, or
        ``n_types`` leaves no combination of states for test cells.

    Examples
    --------
    >>> from minsyn.datasets import make_expression
    >>> table = make_expression(random_state=0)
    >>> table.train.shape, table.test.shape
    ((300, 200), (300, 200))
    >>> int((table.groups == -1).sum())
    35
    """
    sizes, causes = np.asarray(module_sizes), np.asarray(n_causes)
    _require(sizes, causes, n_unregulated, n_states, n_types, cells_per_type, n_test)
    rng = np.random.default_rng(random_state)
    groups = rng.permutation(np.repeat(np.arange(-1, len(sizes)), [n_unregulated, *sizes]))
    types = _new_types(rng, n_types, n_states, len(sizes), known=set())
    known = set(map(tuple, types.tolist()))
    train_factors = np.repeat(types, cells_per_type, axis=0)
    test_factors = _new_types(rng, n_test, n_states, len(sizes), known, distinct=False)
    states = np.concatenate([train_factors, test_factors])

    log_mean = rng.normal(np.log(_MEDIAN_COUNT), _COUNT_DEVIATION, len(groups))
    deviation = np.where(groups < 0, _UNREGULATED, _OWN_DEVIATION)
    log_rate = log_mean + deviation * rng.normal(size=(len(states), len(groups)))
    for module, d in enumerate(causes):
        centres = rng.normal(size=(n_states, d))
        activity = centres[states[:, module]] + _WITHIN_STATE * rng.normal(size=(len(states), d))
        own = np.flatnonzero(groups == module)
        signal = activity @ rng.normal(size=(d, len(own)))
        signal *= rng.uniform(*_SIGNAL, len(own)) / signal.std(axis=0)
        log_rate[:, own] += signal - signal.mean(axis=0)
    expression = np.log1p(rng.poisson(np.exp(log_rate)))
    train, test = np.split(expression, [len(train_factors)])
    mean, std = train.mean(axis=0), train.std(axis=0)
    scale = np.where(std > 0, std, 1.0)
    return ExpressionTable(
        (train - mean) / scale, (test - mean) / scale, train_factors, test_factors, groups
    )


def _new_types(
    rng: np.random.Generator,
    n: int,
    n_states: int,
    n_modules: int,
    known: set[tuple[int, ...]],
    distinct: bool = True,
) -> Int[np.ndarray, "types modules"]:
    """Draw combinations of states that are not known yet, optionally all different."""
    known = set(known)
    types: list[tuple[int, ...]] = []
    while len(types) < n:
        states = tuple(rng.integers(n_states, size=n_modules).tolist())
        if states not in known:
            types.append(states)
            if distinct:
                known.add(states)
    return np.array(types, dtype=int).reshape(n, n_modules)


def _require(
    sizes: Int[np.ndarray, " modules"],
    causes: Int[np.ndarray, " _"],
    n_unregulated: int,
    n_states: int,
    n_types: int,
    cells_per_type: int,
    n_test: int,
) -> None:
    if sizes.size == 0 or sizes.shape != causes.shape or min(sizes.min(), causes.min()) < 1:
        raise ValueError(
            "module_sizes, n_causes: expected one positive number for each module in both, found "
            f"{sizes.tolist()} and {causes.tolist()}"
        )
    for name, value, least in (
        ("n_unregulated", n_unregulated, 0),
        ("n_states", n_states, 2),
        ("n_types", n_types, 1),
        ("cells_per_type", cells_per_type, 1),
        ("n_test", n_test, 0),
    ):
        if value < least:
            raise ValueError(f"{name}: {value} must be at least {least}")
    if n_types >= n_states ** len(sizes):
        raise ValueError(
            f"n_types: {n_types} types leave none of the {n_states ** len(sizes)} combinations of "
            "states for test cells; use fewer types or more states"
        )
