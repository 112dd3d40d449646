import math

import pytest
import tiny
import torch
from torch.autograd.functional import jacobian

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.engine.checkpoint import read_checkpoint, write_checkpoint
from xhat.models.recipes.vqvae import vqvae
from xhat.parts.bottlenecks._passing import rotation, straight_through
from xhat.parts.bottlenecks.vq import VQ


def plane_rotation(e, q):
    """The rotation that takes e's direction to q's and leaves all that is normal to both: I in a basis of its own."""
    e, q = e / e.norm(), q / q.norm()
    across = q - (q @ e) * e
    across = across / across.norm()
    angle = torch.atan2(q @ across, q @ e)
    c, s = angle.cos(), angle.sin()
    basis = torch.stack([e, across], 1)  # (d, 2)
    inner = torch.stack([torch.stack([c, -s]), torch.stack([s, c])])
    return torch.eye(len(e), dtype=e.dtype) + basis @ (inner - torch.eye(2, dtype=e.dtype)) @ basis.T


def test_the_rotation_trick_passes_the_rotation_from_the_encoding_to_its_entry():
    for seed in range(5):
        torch.manual_seed(seed)
        e, q = torch.randn(2, 5, dtype=torch.float64)
        turn = plane_rotation(e, q)
        torch.testing.assert_close(turn @ turn.T, torch.eye(5, dtype=torch.float64))
        torch.testing.assert_close((q.norm() / e.norm()) * turn @ e, q)
        torch.testing.assert_close(jacobian(lambda e, q=q: rotation(e, q), e), q.norm() / e.norm() * turn)


def test_both_ways_give_the_entry_itself_and_straight_through_the_identity():
    e, q = torch.randn(2, 7, 5, requires_grad=True)
    for way in (rotation, straight_through):
        assert torch.equal(way(e, q), q)
    (gradient,) = torch.autograd.grad((straight_through(e, q) * (weights := torch.randn(7, 5))).sum(), e)
    assert torch.equal(gradient, weights)


@pytest.mark.parametrize("entry", [[0.0, 0, 0], [-2.0, 0, 0], [2.0, 0, 0]], ids=["none", "opposite", "same"])
@pytest.mark.parametrize("length", [0.0, 1.0])
def test_where_there_is_no_rotation_the_gradient_goes_straight_through(length, entry):
    e, q = torch.tensor([length, 0, 0], requires_grad=True), torch.tensor(entry)
    (gradient,) = torch.autograd.grad(rotation(e, q).sum(), e)
    stretched = 2.0 if length and entry[0] > 0 else 1.0
    torch.testing.assert_close(gradient, torch.full((3,), stretched))


def put(vq, *entries):
    """Set the codebook, with means as if each entry had stood for as many vectors."""
    vectors = torch.tensor(entries)
    vq.codebook.vectors.copy_(vectors)
    vq.codebook.shares.fill_(1 / len(vectors))
    vq.codebook.sums.copy_(vectors / len(vectors))


def test_each_vector_becomes_its_nearest_entry_at_its_place():
    vq = VQ((4, 2, 3), 9, groups=2).eval()
    h = torch.randn(5, 4, 2, 3)
    code = vq(h)
    assert code.indices.shape == (5, 2, 3, 2)
    for b, y, x, g in [(0, 0, 0, 0), (1, 1, 2, 1), (4, 0, 1, 1)]:
        vector = h[b, 2 * g : 2 * g + 2, y, x]
        k = int(((vq.codebook.vectors - vector) ** 2).sum(1).argmin())
        assert int(code.indices[b, y, x, g]) == k
        assert torch.equal(code.z[b, 2 * g : 2 * g + 2, y, x], vq.codebook.vectors[k])


@pytest.mark.parametrize(
    ("shape", "groups", "places"), [((6,), 1, (1,)), ((6,), 3, (3,)), ((6, 2, 5), 1, (2, 5)), ((6, 2, 5), 2, (2, 5, 2))]
)
def test_indices_are_the_code(shape, groups, places):
    vq = VQ(shape, 16, groups=groups).eval()
    code = vq(torch.randn(4, *shape))
    assert code.indices.shape == (4, *places)
    assert torch.equal(vq.lookup(code.indices), code.z)
    assert code.entries == 16
    with pytest.raises(ShapeError, match="indices must be of shape"):
        vq.lookup(code.indices[..., None])


