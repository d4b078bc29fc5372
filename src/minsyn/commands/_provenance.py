"""Record of a fit, beside the model in its folder."""

import json
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn._atomic import write_atomically
from minsyn._version import __version__

if TYPE_CHECKING:
    import numpy as np

    from minsyn.data import TableFormat
    from minsyn.information import PairwiseStatistics

__all__ = ["Provenance"]

_RECORD, _STATISTICS = "fit.json", "fit.npz"
_OF_FEATURES = ("unit", "minimum", "maximum")
_MOMENTS = ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x")


@dataclass(frozen=True)
class Provenance:
    """Data that ``minsyn fit`` fitted a model to.

    Attributes
    ----------
    data : str
        File of the data.
    scale : str
        Scaling of the features.
    unit : ndarray of shape (n_features,)
        Units of the features in the fit, by which they were divided: ones without scaling.
    minimum, maximum : ndarray of shape (n_features,)
        Range of each feature.
    missing : float
        Share of the values that were missing.
    missing_marks : tuple of str
        Values that were said to be missing, besides the usual marks.
    statistics : PairwiseStatistics
        Statistics of the latents and the unscaled features.
    """

    data: str
    scale: str
    unit: "np.ndarray"
    minimum: "np.ndarray"
    maximum: "np.ndarray"
    missing: float
    missing_marks: tuple[str, ...]
    statistics: "PairwiseStatistics"

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return round(self.statistics.weight)

    def layout_of(self, layout: "TableFormat") -> "TableFormat":
        """Layout of other data for the model: what was missing in the fit is so there too.

        Parameters
        ----------
        layout : TableFormat
            The layout that was asked for. Missing values that it names replace those of the fit.
        """
        return layout if layout.missing else replace(layout, missing=self.missing_marks)

    def save(self, folder: Path) -> None:
        """Write the record into the folder of a model.

        Parameters
        ----------
        folder : Path
            The folder.
        """
        import numpy as np

        moments = {name: getattr(self.statistics, name) for name in _MOMENTS}
        buffer = BytesIO()
        of_features = {name: getattr(self, name) for name in _OF_FEATURES}
        np.savez(buffer, **of_features, **moments)
        write_atomically(folder / _STATISTICS, buffer.getvalue())
        record = {
            "minsyn_version": __version__,
            "data": self.data,
            "scale": self.scale,
            "n_samples": self.n_samples,
            "missing": self.missing,
            "missing_marks": list(self.missing_marks),
        }
        write_atomically(folder / _RECORD, json.dumps(record, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path, shape: tuple[int, int]) -> "Provenance | None":
        """Read the record, or return None where a model was saved from Python.

        Parameters
        ----------
        folder : Path
            The folder of the model.
        shape : tuple of int
            Numbers of latents and features of the model.

        Raises
        ------
        ValueError
            If the files are damaged or belong to another model.
        """
        import zipfile

        import numpy as np

        from minsyn.information import PairwiseStatistics

        file = folder / _RECORD
        if not file.is_file():
            return None
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            with np.load(folder / _STATISTICS) as arrays:
                moments = {name: arrays[name] for name in _MOMENTS}
                of_features = {name: arrays[name] for name in _OF_FEATURES}
            if moments["cov_zx"].shape != shape or of_features["unit"].shape != shape[1:]:
                raise ValueError(f"{moments['cov_zx'].shape} are not the model's {shape}")
            return cls(
                data=str(record["data"]),
                scale=str(record["scale"]),
                missing=float(record["missing"]),
                missing_marks=tuple(map(str, record["missing_marks"])),
                statistics=PairwiseStatistics(float(record["n_samples"]), **moments),
                **of_features,
            )
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{file} or {_STATISTICS} is damaged or belongs to another model ({error}); pass "
                "--data to inspect the model on a file, after removing them"
            ) from error
