"""Record of a fit, beside the model in its folder."""

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn._atomic import write_atomically
from minsyn._version import __version__

if TYPE_CHECKING:
    import numpy as np

    from minsyn.information import PairwiseStatistics

__all__ = ["Provenance"]

_RECORD, _STATISTICS = "fit.json", "fit.npz"
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
    statistics : PairwiseStatistics
        Statistics of the latents and the unscaled features.
    """

    data: str
    scale: str
    unit: "np.ndarray"
    statistics: "PairwiseStatistics"

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return round(self.statistics.weight)

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
        np.savez(buffer, unit=self.unit, **moments)
        write_atomically(folder / _STATISTICS, buffer.getvalue())
        record = {
            "minsyn_version": __version__,
            "data": self.data,
            "scale": self.scale,
            "n_samples": self.n_samples,
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
                unit = arrays["unit"]
            if moments["cov_zx"].shape != shape or unit.shape != shape[1:]:
                raise ValueError(f"{moments['cov_zx'].shape} are not the model's {shape}")
            statistics = PairwiseStatistics(float(record["n_samples"]), **moments)
            return cls(str(record["data"]), str(record["scale"]), unit, statistics)
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{file} or {_STATISTICS} is damaged or belongs to another model ({error}); pass "
                "--data to inspect the model on a file, after removing them"
            ) from error
