"""What every encoder and decoder keeps."""

import pytest
import torch
from exercise import batch_for, code_for, decode, encode, example, kinds, read, rows, seen
from torch.utils._pytree import tree_map

from xhat.core import catalogue

ENCODERS, DECODERS = kinds("nets", side=".encoder"), kinds("nets", side=".decoder")


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("kind", ENCODERS)
def test_an_encoder_gives_its_shape(kind, n):
    encoder = example(kind).eval()
    h = encode(encoder, batch_for(encoder, n))
    assert h.shape == (n, *encoder.out_shape)
    assert h.dtype == torch.float32
    assert h.isfinite().all()


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_gives_its_shape(kind, n):
    decoder = example(kind).eval()
    theta = decode(decoder, code_for(decoder, n))
    assert theta.shape == (n, *decoder.out_shape)
    assert theta.dtype == torch.float32
    assert theta.isfinite().all()


@pytest.mark.parametrize("name", catalogue.names("nets"))
def test_the_decoder_mirrors_the_encoder(name):
    encoder, decoder = example(f"nets/{name}.encoder"), example(f"nets/{name}.decoder")
    assert encoder.out_shape == decoder.in_shape
    # A row of symbols comes back as logits: its shape, and one axis more.
    assert decoder.out_shape[: len(encoder.in_shape)] == encoder.in_shape


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_row_is_encoded_alike_in_any_batch(kind):
    encoder = example(kind).eval()
    batch = batch_for(encoder, 5)
    together, alone = encode(encoder, batch), encode(encoder, rows(batch, slice(1, 3)))
    torch.testing.assert_close(together[1:3], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", DECODERS)
def test_a_code_is_decoded_alike_in_any_batch(kind):
    decoder = example(kind).eval()
    z = code_for(decoder, 5)
    torch.testing.assert_close(decode(decoder, z)[1:3], decode(decoder, z[1:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ENCODERS + DECODERS)
def test_gradients_reach_every_parameter(kind):
    net = example(kind)
    if not list(net.parameters()):
        pytest.skip("it has none")
    with torch.no_grad():
        for p in net.parameters():  # away from a start at zero, behind which nothing moves yet
            p += 0.1 * torch.randn_like(p)
    out = run(net, 5)
    # Not the sum: a normalisation makes it constant.
    (out * torch.randn_like(out)).sum().backward()
    deaf = [n for n, p in net.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.abs().max() > 0)]
    assert not deaf


@pytest.mark.parametrize("kind", ENCODERS + DECODERS)
def test_bfloat16_runs(kind):
    net = example(kind).eval().bfloat16()
    out = run(net, 3, cast=lambda t: t.bfloat16() if t.is_floating_point() else t)
    assert out.dtype == torch.bfloat16
    assert out.isfinite().all()


@pytest.mark.filterwarnings("ignore:The tensor attribute.* assigned during export")  # torch's own recurrent layers
@pytest.mark.parametrize("kind", ENCODERS + DECODERS)
def test_export_gives_the_same_numbers(kind):
    net = example(kind).eval()
    inputs = arguments(net, 3)
    exported = torch.export.export(net, inputs).module()
    torch.testing.assert_close(exported(*inputs), net(*inputs), rtol=1e-4, atol=1e-5)


def arguments(net, n):
    if hasattr(net, "reads_mask"):
        return seen(net, batch_for(net, n))
    return read(net, code_for(net, n))


def run(net, n, cast=lambda t: t):
    return net(*tree_map(lambda leaf: cast(leaf) if isinstance(leaf, torch.Tensor) else leaf, arguments(net, n)))
