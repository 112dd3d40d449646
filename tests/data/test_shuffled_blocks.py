"""Orders over blocks: every row once, the same for the same seed, spread over what a file keeps together."""

import json
from dataclasses import asdict

import pytest
import torch

from xhat.data.blocks import Blocks

BLOCKS = Blocks(block=10, window=200, sample=50)
UNEVEN = Blocks(block=(0, 10, 13, 200), window=200, sample=50)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("rows", [torch.arange(1003), torch.arange(1003)[::3], torch.tensor([7]), torch.arange(0)])
@pytest.mark.parametrize("blocks", [BLOCKS, UNEVEN])
def test_an_order_holds_every_row_once(rows, blocks):
    order = blocks.order(rows, 16, generator())
    assert torch.equal(order.sort().values, rows)


def test_it_depends_on_the_generator_alone():
    rows = torch.arange(1000)
    first = BLOCKS.order(rows, 16, generator(1))
    assert torch.equal(first, BLOCKS.order(rows.flip(0), 16, generator(1)))
    assert not torch.equal(first, BLOCKS.order(rows, 16, generator(2)))
    assert not torch.equal(first, rows)


def test_a_window_holds_few_places_and_a_batch_many_of_them():
    order = BLOCKS.order(torch.arange(100_000), 20, generator())
    window = order[: BLOCKS.whole(20)]
    blocks = (window // 10).unique()
    assert len(blocks) == 20  # of 10 rows each: read in 20 places, not in 200
    # In file order the blocks of a window would be neighbours, and a batch one or two of them.
    assert (blocks.diff() > 1).float().mean() > 0.9
    assert len((window[:20] // 10).unique()) > 8


def test_a_window_is_whole_batches_and_at_least_one():
    assert (BLOCKS.whole(16), BLOCKS.whole(200), BLOCKS.whole(300)) == (192, 200, 300)


def test_a_sample_is_bounded_sorted_and_reaches_both_ends():
    rows = torch.arange(10_000)
    some = BLOCKS.some(rows)
    assert 40 <= len(some) <= 50
    assert torch.equal(some, some.unique())
    assert (some[0], some[-1]) == (0, 9999)
    # Even: no eighth of the file is left out.
    assert len((some // 1250).unique()) == 8
    assert torch.equal(BLOCKS.some(rows[:30]), rows[:30])


def test_uneven_blocks_are_kept_in_json_and_an_even_order_is_what_it_was():
    assert Blocks(**json.loads(json.dumps(asdict(UNEVEN)))) == UNEVEN
    even = Blocks(block=tuple(range(0, 1000, 10)), window=200, sample=50)
    rows = torch.arange(1000)
    assert torch.equal(even.order(rows, 16, generator()), BLOCKS.order(rows, 16, generator()))
    assert torch.equal(even.some(rows), BLOCKS.some(rows))


def test_a_window_of_uneven_blocks_holds_few_places():
    blocks = Blocks(block=(0, 500, 600, 1100, 1200, 1700), window=600, sample=50)
    rows = torch.arange(1800)
    for window in blocks.order(rows, 100, generator(3)).split(600):
        whole = torch.bucketize(window, torch.tensor(blocks.block), right=True).unique()
        assert len(whole) <= 4
