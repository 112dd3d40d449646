"""What a run ran on, for whoever wants its numbers again."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from xhat.core.version import VERSION


def environment(device: torch.device) -> dict[str, Any]:
    """Give versions and hardware; nothing that names the user or the machine."""
    return {
        "xhat": VERSION,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
