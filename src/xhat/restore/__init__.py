"""Restoring images: y = A x + n, solved for x with a denoiser as the prior; called, it is `front.restore`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    # The import system gives the name xhat.restore to this package, and people call it.
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from xhat.restore.front import restore

        return restore(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
