"""scikit-learn estimators: `MinSyn`, and the methods that it is compared with."""

from minsyn.estimators._persistence import ModelFormatError
from minsyn.estimators._synergy_report import SynergyReport
from minsyn.estimators.autoencoder import AutoEncoder
from minsyn.estimators.infomax import InfoMax
from minsyn.estimators.minsyn import MinSyn
from minsyn.estimators.vector_minsyn import VectorMinSyn

__all__ = ["AutoEncoder", "InfoMax", "MinSyn", "ModelFormatError", "SynergyReport", "VectorMinSyn"]
