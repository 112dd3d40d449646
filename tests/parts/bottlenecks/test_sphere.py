import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import i0e, ive
from torch.distributions import Beta
from torch.nn.functional import normalize

from xhat.core import GaussianCode, SphereCode
from xhat.core.errors import ShapeError
from xhat.core.sphere_code import LARGEST, TINY, log_surface, mean_length
from xhat.parts.bottlenecks.sphere import HIGHEST, LOWEST, Sphere
from xhat.parts.priors.normal import Normal
from xhat.parts.priors.uniform_sphere import UniformSphere

KAPPAS = (1e-3, 0.1, 1.0, 10.0, 300.0, 1e4)
SIZES = (2, 3, 5, 16, 64)


def code(kappa, d, n=1, dtype=torch.float64):
    mu = normalize(torch.randn(1, d, dtype=dtype), dim=1).expand(n, d)
    return SphereCode(mu, torch.full((n,), kappa, dtype=dtype))


def expectation(of, kappa, d):
    """E[of(cos θ)] under vMF, by numerical integration over θ, with κ's width as its units."""

    def density(t):
        return math.exp(kappa * (math.cos(t) - 1)) * math.sin(t) ** (d - 2)

    top = min(math.pi, 40 / math.sqrt(kappa + 1e-9) + 0.5 if kappa > 100 else math.pi)
    near = min(top, 3 * math.sqrt(d / kappa))
    whole, part = (
        sum(
            quad(f, *ends, epsabs=1e-13, epsrel=1e-11, limit=200)[0]
            for ends in ((0, near), (near, top))
            if ends[0] < top
        )
        for f in (density, lambda t: of(math.cos(t)) * density(t))
    )
    return part / whole, whole


@pytest.mark.parametrize("kappa", KAPPAS)
@pytest.mark.parametrize("d", [2, 3])
def test_kl_is_that_of_numerical_integration(kappa, d):
    length, whole = expectation(lambda w: w, kappa, d)
    across = math.exp(log_surface(d - 1)) if d > 2 else 2.0  # of the circle of points at one angle
    # log q = κ(w - 1) - log(across · whole), against -log S
    kl = kappa * (length - 1) - math.log(across * whole) + log_surface(d)
    assert float(code(kappa, d).kl_to_uniform()) == pytest.approx(kl, rel=1e-6, abs=1e-10)  # the integral's own error


def test_kl_in_three_dimensions_is_in_plain_functions():
    for kappa in KAPPAS[1:]:
        coth = 1 / math.tanh(kappa)
        log_sinh = kappa + math.log1p(-math.exp(-2 * kappa)) - math.log(2)
        expected = kappa * coth - 1 - log_sinh + math.log(kappa)
        assert float(code(kappa, 3).kl_to_uniform()) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("d", SIZES)
def test_kl_and_entropy_are_those_of_draws(d):
    q = code(4.0 * d, d, 20_000)
    log_q = q.log_prob(q.rsample())
    error = 4 * log_q.std() / 20_000**0.5
    assert abs(log_q.mean() + log_surface(d) - q.kl_to_uniform()[0]) < error
    assert abs(-log_q.mean() - q.entropy()[0]) < error


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("d", SIZES)
def test_gradient_of_kl_is_that_of_finite_differences(d, dtype):
    for kappa in KAPPAS:
        k = torch.tensor([kappa], dtype=dtype, requires_grad=True)
        SphereCode(torch.eye(d, dtype=dtype)[:1], k).kl_to_uniform().backward()
        # By the mean of cos θ, whose differences keep their digits where those of KL itself do not.
        h = 1e-3 * kappa
        above, below = (float(mean_length(torch.tensor([x], dtype=torch.float64), d)) for x in (kappa + h, kappa - h))
        assert float(k.grad) == pytest.approx(kappa * (above - below) / (2 * h), rel=2e-5), kappa


def test_kl_is_finite_and_rises_with_the_concentration_at_every_size():
    for d in (*SIZES, 500, 3000):
        kl = SphereCode(torch.eye(d)[:1].expand(40, d), torch.logspace(-3, 4, 40)).kl_to_uniform()
        assert kl.isfinite().all()
        assert (kl >= 0).all()
        assert (kl.diff() >= 0).all()


def test_the_series_is_long_enough_at_the_largest_size(monkeypatch):
    kappa = torch.linspace(1, 2000, 500, dtype=torch.float64)
    assert float(ive(LARGEST / 2 - 1, 1600)) < TINY  # there the series is in use
    q = SphereCode(torch.eye(LARGEST, dtype=torch.float64)[:1].expand(500, -1), kappa)
    found = q.kl_to_uniform()
    monkeypatch.setattr("xhat.core.sphere_code.SERIES", 4000)
    torch.testing.assert_close(found, q.kl_to_uniform(), rtol=1e-9, atol=1e-9)


