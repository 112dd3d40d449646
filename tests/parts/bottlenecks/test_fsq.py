import math

import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.bottlenecks.fsq import FSQ

# Table 1 of the paper: about 2^bits entries.
ADVISED = {
    8: (8, 6, 5),
    10: (8, 5, 5, 5),
    12: (7, 5, 5, 5, 5),
    14: (8, 8, 8, 6, 5),
    16: (8, 8, 8, 5, 5, 5),
}


@pytest.mark.parametrize(("bits", "levels"), ADVISED.items())
def test_the_papers_levels_make_codebooks_of_the_size_that_it_says(bits, levels):
    fsq = FSQ((len(levels),), levels)
    assert fsq.entries == math.prod(levels)
    assert abs(math.log2(fsq.entries) - bits) < 0.2


@pytest.mark.parametrize("levels", [*ADVISED.values(), (5, 3, 4), (3,)])
def test_indices_and_codes_are_one_to_one(levels):
    fsq = FSQ((len(levels),), levels)
    indices = torch.arange(fsq.entries)[:, None]
    z = fsq.lookup(indices)
    assert z.unique(dim=0).shape == (fsq.entries, len(levels))
    assert z.abs().max() == 1
    # The encodings of all codes, by the inverse of the bound: each gives its own index back.
    bounded = z * fsq.steps
    h = torch.atanh((bounded + fsq.offset) / fsq.half_width) - fsq.shift
    code = fsq(h)
    assert torch.equal(code.indices, indices)
    assert torch.equal(code.z, z)


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_a_number_takes_exactly_its_levels_and_zero_stays_zero(n):
    fsq = FSQ((1,), (n,))
    h = torch.linspace(-20, 20, 20_001)[:, None]
    values = fsq(h).z.unique()
    half = n // 2
    expected = torch.arange(-half, n - half) / half  # of an even number, one more below zero than above
    torch.testing.assert_close(values, expected)
    assert fsq(torch.zeros(1, 1)).z.item() == 0


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_encodings_of_usual_size_take_more_than_one_level(n):
    share = torch.bincount((FSQ((1,), (n,))(torch.randn(20_000, 1)).indices).flatten(), minlength=n) / 20_000
    assert share.max() < 0.6


def test_the_bound_is_the_papers():
    h = torch.randn(50, 1, dtype=torch.float64)
    for n, offset in ((5, 0.0), (8, 0.5)):
        fsq = FSQ((1,), (n,)).double()
        width = 1.001 * (n - 1) / 2
        bounded = width * torch.tanh(h + math.atanh(offset / width)) - offset
        torch.testing.assert_close(fsq(h).z, bounded.round() / (n // 2), rtol=0, atol=1e-12)


def test_the_gradient_is_that_of_the_bound():
    fsq = FSQ((4,)).double()
    h = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(fsq(h).z.sum(), h)
    bounded = (fsq.half_width * torch.tanh(h + fsq.shift) - fsq.offset) / fsq.steps
    (expected,) = torch.autograd.grad(bounded.sum(), h)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("shape", "places"), [((8,), (2,)), ((4, 3, 2), (3, 2)), ((8, 3, 2), (3, 2, 2))])
def test_indices_are_the_code(shape, places):
    fsq = FSQ(shape)
    code = fsq(torch.randn(5, *shape))
    assert code.indices.shape == (5, *places)
    assert code.entries == 1000
    assert torch.equal(fsq.lookup(code.indices), code.z)
    assert code.terms == {}


def test_a_vector_is_of_the_numbers_of_one_group():
    fsq = FSQ((8,))
    h = torch.randn(5, 8)
    both = fsq(h).indices
    for g in (0, 1):
        assert torch.equal(FSQ((4,))(h[:, 4 * g : 4 * g + 4]).indices[:, 0], both[:, g])


def test_half_precision_around_it_changes_nothing():
    fsq, h = FSQ((8,)), torch.randn(200, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = fsq(h)
    assert torch.equal(found.z, fsq(h).z)
    assert torch.equal(found.indices, fsq(h).indices)


def test_there_is_nothing_to_learn_or_to_save():
    assert FSQ((4,)).state_dict() == {}


@pytest.mark.parametrize(
    ("shape", "levels", "line"),
    [
        ((4,), (8, 1, 5, 5), r"levels must be whole numbers >= 3"),
        (
            (4,),
            (8, 2, 5, 5),
            r"levels must be whole numbers >= 3, got \(8, 2, 5, 5\)\. .* for two levels take the kind lfq",
        ),
        ((4,), (), r"levels must be whole numbers >= 3"),
        ((6,), (8, 5, 5, 5), r"must be a multiple of the 4 levels, got 6\. Use --latent 4 or 16, or other levels\."),
        ((64,), (3,) * 64, r"an index must fit into 64 bits"),
    ],
)
def test_bad_arguments_are_refused_in_a_line(shape, levels, line):
    with pytest.raises(ConfigError, match=line):
        FSQ(shape, levels)
