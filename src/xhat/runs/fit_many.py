"""Fit many: seeds, folds and grids of one recipe, in as few programs as their shapes allow."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import KFold
from torch import from_numpy

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError, TrainingError, require
from xhat.core.files import write_json
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.metrics.reconstruction_error import reconstruction_error
from xhat.models.fitted import Fitted
from xhat.models.habits import habits
from xhat.runs.execute_many import Done, execute_many
from xhat.runs.fit import train_settings
from xhat.runs.plan import Plan, make_plan

PARTS = ("net", "latent", "code", "likelihood", "scale", "init")
TRAINING = ("epochs", "batch_size", "lr", "weight_decay", "clip", "patience", "precision", "compile")
KEPT = "sweep.json"


@dataclass(frozen=True)
class Member:
    """One of many models.

    Parameters
    ----------
    choices : dict
        What the grid chose for it.
    seed : int
        Of its weights, split, order and draws.
    fold : int or None
        Which rows it has not seen, from 0.
    done : Done
        What came of it.
    folder : Path, optional
        Its run folder.
    test : float or None
        The error of the rows of its fold, as ``error.model`` is of validation rows.
    """

    choices: dict[str, Any]
    seed: int
    fold: int | None
    done: Done
    folder: Path | None = None
    test: float | None = None

    @property
    def fitted(self) -> Fitted:
        """The model.

        Raises
        ------
        TrainingError
            When its training diverged.
        """
        if self.done.fitted is None:
            raise TrainingError("fit_many", "this model diverged", hint=self.done.why)
        return self.done.fitted

    @property
    def score(self) -> float:
        """Its error: of its fold's rows where there are folds, else of validation rows; nan where it diverged."""
        if self.done.fitted is None:
            return float("nan")
        return self.fitted.summary["error.model"] if self.test is None else self.test

    def to_dict(self) -> dict[str, Any]:
        """Give it in JSON's types."""
        summary = {} if self.done.fitted is None else self.fitted.summary
        return {
            "choices": self.choices,
            "seed": self.seed,
            "fold": self.fold,
            "status": self.done.status,
            "together": self.done.together,
            "why": self.done.why,
            "run": None if self.folder is None else str(self.folder),
            "error.test": self.test,
            **{name: summary.get(name) for name in ("error.model", "error.pca", "best_epoch", "epochs", "seconds")},
        }


@dataclass(frozen=True)
class Standing:
    """What a choice of the grid is worth.

    Parameters
    ----------
    choices : dict
        The choice.
    mean, std : float
        Of its members' scores, over seeds and folds; nan where one diverged.
    count : int
        How many.
    """

    choices: dict[str, Any]
    mean: float
    std: float
    count: int


@dataclass(frozen=True)
class Many(Sequence[Member]):
    """Many models, in the order of choices, folds and seeds.

    Parameters
    ----------
    members : tuple of Member
        The models.
    """

    members: tuple[Member, ...]

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, place: Any) -> Any:
        return self.members[place]

    @property
    def best(self) -> Member:
        """The member of the lowest score."""
        sound = [member for member in self.members if not np.isnan(member.score)]
        require(bool(sound), "fit_many", "every model diverged", hint=self.members[0].done.why, error=TrainingError)
        return min(sound, key=lambda member: member.score)

    def standings(self) -> list[Standing]:
        """Rank the grid's choices by their mean score, the lowest first."""
        found = []
        for _, group in itertools.groupby(self.members, key=lambda member: repr(member.choices)):
            some = list(group)
            scores = np.array([member.score for member in some])
            found.append(Standing(some[0].choices, float(scores.mean()), float(scores.std()), len(some)))
        return sorted(found, key=lambda standing: (np.isnan(standing.mean), standing.mean))

    def to_dict(self) -> dict[str, Any]:
        """Give all of it in JSON's types."""
        return {
            "members": [member.to_dict() for member in self.members],
            "standings": [vars(standing) for standing in self.standings()],
        }


