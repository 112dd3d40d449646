"""Learning on: a model that learned before keeps what it learned, and may learn again."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from xhat.core.errors import ConfigError, require
from xhat.data.column import Column
from xhat.data.schema import Schema
from xhat.engine.randomness import private_randomness
from xhat.models.artifact import MODEL_PARTS, describe, from_description
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted

OTHER = "warm_start continues with the same columns and categories"


def take_over(model: Autoencoder, schema: Schema, earlier: Fitted, who: str) -> None:
    """Put the weights of an earlier fit into a model of rows of `schema`.

    A prior that was fitted afterwards will be so again. Parts that start from data keep what they have. A model that
    became PCA gives nothing but its place: it is PCA of all rows, and those that validate now must not have been seen.

    Raises
    ------
    ConfigError
        When the nets differ, or the elements of a mixed table's rows mean something else.
    """
    different = _different(earlier.schema.mixed, schema.mixed)
    require(different is None, who, OTHER, different, "fit it to frames of one kind, or use warm_start=False")
    begun = copy.deepcopy(model.state_dict())
    try:
        for name in MODEL_PARTS if earlier.shapes_prior else MODEL_PARTS[:-1]:
            getattr(model, name).load_state_dict(getattr(earlier.model, name).state_dict())
    except RuntimeError as error:
        hint = "keep the net and n_components as they were, or use warm_start=False"
        raise ConfigError(who, "warm_start continues with the same net on rows of the same shape", hint=hint) from error
    if earlier.summary.get("net_share") == 0:
        model.load_state_dict(begun)
    model.begun = True


def learn_again(fitted: Fitted) -> None:
    """Let the weights of a model that was fitted or loaded be learned: those that its parts do not hold still."""
    fitted.model.begun = True
    if any(parameter.requires_grad for parameter in fitted.model.parameters()):
        return
    # Loading stilled all of them; which were still before, as the path of PCA is, the parts' constructors tell.
    with private_randomness(0):
        anew = dict(from_description(describe(fitted), "partial_fit").model.named_parameters())
    for name, parameter in fitted.model.named_parameters():
        parameter.requires_grad_(anew[name].requires_grad)


def _different(before: Sequence[Column] | None, now: Sequence[Column] | None) -> str | None:
    """Name the first column that is not what it was."""
    if before is None or now is None:
        return None if before is now else "rows of numbers alone beside a table with categories"
    if len(before) != len(now):
        return f"{len(now)} columns where there were {len(before)}"
    for was, column in zip(before, now, strict=True):
        if (was.name, was.categories) != (column.name, column.categories):
            return f"{_words(column)} where there was {_words(was)}"
    return None


def _words(column: Column) -> str:
    return f"column '{column.name}' of {'numbers' if column.categories is None else _listed(column.categories)}"


def _listed(categories: Sequence[object]) -> str:
    return ", ".join(map(str, categories[:5])) + (", …" if len(categories) > 5 else "")
