"""``xhat score``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xhat.cli.options import DataOptions, load_model, open_for
from xhat.core.errors import ConfigError, XhatError, require

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from xhat.data.dataset import Dataset
    from xhat.estimators._judge import Judge
    from xhat.models.fitted import Fitted

    Numbers = NDArray[np.float64]

Method = Literal["neighbours", "mahalanobis", "reconstruction", "likelihood"]
# Rows of the table, and features of a row.
ROWS, FEATURES = 10, 3
# What stands for no label, as in `xhat.data.labels`, which imports torch.
NONE = -1
# Rows of a table that are written at once where they are streamed, at most.
TOGETHER = 4096


def score(
    data: str,
    /,
    *,
    model: Path,
    out: Path | None = None,
    method: Method | None = None,
    like: str | None = None,
    normal: str | None = None,
    device: str = "auto",
    options: DataOptions = DataOptions(),
) -> None:
    """Say how abnormal rows are, and which features make the most abnormal ones so.

    Parameters
    ----------
    data
        A file, a folder of images or a built-in name.
    model
        A run folder, or what a Detector saved.
    out
        Where to write: .csv or .parquet with a column for each feature's part, or .npy, .npz with the scores alone.
    method
        neighbours or mahalanobis, distances of code and residual to normal rows; reconstruction, the squared error of
        scaled rows; likelihood, -log p(x|z) in nats. [default: the Detector's; else reconstruction, of symbols
        likelihood]
    like
        Normal rows for neighbours and mahalanobis, without the column of labels. [default: those that the run learned
        from]
    normal
        With --labels: the class of normal rows, all others are abnormal, but for those without a label, which count as
        neither. [default: 0]
    device
        Where to compute: auto, cpu, cuda.
    """
    from xhat.data.write import check_writable

    if out is not None:
        check_writable(out)
    hint = "name the column that says which rows are normal: --labels COLUMN"
    require(normal is None or options.labels is not None, "--normal", "needs --labels", f"'{normal}' alone", hint)
    fitted = load_model(model, device)
    rows = open_for(fitted, data, options)
    abnormal = None if options.labels is None else _abnormal(rows, normal)
    judge = _judge(fitted, model, method, like, options)
    scores: Numbers = judge.abnormality.score(fitted, rows).numpy()
    _print(scores, fitted, rows, judge)
    if abnormal is not None:
        _print_auroc(scores, abnormal.numpy())
    if out is not None:
        _write(out, scores, fitted, rows, judge)
        print(f"{len(scores)} scores: {out}")


def _judge(fitted: Fitted, model: Path, method: Method | None, like: str | None, options: DataOptions) -> Judge:
    """Take the folder's own judge, or make one without a threshold."""
    import torch

    from xhat.estimators._judge import JUDGE, Judge
    from xhat.metrics.abnormality.methods import METHODS
    from xhat.runs.reopen import reopen

    own = Judge.read(model) if (model / JUDGE).is_file() else None
    if own is not None and method in (None, own.method) and like is None:
        return own
    name = method or (own.method if own else "reconstruction" if fitted.schema.vocabulary is None else "likelihood")
    compares = name in ("neighbours", "mahalanobis")
    hint = "leave it out, or use --method neighbours or mahalanobis"
    require(compares or like is None, "--like", f"{name} compares with no rows", f"'{like}'", hint)
    if not compares:
        return Judge(name, METHODS[name].restore({}), "auto", float("-inf"))
    known = like is not None or fitted.origin.get("source", {}).get("path") is not None
    hint = "name a file of normal rows: --like normal.csv"
    require(known, str(model), f"was fitted to an array, and {name} compares with it", hint=hint)
    rows = reopen(fitted, None, str(model), "compared") if like is None else _normal_rows(fitted, like, options)
    if rows.streams:
        rows = rows.some(torch.arange(len(rows)))
    return Judge(name, METHODS[name].fit(fitted, rows), "auto", float("-inf"))


def _normal_rows(fitted: Fitted, like: str, options: DataOptions) -> Dataset:
    """Open what --like names, and tell where a column of labels is in the way."""
    try:
        rows = open_for(fitted, like, replace(options, labels=None))
        fitted.schema.check(rows.schema)
        return rows
    except XhatError as error:
        if options.labels is None:
            raise
        try:
            fitted.schema.check(open_for(fitted, like, options).schema)
        except XhatError:
            raise error from None
        came, hint = f"the column '{options.labels}' in {like}", "take abnormal rows out of the file, then that column"
        raise ConfigError("--like", "needs normal rows without labels", came, hint) from error


