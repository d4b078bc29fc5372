"""What a model's factors are: their loadings, and their information about each feature."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn.commands._data import UserData, open_data_for, pairwise_statistics
from minsyn.commands._missing import check_missing, share_of
from minsyn.commands._provenance import Provenance
from minsyn.commands._reading import reading

if TYPE_CHECKING:
    import numpy as np

    from minsyn.data import TableFormat
    from minsyn.estimators.factor_model import FactorModel
    from minsyn.information import PairwiseStatistics, SynergyResult
    from minsyn.metrics import AveragePartial, FactorSummary, Loadings, Scree
    from minsyn.report import WhatIf

__all__ = [
    "HIDE_BELOW",
    "MEASURES",
    "SCALES",
    "Description",
    "at_most_entropy",
    "criterion_of",
    "listed",
    "loadings_of",
    "notes_on_duplicates",
    "statistics_on",
]

#: Loadings below this are hidden by default, a habit of factor analysis.
HIDE_BELOW = 0.3
MEASURES = ("mutual_information", "union_information", "gk_synergy", "ci_synergy")
#: Scalings of the features, in words.
SCALES = {
    "standard": "standardised: features count alike",
    "none": "none: features count by their variance",
    "range": "to [0, 1]",
}
#: Correlation from which on two factors are one, but for noise.
_SAME = 0.95
#: Relative difference from the variance of two values that is taken for rounding.
_ROUNDING = 1e-5
#: Positions of a factor, in standard deviations from its mean, at which features are computed.
_POSITIONS = (-2.5, 2.5, 21)
#: Ranges of latents that have one.
_RANGES = {"sigmoid": (0.0, 1.0), "softplus": (0.0, None)}
#: Names that a note lists.
_LISTED = 5


@dataclass(frozen=True, eq=False)
class Description:
    """Factors of a model as described on some data.

    Attributes
    ----------
    model : FactorModel
        The model.
    made : Provenance or None
        Record of its fit; None for a model that was saved from Python.
    folder : Path
        Folder of the model.
    source : str
        Name of the data that the factors are described on; the folder for the training data.
    statistics : PairwiseStatistics
        Statistics of factors and features.
    loadings : Loadings
        Loadings of the factors in their order.
    summary : FactorSummary
        With features weighted as in the fit.
    uniquely : ndarray of shape (n_factors,)
        Share of the features' variance, all weighted alike, that no other factor explains.
    synergy : SynergyResult
        Measures about each feature, capped by `at_most_entropy`.
    capped : tuple of str
        Features whose measures were capped.
    groups : ndarray of shape (n_factors,) or None
        Group of each factor of the model, for vector factors.
    """

    model: "FactorModel"
    made: Provenance | None
    folder: Path
    source: str
    statistics: "PairwiseStatistics"
    loadings: "Loadings"
    summary: "FactorSummary"
    uniquely: "np.ndarray"
    synergy: "SynergyResult"
    capped: tuple[str, ...]
    groups: "np.ndarray | None"

    @classmethod
    def of(
        cls, model: "FactorModel", folder: Path, data: Path | None, layout: "TableFormat"
    ) -> "Description":
        """Describe the model of a folder on a file, or on its training data.

        Parameters
        ----------
        model : FactorModel
            The fitted model.
        folder : Path
            Its folder.
        data : Path or None
            File with the features of the model; None for the saved statistics of the fit.
        layout : TableFormat
            How the file is written.

        Raises
        ------
        ValueError
            If no statistics were saved and no file is given, or the file lacks features.
        """
        import numpy as np

        from minsyn.information import ConstantSourceWarning, synergy_from_statistics
        from minsyn.metrics import summarise_factors

        made = Provenance.load(folder, model.components_.shape)
        statistics = _statistics(model, made, folder, data, layout)
        names, features = _names(model)
        groups = getattr(model, "latent_groups_", None)
        with warnings.catch_warnings():
            # A constant factor is seen in what is printed: it explains nothing.
            warnings.simplefilter("ignore", ConstantSourceWarning)
            synergy = synergy_from_statistics(
                statistics, sources=names, targets=features, groups=groups, measures=MEASURES
            )
        range_ = () if made is None else (made.minimum, made.maximum)
        synergy, capped = at_most_entropy(synergy, statistics, *range_)
        loadings = loadings_of(model, statistics)
        std = statistics.std_x
        alike = summarise_factors(statistics, np.where(std > 0, std, 1.0))
        return cls(
            model=model,
            made=made,
            folder=folder,
            source=str(data or folder),
            statistics=statistics,
            loadings=loadings,
            summary=summarise_factors(statistics, None if made is None else made.unit),
            uniquely=alike.explained_only,
            synergy=synergy,
            capped=capped,
            groups=groups,
        )

    @property
    def group_names(self) -> list[str]:
        """The group of each factor; empty without groups."""
        if self.groups is None:
            return []
        return [f"group {group}" for group in self.groups]

    def explained(self) -> dict[str, list[float]]:
        """Shares of variance for the foot of a table of loadings."""
        return {
            "explained alone": self.loadings.explained_alone.tolist(),
            "uniquely": self.uniquely.tolist(),
            "with those before": self.loadings.explained_together.tolist(),
        }

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """Names of the factors and the features, in the order of the model."""
        return _names(self.model)

    def title(self) -> str:
        """A heading."""
        n_factors, n_features = self.statistics.cov_zx.shape
        text = f"{n_factors} factor{'s' * (n_factors > 1)}"
        if self.groups is not None:
            n_groups = len(set(self.groups.tolist()))
            text += f" in {n_groups} group{'s' * (n_groups > 1)}"
        return f"{text} of {n_features:,} feature{'s' * (n_features > 1)}"

    def lead(self) -> str:
        """Number of factors and features, and the data behind them."""
        n_samples = f"{round(self.statistics.weight):,} samples"
        if self.made is None or self.source != str(self.folder):
            return f"{self.title()}, described on {n_samples} from {self.source}"
        missing = f", {share_of(self.made.missing)} of the values missing"
        return (
            f"{self.title()}, fitted to {n_samples} from {self.made.data}"
            f"{missing if self.made.missing else ''}"
        )

    def data_name(self) -> str:
        """Name of the file of the training data; the folder's where it is not known."""
        return self.folder.name if self.made is None else Path(self.made.data).name

    def about_loadings(self) -> list[str]:
        """How features count."""
        notes = []
        if self.made is not None and self.made.scale == "standard":
            notes.append("Features count alike.")
        elif self.made is None or self.made.scale == "none":
            as_in_the_fit = "as in the fit, " if self.model.observations_.affine else ""
            notes.append(
                f"In this table features count alike. By their variances, {as_in_the_fit}the "
                f"factors explain {self.summary.explained:.1%}."
            )
        return notes

    def facts(self, folder: Path) -> dict[str, str]:
        """Data and settings behind the model, for a report."""
        from minsyn._version import __version__

        model, made = self.model, self.made
        facts = {"model": str(folder)}
        if made is not None:
            facts["data"] = made.data
            facts["samples"] = f"{made.n_samples:,}"
            facts["values missing"] = share_of(made.missing) if made.missing else "none"
            facts["scaling"] = SCALES[made.scale]
        if self.source != str(folder):
            facts["described on"] = f"{self.source}, {round(self.statistics.weight):,} samples"
        facts["number of factors"] = self._about_number()
        facts["estimator"] = " ".join(repr(model).split())
        facts["fit"] = (
            f"{'converged' if model.converged_ else 'did not converge'} in {model.n_iter_} "
            "iterations"
        )
        facts["made by"] = f"minsyn {__version__}"
        return facts

    def what_if(self) -> "WhatIf":
        """What the decoder expects of the features when one factor moves, for a report."""
        import numpy as np

        from minsyn.report import WhatIf

        model, statistics = self.model, self.statistics
        positions = np.linspace(*_POSITIONS)
        mean, std = np.asarray(statistics.mean_z), np.asarray(statistics.std_z)
        Z = np.tile(mean, (len(mean), len(positions), 1))
        for j in range(len(mean)):
            Z[j, :, j] += positions * std[j]
        low, high = _RANGES.get(model.latents_.name, (None, None))
        if low is not None:
            Z = np.clip(Z, low, high)
        expected = model.inverse_transform(Z.reshape(-1, len(mean)))
        if self.made is not None and self.made.scale == "range" and not model.observations_.affine:
            expected = self.made.minimum + expected * (self.made.maximum - self.made.minimum)
        names, features = self.names
        return WhatIf(
            names, features, positions, expected.reshape(*Z.shape[:2], -1), statistics.std_x
        )

    @property
    def scree(self) -> "Scree | AveragePartial | None":
        """Eigenvalues by which the number of factors was, or could be, chosen."""
        return getattr(self.model, "scree_", None)

    def _about_number(self) -> str:
        if criterion_of(self.model):
            return f"by {criterion_of(self.model)}"
        if self.groups is not None or self.scree is None:
            return "by groups" if self.groups is not None else "given"
        return f"given (by parallel analysis: {self.scree.n_factors})"

    def notes(self) -> list[str]:
        """What a reader of the loadings must know."""
        scale = None if self.made is None else self.made.scale
        return notes_on_duplicates(self.loadings, scale, self.statistics)

    def about_synergy(self) -> list[str]:
        """Model and bias of the measures, and which were capped."""
        import numpy as np

        result = self.synergy
        text = (
            f"{result.model.capitalize()} model, {result.n_samples:,} samples, bias correction: "
            f"{result.bias_correction}"
        )
        bias = result.sampling_bias.get("mutual_information")
        if bias is None:
            text += " (too few samples for so many factors)"
        else:
            text += f" (the bias of all factors is {bias.max():.2g} {result.unit} per feature)"
        notes = [text]
        if self.capped:
            notes.append(
                f"{listed(self.capped)} {'has' if len(self.capped) == 1 else 'have'} two values: "
                "bits are capped at the entropy, 1 at most."
            )
        if np.isinf(result["mutual_information"]).any():
            notes.append("inf: the factors determine the feature.")
        return notes


