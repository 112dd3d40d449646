"""The packages behind the extra ``xhat[onnx]``, asked for before anything is done."""

from __future__ import annotations

from importlib.util import find_spec

from xhat.core.errors import require

PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def check_installed() -> None:
    """Refuse to go on without them.

    Raises
    ------
    ConfigError
        When one of them is absent.
    """
    absent = [name for name in PACKAGES if find_spec(name) is None]
    hint = "install them: pip install 'xhat[onnx]'"
    require(not absent, "export", f"needs the packages {', '.join(PACKAGES)}", f"no {', '.join(absent)}", hint)