def test_a_concentration_that_is_no_number_gives_a_draw_that_is_none(monkeypatch):
    asked = []

    class Counted(Beta):
        def sample(self, *shape):
            asked.append(shape)
            assert len(asked) < 500, "it is drawn for ever"
            return super().sample(*shape)

    monkeypatch.setattr("xhat.core.sphere_code.Beta", Counted)
    kappa = torch.tensor([3.0, math.nan, 5.0], requires_grad=True)
    z = SphereCode(torch.eye(3), kappa).rsample()
    assert z.isfinite().all(1).tolist() == [True, False, True]
    z.sum().backward()
    assert kappa.grad.isfinite().tolist() == [True, False, True]


class Single(torch.Tensor):
    """A tensor of a device without doubles."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        out = super().__torch_function__(function, types, args, kwargs or {})
        if function is torch.Tensor.cpu:
            return out.as_subclass(torch.Tensor)
        if isinstance(out, cls) and out.dtype == torch.float64:
            raise TypeError("this device has no doubles")
        return out


def test_no_double_is_asked_of_the_device():
    kappa = torch.full((4,), 3.0).as_subclass(Single).requires_grad_()
    with pytest.raises(TypeError, match="no doubles"):
        kappa.double()
    q = SphereCode(normalize(torch.randn(4, 3), dim=1), kappa)
    z = q.rsample()
    (q.kl_to_uniform() + q.log_prob(z) + z.sum(1)).sum().backward()
    assert z.dtype == kappa.grad.dtype == torch.float32


def test_the_series_takes_over_without_a_seam(monkeypatch):
    kappa = torch.tensor([0.5, 3.0, 20.0], dtype=torch.float64)
    found = []
    for tiny in (1e-280, 1e300):  # never, always
        monkeypatch.setattr("xhat.core.sphere_code.TINY", tiny)
        found.append(torch.cat([mean_length(kappa, 8), SphereCode(torch.eye(8)[:3].double(), kappa).kl_to_uniform()]))
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("d", SIZES)
def test_draws_lie_on_the_sphere_with_the_right_mean(d):
    for kappa in KAPPAS:
        q = code(kappa, d, 20_000)
        z = q.rsample()
        torch.testing.assert_close(z.norm(dim=1), torch.ones(20_000, dtype=z.dtype))
        along = (z * q.direction).sum(1)
        expected = float(ive(d / 2, kappa) / ive(d / 2 - 1, kappa))
        assert abs(along.mean() - expected) < 4.5 * along.std() / 20_000**0.5, kappa
        # Across μ no direction is preferred.
        across = (z - along[:, None] * q.direction).mean(0)
        assert across.norm() < 6 * (z - q.direction * along[:, None]).norm(dim=1).mean() / 20_000**0.5


@pytest.mark.parametrize("first", [1.0, -1.0])
def test_draws_at_the_poles_are_right_too(first):
    mu = torch.tensor([[first, 0, 0]]).expand(5000, 3)
    z = SphereCode(mu, torch.full((5000,), 50.0)).rsample()
    torch.testing.assert_close(z.mean(0), mu[0] * (1 / math.tanh(50) - 1 / 50), atol=0.02, rtol=0)


def test_draws_of_a_circle_have_the_density_of_its_angle():
    q = code(2.0, 2, 40_000)
    angle = torch.acos((q.rsample() * q.direction).sum(1).clamp(-1, 1))
    counts = torch.histc(angle, 10, 0, math.pi).numpy()
    t = np.linspace(0, math.pi, 1001)
    density = np.exp(2.0 * (np.cos(t) - 1)) / (math.pi * i0e(2.0))
    expected = 40_000 * np.array([density[100 * i : 100 * i + 101].mean() * math.pi / 10 for i in range(10)])
    assert ((counts - expected) ** 2 / expected).sum() < 30  # χ² of 9 degrees: 0.04 %


@pytest.mark.parametrize("d", SIZES)
def test_the_gradient_of_draws_in_kappa_is_that_of_their_mean(d):
    for kappa in KAPPAS:
        k = torch.full((20_000,), kappa, dtype=torch.float64, requires_grad=True)
        mu = torch.eye(d, dtype=torch.float64)[:1].expand(20_000, d)
        (slope,) = torch.autograd.grad(SphereCode(mu, k).rsample()[:, 0].sum(), k)
        h = 1e-3 * kappa
        above, below = (float(mean_length(torch.tensor([x], dtype=torch.float64), d)) for x in (kappa + h, kappa - h))
        expected = (above - below) / (2 * h)
        assert abs(slope.mean() - expected) < 4.5 * slope.std() / 20_000**0.5 + 1e-5 * expected, kappa


@pytest.mark.parametrize("kappa", KAPPAS)
def test_a_draw_moves_as_its_quantile_in_three_dimensions(kappa):
    # There 1 - cos θ = -log(u + (1 - u) e^{-2κ}) / κ for the quantile u.
    k = torch.full((200,), kappa, dtype=torch.float64, requires_grad=True)
    w = SphereCode(torch.eye(3, dtype=torch.float64)[:1].expand(200, 3), k).rsample()[:, 0]
    (slope,) = torch.autograd.grad(w.sum(), k)
    w = w.detach()
    u = (torch.exp(-kappa * (1 - w)) - math.exp(-2 * kappa)) / -math.expm1(-2 * kappa)
    other = torch.full((200,), kappa, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad((1 + torch.log(u + (1 - u) * torch.exp(-2 * other)) / other).sum(), other)
    torch.testing.assert_close(slope, expected, rtol=1e-5, atol=1e-6 * float(expected.abs().max()))


@pytest.mark.parametrize("d", [2, 3, 16])
def test_gradient_of_the_density_is_that_of_finite_differences(d):
    z = normalize(torch.randn(6, d, dtype=torch.float64), dim=1)

    def density(kappa, mu):
        return SphereCode(normalize(mu, dim=1), kappa).log_prob(z)

    kappa = torch.logspace(-1, 2, 6, dtype=torch.float64, requires_grad=True)
    mu = torch.randn(6, d, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(density, (kappa, mu))


def test_the_density_adds_up_to_one_on_the_circle():
    t = torch.linspace(0, 2 * math.pi, 2001, dtype=torch.float64)[:-1]
    z = torch.stack([torch.cos(t), torch.sin(t)], 1)
    for kappa in (1e-3, 1.0, 300.0):
        total = code(kappa, 2).log_prob(z).exp().mean() * 2 * math.pi
        assert float(total) == pytest.approx(1, abs=1e-6)


def test_single_precision_keeps_the_digits_of_the_density():
    for kappa in KAPPAS:
        q = code(kappa, 16, 50)
        z = q.rsample()
        single = SphereCode(q.direction.float(), q.kappa.float()).log_prob(z.float())
        torch.testing.assert_close(single.double(), q.log_prob(z), rtol=1e-4, atol=2e-3)


def test_a_detached_density_moves_by_its_draw_alone():
    mu = normalize(torch.randn(4, 5), dim=1).requires_grad_()
    kappa = torch.full((4,), 3.0, requires_grad=True)
    q = SphereCode(mu, kappa)
    assert not q.log_prob(q.rsample(2).detach(), detached=True).requires_grad
    assert torch.equal(q.log_prob(z := q.rsample(2), detached=True), q.log_prob(z))


def test_the_last_number_is_the_concentration_in_units_of_the_size():
    h = torch.randn(5, 5)
    found = Sphere((4,))(h)
    torch.testing.assert_close(found.direction, h[:, :4] / h[:, :4].norm(dim=1, keepdim=True))
    torch.testing.assert_close(found.kappa, 1 + 4 * torch.log1p(h[:, 4].exp()))
    h[:, 4] = torch.tensor([1e9, -1e9, 3e3, -50.0, 0.0])
    torch.testing.assert_close(
        Sphere((4,))(h).kappa, torch.tensor([HIGHEST, LOWEST, HIGHEST, LOWEST, 1 + 4 * math.log(2)])
    )


def test_the_uniform_prior_is_flat_on_the_sphere_and_nowhere_else():
    prior = UniformSphere((3,))
    z = prior.sample(20_000)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(20_000))
    assert (z.mean(0).abs() < 4 * (1 / 3 / 20_000) ** 0.5).all()
    torch.testing.assert_close(z.T.cov(), torch.eye(3) / 3, atol=0.01, rtol=0)
    torch.testing.assert_close(prior.log_prob(z), torch.full((20_000,), -math.log(4 * math.pi)))
    assert (prior.log_prob(1.1 * z) == -math.inf).all()
    assert [math.exp(log_surface(d)) for d in (2, 3, 4)] == pytest.approx([2 * math.pi, 4 * math.pi, 2 * math.pi**2])


def test_the_prior_knows_the_kl_of_a_direction():
    q = code(5.0, 3, 4)
    assert torch.equal(q.kl(UniformSphere((3,))), q.kl_to_uniform())
    with pytest.raises(ValueError, match="knows no KL for each code dimension"):
        UniformSphere((3,)).kl_per_dimension(q)
    gaussian = GaussianCode(torch.zeros(4, 3), torch.zeros(4, 3))
    assert torch.equal(gaussian.kl(Normal((3,))), torch.zeros(4))


@pytest.mark.parametrize("part", [Sphere, UniformSphere])
@pytest.mark.parametrize("shape", [(1,), (2, 3)])
def test_a_code_that_is_no_direction_is_refused(part, shape):
    with pytest.raises(ShapeError, match="the code must be flat, of 2 numbers or more"):
        part(shape)


def test_a_code_too_large_for_its_density_is_refused():
    with pytest.raises(ShapeError, match="bottlenecks/sphere: the code must have at most 3000 numbers, got 3001"):
        Sphere((3001,))
    assert Sphere((3000,)).in_shape == (3001,)