def criterion_of(model: "FactorModel") -> str:
    """The criterion that found the number of factors; empty where the number was given.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    """
    from minsyn.estimators.number import CRITERIA

    return CRITERIA.get(str(getattr(model, "n_components", "")), "")


def statistics_on(model: "FactorModel", user_data: UserData) -> "PairwiseStatistics":
    """Statistics of a model's factors and features on some data.

    Where values are missing, they are those of the model and the moments of the features, and not
    of estimated factors, which vary less.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    user_data : UserData
        Data with the features of the model.
    """
    import numpy as np

    from minsyn.data import column_statistics
    from minsyn.information import Moments, PairwiseStatistics

    statistics = user_data.statistics or column_statistics(user_data.samples, missing=True)
    if not statistics.n_missing.any():
        return pairwise_statistics(model, user_data)
    check_missing(model, user_data, statistics)
    moments = None
    for block in user_data.samples.blocks(missing=True):
        part = Moments.of(block)
        moments = part if moments is None else moments.merge(part)
    assert moments is not None
    names = user_data.samples.feature_names
    moments.require_pairs(names)
    weights, covariance = model.encoder_weights_, moments.covariance
    return PairwiseStatistics(
        weight=moments.weight,
        mean_z=weights @ moments.mean + model.encoder_bias_,
        mean_x=moments.mean,
        cov_zz=weights @ covariance @ weights.T,
        cov_zx=weights @ covariance,
        var_x=np.diagonal(covariance).copy(),
    )


