"""Real data to read, where a machine has it."""

from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Give the path of a shared file or folder, or skip the test."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the shared data '{name}' are not on this machine")
        return path

    return find
