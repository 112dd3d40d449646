import itertools
import math

import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.bottlenecks.lfq import LFQ


def entropy(p):
    return -(p * p.clamp(min=1e-300).log()).sum(-1)


def over_entries(h, temperature):
    """The softmax of minus the squared distances to all 2^D entries, as the paper writes it."""
    entries = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=h.shape[1])), dtype=h.dtype)
    return torch.softmax(-(torch.cdist(h, entries) ** 2) / temperature, 1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_entropy_of_a_row_is_that_over_all_entries(temperature):
    h = torch.randn(7, 5, dtype=torch.float64)
    found = LFQ((5,), entropy=1.0, temperature=temperature)(h).terms["entropy"]
    torch.testing.assert_close(found, entropy(over_entries(h, temperature)))


def test_the_diversity_is_what_the_batch_lacks_of_all_entries_where_bits_are_independent():
    # A full grid of encodings: over it, the bits are independent.
    h = torch.tensor(list(itertools.product([-1.0, 0.3], [-0.2, 0.9], [0.1, 0.5])), dtype=torch.float64)
    found = LFQ((3,), entropy=1.0)(h).terms["diversity"]
    torch.testing.assert_close(found, 3 * math.log(2) - entropy(over_entries(h, 1.0).mean(0)))
    assert found > 0.01


def test_the_diversity_never_asks_for_more_than_all_entries_do():
    h = torch.randn(40, 4, dtype=torch.float64) @ torch.randn(4, 4, dtype=torch.float64)
    found = LFQ((4,), entropy=1.0)(h).terms["diversity"]
    assert 0 <= found <= 4 * math.log(2) - entropy(over_entries(h, 1.0).mean(0))


def test_what_the_terms_want():
    sure = torch.tensor([[5.0, 5.0], [-5, -5], [5, -5], [-5, 5]])
    terms = {name: LFQ((2,), entropy=1.0)(h).terms for name, h in {"all": sure, "one": sure[:1]}.items()}
    assert terms["all"]["entropy"].max() < 1e-6
    assert terms["all"]["diversity"] < 1e-6
    torch.testing.assert_close(terms["one"]["diversity"], torch.tensor(2 * math.log(2)), rtol=1e-3, atol=0)
    torch.testing.assert_close(
        LFQ((2,), entropy=1.0)(torch.zeros(1, 2)).terms["entropy"], torch.tensor([2 * math.log(2)])
    )


def test_terms_of_a_grid_are_sums_over_its_places():
    h = torch.randn(6, 3, 2, 2)
    grid = LFQ((3, 2, 2))(h).terms
    places = h.movedim(1, -1).reshape(-1, 3)  # (B * H * W, D)
    flat = LFQ((3,))(places).terms
    for name in ("commitment", "entropy"):
        torch.testing.assert_close(grid[name], flat[name].view(6, 4).sum(1))
    torch.testing.assert_close(grid["diversity"], 4 * flat["diversity"])


@pytest.mark.parametrize(("shape", "places"), [((18,), (1,)), ((62,), (1,)), ((5, 3, 2), (3, 2))])
def test_indices_are_the_code_of_any_number_of_entries(shape, places):
    lfq = LFQ(shape)
    code = lfq(torch.randn(5, *shape))
    assert code.indices.shape == (5, *places)
    assert code.entries == 2 ** shape[0]
    assert ((code.indices >= 0) & (code.indices < code.entries)).all()
    assert torch.equal(lfq.lookup(code.indices), code.z)
    assert torch.equal(code.z.abs(), torch.ones_like(code.z))


def test_all_indices_are_all_signs():
    lfq = LFQ((4,))
    z = lfq.lookup(torch.arange(16)[:, None])
    assert z.unique(dim=0).shape == (16, 4)
    assert lfq(z).indices[:, 0].tolist() == list(range(16))


def test_the_gradient_goes_straight_through_and_the_commitment_to_the_signs():
    h = torch.randn(5, 4, requires_grad=True)
    code = LFQ((4,), commitment=0.5)(h)
    weights = torch.randn(5, 4)
    (passed,) = torch.autograd.grad((weights * code.z).sum(), h)
    assert torch.equal(passed, weights)
    (drawn,) = torch.autograd.grad(code.terms["commitment"].sum(), h)
    torch.testing.assert_close(drawn, h.detach() - torch.where(h > 0, 1.0, -1.0))


def test_the_terms_keep_their_gradients_finite_far_out():
    h = torch.tensor([[80.0, -80, 0], [200, 200, 1e-30]], requires_grad=True)
    sum(term.sum() for term in LFQ((3,))(h).terms.values()).backward()
    assert h.grad.isfinite().all()


def test_half_precision_around_it_changes_nothing():
    lfq, h = LFQ((8,)), torch.randn(200, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = lfq(h)
    expected = lfq(h)
    assert torch.equal(found.z, expected.z)
    assert all(torch.equal(term, expected.terms[name]) for name, term in found.terms.items())


@pytest.mark.parametrize(
    ("shape", "arguments", "line"),
    [
        ((63,), {}, r"an index has at most 62 bits, got 63 numbers"),
        ((4,), {"entropy": -1}, r"entropy must be >= 0, got -1"),
        ((4,), {"commitment": -1}, r"commitment must be >= 0, got -1"),
        ((4,), {"temperature": 0}, r"temperature must be > 0, got 0"),
    ],
)
def test_bad_arguments_are_refused_in_a_line(shape, arguments, line):
    with pytest.raises(ConfigError, match=line):
        LFQ(shape, **arguments)
