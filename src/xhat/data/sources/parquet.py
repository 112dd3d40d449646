"""Tables in one Parquet file or in several that follow one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import DataError, require
from xhat.data import mixed
from xhat.data.column import Column
from xhat.data.layout import Rows
from xhat.data.memory import amount
from xhat.data.readers.frame import as_pandas
from xhat.data.source import GROUP, SHARE, Source

if TYPE_CHECKING:
    import pandas as pd


class ParquetRows(Source):
    """Rows of Parquet files, one after the other; what is read in one go is a row group.

    Parameters
    ----------
    paths : sequence of Path
        The files, whose columns have the same names and types.
    name : str
        The source's short name.
    without : str, optional
        A column that is left out: that of labels.
    columns : sequence of Column, optional
        A mixed table's columns: its rows are encoded by them.

    Raises
    ------
    DataError
        When a file is broken or unlike the first, or there are no rows or columns.
    """

    def __init__(
        self, paths: Sequence[Path], name: str, without: str | None = None, columns: Sequence[Column] | None = None
    ) -> None:
        self.name, self.paths, self.without, self.columns = name, list(paths), without, columns
        schemas, self._metadata = zip(*(_footer(path) for path in self.paths), strict=True)
        for path, schema in zip(self.paths, schemas, strict=True):
            rule, hint = f"columns must be named and typed as in {self.paths[0].name}", "write it as the others are"
            odd = next((str(field) for field in schema if field not in list(schemas[0])), "other columns")
            require(schema.equals(schemas[0]), path.name, rule, odd, hint, error=DataError)
        #: No row, but the columns' names and types.
        self.empty = as_pandas(schemas[0].empty_table())
        self.names = [str(column) for column in self.empty.columns if str(column) != without]
        require(bool(self.names), name, "has no columns to learn from", hint="leave some", error=DataError)
        groups = [(f, g) for f, data in enumerate(self._metadata) for g in range(data.num_row_groups)]
        sizes = [self._metadata[f].row_group(g).num_rows for f, g in groups]
        require(sum(sizes) > 0, name, "has no rows", hint="give at least 2", error=DataError)
        self._groups, self._starts = groups, np.cumsum([0, *sizes])  # of each row group, and the end
        self.grain = max(sizes)
        if (self._starts[:-1] % self.grain).any():  # the last group of a file is mostly shorter
            self.edges = tuple(np.unique(self._starts[:-1]).tolist())
        self.dtype = np.dtype(np.float64) if columns else self._type()
        width = len(self.names) if columns is None else sum(column.width for column in columns)
        self.shape = (sum(sizes), width)

    @property
    def stored(self) -> int:
        """The bytes of all columns once they are unpacked."""
        return sum(data.row_group(g).total_byte_size for data in self._metadata for g in range(data.num_row_groups))

    def check(self, memory: int) -> None:
        """Refuse row groups that do not fit beside what else is in memory.

        Raises
        ------
        DataError
            With how to write the file again.
        """
        size = self.grain * self.row_bytes
        rule = f"row groups are read whole, and may each take {amount(memory // SHARE)} of {amount(memory)}"
        rows = max(1, min(GROUP, memory // SHARE) // self.row_bytes)
        hint = f"write it again with row_group_size={rows}, or allow more with memory= (--memory)"
        require(size <= memory // SHARE, self.name, rule, amount(size), hint, error=DataError)

    def column(self, name: str) -> pd.DataFrame:
        """Read one column of all rows."""
        import pandas as pd

        frames = [as_pandas(self._read(file, group, [name])) for file, group in self._groups]
        return pd.concat(frames, ignore_index=True)

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Read rows, each row group once."""
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        cuts = np.searchsorted(ordered, self._starts)
        for number in np.flatnonzero(np.diff(cuts)):
            part = slice(int(cuts[number]), int(cuts[number + 1]))
            table = self._read(*self._groups[number], self.names)
            out[order[part]] = self._values(table)[ordered[part] - self._starts[number]]
        return out

    def _read(self, file: int, group: int, names: list[str]) -> Any:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        path = self.paths[file]
        try:
            with ParquetFile(path, metadata=self._metadata[file], pre_buffer=False) as opened:
                # Decoded in the thread that reads ahead: the others are the training's.
                return opened.read_row_group(group, names, use_threads=False)
        except (ArrowException, OSError) as error:
            raise DataError(path.name, "cannot be read as a Parquet file", error, "write it again") from error

    def _values(self, table: Any) -> Rows:
        if self.columns is not None:
            return mixed.encode(as_pandas(table), self.columns, self.name)
        values: Rows = table.to_pandas().to_numpy(self.dtype)  # NaN where there is no value
        return values

    def _type(self) -> np.dtype[Any]:
        """Find the columns' common type; whole numbers with gaps are floats."""
        types = [np.dtype(np.uint8) if kind == np.dtype(bool) else kind for kind in self.empty[self.names].dtypes]
        numeric = [kind for kind in types if isinstance(kind, np.dtype) and kind.kind in "iuf"]
        common = np.result_type(*numeric) if numeric else np.dtype(np.float64)
        whole = {name for name, kind in zip(self.names, types, strict=True) if kind.kind in "iu"}
        return np.dtype(np.float64) if whole and self._gaps(whole) else common

    def _gaps(self, names: set[str]) -> bool:
        """Whether some of these columns may have gaps, as far as the files say."""
        for file, group in self._groups:
            facts = self._metadata[file].row_group(group)
            for place in range(facts.num_columns):
                column = facts.column(place)
                counted = column.statistics is not None and column.statistics.has_null_count
                if column.path_in_schema in names and (not counted or column.statistics.null_count):
                    return True
        return False


def _footer(path: Path) -> tuple[Any, Any]:
    """Read what a file says of its columns and row groups."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            return file.schema_arrow, file.metadata
    except (ArrowException, OSError) as error:
        raise DataError(path.name, "cannot be read as a Parquet file", error, "write it again") from error
