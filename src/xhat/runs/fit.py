"""Fit: from data to a trained model, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from xhat.core.catalogue import suggest
from xhat.core.component import config
from xhat.core.errors import ArtifactError, ConfigError, MissingFileError, TrainingError, XhatError, require
from xhat.core.files import read_json, write_bytes
from xhat.data.open import open as open_data
from xhat.engine.checkpoint import read_checkpoint
from xhat.engine.device import pick_device
from xhat.engine.hook import Hook
from xhat.engine.processes import joined, launched_for_fsdp
from xhat.engine.randomness import private_randomness
from xhat.engine.settings import TrainSettings
from xhat.engine.trainee import Trainee
from xhat.engine.training import Training
from xhat.models.artifact import MODEL_PARTS, from_description, load, restored, save
from xhat.models.assemble import Net
from xhat.models.fitted import Fitted
from xhat.models.habits import Habits, habits
from xhat.models.recipe import Recipe
from xhat.runs.folder import RunFolder
from xhat.runs.greedy import pretrain_greedily
from xhat.runs.model_card import model_card
from xhat.runs.pca_floor import keep_above_pca
from xhat.runs.plan import Plan, cautions, make_plan
from xhat.runs.recorder import Recorder
from xhat.runs.reopen import reopen, split_of
from xhat.runs.summary import summarise

# Rows whose codes a prior is fitted to afterwards: enough for the moments of any code of usual size.
PRIOR_ROWS = 20_000


def fit(
    data: Any,
    kind: str | Recipe = "ae",
    *,
    net: Net = "auto",
    latent: int | None = None,
    code: str = "flat",
    likelihood: str | None = None,
    scale: str = "auto",
    init: str = "auto",
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    hooks: Sequence[Hook] = (),
    **settings: Any,
) -> Fitted:
    """Train an autoencoder.

    Parameters
    ----------
    data : array of shape (n_rows, ...), frame, path, built-in name or Dataset
        What `xhat.data.open` reads. For its options, open the data first.
    kind : str or Recipe, default="ae"
        The objective's recipe: "ae", "dae", "vae", "aae"; or a model and an objective of your own.
    net : str or pair, default="auto"
        The encoder's and decoder's architecture: "mlp", "conv", "recurrent", …; or f and g of your own, modules or
        functions of tensors, as ``net=(backbone, "mlp")``.
    latent : int, optional
        Code dimensions; by default the recipe's, 16 for most.
    code : {"flat", "spatial"}, default="flat"
        A vector; or a grid of vectors, with `latent` numbers at each place, where the net has one.
    likelihood : str, optional
        The distribution of data, by default the recipe's: "gaussian", "laplace", "bernoulli", …
    scale : str, default="auto"
        "none", "unit", "global", "standard" or "range"; "auto" takes "unit" for images, "global" for all else.
    init : {"auto", "random", "pca", "greedy"}
        "pca" begins exactly at PCA, by a linear path beside the net, and the objective's score on validation chooses
        the epoch: for "ae" under scale "unit" or "global" that is the squared error, which never ends above PCA's.
        "auto" does so for "ae" and "dae" on tables and images, where the net has a place for the path.
        "greedy" trains a perceptron's layers one by one before all of them together, as stacked autoencoders were.
    overrides : mapping of str to object, optional
        Arguments of parts by their paths, as ``{"objective.beta": 4}``.
    out : path, optional
        A folder for the run, which must be new or empty. Without one nothing is written.
    hooks : sequence of Hook
        Who watches; `xhat.engine.progress.ProgressBar()` shows progress.
    **settings
        `epochs`, `batch_size`, `lr`, `weight_decay`, `clip`, `patience`, `seed`, `device`, `precision`, `compile`: see
        `TrainSettings`.

    Returns
    -------
    Fitted
        With `encode`, `decode`, `reconstruct`, `sample` and ``summary``.

    Raises
    ------
    XhatError
        One line that says what is wrong with the data or the arguments, before anything is written.
    TrainingError
        When the loss stops being a finite number; with `out` the last good weights are saved first.
    """
    usual = habits(kind) if isinstance(kind, str) else Habits()
    opening = usual.opening(data)
    source = {"path": str(data), **opening} if isinstance(data, str | Path) else {}
    plan = make_plan(
        open_data(data, **opening),
        kind,
        net=net,
        latent=latent,
        code=code,
        likelihood=likelihood,
        scale=scale,
        init=init,
        overrides=overrides,
        settings=train_settings({**usual.settings, **settings}),
        source=source,
    )
    return execute(plan, out=out, hooks=hooks)


def train_settings(given: Mapping[str, Any]) -> TrainSettings:
    """Read training settings by name, and suggest what was meant for a name that is none."""
    known = [field.name for field in fields(TrainSettings)]
    for name in given:
        if name not in known:
            raise ConfigError("fit", f"has no setting '{name}'", hint=suggest(name, known))
    return TrainSettings(**given)


def execute(
    plan: Plan,
    *,
    out: str | Path | None = None,
    hooks: Sequence[Hook] = (),
    checkpoint: Mapping[str, Any] | None = None,
) -> Fitted:
    """Carry out a plan, from its start or from a checkpoint.

    Where a launcher started several processes, as ``accelerate launch`` does, each of them calls this: they train
    together and end with the same model, and the first one writes the folder.

    Parameters
    ----------
    plan : Plan
        What to do.
    out : path, optional
        The run's folder; it must be new or empty unless a checkpoint is given.
    hooks : sequence of Hook
        Who watches.
    checkpoint : mapping, optional
        The state to continue from.
    """
    processes = joined(plan.settings.device, pick_device)
    settings = replace(plan.settings, fsdp=plan.settings.fsdp or launched_for_fsdp())
    rule, hint = "fsdp divides weights among processes, and there is one", "start several, as with --processes 2"
    require(processes.world > 1 or not settings.fsdp or checkpoint is not None, "fit", rule, hint=hint)
    folder = None if out is None else RunFolder(out)
    if folder is not None and checkpoint is None:
        folder.refuse_occupied()
    model, objective = plan.recipe.model, plan.recipe.objective
    fitted = Fitted(model, plan.scaling, plan.data.schema, config(objective), origin=plan.origin)
    recorders = [] if folder is None else [Recorder(folder if processes.is_first else None, fitted)]
    folder = folder if processes.is_first else None
    if plan.origin["init"] == "greedy" and checkpoint is None:
        pretrain_greedily(plan)
    trainee = Trainee(model, objective, plan.scaling).to(processes.device)
    split = plan.split
    watching = [*recorders, *hooks]
    training = Training(trainee, plan.data, split.train, split.validation, settings, watching, processes)
    if checkpoint is not None:
        _restore(training, checkpoint, out)
    fitted.history = training.history
    try:
        training.run()
    except TrainingError as error:
        if training.best:
            _finish(plan, fitted, training, folder)
            kept = (
                "" if folder is None else f"; the weights of epoch {training.history.best.epoch} are in {folder.path}"
            )
            raise TrainingError(error.who, error.rule + kept, error.got, error.hint) from error
        raise
    fitted.history = training.history
    if training.status == "interrupted":
        fitted.summary = {"status": training.status, "epochs": training.history.epochs[-1].epoch}
    else:
        _finish(plan, fitted, training, folder)
    processes.wait()  # whoever goes on finds the folder whole
    return fitted


def resume(path: str | Path, *, data: Any = None, hooks: Sequence[Hook] = (), **given: Any) -> Fitted:
    """Continue an interrupted run exactly where it stopped.

    Parameters
    ----------
    path : path
        The run's folder.
    data : object, optional
        The data, where it was not opened from a path.
    hooks : sequence of Hook
        Who watches.
    **given
        Parts of one's own by their names, as ``objective=``; see `load`.

    Raises
    ------
    MissingFileError, ArtifactError
        When there is nothing to continue, or the data is not what the run began with.
    """
    folder = RunFolder(path)
    require(folder.path.is_dir(), "resume", f"there is no run folder '{path}'", error=MissingFileError)
    fitted = from_description(read_json(folder.config), str(folder.config), given)
    checkpoint = read_checkpoint(folder.checkpoint)
    # One that ended but could not be saved is only measured and saved.
    finished = checkpoint["status"] not in ("running", "interrupted") and _is_whole(path, given)
    hint = f"use it with xhat reconstruct … --model {path}, or fit anew with more --epochs"
    require(not finished, str(path), f"has {checkpoint['status']}, there is nothing to continue", None, hint)
    lacking = [key for key in ("source", "fingerprint", "settings", "validation") if key not in fitted.origin]
    hint = "restore the folder from a copy, or fit again"
    require(not lacking, str(folder.config), f"lacks origin.{', '.join(lacking)}", None, hint, error=ArtifactError)
    dataset = reopen(fitted, data, str(path), "continued")
    objective = restored(fitted.objective, "objective", given.get("objective"), str(folder.config))
    settings, recipe = train_settings(fitted.origin["settings"]), Recipe(fitted.model, objective)
    split = split_of(fitted, dataset)
    dataset = dataset.pinned(split.validation)
    plan = Plan(dataset, split, fitted.scaling, recipe, settings, fitted.origin, cautions(recipe))
    return execute(plan, out=path, hooks=hooks, checkpoint=checkpoint)


def _is_whole(path: str | Path, given: Mapping[str, Any]) -> bool:
    try:
        load(path, **{name: part for name, part in given.items() if name in MODEL_PARTS})
    except XhatError:
        return False
    return True


def _restore(training: Training, checkpoint: Mapping[str, Any], out: str | Path | None) -> None:
    try:
        training.restore(dict(checkpoint))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        rule = f"the checkpoint does not fit config.json ({' '.join(str(error).split()).rstrip('.')})"
        raise ArtifactError(str(out), rule, hint="restore the folder from a copy, or fit again") from error


def _finish(plan: Plan, fitted: Fitted, training: Training, folder: RunFolder | None) -> None:
    fitted.history = training.history
    fitted.model.eval()
    share = keep_above_pca(plan, fitted)
    if not fitted.shapes_prior:
        rows = plan.data.few(plan.split.train)
        rows = rows[:: max(1, len(rows) // PRIOR_ROWS)]
        # A mixture or a flow draws while it is fitted: from the run's seed, and without a trace.
        with torch.no_grad(), private_randomness(plan.settings.seed):
            fitted.model.prior.fit(torch.cat([fitted.model.encode(b).z for b in fitted.batches(plan.data, rows)]))
    fitted.summary = summarise(plan, fitted, training.status, share)
    if folder is not None:
        save(fitted, folder.path)
        write_bytes(folder.card, model_card(fitted, folder).encode())
