"""Changing single settings of parts by their paths, as ``objective.beta=4``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, cast

from xhat.core.catalogue import suggest
from xhat.core.component import build, config
from xhat.core.errors import ConfigError, XhatError
from xhat.core.objective import Objective
from xhat.models.artifact import MODEL_PARTS
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe


def override(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Build a recipe's parts again with some arguments changed.

    Parameters
    ----------
    recipe : Recipe
        What to start from.
    changes : mapping of str to object
        Path -> value. A path begins with ``objective``, ``encoder``, ``bottleneck``, ``decoder``, ``likelihood`` or
        ``prior``, or with ``net`` for the encoder and the decoder at once. A value may be a part's description.

    Raises
    ------
    ConfigError
        When a path leads nowhere; what was meant is suggested.
    """
    if not changes:
        return recipe
    tree = {name: config(getattr(recipe.model, name)) for name in MODEL_PARTS} | {"objective": config(recipe.objective)}
    for path, value in changes.items():
        first, _, rest = path.partition(".")
        for root in ("encoder", "decoder") if first == "net" else (first,):
            _put(tree, f"{root}.{rest}" if rest else root, value)
    try:
        parts = {name: build(tree[name]) for name in MODEL_PARTS}
        return Recipe(Autoencoder(**cast(Any, parts)), cast(Objective, build(tree["objective"])))
    except XhatError:
        raise
    # A value of the wrong type fails wherever its part first uses it.
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        came = ", ".join(f"{path}={value!r}" for path, value in changes.items())
        raise ConfigError(
            "--set", f"these values make no part ({error})", came, "give what the part expects"
        ) from error


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    node: Any = tree
    *way, last = path.split(".")
    for step in way:
        if not isinstance(node, dict) or step not in node:
            raise ConfigError("--set", f"'{path}' leads nowhere: there is no '{step}'", hint=suggest(step, node))
        node = node[step]
    if not isinstance(node, dict) or last not in node:
        known = [key for key in node if key != "kind"] if isinstance(node, dict) else []
        raise ConfigError("--set", f"'{path}' leads nowhere: there is no '{last}'", hint=suggest(last, known))
    node[last] = copy.deepcopy(value)