def loadings_of(model: "FactorModel", statistics: "PairwiseStatistics") -> "Loadings":
    """Loadings of the factors as the model has them: their order and signs are not changed.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    statistics : PairwiseStatistics
        Statistics of its factors and features.
    """
    from minsyn.metrics import loadings

    names, features = _names(model)
    return loadings(statistics, features, names, sort_factors=False)


def at_most_entropy(
    result: "SynergyResult",
    statistics: "PairwiseStatistics",
    low: "np.ndarray | float" = 0.0,
    high: "np.ndarray | float" = 1.0,
) -> "tuple[SynergyResult, tuple[str, ...]]":
    """Cap measures about features with two values at their entropy.

    The Gaussian model takes features for continuous, and may find more information about a feature
    than there is in it. A feature has no values but the lowest and the highest if its variance is
    the largest that its mean allows (Bhatia and Davis, "A better bound on the variance", American
    Mathematical Monthly 107, 2000).

    Parameters
    ----------
    result : SynergyResult
        Measures in bits.
    statistics : PairwiseStatistics
        Statistics of factors and features.
    low, high : ndarray of shape (n_features,), or float
        Lowest and highest value of each feature.

    Returns
    -------
    SynergyResult
        With GK synergy as the difference of the capped information of all and of the best.
    tuple of str
        Features whose measures were capped.
    """
    import numpy as np

    mean, largest = statistics.mean_x, (statistics.mean_x - low) * (high - statistics.mean_x)
    binary = (largest > 0) & (np.abs(statistics.var_x - largest) <= _ROUNDING * largest)
    p = np.where(binary, (mean - low) / np.where(binary, high - np.asarray(low), 1.0), 0.5)
    entropy = np.where(binary, -p * np.log2(p) - (1 - p) * np.log2(1 - p), np.inf)
    values = {name: np.minimum(result[name], entropy) for name in MEASURES if name != "gk_synergy"}
    above = np.any([values[name] < result[name] for name in values], axis=0)
    if not above.any():
        return result, ()
    with np.errstate(invalid="ignore"):  # infinite bits of other features
        difference = values["mutual_information"] - values["union_information"]
    values["gk_synergy"] = np.where(above, difference, result["gk_synergy"])
    capped = replace(result, values={name: values[name] for name in result.measures})
    return capped, tuple(result.targets[i] for i in np.flatnonzero(above))


