"""What every test gets: shapes in signatures checked, one thread, and randomness that stays inside the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch

SHARED = Path(__file__).parents[2] / "shared" / "data"

jaxtyping.install_import_hook("xhat", "shape_check.shapes")

# A warning that torch gives once a process would fail whichever test came first.
torch.set_warn_always(True)

# Workers of xdist share the cores: more threads than one each only wait for one another.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Start every test from one seed, and give the global generator back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Find real data beside the repository, or skip the test."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"{name} is not beside this checkout")
        return path

    return find
