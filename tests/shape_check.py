"""The type checker that jaxtyping's import hook calls: beartype, on the annotations that name a shape.

On those alone: the hook decorates methods one by one, where beartype knows no `Self`, and names that a module
imports for the type checker only cannot be looked up at run time. mypy checks all the others.
"""

from collections.abc import Callable
from inspect import isclass
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray


def shapes(function: Callable[..., Any]) -> Callable[..., Any]:
    function.__annotations__ = {name: hint for name, hint in function.__annotations__.items() if _names_shape(hint)}
    return beartype(function)


def _names_shape(hint: Any) -> bool:
    return (isclass(hint) and issubclass(hint, AbstractArray)) or any(_names_shape(part) for part in get_args(hint))