def _abnormal(rows: Dataset, normal: str | None) -> torch.Tensor:
    """Read which rows are abnormal: 1 for another class than the normal one, 0 for that, -1 for no label, (N,)."""
    import torch

    y, names = rows.y, rows.schema.labels
    whole = y is not None and y.ndim == 1 and not y.is_floating_point()
    require(whole, "--labels", "must be classes, one a row", None, "as 0 for normal rows and 1 for abnormal ones")
    assert y is not None
    labelled = y != NONE
    known = list(names) if names else [str(value) for value in y[labelled].unique().tolist()]
    asked, hint = normal or "0", "say which class is normal"
    require(asked in known, "--normal", f"must be one of {', '.join(known[:20]) or 'none'}", f"'{asked}'", hint)
    abnormal = y != (known.index(asked) if names else int(asked))
    hint = "give rows of more than one class, or leave --labels out"
    mixed = bool((abnormal & labelled).any()) and not bool(abnormal[labelled].all())
    require(mixed, "--labels", "needs normal and abnormal rows", f"only {known[0]}" if len(known) == 1 else None, hint)
    return torch.where(labelled, abnormal.long(), NONE)


def _print_auroc(scores: Numbers, abnormal: NDArray[np.int64]) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    labelled = abnormal != NONE
    truth, of_labelled = abnormal[labelled], scores[labelled]
    auroc, precision = roc_auc_score(truth, of_labelled), average_precision_score(truth, of_labelled)
    unknown = len(scores) - len(truth)
    without = f" · {unknown} without a label are left out" if unknown else ""
    told = f"{truth.sum()} of {len(truth)} rows are abnormal{without}"
    print(f"AUROC {auroc:.4f} · average precision {precision:.4f} · {told}")


def _print(scores: Numbers, fitted: Fitted, rows: Dataset, judge: Judge) -> None:
    import torch
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    top, names = (-scores).argsort(kind="stable")[:ROWS], _names(rows)
    parts = judge.abnormality.parts(fitted, rows.subset(torch.from_numpy(top))).flatten(1)  # (R, D)
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("row", justify="right")
    table.add_column(judge.method, justify="right")
    table.add_column("of which")
    for row, of_row in zip(top.tolist(), parts, strict=True):
        most = of_row.argsort(descending=True)[:FEATURES].tolist()
        said = " · ".join(f"{names[feature]} {of_row[feature]:.3g}" for feature in most)
        table.add_row(str(row), f"{scores[row]:.4g}", said)
    console.print(table)
    if judge.offset > float("-inf"):
        beyond = int((-scores < judge.offset).sum())
        print(f"{beyond} of {len(scores)} rows lie beyond the threshold, {-judge.offset:.4g}")


def _names(rows: Dataset) -> list[str]:
    """Name the features of a flattened row."""
    import numpy as np

    shape, columns = rows.schema.shape, rows.schema.columns or ()
    if len(shape) == 1:
        return list(columns) if len(columns) == shape[0] else [f"x{place}" for place in range(shape[0])]
    return [",".join(map(str, place)) for place in np.ndindex(*shape)]


def _write(out: Path, scores: Numbers, fitted: Fitted, rows: Dataset, judge: Judge) -> None:
    import torch

    from xhat.data.memory import rows_within
    from xhat.data.write import TABLES, write
    from xhat.data.write_parts import write_parts

    if out.suffix.lower() not in TABLES:
        write(scores, out)
        return
    names = [judge.method, *(["outlier"] if judge.offset > float("-inf") else [])]
    names += [f"part {name}" for name in _names(rows)]
    schema = replace(rows.schema, kind="table", shape=(len(names),), columns=tuple(names))
    if not rows.streams:
        write(_table(scores, fitted, rows, judge), out, schema=schema)
        return
    # Each feature's part is a 64-bit number beside the row.
    few = torch.arange(len(rows)).split(rows_within(rows.row_bytes + 8 * len(names), TOGETHER))
    tables = (_table(scores[part.numpy()], fitted, rows.subset(part), judge) for part in few)
    write_parts(tables, out, rows=len(rows), schema=schema)


def _table(scores: Numbers, fitted: Fitted, rows: Dataset, judge: Judge) -> Numbers:
    """Lay scores, what is beyond the threshold, and each feature's part beside one another, (N, C)."""
    import numpy as np

    columns = [scores]
    if judge.offset > float("-inf"):
        columns.append((-scores < judge.offset).astype(float))
    parts = judge.abnormality.parts(fitted, rows).flatten(1).numpy()  # (N, D)
    return np.column_stack([*columns, parts])
