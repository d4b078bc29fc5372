"""What a model was made from, beside it in its folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from minsyn._atomic import write_atomically
from minsyn._version import __version__

__all__ = ["Provenance"]

_FILE = "fit.json"


@dataclass(frozen=True)
class Provenance:
    """How ``minsyn fit`` made a model.

    Attributes
    ----------
    data : str
        File that it was fitted to.
    scale : str
        How features were scaled.
    unit : list of float, or None
        What each was divided by.
    """

    data: str
    scale: str
    unit: list[float] | None

    def save(self, folder: Path) -> None:
        """Write it into a model's folder.

        Parameters
        ----------
        folder : Path
            The folder.
        """
        record = {"minsyn_version": __version__, **asdict(self)}
        write_atomically(folder / _FILE, json.dumps(record, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path, n_features: int) -> "Provenance | None":
        """Read it, or None where a model was saved from Python.

        Parameters
        ----------
        folder : Path
            The model's folder.
        n_features : int
            Features of the model.

        Raises
        ------
        ValueError
            If the file is damaged or belongs to another model.
        """
        file = folder / _FILE
        if not file.is_file():
            return None
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            unit = record["unit"]
            if unit is not None:
                unit = [float(number) for number in unit]
                if len(unit) != n_features:
                    raise ValueError(f"{len(unit)} units for {n_features} features")
            return cls(str(record["data"]), str(record["scale"]), unit)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{file} is damaged or belongs to another model ({error}); remove it to let "
                "features count by their variance"
            ) from error
