"""Missing values: which models take them, and what to do about the others."""

from typing import TYPE_CHECKING

from minsyn.commands._data import UserData

if TYPE_CHECKING:
    from minsyn.data import ColumnStatistics
    from minsyn.estimators.factor_model import FactorModel

__all__ = ["check_missing", "feature_name", "missing_share", "share_of", "takes_missing"]


def takes_missing(model: "FactorModel") -> bool:
    """Whether a model is fitted to, and describes, data with missing values.

    Parameters
    ----------
    model : FactorModel
        The model, fitted or not.
    """
    from sklearn.utils import get_tags

    return bool(get_tags(model).input_tags.allow_nan)


def missing_share(statistics: "ColumnStatistics") -> float:
    """Share of all values that are missing.

    Parameters
    ----------
    statistics : ColumnStatistics
        Statistics of the features.
    """
    n_missing = statistics.n_missing
    return float(n_missing.sum()) / (statistics.n_samples * len(n_missing))


def check_missing(
    model: "FactorModel", user_data: UserData, statistics: "ColumnStatistics"
) -> None:
    """Raise an error that names a column if values are missing and a model needs all.

    Parameters
    ----------
    model : FactorModel
        The model, fitted or not.
    user_data : UserData
        Data with its features.
    statistics : ColumnStatistics
        Statistics of the features.

    Raises
    ------
    ValueError
        If values are missing, and the model does not take them.
    """
    n_missing = statistics.n_missing
    if not n_missing.any() or takes_missing(model):
        return
    j = int(n_missing.argmax())
    number, others = int(n_missing[j]), int((n_missing > 0).sum()) - 1
    more = f", and {others} other column{'s' * (others > 1)} too" if others else ""
    fitted = hasattr(model, "components_")
    drop = ", leave it out by --drop" if user_data.samples.feature_names and not fitted else ""
    values = f"{number:,} missing value{'s' * (number > 1)}"
    raise ValueError(
        f"{user_data.file}: column {feature_name(user_data, j)} has {values}{more}; this model "
        f"needs complete data: fill them in{drop}, or fit the default model, which takes missing "
        "values into account"
    )


def feature_name(user_data: UserData, j: int) -> str:
    """Name of a feature, or its number where there are no names.

    Parameters
    ----------
    user_data : UserData
        The data.
    j : int
        Place of the feature.
    """
    names = user_data.samples.feature_names
    return repr(names[j]) if names else str(j)


def share_of(share: float) -> str:
    """A share as a percentage that does not look like none or all.

    Parameters
    ----------
    share : float
        From 0 to 1.

    Examples
    --------
    >>> share_of(0.104), share_of(1e-5)
    ('10.4%', 'under 0.1%')
    """
    return "under 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"
