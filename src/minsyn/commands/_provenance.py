"""Record of a fit, beside the model in its folder."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn._atomic import write_atomically
from minsyn._version import __version__

if TYPE_CHECKING:
    import numpy as np

    from minsyn.data import TableFormat
    from minsyn.information import PairwiseStatistics

__all__ = ["Provenance"]

#: Files are named after the model's checksum: those of another model do not count.
_FILES_OF_ANY = "fit*"
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
            The folder, into which the model has been saved.
        """
        from safetensors.numpy import save

        arrays = {name: getattr(self.statistics, name) for name in _MOMENTS}
        arrays |= {name: getattr(self, name) for name in _OF_FEATURES}
        content = save({name: _plain(array) for name, array in arrays.items()})
        record = {
            "minsyn_version": __version__,
            "data": self.data,
            "scale": self.scale,
            "n_samples": self.n_samples,
            "missing": self.missing,
            "missing_marks": list(self.missing_marks),
            "statistics_sha256": hashlib.sha256(content).hexdigest(),
        }
        file, statistics = _files(folder)
        write_atomically(statistics, content)
        write_atomically(file, json.dumps(record, indent=1) + "\n")

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
            If the files are damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        from minsyn.estimators.persistence import require_array
        from minsyn.information import PairwiseStatistics

        file, statistics = _files(folder)
        if not file.is_file():
            return None
        m, n = shape
        shapes = {"mean_z": (m,), "mean_x": (n,), "cov_zz": (m, m), "cov_zx": (m, n), "var_x": (n,)}
        try:
            record = json.loads(file.read_bytes())
            content = statistics.read_bytes()
            if hashlib.sha256(content).hexdigest() != record["statistics_sha256"]:
                raise ValueError("its checksum does not match")
            arrays = load(content)
            moments = {name: require_array(arrays, name, shapes[name]) for name in _MOMENTS}
            return cls(
                data=str(record["data"]),
                scale=str(record["scale"]),
                missing=float(record["missing"]),
                missing_marks=tuple(map(str, record["missing_marks"])),
                statistics=PairwiseStatistics(float(record["n_samples"]), **moments),
                **{name: require_array(arrays, name, (n,)) for name in _OF_FEATURES},
            )
        except (ValueError, KeyError, TypeError, OSError, RecursionError, SafetensorError) as error:
            raise ValueError(
                f"{file} or {statistics.name} is damaged ({error}); pass --data to inspect the "
                "model on a file, after removing them"
            ) from error

    @staticmethod
    def remove_others(folder: Path) -> None:
        """Remove the records of earlier models of a folder.

        Parameters
        ----------
        folder : Path
            The folder.
        """
        kept = _files(folder)
        for file in folder.glob(_FILES_OF_ANY):
            if file not in kept and file.suffix in (".json", ".safetensors"):
                file.unlink(missing_ok=True)


def _files(folder: Path) -> tuple[Path, Path]:
    """Record and statistics of the fit of the model in a folder."""
    from minsyn.estimators.persistence import model_digest

    name = f"fit-{model_digest(folder)[:16]}"
    return folder / f"{name}.json", folder / f"{name}.safetensors"


def _plain(array: "np.ndarray") -> "np.ndarray":
    import numpy as np

    return np.ascontiguousarray(array, dtype=np.float64)
