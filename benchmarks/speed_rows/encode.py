"""Codes of rows in memory by a perceptron, a thread each: torch in 32 and 16 bits, the exported file in 32 and 8."""

from __future__ import annotations

import json

from speed_rows._row import Contender, Options, Row

# Floats between 0 and 1, as Pythae takes them.
ROWS = """
import json, sys, time, torch
a = json.loads(sys.argv[1])
torch.set_num_threads(1)
now = time.process_time if a["clock"] == "cpu" else time.perf_counter
g = torch.Generator().manual_seed(0)
x = torch.rand(a["rows"], 784, generator=g)
torch.manual_seed(0)
def timed(f):
    f()
    best = []
    for _ in range(a["repeats"]):
        start = now()
        f()
        best.append(now() - start)
    print(a["rows"] / sorted(best)[len(best) // 2])
"""

PYTHAE = (
    ROWS
    + """
import logging, warnings
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
from torch import nn
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder

class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(784, 512), nn.ReLU())
        self.mean, self.log_var = nn.Linear(512, 16), nn.Linear(512, 16)
    def forward(self, x):
        h = self.body(x)
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))

class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 512), nn.ReLU(), nn.Linear(512, 784), nn.Sigmoid())
    def forward(self, z):
        return ModelOutput(reconstruction=self.net(z))

model = VAE(VAEConfig(input_dim=(784,), latent_dim=16, reconstruction_loss="bce"), Encoder(), Decoder()).eval()
def codes():
    with torch.no_grad():
        return torch.cat([model.embed(part) for part in x.split(4096)])
timed(codes)
"""
)

XHAT = (
    ROWS
    + """
import xhat
from xhat.data.scaling import Scaling
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
options = dict(hidden=(512,), activation="relu")
nets = MLPEncoder((784,), (32,), **options), Gaussian((16,)), MLPDecoder((16,), (784,), **options), Bernoulli()
data = xhat.data.open(x.numpy(), kind="table")
model = xhat.Autoencoder(*nets).eval().requires_grad_(False)
fitted = xhat.Fitted(model, Scaling.fit("unit", x[:1], 0.0, 1.0), data.schema, {}, precision=a["precision"])
"""
)

ENCODE = XHAT + "timed(lambda: fitted.encode(data))"

EXPORTED = (
    XHAT
    + """
import pathlib, tempfile
from xhat.runs.onnx.session import Session
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "encoder.onnx"
    xhat.export(fitted, path, int8=a["int8"], data=x[:2048].numpy())
    session = Session(path.read_bytes(), threads=1)
rows = x.numpy()
timed(lambda: session(rows))
"""
)


def row(options: Options) -> Row:
    rows, repeats = (8192, 3) if options.quick else (32768, 7)

    def ours(program: str, *, precision: str = "32", int8: bool = False) -> Contender:
        given = {"rows": rows, "repeats": repeats, "clock": options.clock, "precision": precision}
        return Contender(program, (json.dumps(given | {"int8": int8}),))

    given = json.dumps({"rows": rows, "repeats": repeats, "clock": options.clock})
    peers = {"Pythae embed": Contender(PYTHAE, (given,), options.peer)} if options.peer else {}
    contenders = {
        "xhat, 32": ours(ENCODE),
        "xhat, bf16": ours(ENCODE, precision="bf16"),
        "xhat export, float32": ours(EXPORTED),
        "xhat export, int8": ours(EXPORTED, int8=True),
    }
    goals = {"xhat, 32": 2.5, "xhat, bf16": 5, "xhat export, int8": 7.5}
    return Row(
        "encode 784-512-16, one thread; Pythae in batches of 4096",
        peers | contenders,
        goals if options.peer else {},
        unit="rows/s",
    )
