"""Files that are either whole or not there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from xhat.core.errors import ArtifactError, MissingFileError, XhatError


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Write a file part by part under a temporary name beside `path`, renamed at the end of the block.

    Whatever is raised within the block leaves what was there.

    Raises
    ------
    ArtifactError
        When the disk is full or the folder cannot be written to.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for their owner only; a run is meant to be shared.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        if not isinstance(error, OSError) or isinstance(error, XhatError):
            raise
        reason = error.strerror or str(error)
        raise ArtifactError(
            str(path), f"cannot be written ({reason})", hint="free the disk or choose another path"
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all.

    Raises
    ------
    ArtifactError
        When the disk is full or the folder cannot be written to.
    """
    with writing(path) as file:
        file.write(content)


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write several files, all of them or none: they are renamed when the last one lies on the disk.

    Raises
    ------
    ArtifactError
        When the disk is full or a folder cannot be written to.
    """
    with ExitStack() as all_of_them:
        for path, content in contents.items():
            file = all_of_them.enter_context(writing(path))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON, whole or not at all."""
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    MissingFileError
        When nothing lies at `path`.
    ArtifactError
        When what lies there is no JSON object.
    """
    if not path.is_file():
        raise MissingFileError(str(path), "is missing", hint="give the folder of a finished run")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtifactError(str(path), f"is no JSON ({error})", hint="restore the file or fit again") from error
    if not isinstance(content, dict):
        raise ArtifactError(str(path), "must hold a JSON object", type(content).__name__, "restore the file")
    return content
