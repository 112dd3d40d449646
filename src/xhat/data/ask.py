"""What the caller asked of a reader beside the source."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from xhat.core.errors import ConfigError

if TYPE_CHECKING:
    from xhat.data.column import Column

Mode = Literal["L", "RGB"]
Reading = Literal["characters", "bytes"]

_FOR = {
    "key": "it names an array of an .npz file",
    "labels": "a name is for tables and .npz files; give the labels themselves as an array",
    "size": "it is for folders of images",
    "mode": "it is for folders of images",
    "tiles": "it is for folders of images, in the place of size",
    "symbols": "it is for texts, which are opened with kind='text' (--rows text)",
    "mixed": "it is for frames and files of tables",
    "columns": "they are for frames and files of tables",
}


@dataclass(frozen=True)
class Ask:
    """Options that only some readers understand; ``None`` was not asked.

    Parameters
    ----------
    key : str, optional
        The array of an archive.
    labels : str, optional
        The column or the array that holds labels.
    size : tuple of int, optional
        (H, W), to which images are cropped and resized.
    mode : {"L", "RGB"}, optional
        To which images are converted: gray or colour.
    tiles : int, optional
        The side of the squares that images are cut into.
    symbols : {"characters", "bytes"}, optional
        As what a text is read.
    mixed : bool, optional
        Whether a table's columns are described though all are numbers; where they are not, they always are.
    columns : tuple of Column, optional
        A table's columns as a fitted model knows them.
    memory : int, optional
        Bytes that the data may take, which is for every reader to know; beyond it they stream, or refuse.
    """

    key: str | None = None
    labels: str | None = None
    size: tuple[int, int] | None = None
    mode: Mode | None = None
    tiles: int | None = None
    symbols: Reading | None = None
    mixed: bool | None = None
    columns: tuple[Column, ...] | None = None
    memory: int | None = None

    def only(self, *understood: str, who: str) -> None:
        """Refuse what was asked of a reader that would not hear it.

        Raises
        ------
        ConfigError
            When an option is set that is not among those `understood`.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.name not in (*understood, "memory"):
                raise ConfigError(
                    who, f"has no use for {field.name}={value!r}", hint=f"leave it out: {_FOR[field.name]}"
                )
