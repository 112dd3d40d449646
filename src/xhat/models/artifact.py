"""Saving and loading a fitted model: JSON and safetensors, strict, nothing pickled and nothing evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from xhat.core.catalogue import suggest
from xhat.core.component import Component, asks_for, build, config, with_given
from xhat.core.errors import ArtifactError, MissingFileError, XhatError, require
from xhat.core.files import read_json, write_bytes, write_json
from xhat.core.version import VERSION
from xhat.data.scaling import Scaling
from xhat.data.schema import Schema
from xhat.engine.history import Epoch, History
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted

FORMAT = 1
KEYS = ("format", "xhat", "model", "objective", "scaling", "schema", "origin")
MODEL_PARTS = ("encoder", "bottleneck", "decoder", "likelihood", "prior")
MEASURED = ("error.model", "error.pca", "error.mean", "code", "active", "parameters", "epochs", "best_epoch", "seconds")
CONFIG, WEIGHTS, SUMMARY, METRICS = "config.json", "model.safetensors", "summary.json", "metrics.jsonl"


def describe(fitted: Fitted) -> dict[str, Any]:
    """Give what ``config.json`` holds."""
    return {
        "format": FORMAT,
        "xhat": VERSION,
        "model": {name: config(getattr(fitted.model, name)) for name in MODEL_PARTS},
        "objective": fitted.objective,
        "scaling": {
            "how": fitted.scaling.how,
            "shape": list(fitted.scaling.shape),
            "fine": fitted.scaling.fine,
        },
        "schema": fitted.schema.to_dict(),
        "origin": fitted.origin,
    }


def save(fitted: Fitted, folder: str | Path) -> Path:
    """Write the configuration, the weights, the metrics and the summary into a folder, which is made.

    Raises
    ------
    ArtifactError
        When the folder cannot be written to; what was there before is left whole.
    """
    folder = Path(folder)
    state = {name: value.cpu().contiguous() for name, value in _modules(fitted).state_dict().items()}
    write_bytes(folder / WEIGHTS, save_tensors(state))
    write_history(folder / METRICS, fitted.history)
    write_json(folder / SUMMARY, fitted.summary)
    # Last: while any of these is missing, a run's first configuration stays, and with it what its checkpoint fits.
    write_json(folder / CONFIG, describe(fitted))
    return folder


def load(path: str | Path, *, device: str | torch.device = "cpu", **given: Any) -> Fitted:
    """Read a fitted model from a run folder.

    Parameters
    ----------
    path : str or Path
        The folder that a fit or `save` wrote.
    device : str, default="cpu"
        Where the model will compute.
    **given
        Parts of one's own by their names, as ``encoder=backbone``: an object that a wrapped part was made of, or a
        part of a class that is not xhat's. A file never names code to import. Saved weights are put into them.

    Raises
    ------
    MissingFileError
        When the folder or one of its files is not there.
    ArtifactError
        When a file is broken, was edited so that the files disagree, or is of a newer format.
    """
    folder = Path(path)
    require(folder.is_dir(), "load", f"there is no run folder '{path}'", hint=_nearby(folder), error=MissingFileError)
    for name in given:
        require(name in MODEL_PARTS, "load", f"has no part '{name}'", hint=suggest(name, MODEL_PARTS))
    fitted = from_description(read_json(folder / CONFIG), str(folder / CONFIG), given)
    _load_weights(fitted, folder)
    fitted.summary = _read_summary(folder / SUMMARY)
    fitted.history = read_history(folder / METRICS)
    fitted.model.to(device).eval().requires_grad_(False)
    fitted.scaling.to(device)
    return fitted


def from_description(description: dict[str, Any], who: str, given: Mapping[str, Any] | None = None) -> Fitted:
    """Build the parts that a ``config.json`` describes, with weights as they start.

    Parameters
    ----------
    description : dict
        The file's content.
    who : str
        The file's name, for errors.
    given : mapping of str to object, optional
        Objects of the user's own by the names of their parts; see `load`.
    """
    given = given or {}
    version = description.get("format")
    require(
        isinstance(version, int) and version <= FORMAT,
        who,
        f"the format must be at most {FORMAT}, which this xhat ({VERSION}) reads",
        version,
        "install a newer xhat",
        error=ArtifactError,
    )
    unknown = sorted(set(description) - set(KEYS)) + [f"no {key}" for key in KEYS if key not in description]
    require(
        not unknown, who, f"must have the keys {', '.join(KEYS)}", ", ".join(unknown), _RESTORE, error=ArtifactError
    )
    try:
        parts = {name: restored(description["model"][name], name, given.get(name), who) for name in MODEL_PARTS}
        fitted = Fitted(
            model=Autoencoder(**cast(Any, parts)),
            scaling=Scaling(**description["scaling"]),
            schema=Schema.from_dict(description["schema"]),
            objective=description["objective"],
            origin=dict(description["origin"]),
        )
    except ArtifactError:
        raise
    # An edited value may be of any type, and fail wherever it is first used.
    except (XhatError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ArtifactError(who, f"cannot be built from ({_one_line(error)})", hint=_RESTORE) from error
    reads, shape, scaled = fitted.model.x_shape, fitted.schema.shape, fitted.scaling.shape
    agree = reads == shape and scaled in ((), shape)
    rule = f"the model reads rows of {reads}, the schema describes {shape} and the scaling {scaled}"
    require(agree, who, rule, hint=_RESTORE, error=ArtifactError)
    return fitted


def write_history(path: Path, history: History) -> None:
    """Write ``metrics.jsonl``: one epoch a line."""
    write_bytes(path, "".join(_line(epoch) for epoch in history.epochs).encode())


def append_epoch(path: Path, epoch: Epoch) -> None:
    """Add a line to ``metrics.jsonl``.

    Raises
    ------
    ArtifactError
        When the disk is full or the file has gone.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(epoch))
    except OSError as error:
        hint = "free the disk or choose another path"
        raise ArtifactError(str(path), f"cannot be written ({error.strerror})", hint=hint) from error


