"""Saving and loading a fitted model: JSON and safetensors, strict, nothing pickled and nothing evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from xhat import __version__
from xhat.core.component import build, config
from xhat.core.errors import ArtifactError, MissingFileError, XhatError, require
from xhat.core.files import read_json, write_bytes, write_json
from xhat.core.objective import Objective
from xhat.data.scaling import Scaling
from xhat.data.schema import Schema
from xhat.engine.history import History
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted

FORMAT = 1
KEYS = ("format", "xhat", "model", "objective", "scaling", "schema", "origin")
MODEL_PARTS = ("encoder", "bottleneck", "decoder", "likelihood", "prior")
CONFIG, WEIGHTS, SUMMARY, METRICS = "config.json", "model.safetensors", "summary.json", "metrics.jsonl"


def describe(fitted: Fitted) -> dict[str, Any]:
    """Give what ``config.json`` holds."""
    return {
        "format": FORMAT,
        "xhat": __version__,
        "model": {name: config(getattr(fitted.model, name)) for name in MODEL_PARTS},
        "objective": config(fitted.objective),
        "scaling": {"how": fitted.scaling.how, "shape": list(fitted.scaling.shape)},
        "schema": fitted.schema.to_dict(),
        "origin": fitted.origin,
    }


def save(fitted: Fitted, folder: str | Path) -> Path:
    """Write the configuration, the weights and the summary into a folder, which is made.

    Raises
    ------
    ArtifactError
        When the folder cannot be written to; what was there before is left whole.
    """
    folder = Path(folder)
    state = {f"model.{name}": value for name, value in fitted.model.state_dict().items()}
    state |= {f"scaling.{name}": value for name, value in fitted.scaling.state_dict().items()}
    write_json(folder / CONFIG, describe(fitted))
    write_bytes(folder / WEIGHTS, save_tensors({name: value.cpu().contiguous() for name, value in state.items()}))
    write_json(folder / SUMMARY, fitted.summary)
    return folder


def load(path: str | Path, *, device: str | torch.device = "cpu") -> Fitted:
    """Read a fitted model from a run folder.

    Parameters
    ----------
    path : str or Path
        The folder that a fit or `save` wrote.
    device : str, default="cpu"
        Where the model will compute.

    Raises
    ------
    MissingFileError
        When the folder or one of its files is not there.
    ArtifactError
        When a file is broken, was edited so that the files disagree, or is of a newer format.
    """
    folder = Path(path)
    require(folder.is_dir(), "load", f"there is no run folder '{path}'", hint=_nearby(folder), error=MissingFileError)
    fitted = from_description(read_json(folder / CONFIG), str(folder / CONFIG))
    _load_weights(fitted, folder)
    fitted.summary = read_json(folder / SUMMARY)
    fitted.history = read_history(folder)
    fitted.model.to(device).eval().requires_grad_(False)
    fitted.scaling.to(device)
    return fitted


def from_description(description: dict[str, Any], who: str) -> Fitted:
    """Build the parts that a ``config.json`` describes, with weights as they start."""
    version = description.get("format")
    require(
        isinstance(version, int) and version <= FORMAT,
        who,
        f"the format must be at most {FORMAT}, which this xhat ({__version__}) reads",
        version,
        "install a newer xhat",
        error=ArtifactError,
    )
    unknown = sorted(set(description) - set(KEYS)) + [f"no {key}" for key in KEYS if key not in description]
    require(
        not unknown, who, f"must have the keys {', '.join(KEYS)}", ", ".join(unknown), _RESTORE, error=ArtifactError
    )
    try:
        parts = {name: build(description["model"][name]) for name in MODEL_PARTS}
        return Fitted(
            model=Autoencoder(**cast(Any, parts)),
            scaling=Scaling(**description["scaling"]),
            schema=Schema.from_dict(description["schema"]),
            objective=cast(Objective, build(description["objective"])),
            origin=description["origin"],
        )
    except (XhatError, KeyError, TypeError) as error:
        raise ArtifactError(who, f"cannot be built from ({error})", hint=_RESTORE) from error


def read_history(folder: Path) -> History:
    """Read ``metrics.jsonl``; without one the history is empty."""
    import json

    path = folder / METRICS
    if not path.is_file():
        return History()
    try:
        return History.from_list([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    except (ValueError, TypeError) as error:
        raise ArtifactError(str(path), f"must hold one epoch a line ({error})", hint=_RESTORE) from error


def _load_weights(fitted: Fitted, folder: Path) -> None:
    path = folder / WEIGHTS
    hint = f"continue it with: xhat fit --resume {folder}" if (folder / "checkpoints").is_dir() else _RESTORE
    require(path.is_file(), str(path), "is missing", hint=hint, error=MissingFileError)
    try:
        state = load_tensors(path.read_bytes())
        for name, module in (("model", fitted.model), ("scaling", fitted.scaling)):
            own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            module.load_state_dict(own)
    except SafetensorError as error:
        raise ArtifactError(str(path), f"is broken ({error})", hint=_RESTORE) from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ArtifactError(str(path), f"does not fit {CONFIG} ({reason})", hint=_RESTORE) from error


def _nearby(folder: Path) -> str:
    near = sorted(path.parent.name for path in folder.parent.glob(f"*/{CONFIG}")) if folder.parent.is_dir() else []
    return f"there are: {', '.join(near[:5])}" if near else "give the folder that a fit wrote"


_RESTORE = "restore the folder from a copy, or fit again"
