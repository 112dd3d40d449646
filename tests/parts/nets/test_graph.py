import math
import sys
from importlib.util import find_spec

import networkx as nx
import pytest
import torch

from xhat.core.batch import Batch
from xhat.core.component import build, config
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.nets.graph import GraphDecoder, GraphEncoder
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.reconstruction import Reconstruction

if find_spec("torch_geometric") is None:
    pytest.skip("PyTorch Geometric is an extra", allow_module_level=True)

FEATURES = pytest.mark.parametrize("features", ["identity", "degree"])


def _encoder(features: str = "identity", n: int = 6, codes: int = 3) -> GraphEncoder:
    return GraphEncoder((n, n), (codes, n), hidden=8, features=features)


def _graphs(count: int, n: int = 6) -> torch.Tensor:
    edges = (torch.rand(count, n, n) < 0.4).triu(1)
    return (edges | edges.transpose(1, 2)).float()


@FEATURES
def test_codes_have_a_column_for_each_node(features: str) -> None:
    encoder, decoder, x = _encoder(features), GraphDecoder((3, 6), (6, 6)), _graphs(4)
    h = encoder(x)
    assert h.shape == (4, 3, 6)
    torch.testing.assert_close(torch.cat([encoder(row[None]) for row in x]), h)
    theta = decoder(h)
    torch.testing.assert_close(theta, theta.transpose(1, 2))
    torch.testing.assert_close(torch.cat([decoder(row[None]) for row in h]), theta)


def test_is_the_papers_equation() -> None:
    encoder, x = _encoder(), _graphs(1)[0]
    total = x + torch.eye(6)
    scale = total.sum(1).rsqrt().diag()
    normed = scale @ total @ scale
    w1, w2 = encoder.first.lin.weight.T, encoder.second.lin.weight.T  # type: ignore[union-attr]
    expected = normed @ (normed @ w1).relu() @ w2
    torch.testing.assert_close(encoder(x[None])[0], expected.T)
    decoder, z = GraphDecoder((3, 6), (6, 6)), torch.randn(2, 3, 6)
    torch.nn.init.constant_(decoder.bias, -1.5)
    torch.nn.init.constant_(decoder.loop, -7.0)
    theta = decoder(z)
    assert theta[1, 2, 4].item() == pytest.approx(float(z[1, :, 2] @ z[1, :, 4]) - 1.5, abs=1e-5)
    assert theta.diagonal(dim1=1, dim2=2).eq(-7).all()


@FEATURES
@pytest.mark.parametrize("unknown", [1.0, math.nan])
def test_unknown_pairs_change_nothing(features: str, unknown: float) -> None:
    encoder, x = _encoder(features), _graphs(3)
    held_out = (torch.rand(3, 6, 6) < 0.3).triu(1)
    pairs = torch.ones(6, 6, dtype=torch.bool).triu(1) & ~held_out
    h = encoder(torch.where(pairs | pairs.transpose(1, 2), x, 0.0))
    torch.testing.assert_close(encoder(x.masked_fill(~pairs, unknown), pairs), h)
    model = Autoencoder(encoder, Plain((3, 6)), GraphDecoder((3, 6), (6, 6)), Bernoulli())
    kept, came = (Reconstruction()(model, Batch(x.masked_fill(~pairs, v), pairs)).total for v in (0.0, unknown))
    torch.testing.assert_close(kept, came)
    came.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@FEATURES
def test_padding_nodes_change_nothing(features: str) -> None:
    small, big = _encoder(features, n=4), _encoder(features, n=6)
    with torch.no_grad():
        for name, value in small.state_dict().items():
            own = big.state_dict()[name]
            own[..., : value.shape[-1]] = value  # the identity's first layer has a column for each node
    x = _graphs(2, 4)
    padded = torch.nn.functional.pad(x, (0, 2, 0, 2), value=1.0)
    nodes = (torch.arange(6) < 4).expand(2, 6)
    h = big(padded, nodes[:, :, None] & nodes[:, None, :])
    torch.testing.assert_close(h[:, :, :4], small(x))


