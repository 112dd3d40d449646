"""Codes of more rows than one machine shall encode: by Ray Data, on a cluster or on this machine's cores."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.dataset as parquet

from xhat.core.errors import ConfigError, DataError, MissingFileError, XhatError, require
from xhat.core.shapes import size
from xhat.data.memory import rows_within
from xhat.data.open import open as open_data
from xhat.data.write import named
from xhat.engine.device import pick_device
from xhat.engine.precision import resolved
from xhat.models.artifact import load
from xhat.models.fitted import Fitted

if TYPE_CHECKING:
    import pandas as pd

    from xhat.data.dataset import Dataset

# Rows of one task, at most, which are one file of what is written.
ROWS = 16_384
TABLES = (".parquet", ".csv")


def encode_on_ray(
    data: str,
    model: Path,
    out: Path,
    *,
    opening: Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "32",
) -> int:
    """Write the codes of rows as a folder of Parquet files, whose names are in the rows' order.

    Ray is joined where ``RAY_ADDRESS`` names a cluster, and else started on this machine. Each of its workers opens
    the data and the run's folder by itself: both must lie where all machines see them. A table of an object store,
    ``s3://…/rows.parquet``, is read by Ray.

    Parameters
    ----------
    data : str
        What `xhat.data.open` reads; or the address of a table or a folder of tables, .parquet or .csv.
    model : Path
        A run's folder.
    out : Path
        The folder to write, new or empty: a column ``z0``, ``z1``, … for each number of a code.
    opening : mapping of str to object, optional
        Arguments of `xhat.data.open` that change what the model's schema says.
    device, precision : str
        Where and how finely each worker computes; see `Fitted`. "auto" takes GPUs where the cluster has any.

    Returns
    -------
    int
        How many rows were encoded.

    Raises
    ------
    ConfigError
        When Ray is not installed, or `out` is taken.
    XhatError
        What a worker raised; nothing is written then.
    """
    free = not out.suffix and (not out.exists() or (out.is_dir() and not any(out.iterdir())))
    hint = "give another name, as codes"
    require(free, "--out", "ray writes a new or empty folder of .parquet files", f"'{out}'", hint)
    ray = _ray()
    folder, out = model.absolute(), out.absolute()
    remote = "://" in data
    fitted = load(folder)
    if not remote:
        data = str(Path(data).absolute()) if Path(data).exists() else data
        # What cannot work is told here, before any worker starts.
        rows = open_data(data, **_arguments(fitted, opening), to_learn=False)
        fitted.schema.check(rows.schema)
    together = _together(fitted, None if remote else rows)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        tasks = 1 if remote else -(-len(rows) // together)
        table = _table(ray, data) if remote else ray.data.range(len(rows), override_num_blocks=tasks)
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0)) if device in ("auto", "cuda") else 0
        most = gpus or max(int(resources.get("CPU", 1)) - 1, 1)  # a core is left for reading
        fewest = min(tasks, most)
        coded = table.map_batches(
            _Coder,
            fn_constructor_args=(folder, None if remote else data, dict(opening or {}), device, precision),
            batch_size=together if remote else None,
            batch_format="pandas",
            compute=ray.data.ActorPoolStrategy(min_size=fewest, max_size=most if remote else fewest),
            num_cpus=1,
            num_gpus=1 if gpus else 0,
        )
        coded.write_parquet(str(partial))
        done = int(parquet.dataset(partial, format="parquet").count_rows())
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except XhatError:
        raise
    except Exception as error:  # Ray's own, around what a worker raised
        raise _told(error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        ray.shutdown()
    return done


class _Coder:
    """What one worker does."""

    def __init__(self, model: Path, data: str | None, opening: Mapping[str, Any], device: str, precision: str) -> None:
        self.fitted = load(model, device=pick_device(device))
        self.fitted.precision = resolved([self.fitted.model.encoder, self.fitted.model.decoder], precision)
        self.arguments = _arguments(self.fitted, opening)
        self.rows = None if data is None else open_data(data, **self.arguments, to_learn=False)

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        import torch

        if self.rows is None:
            rows = open_data(batch, **self.arguments, to_learn=False)
        else:
            rows = self.rows.subset(torch.from_numpy(np.array(batch["id"])))
        return named(self.fitted.encode(rows), None, "z")


def _together(fitted: Fitted, rows: Dataset | None) -> int:
    """Choose the rows of one task by their size and their codes'; of a table that Ray reads the model knows it."""
    of_row = 8 * size(fitted.schema.shape) if rows is None else rows.row_bytes
    return rows_within(of_row + 8 * size(fitted.model.code_shape), ROWS)


def _arguments(fitted: Fitted, opening: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**fitted.schema.opening(), **(opening or {})}


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigError("--engine ray", "needs Ray", hint="pip install 'xhat[ray]'") from error
    if not ray.is_initialized():
        # Of one core alone, readers and encoders would wait for each other.
        alone = {"include_dashboard": False, "num_cpus": max(os.cpu_count() or 1, 2)}
        own: dict[str, Any] = {} if os.environ.get("RAY_ADDRESS") else alone
        ray.init(log_to_driver=False, logging_level="ERROR", **own)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = sys.stderr.isatty()
    return ray


def _table(ray: Any, address: str) -> Any:
    suffix = Path(address).suffix.lower()
    require(suffix in ("", *TABLES), "--engine ray", f"addresses must be of {' or '.join(TABLES)}", f"'{address}'")
    return (ray.data.read_csv if suffix == ".csv" else ray.data.read_parquet)(address)


def _told(error: BaseException) -> XhatError:
    """Find what a worker said."""
    inner: BaseException | None = error
    while inner is not None:
        cause = getattr(inner, "cause", None)
        if isinstance(cause, XhatError):
            return cause
        inner = inner.__cause__
    if isinstance(error, FileNotFoundError):
        return MissingFileError("--engine ray", " ".join(str(error).split()), hint="check the address")
    said = str(error).strip().splitlines()
    return DataError("--engine ray", f"a task failed ({said[-1] if said else type(error).__name__})")
