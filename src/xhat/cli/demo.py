"""``xhat demo``."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path

from xhat.cli.fit import ModelOptions, fit
from xhat.cli.options import Switch


def demo(*, out: Path | None = None, no_browser: Switch = False) -> int:
    """Train on scikit-learn's handwritten digits, compare with PCA, and open the report.

    Parameters
    ----------
    out
        The run's folder, new or empty. [default: runs/demo]
    no_browser
        Do not open the report.
    """
    from xhat.runs.folder import RunFolder

    folder = RunFolder(out) if out is not None else RunFolder.next_free("demo")
    print("1,797 handwritten digits of 8×8 pixels: an autoencoder with 8 numbers a digit, beside PCA with as many.")
    status = fit("digits", out=folder.path, model=ModelOptions(kind="ae", latent=8))
    if status == 0 and not no_browser and sys.stdout.isatty():
        webbrowser.open(folder.report.absolute().as_uri())
    return status