def test_degrees_know_no_order() -> None:
    encoder, x, order = _encoder("degree"), _graphs(2), torch.randperm(6)
    torch.testing.assert_close(encoder(x[:, order][:, :, order]), encoder(x)[:, :, order])


def test_weights_of_edges_count() -> None:
    encoder, x = _encoder("degree"), _graphs(2)
    assert not torch.allclose(encoder(x), encoder(0.5 * x))


def test_embeds_the_karate_club() -> None:
    torch.manual_seed(0)
    club = nx.karate_club_graph()
    x = torch.from_numpy(nx.to_numpy_array(club, weight=None)).float()[None]  # (1, 34, 34)
    batch = Batch(x, mask=torch.ones(1, 34, 34, dtype=torch.bool).triu(1))
    encoder = _encoder(n=34, codes=8)
    model = Autoencoder(encoder, Gaussian((4, 34)), GraphDecoder((4, 34), (34, 34)), Bernoulli())
    objective, optimiser = BetaELBO(beta=0.1), torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        objective(model, batch).total.backward()
        optimiser.step()
    assert all(p.grad is not None for p in model.parameters())
    share = x.sum() / (34 * 33)
    entropy = -(share * share.log() + (1 - share) * (1 - share).log())
    data = model.decode(model.encode(batch).z)
    assert -data.log_prob(x, batch.mask) < 0.7 * entropy * 34 * 33 / 2  # nats a graph, against a constant logit
    # Nobody told the net who stayed with whom.
    z = model.encode(batch).z[0].T
    mr_hi = torch.tensor([club.nodes[i]["club"] == "Mr. Hi" for i in club])
    side = (z - z[mr_hi].mean(0)).norm(dim=1) < (z - z[~mr_hi].mean(0)).norm(dim=1)
    assert (side == mr_hi).float().mean() > 0.85


@FEATURES
def test_config_round_trip(features: str) -> None:
    for net in (_encoder(features), GraphDecoder((3, 6), (6, 6))):
        again = build(config(net))
        assert config(again) == config(net)
        again.load_state_dict(net.state_dict())


def test_bfloat16() -> None:
    encoder, decoder = _encoder().bfloat16(), GraphDecoder((3, 6), (6, 6)).bfloat16()
    h = encoder(_graphs(2).bfloat16())
    assert h.dtype == decoder(h).dtype == torch.bfloat16


def test_exports() -> None:
    dynamic = {0: torch.export.Dim.DYNAMIC}
    encoder = _encoder()
    batch, more = encoder.example_batch(2), encoder.example_batch(5)
    program = torch.export.export(encoder, (batch.x, batch.mask), dynamic_shapes=(dynamic, dynamic))
    torch.testing.assert_close(program.module()(more.x, more.mask), encoder(more.x, more.mask))


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShapeError, match=r"graphs need rows of shape \(n, n\), got \(6, 5\)\. Give each graph"):
        GraphEncoder((6, 5), (3, 6))
    with pytest.raises(ShapeError, match=r"a column for each node, \(Z, 6\), got \(6, 3\)"):
        GraphDecoder((6, 3), (6, 6))
    with pytest.raises(ConfigError, match="features must be 'identity' or 'degree', got 'age'"):
        GraphEncoder((6, 6), (3, 6), features="age")
    with pytest.raises(ConfigError, match="hidden must be >= 1, got 0"):
        GraphEncoder((6, 6), (3, 6), hidden=0)
    encoder = _encoder()
    with pytest.raises(ShapeError, match=r"rows must be of shape \(6, 6\), got \(5, 5\)"):
        encoder(_graphs(2, 5))
    with pytest.raises(ShapeError, match=r"a mask must be of pairs, of shape \(2, 6, 6\), got \(2, 6\)\. Make it mask"):
        encoder(_graphs(2), torch.ones(2, 6, dtype=torch.bool))
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(ConfigError, match=r"needs PyTorch Geometric\. Run: pip install 'xhat\[graph\]'"):
        GraphEncoder((6, 6), (3, 6))
