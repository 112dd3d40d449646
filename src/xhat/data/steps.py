"""What the caller asked of the steps of sequences, and how it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from xhat.core.errors import ConfigError, require
from xhat.data.ask import Reading
from xhat.data.layout import SEQUENCES, Asked, Kind
from xhat.data.padding import blank, checked, extend
from xhat.data.raw import Raw
from xhat.data.readers.array import as_numpy
from xhat.data.vocabulary import BYTES, check_numbers, check_vocabulary, encode_characters
from xhat.data.windows import check_window, cut, is_cut

WINDOW = 64  # characters of a text: a line of a poem, or a sentence of a child's


@dataclass(frozen=True, eq=False)
class Steps:
    """Options of sequences; ``None`` was not asked. Each is described in `xhat.data.open`."""

    mask: Any = None
    window: int | None = None
    stride: int | None = None
    length: int | None = None
    vocabulary: Sequence[str] | None = None

    @property
    def symbols(self) -> Reading | None:
        """What the vocabulary says of how a text is read."""
        return "bytes" if self.vocabulary is not None and tuple(self.vocabulary) == BYTES else None

    def arrange(self, raw: Raw, asked: Asked | None) -> Raw:
        """Cut, pad and number what a reader brought home, if it is sequences.

        Parameters
        ----------
        raw : Raw
            Rows (N, T, ...), or one long series (T, ...).
        asked : str, optional
            The kind that the caller asked for.

        Returns
        -------
        Raw
            Rows (N, T, ...): series padded by NaN, or tokens by 0, with their mask.

        Raises
        ------
        ConfigError, ShapeError, DataError
            When an option does not fit the data, or the data its kind.
        """
        given = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        own = raw.kind if raw.kind in ("image", "tokens") else None
        kind = asked or own or ("tokens" if self.vocabulary is not None else None)
        if kind not in SEQUENCES:
            rule = f"rows of kind '{kind}' have no steps, thus no {' and no '.join(given)}"
            require(not given, raw.name, rule, hint=f"leave out {' and '.join(given)}, or use kind='series'")
            return raw
        if not given and kind is None and raw.mask is None:
            return raw
        cut = self.window is not None or raw.symbols is not None
        apart = not cut or (raw.mask is None and self.mask is None and self.length is None)
        require(apart, raw.name, "windows are cut from one series, which has no mask and no length", hint="give one")
        require(cut or self.stride is None, "open", "stride is for windows", hint="give window= (--window) too")
        raw = self._masked(raw, "tokens" if kind in ("tokens", "text") else "series")
        raw = self._numbered(raw, asked) if raw.kind == "tokens" else self._measured(raw)
        return self._windowed(raw) if cut else raw

    def _masked(self, raw: Raw, kind: Kind) -> Raw:
        rows, mask = raw.rows, raw.mask
        if rows.ndim < 2:
            return replace(raw, kind=kind)  # one long series, or what is refused where the axes are looked at
        if self.mask is not None:
            hint = "leave it out"
            require(mask is None, raw.name, "sequences of unequal length need no mask: they know their ends", hint=hint)
            mask = checked(as_numpy(self.mask, "mask"), rows, raw.name)
        if self.length is not None:
            rows, mask = extend(rows, mask, self.length, raw.name)
        if mask is not None and rows.dtype.kind in "biuf":
            rows = blank(rows, mask, nan=kind == "series")
        return replace(raw, rows=rows, mask=mask, kind=kind)

    def _numbered(self, raw: Raw, asked: Asked | None) -> Raw:
        vocabulary = None if self.vocabulary is None else tuple(self.vocabulary)
        if vocabulary is not None:
            check_vocabulary(vocabulary)
        if raw.symbols == "characters":
            rows, vocabulary = encode_characters(raw.rows, vocabulary, raw.name)
        elif raw.symbols == "bytes":
            require(vocabulary in (None, BYTES), "open", "the vocabulary of bytes is fixed", hint="leave it out")
            rows, vocabulary = raw.rows, BYTES
        else:
            if asked == "text" and vocabulary is None:
                raise ConfigError(raw.name, "is no text file", hint="use kind='tokens' for whole numbers")
            rows, vocabulary = raw.rows, check_numbers(raw.rows, vocabulary, raw.name)
        symbols = raw.symbols or "numbers"
        return replace(raw, rows=rows, vocabulary=vocabulary, symbols=symbols, columns=None)

    def _measured(self, raw: Raw) -> Raw:
        hint = "leave it out, or use kind='tokens'"
        require(self.vocabulary is None, raw.name, "has no use for a vocabulary: its rows are measured", hint=hint)
        return raw

    def _windowed(self, raw: Raw) -> Raw:
        window = WINDOW if self.window is None else self.window
        check_window(window, self.stride)
        stride = window if self.stride is None else self.stride
        if is_cut(raw.rows, window, 1 if raw.kind == "tokens" else 2, raw.name):
            return replace(raw, stride=stride)
        rows = raw.rows[:, None] if raw.rows.ndim == 1 and raw.kind == "series" else raw.rows  # (T, D)
        # Labels of steps are none of windows.
        return replace(raw, rows=cut(rows, window, stride, raw.name), stride=stride, labels=None)
