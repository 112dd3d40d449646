"""The run folder: where everything of one run lies."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from xhat.core.errors import ArtifactError, require
from xhat.models.artifact import CONFIG, METRICS, SUMMARY, WEIGHTS


class RunFolder:
    """Names of a run's files.

    Parameters
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / CONFIG
        self.weights = self.path / WEIGHTS
        self.summary = self.path / SUMMARY
        self.metrics = self.path / METRICS
        self.environment = self.path / "env.json"
        self.card = self.path / "README.md"
        self.report = self.path / "report.html"
        self.checkpoint = self.path / "checkpoints" / "last.safetensors"

    def refuse_occupied(self) -> None:
        """Refuse a path where something lies already: a run never overwrites.

        Raises
        ------
        ArtifactError
            When the path is a file or a folder with something in it.
        """
        free = not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir()))
        hint = "give another --out, or remove it first"
        require(free, str(self.path), "a run needs a new or empty folder", "one in use", hint, error=ArtifactError)

    @classmethod
    def next_free(cls, stem: str, root: str | Path = "runs") -> RunFolder:
        """Name the first free folder among ``root/stem``, ``root/stem-2`` and so on."""
        names = (stem if i == 1 else f"{stem}-{i}" for i in count(1))
        return cls(next(path for name in names if not (path := Path(root) / name).exists()))
