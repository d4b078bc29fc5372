"""Loader for saved models of any class."""

from pathlib import Path
from typing import Any

from torch import nn

from minsyn.estimators.baselines.autoencoder import AutoEncoder
from minsyn.estimators.baselines.information_dropout import InformationDropout
from minsyn.estimators.baselines.linear_corex import LinearCorex
from minsyn.estimators.baselines.variational import BetaTCVAE, BetaVAE
from minsyn.estimators.factor_model import FactorModel
from minsyn.estimators.minsyn import MinSyn
from minsyn.estimators.persistence import read_model
from minsyn.estimators.vector_minsyn import VectorMinSyn

__all__ = ["load_model"]

_KINDS: tuple[type[FactorModel], ...] = (
    *(MinSyn, VectorMinSyn, AutoEncoder),
    *(LinearCorex, BetaVAE, BetaTCVAE, InformationDropout),
)
_CLASSES = {kind.__name__: kind for kind in _KINDS}


def load_model(path: str | Path, *, encoder: nn.Module | None = None) -> Any:
    """Load a saved model of any class, without executing code from the files.

    Parameters
    ----------
    path : str or Path
        Folder of a saved model.
    encoder : nn.Module, optional
        For models with a custom encoder: a module for the saved weights.

    Returns
    -------
    estimator
        The fitted model, of the class that was saved.

    Raises
    ------
    FileNotFoundError, ModelFormatError, ValueError
        As in the method ``load`` of the class.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((20, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     AutoEncoder(2, max_iter=5).fit(X).save(folder)
    ...     load_model(folder)
    AutoEncoder(max_iter=5, n_components=2)
    """
    saved = read_model(path, _CLASSES, encoder)
    return _CLASSES[saved.class_name]._of_saved(saved, encoder)
