"""Draws made outside are those that the program would have made, bit for bit."""

import pytest
import torch

from xhat.engine.draws import Recording, Replaying, Source, drawn
from xhat.engine.randomness import private_randomness

CPU = torch.device("cpu")


def program(x):
    noise = torch.randn_like(x.T)  # strides that are not those of its shape
    few = torch.rand(3)  # torch draws less than 16 numbers in another way
    order = torch.randperm(len(x))
    whole = torch.randint(2, 9, (4,))
    return [noise, few, order, whole, torch.rand_like(x, dtype=torch.float64)]


@pytest.mark.parametrize("rows", [5, 32])
def test_each_model_gets_what_it_would_have_drawn_by_itself(rows):
    x = torch.zeros(rows, 4)
    with Recording() as recording:
        program(x)
    given = drawn(recording.draws, [Source(CPU, 3), Source(CPU, 8)])
    for model, seed in enumerate((3, 8)):
        with private_randomness(seed):
            alone = program(x)
        assert all(torch.equal(stacked[model], single) for stacked, single in zip(given, alone, strict=True))


def test_within_vmap_each_model_meets_its_own_numbers():
    x = torch.zeros(2, 5, 4)
    with Recording() as recording:
        program(x[0])
    given = drawn(recording.draws, [Source(CPU, 3), Source(CPU, 8)])

    def met(rows, numbers):
        with Replaying(numbers):
            return program(rows)

    for one, other in zip(torch.func.vmap(met)(x, given), given, strict=True):
        assert torch.equal(one, other)


def test_a_source_goes_on_from_where_torch_stands():
    with private_randomness(4):
        torch.randn(7)
        source = Source(CPU)
        expected = torch.randn(20)
    assert torch.equal(torch.randn(20, generator=source.of["cpu"]), expected)
