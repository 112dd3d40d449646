"""Images decoded in processes equal those decoded in this one; what breaks amid gets one line."""

import numpy as np
import pytest
import torch
from PIL import Image

import xhat
from xhat.core.errors import DataError

LITTLE = "1MB"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for i in range(120):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(path / f"{i:03}.png")
    return path  # 1.5 MB once they are decoded


@pytest.mark.parametrize("options", [{}, {"size": (62, 60)}])
def test_they_equal_images_in_memory(folder, options):
    streamed, whole = (xhat.data.open(folder, memory=memory, **options) for memory in (LITTLE, None))
    assert (streamed.streams, whole.streams) == (True, False)
    assert streamed.schema.shape == whole.schema.shape
    order = streamed.blocks.order(torch.arange(120), 8, torch.Generator().manual_seed(0))
    came = torch.cat([batch.x for batch in streamed.walk(order, 8)])
    assert came.dtype == torch.uint8
    assert torch.equal(came, whole.batch(order).x)
    shuffled = torch.randperm(120)  # in parts of sixteen, by other processes
    assert torch.equal(streamed.batch(shuffled).x, whole.batch(shuffled).x)
    assert streamed.x.source._pool is not None
    assert torch.equal(streamed.batch(torch.tensor([7, 3])).x, whole.batch(torch.tensor([7, 3])).x)


def test_one_that_breaks_while_it_trains_is_named(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = xhat.data.open(tmp_path, memory=LITTLE)
    (tmp_path / "050.png").write_bytes((folder / "050.png").read_bytes()[:200])
    for read in (lambda: list(data.walk(torch.arange(120), 8)), lambda: data.batch(torch.arange(120))):
        with pytest.raises(DataError, match=r"^050\.png: the image cannot be decoded") as error:
            read()
        assert "\n" not in str(error.value)
