import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.engine.device import pick_device


def test_auto_takes_a_gpu_where_there_is_one():
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", ""])
def test_a_device_that_is_not_here_is_refused(name):
    with pytest.raises(ConfigError, match=f"^device: must be one that this machine has, got '{name}'. Use --device"):
        pick_device(name)
