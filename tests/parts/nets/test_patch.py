import pytest
import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.component import build, config
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.corruptions.masking import Masking
from xhat.parts.corruptions.patch_masking import PatchMasking
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.patch import PatchDecoder, PatchEncoder, waves
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.objectives.reconstruction import Reconstruction

CODES = pytest.mark.parametrize("code", [(4,), (2, 3), (3, 2, 3)])


def _encoder(code: tuple[int, ...] = (4,), depth: int = 2) -> PatchEncoder:
    return PatchEncoder((2, 7, 10), code, patch=4, width=16, depth=depth, heads=2)


def _decoder(code: tuple[int, ...] = (4,)) -> PatchDecoder:
    return PatchDecoder(code, (2, 7, 10), patch=4, width=16, depth=2, heads=2)


def _visible(n: int, share: float = 0.5) -> Tensor:
    return PatchMasking(share, patch=4).visible(torch.zeros(n, 2, 7, 10))


@CODES
def test_codes_are_flat_or_have_a_place_for_each_patch(code: tuple[int, ...]) -> None:
    encoder, decoder = _encoder(code), _decoder(code)
    x = torch.rand(3, 2, 7, 10)
    h = encoder(x)
    assert h.shape == (3, *code)
    assert decoder(h).shape == x.shape
    for visible in (_visible(3), torch.rand(3, 2, 7, 10) < 0.05):
        assert encoder(x, visible).shape == h.shape


def test_every_pixel_is_read_and_written() -> None:
    x = torch.rand(1, 2, 7, 10, requires_grad=True)
    _encoder()(x).square().sum().backward()
    assert x.grad is not None
    assert (x.grad != 0).all()
    # Patches land where they were cut: a net of the identity is the identity.
    net = PatchDecoder((32, 2, 3), (2, 7, 10), patch=4, width=32, depth=1, heads=2)
    net.foot, net.blocks, net.norm = torch.nn.Identity(), torch.nn.ModuleList(), torch.nn.Identity()
    net.places.zero_()
    torch.nn.init.eye_(net.head.weight)
    pixels = torch.nn.functional.pad(x, (0, 2, 0, 1))
    torch.testing.assert_close(net(torch.nn.functional.pixel_unshuffle(pixels, 4)), x)


@CODES
def test_hidden_patches_change_nothing(code: tuple[int, ...]) -> None:
    encoder, x, visible = _encoder(code), torch.rand(4, 2, 7, 10), _visible(4)
    h = encoder(x, visible)
    torch.testing.assert_close(encoder(torch.where(visible, x, 1e3), visible), h)
    assert not torch.allclose(encoder(x), h)
    assert not torch.allclose(encoder(torch.where(visible, 2 * x, x), visible), h)


def test_all_visible_is_the_same_as_no_mask() -> None:
    encoder, x = _encoder(), torch.rand(4, 2, 7, 10)
    torch.testing.assert_close(encoder(x, torch.ones(4, 1, 7, 10, dtype=torch.bool)), encoder(x))


def test_rows_that_see_different_numbers_of_patches_do_not_touch() -> None:
    encoder, x = _encoder((3, 2, 3)), torch.rand(5, 2, 7, 10)
    visible = torch.rand(5, 2, 7, 10) < 0.08
    visible[1] = False
    visible[2] = True
    alone = torch.cat([encoder(row[None], seen[None]) for row, seen in zip(x, visible, strict=True)])
    together = encoder(x, visible)
    torch.testing.assert_close(together, alone)
    # A row that sees nothing is the mask token everywhere: the head's bias.
    torch.testing.assert_close(together[1], encoder.last.bias.view(3, 1, 1).expand(3, 2, 3))  # type: ignore[union-attr]


def test_the_encoder_skips_what_is_hidden() -> None:
    counts = []
    encoder = _encoder()
    encoder.blocks[0].register_forward_pre_hook(lambda _, args: counts.append(args[0].shape[1]))
    x = torch.rand(3, 2, 7, 10)
    encoder(x)
    encoder(x, _visible(3, share=0.67))
    assert counts == [6, 2]