def restored(description: Mapping[str, Any], name: str, given: Any, who: str) -> Any:
    """Build one described part, with the user's own object where the description asks for one.

    Raises
    ------
    ArtifactError
        When it is asked for and not given.
    """
    if isinstance(given, Component):
        return given
    asks = asks_for(description)
    if asks is None:
        return build(description)
    if given is None:
        hint = f"pass it: xhat.load(path, {name}=…)"
        raise ArtifactError(who, f"the {name} is made of an object of your own ({asks})", hint=hint)
    return build(with_given(description, given))


def read_history(path: Path) -> History:
    """Read ``metrics.jsonl``.

    Raises
    ------
    MissingFileError, ArtifactError
        When it is not there, or holds anything but epochs.
    """
    require(path.is_file(), str(path), "is missing", hint=_RESTORE, error=MissingFileError)
    try:
        return History.from_list([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    except (ValueError, TypeError) as error:
        raise ArtifactError(str(path), f"must hold one epoch a line ({error})", hint=_RESTORE) from error


def _read_summary(path: Path) -> dict[str, Any]:
    summary = read_json(path)
    # A model that was never measured may be saved: its summary is empty.
    lacking = [key for key in MEASURED if key not in summary] if summary else []
    require(not lacking, str(path), f"lacks {', '.join(lacking)}", hint=_RESTORE, error=ArtifactError)
    return summary


def _load_weights(fitted: Fitted, folder: Path) -> None:
    path = folder / WEIGHTS
    hint = f"continue it with: xhat fit --resume {folder}" if (folder / "checkpoints").is_dir() else _RESTORE
    require(path.is_file(), str(path), "is missing", hint=hint, error=MissingFileError)
    try:
        _modules(fitted).load_state_dict(load_tensors(path.read_bytes()))
    except SafetensorError as error:
        raise ArtifactError(str(path), f"is broken ({error})", hint=_RESTORE) from error
    except RuntimeError as error:
        raise ArtifactError(str(path), f"does not fit {CONFIG} ({_one_line(error)})", hint=_RESTORE) from error


def _modules(fitted: Fitted) -> nn.ModuleDict:
    return nn.ModuleDict({"model": fitted.model, "scaling": fitted.scaling})


def _line(epoch: Epoch) -> str:
    return json.dumps(epoch.to_dict()) + "\n"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _nearby(folder: Path) -> str:
    near = sorted(path.parent.name for path in folder.parent.glob(f"*/{CONFIG}")) if folder.parent.is_dir() else []
    return f"there are: {', '.join(near[:5])}" if near else "give the folder that a fit wrote"


_RESTORE = "restore the folder from a copy, or fit again"
