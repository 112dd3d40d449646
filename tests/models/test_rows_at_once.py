import pytest
import torch

from xhat.models.recipes.ae import ae
from xhat.models.rows_at_once import rows_at_once

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("shape", "net", "rows"),
    [
        ((30,), "mlp", 4096),  # a table's rows are small
        ((784,), "mlp", 1024),
        ((3, 32, 32), "mlp", 1024),  # products of matrices want at least so many
        ((1, 28, 28), "conv", 256),
        ((3, 32, 32), "conv", 128),
        ((3, 64, 64), "conv", 128),
    ],
)
def test_rows_at_once_fill_the_cache_and_not_more(shape, net, rows):
    options = {"mlp": {"hidden": (2,)}, "conv": {"widths": (2, 2)}}[net]
    model = ae(shape, net=net, latent=2, options=options).model
    assert rows_at_once(model, CPU) == rows


def test_doubles_take_twice_the_room():
    model = ae((12, 12), net="mlp", latent=2, options={"hidden": (2,)}).model
    assert rows_at_once(model, CPU) == 2 * rows_at_once(model.double(), CPU)


def test_other_devices_are_filled_by_more():
    model = ae((3, 32, 32), net="conv", latent=2, options={"widths": (2, 2)}).model
    assert rows_at_once(model, torch.device("meta")) == 1024
