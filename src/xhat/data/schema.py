"""What rows are: enough to read the same data again and to write a reconstruction as its source was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from xhat.core.errors import ArtifactError, DataError, ShapeError, require
from xhat.core.shapes import Shape, size
from xhat.data.layout import Kind, Layout, Rows


@dataclass(frozen=True)
class Schema:
    """A description of rows that a fitted model keeps.

    Parameters
    ----------
    kind : {"table", "image", "series", "array"}
        What a row is.
    shape : tuple of int
        One row as nets see it: (D,) of a table, (C, H, W) of an image, (T, D) of a series.
    dtype : str
        numpy's name of the source's type, as "uint8".
    low, high : float
        The smallest and the greatest value that was observed.
    layout : {"", "hw", "hwc", "chw", "t"}
        The order of axes in the source; see `Layout`.
    columns : tuple of str, optional
        A table's names.
    missing : int
        How many entries are NaN.
    labels : tuple of str, optional
        Names of classes: label i is called ``labels[i]``.
    name : str
        The source's short name.
    """

    kind: Kind
    shape: Shape
    dtype: str
    low: float
    high: float
    layout: str = ""
    columns: tuple[str, ...] | None = None
    missing: int = 0
    labels: tuple[str, ...] | None = None
    name: str = "array"

    def to_dict(self) -> dict[str, Any]:
        """Describe the schema in JSON's types."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises
        ------
        ArtifactError
            When a key is unknown or missing.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(description) - set(known))
        absent = [name for name in known if name not in description]
        hint = "the run was written by another version of xhat: read it with that one"
        require(not unknown, "Schema", "does not know every key", ", ".join(unknown), hint, error=ArtifactError)
        require(not absent, "Schema", f"needs the keys {', '.join(absent)}", hint=hint, error=ArtifactError)
        plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in description.items()}
        return cls(**plain)

    def to_source(self, rows: Rows) -> Rows:
        """Lay rows out as their source was; values are left as they are, not rounded.

        Parameters
        ----------
        rows : array of shape (N, *shape)
            Rows as nets see them.

        Returns
        -------
        array of shape (N, ...)
            A view where axes move, as (N, H, W, C) of images that came so.

        Raises
        ------
        ShapeError
            When the rows are of another shape.
        """
        hint = "give rows as the model returns them"
        came = tuple(rows.shape[1:])
        require(came == self.shape, "Schema", f"rows must be of {self.shape}", came, hint, error=ShapeError)
        return Layout(self.kind, self.layout).source(rows)

    def check(self, other: Schema) -> None:
        """Refuse data that a model of this schema cannot read.

        Raises
        ------
        DataError
            When `other` has rows of another shape or other columns.
        """
        if other.shape != self.shape:
            same_size = size(other.shape) == size(self.shape)
            hint = "reshape the rows" if same_size else "open data like that which the model was trained on"
            rule = f"the model reads rows of {self.shape}; this data has rows of {other.shape}"
            raise DataError(other.name, rule, hint=hint)
        # An array has no names: its columns are taken in the model's order.
        if self.columns and other.columns and self.columns != other.columns:
            place = next(i for i, pair in enumerate(zip(self.columns, other.columns, strict=True)) if len({*pair}) > 1)
            expected, came = self.columns[place], other.columns[place]
            rule = f"the model reads column '{expected}' at place {place}; this data has '{came}' there"
            raise DataError(other.name, rule, hint="give the columns that the model was trained on, in their order")
