"""Vocabularies: texts and whole numbers as tokens 0 … V - 1."""

from __future__ import annotations

import numpy as np

from xhat.core.errors import ConfigError, DataError, require
from xhat.data.layout import Rows

#: Every byte by its name in Latin-1, so that those of plain text read as they are.
BYTES = tuple(map(chr, range(256)))

POINTS = 0x110000  # of Unicode
# Beyond it numbers are measurements or identifiers, and a model would have a probability for each.
MOST = 1 << 16


def encode_characters(points: Rows, vocabulary: tuple[str, ...] | None, who: str) -> tuple[Rows, tuple[str, ...]]:
    """Number the characters of a text.

    Parameters
    ----------
    points : int array of shape (T,)
        Their code points.
    vocabulary : tuple of str, optional
        Of a fitted model; else the text's own, in the order of code points.
    who : str
        The source's name, for errors.

    Returns
    -------
    tokens : uint8 array of shape (T,), or int64 where there are more than 256 characters
    vocabulary : tuple of str

    Raises
    ------
    DataError
        When a character is not in the vocabulary; its line and its column are named.
    """
    if vocabulary is None:
        seen = np.zeros(POINTS, bool)
        seen[points] = True
        vocabulary = tuple(chr(point) for point in np.flatnonzero(seen))
    odd = next((symbol for symbol in vocabulary if len(symbol) != 1), None)
    require(odd is None, "open", "a vocabulary of characters has one a symbol", repr(odd), "give a text's own")
    dtype = np.dtype(np.uint8 if len(vocabulary) <= 256 else np.int64)
    known, number = np.zeros(POINTS, bool), np.zeros(POINTS, dtype)
    symbols = np.array([ord(symbol) for symbol in vocabulary])
    known[symbols], number[symbols] = True, np.arange(len(symbols), dtype=dtype)
    strange = ~known[points]
    if strange.any():
        place = int(strange.argmax())
        lines = np.flatnonzero(points[:place] == ord("\n"))
        column = place - (int(lines[-1]) + 1 if len(lines) else 0)
        came = f"{chr(points[place])!r} in line {len(lines) + 1}, column {column + 1}"
        raise DataError(who, _among(vocabulary), came, "the model has never seen it: replace it, or fit anew")
    return number[points], vocabulary


def check_numbers(tokens: Rows, vocabulary: tuple[str, ...] | None, who: str) -> tuple[str, ...]:
    """Find the vocabulary of whole numbers, 0 to the greatest, or check that they lie within the one given.

    Raises
    ------
    DataError
        When they are no whole numbers, or one lies outside; its place is named.
    """
    hint = "give symbols by their numbers from 0 on, as integers, or use kind='series' for measurements"
    whole = tokens.dtype.kind in "iub"
    require(whole, who, "tokens must be whole numbers", f"dtype {tokens.dtype}", hint, error=DataError)
    if not tokens.size:
        return vocabulary or ()  # that there are rows is looked at where all kinds are
    size = MOST if vocabulary is None else len(vocabulary)
    if tokens.min() < 0 or tokens.max() >= size:
        place = np.unravel_index(int(((tokens < 0) | (tokens >= size)).argmax()), tokens.shape)
        where = f"step {place[0]}" if tokens.ndim == 1 else f"row {place[0]}, step {', '.join(map(str, place[1:]))}"
        rule = _among(vocabulary) if vocabulary else f"tokens must lie in 0 to {MOST - 1}"
        raise DataError(who, rule, f"{tokens[place]} in {where}", hint)
    return vocabulary or tuple(map(str, range(int(tokens.max()) + 1)))


def check_vocabulary(vocabulary: tuple[str, ...]) -> None:
    """Refuse a vocabulary that names nothing, or something twice.

    Raises
    ------
    ConfigError
        When it is empty or holds anything but different texts.
    """
    texts = all(isinstance(symbol, str) for symbol in vocabulary)
    if not vocabulary or not texts or len(set(vocabulary)) < len(vocabulary):
        raise ConfigError("open", "a vocabulary holds different texts", hint="pass a model's schema.vocabulary")


def _among(vocabulary: tuple[str, ...]) -> str:
    return f"symbols must be among the vocabulary's {len(vocabulary)}"
