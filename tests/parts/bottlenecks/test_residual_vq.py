import pytest
import torch

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.bottlenecks._passing import rotation
from xhat.parts.bottlenecks.residual_vq import ResidualVQ
from xhat.parts.bottlenecks.vq import VQ


def begun(shape=(4,), **options):
    rvq = ResidualVQ(shape, 8, 3, **options)
    rvq.begin(torch.randn(400, *shape))
    return rvq


@pytest.mark.parametrize(("shape", "groups"), [((4,), 1), ((4,), 2), ((4, 2, 3), 1)])
def test_indices_are_the_code_and_the_levels_their_last_axis(shape, groups):
    rvq = ResidualVQ(shape, 8, 3, groups=groups).eval()
    code = rvq(torch.randn(5, *shape))
    assert code.indices.shape == (5, *rvq.places.shape, 3)
    assert (code.entries, code.codebooks) == (8, 3)
    torch.testing.assert_close(rvq.lookup(code.indices), code.z, rtol=0, atol=0)


def test_each_level_quantises_what_the_ones_before_it_left():
    rvq = begun().eval()
    h = torch.randn(50, 4)
    code = rvq(h)
    r, commitment = h, torch.zeros(50)
    for level, codebook in enumerate(rvq.codebooks):
        k = torch.cdist(r, codebook.vectors).argmin(1)
        assert torch.equal(code.indices[:, 0, level], k)
        r = r - codebook.vectors[k]
        commitment += 0.25 * (r**2).sum(1)
    torch.testing.assert_close(code.z, h - r)
    torch.testing.assert_close(code.terms["commitment"], commitment)


def test_the_first_levels_are_a_coarser_code():
    rvq = begun().eval()
    h = torch.randn(300, 4)
    indices = rvq(h).indices
    errors = [float(((rvq.lookup(indices[..., :n]) - h) ** 2).mean()) for n in (1, 2, 3)]
    assert errors[0] > 1.2 * errors[1] > 1.44 * errors[2]


def test_one_level_is_plain_vector_quantisation():
    rvq, vq = ResidualVQ((4,), 8, 1, groups=2), VQ((4,), 8, groups=2)
    vq.codebook.load_state_dict(rvq.codebooks[0].state_dict())
    h = torch.randn(20, 4)
    for _ in range(3):
        torch.manual_seed(1)
        one = rvq(h)
        torch.manual_seed(1)
        other = vq(h)
        assert torch.equal(one.z, other.z)
        torch.testing.assert_close(one.terms, other.terms)
    assert torch.equal(rvq.codebooks[0].vectors, vq.codebook.vectors)


def test_the_gradient_passes_once_and_not_a_level_each():
    rvq = begun().eval()
    h = torch.randn(6, 4, requires_grad=True)
    weights = torch.randn(6, 4)
    z = rvq(h).z
    (found,) = torch.autograd.grad((weights * z).sum(), h)
    (expected,) = torch.autograd.grad((weights * rotation(h, z.detach())).sum(), h)
    torch.testing.assert_close(found, expected)


def test_dropped_levels_say_nothing_and_their_codebooks_learn_all_the_same():
    rvq = begun(dropout=1.0)
    before = rvq.codebooks[2].sums.clone()
    code = rvq(torch.randn(300, 4))
    used = (code.indices[:, 0] >= 0).sum(1)
    assert used.min() == 1
    assert torch.bincount(used, minlength=4)[1:].min() > 60  # a third each
    # Levels are dropped from the last one on.
    assert all((row[:n] >= 0).all() and (row[n:] == -1).all() for row, n in zip(code.indices[:, 0], used, strict=True))
    assert not torch.equal(rvq.codebooks[2].sums, before)
    rvq.eval()
    assert (rvq(torch.randn(30, 4)).indices >= 0).all()


def test_a_dropped_code_is_that_of_its_levels():
    rvq = begun(dropout=0.5)
    frozen = {name: value.clone() for name, value in rvq.state_dict().items()}
    code = rvq(torch.randn(30, 4))
    rvq.load_state_dict(frozen)  # the codebooks have moved on since
    assert (code.indices < 0).any()
    torch.testing.assert_close(rvq.lookup(code.indices), code.z, rtol=0, atol=0)


def test_nothing_is_learned_in_evaluation_or_without_gradients():
    rvq, h = begun(), torch.randn(16, 4)
    before = {name: value.clone() for name, value in rvq.state_dict().items()}
    rvq.eval()(h)
    with torch.no_grad():
        rvq.train()(h)
    assert all(torch.equal(value, before[name]) for name, value in rvq.state_dict().items())
    rvq(h)
    assert not any(torch.equal(value, before[name]) for name, value in rvq.state_dict().items())


def test_half_precision_around_it_changes_nothing():
    rvq, h = begun().eval(), torch.randn(40, 4)
    expected = rvq(h)
    with torch.autocast("cpu", torch.bfloat16):
        found = rvq(h)
    assert torch.equal(found.z, expected.z)
    assert torch.equal(found.indices, expected.indices)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"levels": 0}, r"levels must be a whole number >= 1, got 0"),
        ({"dropout": 2}, r"dropout must be a share from 0 to 1, got 2"),
        ({"commitment": -1}, r"commitment must be >= 0, got -1"),
        ({"groups": 3}, r"groups must divide the code's 4 numbers, got 3"),
    ],
)
def test_bad_arguments_are_refused_in_a_line(arguments, line):
    with pytest.raises((ConfigError, ShapeError), match=line):
        ResidualVQ((4,), **arguments)


def test_more_levels_than_there_are_cannot_be_looked_up():
    with pytest.raises(ShapeError, match="1 to 3 levels"):
        begun().lookup(torch.zeros(2, 1, 4, dtype=torch.int64))
