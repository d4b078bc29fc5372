"""scikit-learn estimators: `MinSyn`, `VectorMinSyn`, and methods for comparison."""

from minsyn.estimators.adam import Adam
from minsyn.estimators.baselines.autoencoder import AutoEncoder
from minsyn.estimators.baselines.infomax import InfoMax
from minsyn.estimators.baselines.information_dropout import InformationDropout
from minsyn.estimators.baselines.linear_corex import LinearCorex
from minsyn.estimators.baselines.variational import BetaTCVAE, BetaVAE
from minsyn.estimators.free import Free
from minsyn.estimators.minsyn import MinSyn
from minsyn.estimators.models import load_model
from minsyn.estimators.persistence import ModelFormatError
from minsyn.estimators.run import Run
from minsyn.estimators.vector_minsyn import VectorMinSyn

__all__ = [
    "Adam",
    "AutoEncoder",
    "BetaTCVAE",
    "BetaVAE",
    "Free",
    "InfoMax",
    "InformationDropout",
    "LinearCorex",
    "MinSyn",
    "ModelFormatError",
    "Run",
    "VectorMinSyn",
    "load_model",
]
