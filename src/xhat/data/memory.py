"""How much memory data may take."""

from __future__ import annotations

import re
from pathlib import Path

from xhat.core.errors import require

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}

# Below this nothing is gained: torch itself takes more.
LEAST = 10**6


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


def free() -> int:
    """Give the bytes that this process could still take: the machine's, or its container's where that allows less."""
    room = [_available()]
    root = Path("/sys/fs/cgroup")
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            room.append(int((root / limit).read_text()) - int((root / used).read_text()))
        except (OSError, ValueError):  # no such limit
            continue
    return max(min(room), LEAST)


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux
        return 4 * 10**9


def amount(count: int) -> str:
    """Say bytes as people do: "5.0 GB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