def notes_on_duplicates(
    loadings: "Loadings", scale: str | None, statistics: "PairwiseStatistics"
) -> list[str]:
    """Name factors that are the same as another one, with the cure.

    Parameters
    ----------
    loadings : Loadings
        Loadings of the factors.
    scale : str or None
        Scaling of the features in the fit; None if it is not known.
    statistics : PairwiseStatistics
        Statistics of factors and features.
    """
    import numpy as np

    sigma, names = loadings.factor_correlation, loadings.factor_names
    pairs = np.argwhere(np.triu(np.abs(sigma), 1) > _SAME)
    if len(pairs) == 0:
        return []
    shown = [f"{names[j]} and {names[k]} ({sigma[j, k]:+.2f})" for j, k in pairs[:_LISTED].tolist()]
    more = f" and {len(pairs) - _LISTED} more pairs" if len(pairs) > _LISTED else ""
    std = statistics.std_x[statistics.std_x > 0]
    cure = "fit fewer factors, or --n-components auto"
    if scale == "none" and len(std) and std.max() > 10 * std.min():
        largest = loadings.feature_names[int(np.argmax(statistics.std_x))]
        cure = (
            f"{largest!r} has by far the largest variance, and with --scale none little else "
            "counts: --scale standard lets all features count alike"
            if (statistics.var_x.max() > 0.9 * statistics.var_x.sum())
            else "fit fewer factors, or let all features count alike by --scale standard"
        )
    return [
        f"Nearly the same factor twice, by their correlations: {', '.join(shown)}{more}; {cure}."
    ]


def listed(names: tuple[str, ...], n: int = _LISTED) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


def _names(model: "FactorModel") -> tuple[list[str], list[str]]:
    """Names of factors and features."""
    features = [f"x{i}" for i in range(model.n_features_in_)]
    if hasattr(model, "feature_names_in_"):
        features = [str(name) for name in model.feature_names_in_]
    return [str(name) for name in model.get_feature_names_out()], features


def _statistics(
    model: "FactorModel",
    made: Provenance | None,
    folder: Path,
    data: Path | None,
    layout: "TableFormat",
) -> "PairwiseStatistics":
    """Statistics of the given data, or of the training data as far as they were saved."""
    if data is not None:
        layout = layout if made is None else made.layout_of(layout)
        with reading(data):
            return statistics_on(model, open_data_for(model, data, layout))
    if made is not None:
        return made.statistics
    if hasattr(model, "statistics_"):
        return model.statistics_
    raise ValueError(f"{folder}: this model was saved without statistics; give data with --data")
