"""What a detector knows beside its model, and its two files: `detector.json` and `detector.safetensors`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from xhat.core.errors import ArtifactError, MissingFileError, require
from xhat.core.files import read_json, write_bytes, write_json
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.metrics.abnormality.methods import METHODS

FORMAT = 1
JUDGE, STATE = "detector.json", "detector.safetensors"
KEYS = ("format", "method", "contamination", "offset")
_RESTORE = "restore the folder from a copy, or fit again"


@dataclass(frozen=True)
class Judge:
    """A score and where it calls a row abnormal.

    Parameters
    ----------
    method : str
        The score's name.
    abnormality : Abnormality
        The score, with what it kept of normal rows.
    contamination : "auto" or float
        How the offset was chosen.
    offset : float
        Scores of rows below it, minus their abnormality, are outliers'.
    """

    method: str
    abnormality: Abnormality
    contamination: Any
    offset: float

    def write(self, folder: Path) -> None:
        """Write both files beside the model's."""
        state = {name: value.cpu().contiguous() for name, value in self.abnormality.state().items()}
        write_bytes(folder / STATE, save_tensors(state))
        told = {"method": self.method, "contamination": self.contamination, "offset": self.offset}
        write_json(folder / JUDGE, {"format": FORMAT, **told})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote.

        Raises
        ------
        MissingFileError, ArtifactError
            When a file is not there, is broken, or is of a newer format.
        """
        path = folder / JUDGE
        hint = "fit xhat.Detector and save it; any run's rows are scored by: xhat score DATA --model RUN"
        require(path.is_file(), str(path), "is missing: this is no detector", hint=hint, error=MissingFileError)
        told = read_json(path)
        known = told.get("format")
        newer = f"the format must be at most {FORMAT}"
        fits = isinstance(known, int) and known <= FORMAT
        require(fits, str(path), newer, known, "install a newer xhat", error=ArtifactError)
        odd = sorted(set(told) ^ set(KEYS))
        rule = f"must have the keys {', '.join(KEYS)}"
        require(not odd, str(path), rule, ", ".join(odd), _RESTORE, error=ArtifactError)
        method, contamination, offset = told["method"], told["contamination"], told["offset"]
        known = method in METHODS if isinstance(method, str) else False
        require(known, str(path), f"method must be one of {', '.join(METHODS)}", method, _RESTORE, error=ArtifactError)
        numbers = isinstance(offset, float) and (contamination == "auto" or isinstance(contamination, float))
        rule = "offset must be a number, and contamination auto or one"
        require(numbers, str(path), rule, f"{offset}, {contamination}", _RESTORE, error=ArtifactError)
        require((folder / STATE).is_file(), str(folder / STATE), "is missing", hint=_RESTORE, error=MissingFileError)
        try:
            state = load_tensors((folder / STATE).read_bytes())
        except SafetensorError as error:
            raise ArtifactError(str(folder / STATE), f"is broken ({error})", hint=_RESTORE) from error
        return cls(method, METHODS[method].restore(state), contamination, offset)