def test_running_means_are_those_of_the_paper_by_hand():
    vq = VQ((2,), 2, decay=0.9, revive=0.0)
    put(vq, [0.0, 0], [10, 10])
    vq(torch.tensor([[1.0, 0], [3, 0], [0, 1], [11, 9]]))  # three for the first, one for the second
    torch.testing.assert_close(vq.codebook.shares, torch.tensor([0.45 + 0.1 * 3 / 4, 0.45 + 0.1 / 4]))
    sums = torch.tensor([[0.1 * 4 / 4, 0.1 / 4], [4.5 + 0.1 * 11 / 4, 4.5 + 0.1 * 9 / 4]])
    torch.testing.assert_close(vq.codebook.sums, sums)
    shares = vq.codebook.shares
    before = torch.tensor([[0.0, 0], [10, 10]])  # each counts a little as a vector of its own
    torch.testing.assert_close(vq.codebook.vectors, (sums + 5e-6 * before) / (shares[:, None] + 5e-6))
    torch.testing.assert_close(vq.codebook.vectors, sums / shares[:, None], rtol=1e-4, atol=0)


def test_the_means_converge_to_those_of_the_vectors():
    vq = VQ((2,), 2, decay=0.9)
    left, right = torch.randn(200, 2) - 6, torch.randn(300, 2) + 6
    put(vq, [-1.0, -1], [1, 1])
    for _ in range(200):
        vq(torch.cat([left, right]))
    torch.testing.assert_close(vq.codebook.vectors, torch.stack([left.mean(0), right.mean(0)]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(vq.codebook.shares, torch.tensor([0.4, 0.6]))


def test_an_entry_that_is_moved_begins_its_means_anew_and_stays():
    vq = VQ((2,), 4, decay=0.5, revive=0.1)
    put(vq, [0.0, 0], [1, 1], [100, 100], [-100, 100])
    h = torch.rand(64, 2)
    vq(h)
    before = vq.codebook.shares.clone()
    assert (before[2:] == 0.125).all()
    for _ in range(3):
        vq(h)
    where, shares, sums = vq.codebook.vectors, vq.codebook.shares, vq.codebook.sums
    assert (where >= 0).all()
    assert (where <= 1).all()  # all four are among the rows now
    assert (shares > 0.1 / 4).all()
    torch.testing.assert_close(sums / shares[:, None], where, rtol=1e-3, atol=1e-3)
    for _ in range(20):
        vq(h)
    assert vq.eval()(h).indices.unique().numel() == 4


def test_without_revival_idle_entries_stay_idle():
    vq = VQ((2,), 4, decay=0.5, revive=0.0)
    put(vq, [0.0, 0], [1, 1], [100, 100], [-100, 100])
    h = torch.rand(64, 2)
    for _ in range(10):
        vq(h)
    assert vq.eval()(h).indices.unique().tolist() == [0, 1]


@pytest.mark.parametrize("steps", [1, 1000])
def test_entries_without_a_vector_stay_where_the_first_look_put_them(steps):
    vq, h = VQ((2,), 8, decay=0.9, revive=0.0), torch.tensor([[5.0, 5], [6, 5], [5, 6]])
    vq.begin(h)
    placed = vq.codebook.vectors.clone()
    used = vq.eval()(h).indices.unique()
    vq.train()
    for _ in range(steps):
        vq(h)
    assert len(used) == 3
    torch.testing.assert_close(vq.codebook.vectors, placed)  # the others in the rows' midst, not at the origin
    assert vq.codebook.vectors.min() > 4


def test_nothing_is_learned_in_evaluation_or_without_gradients():
    vq, h = VQ((4,), 8, groups=2), torch.randn(16, 4)
    before = {name: value.clone() for name, value in vq.state_dict().items()}
    vq.eval()(h)
    with torch.no_grad():
        vq.train()(h)
    assert all(torch.equal(value, before[name]) for name, value in vq.state_dict().items())
    vq(h)
    assert not any(torch.equal(value, before[name]) for name, value in vq.state_dict().items())


def test_the_commitment_is_a_rows_sum_whatever_its_batch():
    vq = VQ((4, 2, 2), 8, commitment=0.5).eval()
    h = torch.randn(6, 4, 2, 2)
    code = vq(h)
    expected = 0.5 * ((h - code.z.detach()) ** 2).flatten(1).sum(1)
    torch.testing.assert_close(code.terms["commitment"], expected)
    torch.testing.assert_close(vq(h[2:3]).terms["commitment"], expected[2:3])


def test_the_commitment_moves_encodings_to_their_entries_and_the_codebook_holds_no_gradient():
    vq = VQ((3,), 8, groups=3, commitment=0.5)
    h = torch.randn(6, 3, requires_grad=True)
    entries = vq.eval()(h).z.detach()
    vq(h).terms["commitment"].sum().backward()
    torch.testing.assert_close(h.grad, h.detach() - entries)  # 2 β (h - c)
    assert list(vq.parameters()) == []


def test_half_precision_around_it_changes_nothing():
    h = torch.randn(40, 6)
    torch.manual_seed(3)
    full, half = VQ((6,), 16, groups=2), VQ((6,), 16, groups=2)
    half.load_state_dict(full.state_dict())
    for _ in range(3):
        torch.manual_seed(4)
        expected = full(h)
        torch.manual_seed(4)
        with torch.autocast("cpu", torch.bfloat16):
            found = half(h)
        assert found.z.dtype == torch.float32
        assert torch.equal(found.z, expected.z)
        assert torch.equal(found.indices, expected.indices)
        assert torch.equal(found.terms["commitment"], expected.terms["commitment"])
    assert all(torch.equal(value, full.state_dict()[name]) for name, value in half.state_dict().items())


def test_the_first_look_puts_entries_where_the_encodings_are():
    centres = torch.randn(8, 4) * 20
    h = torch.cat([c + torch.randn(40, 4) for c in centres])
    vq = VQ((4,), 8)
    vq.begin(h)
    assert torch.cdist(centres, vq.codebook.vectors).min(1).values.max() < 1
    torch.testing.assert_close(vq.codebook.shares.sum(), torch.tensor(1.0))
    torch.testing.assert_close(vq.codebook.sums, vq.codebook.shares[:, None] * vq.codebook.vectors)


def test_fewer_vectors_than_entries_are_entries_themselves():
    h = torch.randn(5, 4)
    vq = VQ((4,), 16)
    vq.begin(h.repeat(3, 1))
    assert torch.cdist(h, vq.codebook.vectors).min(1).values.max() < 1e-6
    assert vq.codebook.vectors.isfinite().all()
    vq.begin(h[:1])
    assert vq.codebook.vectors.isfinite().all()


def test_the_state_goes_on_where_it_stopped():
    one = VQ((4,), 8, groups=2)
    h = torch.randn(32, 4)
    one(h)
    other = VQ((4,), 8, groups=2)
    other.load_state_dict(one.state_dict())
    for vq in (one, other):
        torch.manual_seed(1)
        vq(h + 1)
    assert {"codebook.vectors", "codebook.shares", "codebook.sums"} == set(one.state_dict())
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"entries": 1}, r"entries must be a whole number >= 2, got 1"),
        ({"groups": 3}, r"groups must divide the code's 4 numbers, got 3"),
        ({"commitment": -1}, r"commitment must be >= 0, got -1"),
        ({"decay": 1.0}, r"decay must be >= 0 and < 1, got 1"),
        ({"revive": 1.5}, r"revive must be >= 0 and < 1, got 1\.5"),
        ({"gradient": "none"}, r"gradient must be rotation or straight_through, got 'none'"),
    ],
)
def test_bad_arguments_are_refused_in_a_line(arguments, line):
    with pytest.raises((ConfigError, ShapeError), match=line):
        VQ((4,), **arguments)


