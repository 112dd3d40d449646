"""How much memory data may take."""

from __future__ import annotations

import re
from pathlib import Path

from xhat.core.errors import require

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}

# Below this nothing is gained: torch itself takes more.
LEAST = 10**6

# Bytes of rows that are copied together, where more would not make it faster.
TOGETHER = 64 << 20

# Of a container: its limit, what it uses, and the lines of its statistics that count files' pages. Formats 2 and 1.
GROUPS = Path("/sys/fs/cgroup")
LIMITS = (
    ("memory.max", "memory.current", "memory.stat", ("inactive_file", "active_file")),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        ("total_inactive_file", "total_active_file"),
    ),
)


def allowed(asked: int | str | None) -> int:
    """Give the bytes that data may take.

    Parameters
    ----------
    asked : int, str or None
        Bytes, or a text such as "1GB" or "512 MiB"; ``None`` for half of what is free.

    Raises
    ------
    ConfigError
        When it is no amount, or less than a megabyte.
    """
    if asked is None:
        return free() // 2
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?", str(asked).strip().lower())
    amount = int(float(match[1]) * UNITS.get(match[2], 0)) if match else 0
    require(amount >= LEAST, "memory", "must be an amount of 1 MB or more", f"'{asked}'", "as 1GB or 512MB")
    return amount


def steady(asked: int | str | None) -> int:
    """Give what `allowed` gives, but of what is free the power of two below.

    What is free is never twice the same. Where rows are drawn by how much that is, as those that validate, the same
    command and seed should mostly draw the same ones; whoever says an amount always does.
    """
    most = allowed(asked)
    return most if asked is not None else 1 << (most.bit_length() - 1)


def free(groups: Path = GROUPS) -> int:
    """Give the bytes that this process could still take: the machine's, or its container's where that allows less.

    Parameters
    ----------
    groups : Path
        Where the kernel says what a container may take.
    """
    room = [_available()]
    for limit, used, stat, files in LIMITS:
        try:
            taken = int((groups / used).read_text()) - _cached(groups / stat, files)
            room.append(int((groups / limit).read_text()) - taken)
        except (OSError, ValueError):  # no such limit
            continue
    return max(min(room), LEAST)


def _cached(stat: Path, names: tuple[str, ...]) -> int:
    """Count the bytes of files that the kernel keeps: it gives them to whoever asks, as MemAvailable has it."""
    try:
        lines = [line.split() for line in stat.read_text().splitlines()]
        return sum(int(line[1]) for line in lines if line[0] in names)
    except (OSError, ValueError, IndexError):  # not told
        return 0


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux
        return 4 * 10**9


def rows_within(row_bytes: int, most: int) -> int:
    """Give how many rows may be taken together: `most`, fewer where they are large, but one at least.

    Parameters
    ----------
    row_bytes : int
        The bytes of a row, with what is made of it.
    most : int
        How many there are of small rows.
    """
    return max(1, min(most, TOGETHER // max(1, row_bytes)))


def amount(count: int) -> str:
    """Say bytes as people do: "5.0 GB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
