import torch

from xhat.metrics.active_units import active_units


def codes(*spreads: float, n: int = 2000) -> torch.Tensor:
    return 7.0 + torch.randn(n, len(spreads)) * torch.tensor(spreads)


def test_codes_drawn_to_a_prior_are_held_against_its_variance():
    # Burda et al.: a variance above 0.01.
    assert active_units(codes(1.0, 0.2, 0.05, 0.0), prior_variance=True).tolist() == [True, True, False, False]


def test_codes_of_free_scale_are_held_against_the_widest():
    assert active_units(codes(100.0, 20.0, 5.0, 0.0), prior_variance=False).tolist() == [True, True, False, False]
    assert active_units(codes(1e-3, 2e-4, 5e-5), prior_variance=False).tolist() == [True, True, False]


def test_codes_that_never_vary_have_no_active_dimension():
    constant = torch.full((10, 3), 4.0)
    assert not active_units(constant, prior_variance=True).any()
    assert not active_units(constant, prior_variance=False).any()


def test_a_code_may_have_any_shape():
    z = codes(*[1.0] * 12).unflatten(1, (3, 2, 2))
    assert active_units(z, prior_variance=True).shape == (3, 2, 2)
