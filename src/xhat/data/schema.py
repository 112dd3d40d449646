"""What rows are: enough to read the same data again and to write a reconstruction as its source was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Any, Literal, Self

import numpy as np

from xhat.core.errors import ArtifactError, ConfigError, DataError, ShapeError, require
from xhat.core.shapes import Shape, size
from xhat.data import mixed as tables
from xhat.data.column import Column
from xhat.data.layout import Kind, Layout, Rows

Symbols = Literal["characters", "bytes", "numbers"]


@dataclass(frozen=True)
class Schema:
    """A description of rows that a fitted model keeps.

    Parameters
    ----------
    kind : {"table", "image", "series", "tokens", "array"}
        What a row is.
    shape : tuple of int
        One row as nets see it: (D,) of a table, (C, H, W) of an image, (T, D) of a series, (T,) of tokens.
    dtype : str
        numpy's name of the source's type, as "uint8".
    low, high : float
        The smallest and the greatest value that was observed.
    layout : {"", "hw", "hwc", "chw", "t"}
        The order of axes in the source; see `Layout`.
    columns : tuple of str, optional
        A table's names; of a series that was cut from a table, those of its D variables; of a mixed table those of
        its D elements, as "sex=Female".
    missing : int
        How many entries are NaN; of a mixed table, cells.
    labels : tuple of str, optional
        Names of classes: label i is called ``labels[i]``.
    name : str
        The source's short name.
    padded : bool
        Whether sequences may end before the last step; the dataset's mask says where.
    stride : int, optional
        Steps from the start of one window to the next, where rows are windows of one series or text.
    symbols : {"characters", "bytes", "numbers"}, optional
        What tokens stand for.
    vocabulary : tuple of str, optional
        Token i stands for ``vocabulary[i]``; bytes are named as Latin-1 does.
    mixed : tuple of Column, optional
        The columns of a mixed table, whose rows come back as a frame with their types.
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
    padded: bool = False
    stride: int | None = None
    symbols: Symbols | None = None
    vocabulary: tuple[str, ...] | None = None
    mixed: tuple[Column, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Describe the schema in JSON's types."""
        described = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        for column in described["mixed"] or ():
            column["categories"] = None if column["categories"] is None else list(column["categories"])
        return described

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises
        ------
        ArtifactError
            When a key is unknown, or one is missing that has no default.
        """
        known = [field.name for field in fields(cls)]
        needed = [field.name for field in fields(cls) if field.default is MISSING]
        unknown = sorted(set(description) - set(known))
        absent = [name for name in needed if name not in description]
        hint = "the run was written by another version of xhat: read it with that one"
        require(not unknown, "Schema", "does not know every key", ", ".join(unknown), hint, error=ArtifactError)
        require(not absent, "Schema", f"needs the keys {', '.join(absent)}", hint=hint, error=ArtifactError)
        plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in description.items()}
        if plain.get("mixed") is not None:
            try:
                plain["mixed"] = tables.read_columns(plain["mixed"])
            except (TypeError, KeyError) as error:
                raise ArtifactError("Schema", f"describes no columns of a mixed table ({error})", hint=hint) from error
        return cls(**plain)

    def widened(self, other: Self, rows: Rows) -> Self:
        """Describe this data and more of it, `rows` (N, *shape) of the schema `other`: the range is that of both."""
        columns = None if self.mixed is None else tables.widened(self.mixed, rows)
        return replace(self, low=min(self.low, other.low), high=max(self.high, other.high), mixed=columns)

    def to_source(self, rows: Rows) -> Any:
        """Lay rows out as their source was; values are left as they are, not rounded, but tokens are integers.

        Parameters
        ----------
        rows : array of shape (N, *shape)
            Rows as nets see them.

        Returns
        -------
        array of shape (N, ...), or pandas.DataFrame of a mixed table
            A view where axes move, as (N, H, W, C) of images that came so. A frame has its columns' types: of a
            category the likeliest, whole numbers rounded.

        Raises
        ------
        ShapeError
            When the rows are of another shape.
        """
        hint = "give rows as the model returns them"
        came = tuple(rows.shape[1:])
        require(came == self.shape, "Schema", f"rows must be of {self.shape}", came, hint, error=ShapeError)
        if self.vocabulary is not None:
            return self._tokens(rows)
        if self.mixed is not None:
            return tables.decode(rows, self.mixed)
        return Layout(self.kind, self.layout).source(rows)

    def text(self, rows: Rows) -> list[str]:
        """Read tokens as text again.

        Parameters
        ----------
        rows : array of shape (N, T)
            Tokens, as `to_source` gives them or as the model does.

        Returns
        -------
        list of str
            A row each. Bytes are read as UTF-8, those that are none as "�"; numbers stand apart by spaces.

        Raises
        ------
        ConfigError
            When the rows are no tokens.
        """
        if self.vocabulary is None:
            raise ConfigError("Schema.text", f"a {self.kind} is no text", hint="open a text with kind='text'")
        tokens = self._tokens(rows)
        if self.symbols == "bytes":
            return [row.astype(np.uint8).tobytes().decode(errors="replace") for row in tokens]
        between = " " if self.symbols == "numbers" else ""
        return [between.join(self.vocabulary[token] for token in row) for row in tokens]

    def opening(self) -> dict[str, Any]:
        """Give the arguments of `xhat.data.open` that read other data as this schema's was read."""
        kind = "text" if self.symbols in ("characters", "bytes") else self.kind
        steps: dict[str, Any] = {}
        if self.stride is not None:
            steps = {"window": self.shape[0], "stride": self.stride}
        elif self.padded:
            steps = {"length": self.shape[0]}
        known = {} if self.mixed is None else {"columns": self.mixed}
        return {"kind": kind, "missing": self.missing > 0, "vocabulary": self.vocabulary, **known, **steps}

    def check(self, other: Schema) -> None:
        """Refuse data that a model of this schema cannot read.

        Raises
        ------
        DataError
            When `other` has rows of another shape, other columns or other symbols.
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
        if self.vocabulary != other.vocabulary:
            counts = [f"{len(schema.vocabulary or ()) or 'no'} symbols" for schema in (self, other)]
            rule = f"the model reads {counts[0]}; this data has {counts[1]}, and they are not the same"
            raise DataError(other.name, rule, hint="open it with vocabulary=, the model's schema.vocabulary")

    def _tokens(self, rows: Rows) -> Rows:
        whole = np.clip(np.rint(rows), 0, len(self.vocabulary or ()) - 1)
        return whole.astype(self.dtype if np.dtype(self.dtype).kind in "iu" else np.uint8)
