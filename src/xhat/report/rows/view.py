"""A view: how pairs of rows of one kind are laid side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from markupsafe import Markup
from torch import Tensor

from xhat.core.shapes import Shape
from xhat.data.schema import Schema


@dataclass(frozen=True, eq=False)
class Pair:
    """Two rows to be compared.

    Parameters
    ----------
    first, second : Tensor of shape (*X)
        In the data's own units; NaN where nothing was observed.
    row : str
        Which row it is, as "row 12".
    measure : str
        How it fares, as "error 0.034".
    """

    first: Float[Tensor, "*X"]
    second: Float[Tensor, "*X"]
    row: str
    measure: str

    @property
    def note(self) -> str:
        """Both in a line."""
        return f"{self.row}, {self.measure}"


@dataclass(frozen=True)
class Group:
    """Pairs under a heading.

    Parameters
    ----------
    title : str
        Perhaps empty.
    pairs : sequence of Pair
        Top to bottom.
    """

    title: str
    pairs: Sequence[Pair]


class RowView(ABC):
    """Rows of one kind as HTML.

    Parameters
    ----------
    schema : Schema
        What the rows are.
    spread : Tensor, of a shape that spreads to a row's
        One step of what the model sees, in the data's own units: by it errors of unlike elements are compared.
    names : tuple of str
        Of a pair's first row, its second and, where it is wanted, their difference.
    """

    #: How many rows are shown: best, median, worst.
    counts: ClassVar[tuple[int, int, int]] = (2, 2, 4)

    #: How many groups of samples, of how many pairs; and whether they fit half a page.
    samples: ClassVar[tuple[int, int]] = (2, 4)
    narrow: ClassVar[bool] = True

    #: The page's class for the arrangement of groups.
    arrangement: ClassVar[str] = "halves"

    def __init__(self, schema: Schema, spread: Tensor, names: tuple[str, ...]) -> None:
        self.schema, self.spread, self.names = schema, spread.cpu(), names

    @property
    def shape(self) -> Shape:
        """Of a row."""
        return self.schema.shape

    def html(self, groups: Sequence[Group]) -> Markup:
        """Show all groups, on scales that they share."""
        scale = max((self.scale(pair) for group in groups for pair in group.pairs), default=0.0) or 1.0
        parts = Markup("").join(
            Markup('<div class="group">{}{}</div>').format(
                Markup("<h3>{}</h3>").format(group.title) if group.title else "", self.group(group, scale)
            )
            for group in groups
            if group.pairs
        )
        return Markup('<div class="groups {}">{}</div>').format(self.arrangement, parts)

    def scale(self, pair: Pair) -> float:
        """Give the largest difference in what the model sees."""
        return float(torch.nan_to_num(self.scaled(pair), posinf=0, neginf=0).abs().max())

    def scaled(self, pair: Pair) -> Float[Tensor, "*X"]:
        """Give second - first in steps of what the model sees; 0 where one of them was not observed."""
        return torch.nan_to_num((pair.second - pair.first) / self.spread, nan=0.0)

    @abstractmethod
    def reading(self, scale: float) -> str:
        """Say how the pictures are read."""

    @abstractmethod
    def group(self, group: Group, scale: float) -> Markup:
        """Show the pairs of one group, with differences drawn to `scale`."""
