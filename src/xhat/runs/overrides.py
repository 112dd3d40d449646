"""Changing single settings of parts by their paths, as ``objective.beta=4``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any, cast

from xhat.core.catalogue import find, suggest
from xhat.core.component import build, config
from xhat.core.errors import ConfigError, XhatError, require
from xhat.core.likelihood import Likelihood
from xhat.core.objective import Objective
from xhat.core.shapes import Shape
from xhat.models.artifact import MODEL_PARTS
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe

NET, RECIPE = "net.", "recipe."


def recipe_with(kind: str, shape: Shape, changes: Mapping[str, Any], **choices: Any) -> Recipe:
    """Follow a recipe with some arguments of its parts changed.

    Parameters
    ----------
    kind : str
        A file of `models/recipes`.
    shape : tuple of int
        Of one row.
    changes : mapping of str to object
        Path -> value. A path begins with ``objective``, ``encoder``, ``bottleneck``, ``decoder``, ``likelihood`` or
        ``prior``; or with ``net`` for the encoder and the decoder at once, or ``recipe`` for the recipe's own
        arguments, as ``recipe.clusters``. A value may be a part's description.
    **choices
        The recipe's own arguments.

    Raises
    ------
    ConfigError
        When a path leads nowhere, with what was meant; or when a value makes no part.
    """
    # The net's settings are needed while it is built, since the shape of a spatial code follows from them.
    options = {path.removeprefix(NET): value for path, value in changes.items() if path.startswith(NET)}
    own = {path.removeprefix(RECIPE): value for path, value in changes.items() if path.startswith(RECIPE)}
    _check_own(kind, own, choices)
    rest = {path: value for path, value in changes.items() if not path.startswith((NET, RECIPE))}
    try:
        recipe: Recipe = find(f"recipes/{kind}")(shape, options=options, **choices, **own)
        return _rebuilt(recipe, rest) if rest else recipe
    except XhatError:
        raise
    # A value of the wrong type fails wherever its part first uses it.
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        if not changes:
            raise
        came = ", ".join(f"{path}={value!r}" for path, value in changes.items())
        hint = "give what the part expects"
        raise ConfigError("--set", f"these values make no part ({error})", came, hint) from error


def _check_own(kind: str, own: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Refuse what the recipe does not know, or what has an option of its own."""
    parameters = inspect.signature(find(f"recipes/{kind}")).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in (*choices, "net", "latent")]
    for name in own:
        hint = suggest(name, known) if known else "it has none but latent, net and code"
        require(name in known, f"recipes/{kind}", f"has no argument '{name}' to set", hint=hint)


def _rebuilt(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    tree = {name: config(getattr(recipe.model, name)) for name in MODEL_PARTS} | {"objective": config(recipe.objective)}
    for path, value in changes.items():
        _put(tree, path, value)
    if any(path.partition(".")[0] == "likelihood" for path in changes):
        _follow(tree, recipe.model)
    parts = {name: build(tree[name]) for name in MODEL_PARTS}
    return Recipe(Autoencoder(**cast(Any, parts)), cast(Objective, build(tree["objective"])))


def _follow(tree: dict[str, Any], model: Autoencoder) -> None:
    """Let the decoder give what a changed likelihood asks for: its θ may be longer, as of more components."""
    before = model.likelihood.params(model.x_shape)
    after = cast(Likelihood, build(tree["likelihood"])).params(model.x_shape)
    node = tree["decoder"]
    while "out_shape" not in node and isinstance(node.get("inner"), dict):  # a net that goes around another
        node = node["inner"]
    if before != after and tuple(node.get("out_shape", ())) == before:
        node["out_shape"] = list(after)


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    node: Any = tree
    *way, last = path.split(".")
    for step in way:
        if not isinstance(node, dict) or step not in node:
            raise ConfigError("--set", f"'{path}' leads nowhere: there is no '{step}'", hint=suggest(step, node))
        node = node[step]
    if not isinstance(node, dict) or last not in node:
        known = [key for key in node if key != "kind"] if isinstance(node, dict) else []
        hint = suggest(last, known) if known else ""
        raise ConfigError("--set", f"'{path}' leads nowhere: there is no '{last}'", hint=hint)
    node[last] = copy.deepcopy(value)
