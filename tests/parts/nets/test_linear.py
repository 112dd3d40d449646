import torch

from xhat.parts.nets.linear import LinearDecoder, LinearEncoder


def test_it_is_the_map_of_its_docstring_on_rows_of_any_shape():
    encoder, x = LinearEncoder((2, 3), (4,)), torch.randn(5, 2, 3)
    torch.testing.assert_close(encoder(x), x.flatten(1) @ encoder.map.weight.T + encoder.map.bias)
    decoder, z = LinearDecoder((4,), (2, 3)), torch.randn(5, 4)
    torch.testing.assert_close(decoder(z).flatten(1), z @ decoder.map.weight.T + decoder.map.bias)