def fit_many(
    data: Any,
    kind: str = "ae",
    *,
    seeds: int | Sequence[int] = 1,
    grid: Mapping[str, Sequence[Any]] | None = None,
    folds: int | None = None,
    together: bool = True,
    overrides: Mapping[str, Any] | None = None,
    opening: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    watch: Callable[[Member], None] | None = None,
    progress: Callable[[int, int, int], None] | None = None,
    **choices: Any,
) -> Many:
    """Train models that differ by seeds, folds or settings; those whose shapes agree train in one program.

    Each is what `xhat.fit` gives with the same seed and settings, to rounding; see `execute_many`.

    Parameters
    ----------
    data : array of shape (n_rows, ...), frame, path, built-in name or Dataset
        What `xhat.data.open` reads.
    kind : str, default="ae"
        The recipe.
    seeds : int or sequence of int, default=1
        How many, from 0 on, or which: an ensemble, or a measure of chance.
    grid : mapping of str to sequence, optional
        Values to try, all with all: of parts by their paths, as ``{"objective.beta": [1, 2, 4]}``, and of the arguments
        ``net``, ``latent``, ``likelihood``, ``scale``, ``init``, ``lr``, ``weight_decay``, ``epochs``, ``batch_size``.
    folds : int, optional
        Leave out each of so many parts of the rows in turn, and measure the error of their copies.
    together : bool, default=True
        Whether models train at once where they can.
    overrides : mapping of str to object, optional
        Settings of parts that all have, as in `xhat.fit`.
    opening : mapping of str to object, optional
        How the data is opened: arguments of `xhat.data.open`.
    out : path, optional
        A folder for a run folder of each, and ``sweep.json``; new or empty.
    watch : callable, optional
        Gets each member as it is done.
    progress : callable, optional
        Gets a program's models, its epoch and how many of them still train.
    **choices
        As in `xhat.fit`.

    Returns
    -------
    Many
        A sequence of members, each with ``fitted``, ``choices``, ``seed``, ``fold`` and ``score``.

    Raises
    ------
    XhatError
        One line that says what is wrong, before anything is trained.
    """
    grid = dict(grid or {})
    require("seed" not in choices, "fit_many", "takes seeds, not a seed", choices.get("seed"), "give seeds=[5]")
    wanted = _seeds(seeds)
    known = (*PARTS, *TRAINING)
    for name, values in grid.items():
        hint = suggest(name, known) if "." not in name else ""
        require("." in name or name in known, "grid", f"there is nothing named '{name}' to set", hint=hint)
        several = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str) and len(values) > 0
        require(several, "grid", f"{name} must be given some values", repr(values), f"as {{'{name}': [1, 2]}}")
    usual = habits(kind)
    how = {**({} if "size" in (opening or {}) else usual.opening(data)), **(opening or {})}
    source = {"path": str(data), **how} if isinstance(data, str | Path) else {}
    dataset = open_data(data, **how)
    parts = [(None, dataset)] if folds is None else list(enumerate(_left(dataset, folds, wanted[0])))
    told: list[tuple[dict[str, Any], int | None, int]] = []
    plans: list[Plan] = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        whole = {**usual.settings, **choices, **{k: v for k, v in chosen.items() if "." not in k}}
        own = {name: whole.pop(name) for name in PARTS if name in whole}
        net = own.pop("net", "auto")
        paths = {**(overrides or {}), **{k: v for k, v in chosen.items() if "." in k}}
        for fold, rows in parts:
            for seed in wanted:
                settings = train_settings({**whole, "seed": seed})
                about: dict[str, Any] = {"settings": settings, "source": {} if folds else source}
                plans.append(make_plan(rows, kind, net=_own(net), **own, overrides=paths, **about))
                told.append((chosen, fold, seed))
    folder = None if out is None else Path(out)
    paths_out = [] if folder is None else [folder / f"{i:03d}" for i in range(len(plans))]
    found: dict[int, Member] = {}

    def done(i: int, result: Done) -> None:
        chosen, fold, seed = told[i]
        test = None
        if folds is not None and fold is not None and result.fitted is not None:
            test = reconstruction_error(result.fitted, dataset, _fold(dataset, folds, wanted[0])[fold])
        found[i] = Member(chosen, seed, fold, result, paths_out[i] if paths_out else None, test)
        if watch is not None:
            watch(found[i])

    execute_many(plans, out=paths_out, together=together, watch=done, progress=progress)
    many = Many(tuple(found[i] for i in range(len(plans))))
    if folder is not None:
        write_json(folder / KEPT, many.to_dict())
    return many


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    whole = isinstance(seeds, int | np.integer) and not isinstance(seeds, bool)
    if whole:
        require(int(seeds) >= 1, "fit_many", "seeds must be >= 1", seeds, "it is how many, or a list of them")  # type: ignore[arg-type]
    listed = isinstance(seeds, Sequence | np.ndarray) and not isinstance(seeds, str)
    hint = "as 5, or [0, 3, 7]"
    require(whole or listed, "fit_many", "seeds must be a whole number, or a list of them", repr(seeds), hint)
    found = list(range(int(seeds))) if whole else [int(seed) for seed in seeds]  # type: ignore[arg-type, union-attr]
    require(len(set(found)) == len(found) > 0, "fit_many", "seeds must be different numbers", seeds, "as [0, 1, 2]")
    return found


def _own(net: Any) -> Any:
    """Give a model modules of its own: what each of many trains must be nobody else's."""
    if isinstance(net, str):
        return net
    try:
        return copy.deepcopy(net)
    except Exception as error:
        rule, hint = "each model needs a copy of the net, which cannot be copied", "fit one by one, each with its own"
        raise ConfigError("fit_many", rule, type(error).__name__, hint) from error


def _fold(data: Dataset, folds: int, seed: int) -> list[Any]:
    """Draw the rows that each fold leaves out."""
    fits = 2 <= folds <= len(data) // 2
    hint = "5 suit most"
    require(fits, "fit_many", f"folds must lie between 2 and half of the {len(data)} rows", folds, hint)
    halves = KFold(folds, shuffle=True, random_state=seed).split(np.empty((len(data), 1)))
    return [from_numpy(left) for _, left in halves]


def _left(data: Dataset, folds: int, seed: int) -> Iterator[Dataset]:
    rows = np.arange(len(data))
    for out in _fold(data, folds, seed):
        yield data.subset(from_numpy(np.setdiff1d(rows, out.numpy())))