@CODES
def test_masked_autoencoder_trains_every_parameter(code: tuple[int, ...]) -> None:
    model = Autoencoder(_encoder(code), Plain(code), _decoder(code), Gaussian())
    for corruption in (PatchMasking(0.5, patch=4), Masking(0.9)):
        model.zero_grad()
        loss = Denoising(Reconstruction(), corruption, on="hidden")(model, Batch(torch.rand(6, 2, 7, 10)))
        loss.total.backward()
        for name, p in model.named_parameters():
            assert p.grad is not None, name
            assert p.grad.isfinite().all(), name
            assert p.grad.abs().sum() > 0, name


def test_masked_autoencoder_learns_to_fill_in() -> None:
    torch.manual_seed(0)
    x = torch.rand(64, 1, 1, 1).expand(64, 1, 8, 8).contiguous()  # gray cards: any patch tells the others
    encoder = PatchEncoder((1, 8, 8), (4,), width=16, depth=1, heads=2)
    model = Autoencoder(encoder, Plain((4,)), PatchDecoder((4,), (1, 8, 8), width=16, depth=1, heads=2), Gaussian())
    objective = Denoising(corruption=PatchMasking(0.5, patch=4), on="hidden")
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        objective(model, Batch(x)).total.backward()
        optimiser.step()
    visible = PatchMasking(0.5, patch=4).visible(x)
    filled = model.reconstruct(Batch(x, corrupted=torch.where(visible, x, 0.0), visible=visible))
    assert (filled - x).square().mean() < 0.3 * x.var()


def test_places_differ() -> None:
    places = waves((5, 7), 16)
    assert places.shape == (35, 16)
    distance = torch.cdist(places, places) + 9 * torch.eye(35)
    assert distance.min() > 0.1


def test_rows_are_coded_alike_in_any_batch() -> None:
    encoder, decoder, x = _encoder(), _decoder(), torch.rand(5, 2, 7, 10)
    z = encoder(x)
    torch.testing.assert_close(torch.cat([encoder(row[None]) for row in x]), z)
    torch.testing.assert_close(torch.cat([decoder(row[None]) for row in z]), decoder(z))


@CODES
def test_config_round_trip(code: tuple[int, ...]) -> None:
    for net in (_encoder(code), _decoder(code)):
        again = build(config(net))
        assert config(again) == config(net)
        again.load_state_dict(net.state_dict())


def test_bfloat16() -> None:
    encoder, decoder = _encoder().bfloat16(), _decoder().bfloat16()
    x = torch.rand(3, 2, 7, 10, dtype=torch.bfloat16)
    for visible in (None, _visible(3), torch.rand(3, 2, 7, 10) < 0.08):
        h = encoder(x, visible)
        assert h.dtype == decoder(h).dtype == torch.bfloat16
        assert h.isfinite().all()


def test_exports() -> None:
    dynamic = {0: torch.export.Dim.DYNAMIC}
    for net, x in ((_encoder(), torch.rand(5, 2, 7, 10)), (_decoder(), torch.rand(5, 4))):
        program = torch.export.export(net, (x[:2],), dynamic_shapes=(dynamic,))
        torch.testing.assert_close(program.module()(x), net(x))


def test_last_is_the_last_layer() -> None:
    for net, z in ((_encoder(), torch.rand(2, 2, 7, 10)), (_decoder(), torch.rand(2, 4))):
        torch.nn.init.zeros_(net.last.weight)  # type: ignore[arg-type]
        out: Tensor = net(z)
        assert out.eq(0).all()


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=r"nets/patch: needs images of shape \(C, H, W\), got rows of shape \(7,\)"):
        PatchEncoder((7,), (4,))
    with pytest.raises(ConfigError, match=r"width must be a multiple of the 3 heads, got 16\. Try 15"):
        PatchEncoder((1, 8, 8), (4,), width=16, heads=3)
    with pytest.raises(ConfigError, match=r"width must be a multiple of 4, for the places' .* got 6\. Try 4"):
        PatchDecoder((4,), (1, 8, 8), width=6, heads=2)
    with pytest.raises(ConfigError, match="patch must be >= 1, got 0"):
        PatchEncoder((1, 8, 8), (4,), patch=0)
    with pytest.raises(ConfigError, match=r"depth and heads must be >= 1, got \(0, 2\)"):
        _encoder(depth=0)
    with pytest.raises(ShapeError, match=r"a spatial code must have .* \(2, 3\), got \(2, 2\)"):
        _encoder((3, 2, 2))