@pytest.mark.parametrize(("latent", "groups"), [(16, 4), (6, 1), (10, 2), (3, 1), (7, 1), (32, 8)])
def test_the_recipe_splits_a_flat_code_into_vectors_of_four_or_more(latent, groups):
    recipe = vqvae((12,), latent=latent, entries=8)
    assert recipe.model.bottleneck.groups == recipe.model.prior.groups == groups
    loss = recipe.objective(recipe.model, Batch(torch.randn(5, 12)))
    assert set(loss.terms) == {"distortion", "commitment"}


def test_its_bits():
    code = vqvae((12,), latent=16, entries=8).model.encode(torch.randn(3, 12))
    assert code.indices[0].numel() * math.log2(code.entries) == 12


@pytest.mark.parametrize("kind", ["vqvae", "rqvae"])
def test_a_run_interrupted_and_continued_is_the_uninterrupted_one(kind, tmp_path):
    changes = {**tiny.NARROW, "bottleneck.entries": 32, "bottleneck.decay": 0.7, "bottleneck.revive": 0.5}
    whole = tiny.training(tiny.plan(kind, overrides=changes))
    whole.run()
    part = tiny.training(tiny.plan(kind, overrides=changes), tiny.CtrlC(tiny.STEPS + 3))
    assert part.run() == "interrupted"
    write_checkpoint(tmp_path / "state", part.state())
    rest = tiny.training(tiny.plan(kind, overrides=changes))
    rest.restore(read_checkpoint(tmp_path / "state"))
    assert rest.run() == "finished"
    assert tiny.same(rest.state(), whole.state())


def test_pca_is_no_start_for_what_is_rounded():
    with pytest.raises(ConfigError, match="init=pca: needs a flat code of free numbers"):
        tiny.fit("vqvae", init="pca")
