"""Programs that train: xhat's engine, Pythae's trainer and a bare loop, on rows drawn from one seed."""

from __future__ import annotations

# Rows of bytes, as pictures have, (N, *shape).
ROWS = """
import json, sys, time, torch
a = json.loads(sys.argv[1])
now = time.process_time if a["clock"] == "cpu" else time.perf_counter
shape, batch, warm, steps = tuple(a["shape"]), a["batch"], a["warm"], a["steps"]
g = torch.Generator().manual_seed(0)
x = torch.randint(0, 256, (a["rows"], *shape), generator=g, dtype=torch.uint8)
if a.get("floats"): x = torch.randn(a["rows"], *shape, generator=g)
epochs = -(-(steps + warm) * batch // a["rows"]) + 1
# Rows of so many steps: the last batch of an epoch may be smaller.
def seen(steps, full=-(-a["rows"] // batch)): return steps // full * a["rows"] + steps % full * batch
"""

XHAT = (
    ROWS
    + """
from xhat.data.open import open as open_data
from xhat.data.scaling import Scaling
from xhat.engine.hook import Hook
from xhat.engine.processes import joined
from xhat.engine.settings import TrainSettings
from xhat.engine.trainee import Trainee
from xhat.engine.training import Training
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.likelihoods.gaussian import Gaussian as Normal
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.reconstruction import Reconstruction
import importlib

class Clock(Hook):
    first = None
    def on_step(self, training):
        done = training.step.done
        if self.first is None and done >= warm: self.first, self.start = done, now()
        if done <= warm + steps + 64: self.last, self.end = done, now()

data = open_data(x, kind="image" if len(shape) == 3 else "table")
nets = importlib.import_module(f"xhat.parts.nets.{a['net']}")
kind = {"mlp": "MLP", "deconv": "Deconv"}[a["net"]]
f, g = getattr(nets, kind + "Encoder"), getattr(nets, kind + "Decoder")
latent, variational = a["latent"], a["objective"] == "elbo"
bottleneck = Gaussian((latent,)) if variational else Plain((latent,))
encoder, decoder = f(shape, bottleneck.in_shape, **a["net_options"]), g((latent,), shape, **a["net_options"])
model = Autoencoder(encoder, bottleneck, decoder, Bernoulli() if variational else Normal(1.0))
trainee = Trainee(model, BetaELBO() if variational else Reconstruction(),
                  Scaling() if a.get("floats") else Scaling.fit("unit", data.x[:1], 0.0, 255.0))
clock, processes = Clock(), joined("cpu", torch.device)
settings = TrainSettings(epochs=epochs, batch_size=batch, patience=epochs, **a["settings"])
Training(trainee, data, torch.arange(a["rows"]), torch.arange(100), settings, [clock], processes).run()
if processes.is_first: print((seen(clock.last) - seen(clock.first)) / (clock.end - clock.start))
"""
)

# Nets in plain torch, for the bare loop and for Pythae: f gives 2 d numbers where the code is drawn.
NETS = """
from torch import nn
def nets(inner=nn.SiLU if a["net_options"].get("activation") == "silu" else nn.ReLU):
    out = a["latent"] * (2 if a["objective"] == "elbo" else 1)
    if a["net"] == "mlp":
        widths = [shape[0], *a["net_options"]["hidden"]]
        layers = lambda ws: [m for n, k in zip(ws, ws[1:]) for m in (nn.Linear(n, k), inner())]
        return (nn.Sequential(*layers(widths), nn.Linear(widths[-1], out)),
                nn.Sequential(*layers([a["latent"], *widths[:0:-1]]), nn.Linear(widths[1], shape[0])))
    c, h, w = shape
    cs = [c, *a["net_options"]["widths"]]
    side = h // 2 ** (len(cs) - 1)
    f = [m for n, k in zip(cs, cs[1:]) for m in (nn.Conv2d(n, k, 3, 2, 1), inner())]
    g = [m for n, k in zip(cs[:0:-1], cs[-2::-1]) for m in (inner(), nn.ConvTranspose2d(n, k, 4, 2, 1))]
    return (nn.Sequential(*f, nn.Flatten(), nn.Linear(cs[-1] * side * side, out)),
            nn.Sequential(nn.Linear(a["latent"], cs[-1] * side * side), nn.Unflatten(1, (cs[-1], side, side)), *g))
"""

# The limit: a step's products of matrices and nothing else, into memory that is there. A convolution is the product of
# its patches, which lie ready, with its weights; each layer takes three, one forward and two backward.
PRODUCTS = (
    ROWS
    + NETS
    + """
sizes = []
def note(m, given, gave):
    x, y, many = given[0], gave, m.weight[0, 0].numel()
    if isinstance(m, nn.Linear): sizes.append((len(x), x.shape[1], y.shape[1]))
    elif isinstance(m, nn.Conv2d): sizes.append((y[:, 0].numel(), many * x.shape[1], y.shape[1]))
    else: sizes.append((x[:, 0].numel(), x.shape[1], many * y.shape[1]))
f, g = nets()
for m in (*f.modules(), *g.modules()):
    if hasattr(m, "weight"): m.register_forward_hook(note)
with torch.no_grad(): g(f(torch.rand(batch, *shape)).chunk(1 + (a["objective"] == "elbo"), 1)[0])
work = []
for i, (n, k, m) in enumerate(sizes):
    X, W, Y = torch.rand(n, k), torch.rand(k, m), torch.rand(n, m)
    work += [(X, W, torch.empty(n, m)), (X.T, Y, torch.empty(k, m))] + [(Y, W.T, torch.empty(n, k))] * (i > 0)
for done in range(steps + warm):
    if done == warm: start = now()
    for left, right, out in work: torch.mm(left, right, out=out)
print(steps * batch / (now() - start))
"""
)

BARE = (
    ROWS
    + NETS
    + """
from torch.nn.functional import binary_cross_entropy_with_logits
f, g = nets()
optimiser = torch.optim.AdamW([*f.parameters(), *g.parameters()], lr=2e-3, fused=True)
done = 0
while done < steps + warm:
    order = torch.randperm(len(x))
    for i in range(0, len(x), batch):
        b = x[order[i : i + batch]]
        b = b if a.get("floats") else b.float() / 255
        if a["objective"] == "elbo":
            mean, log_var = f(b).chunk(2, 1)
            logits = g(mean + torch.exp(.5 * log_var) * torch.randn_like(mean))
            distortion = binary_cross_entropy_with_logits(logits, b, reduction="none").sum(1)
            loss = (distortion + .5 * (mean ** 2 + log_var.exp() - 1 - log_var).sum(1)).mean()
        else:
            loss = ((g(f(b)) - b) ** 2).flatten(1).sum(1).mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        done += 1
        if done == warm: start = now()
        if done == steps + warm: seconds = now() - start
print((seen(warm + steps) - seen(warm)) / seconds)
"""
)

PYTHAE = (
    ROWS
    + NETS
    + """
import logging, os, tempfile, warnings
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
os.environ["TQDM_DISABLE"] = "1"
from pythae.models import AE, VAE, AEConfig, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.data.datasets import BaseDataset
f, g = nets()
variational = a["objective"] == "elbo"

class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.f = f
    def forward(self, x):
        h = self.f(x)
        if not variational: return ModelOutput(embedding=h)
        mean, log_var = h.chunk(2, 1)
        return ModelOutput(embedding=mean, log_covariance=log_var)

class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.g = nn.Sequential(g, nn.Sigmoid()) if variational else g
    def forward(self, z):
        return ModelOutput(reconstruction=self.g(z))

if variational:
    config = VAEConfig(input_dim=shape, latent_dim=a["latent"], reconstruction_loss="bce")
    model = VAE(config, Encoder(), Decoder())
else:
    model = AE(AEConfig(input_dim=shape, latent_dim=a["latent"]), Encoder(), Decoder())
data = BaseDataset(x if a.get("floats") else x.float() / 255, torch.ones(len(x)))
epochs = max(-(-steps * batch // len(x)), 1)
training = BaseTrainerConfig(output_dir=tempfile.mkdtemp(), num_epochs=epochs, per_device_train_batch_size=batch,
                             learning_rate=1e-3, optimizer_cls="AdamW", keep_best_on_train=False, no_cuda=True)
trainer = BaseTrainer(model, train_dataset=data, training_config=training)
trainer.prepare_training()
trainer.train_step(0)
start = now()
for epoch in range(1, epochs + 1): trainer.train_step(epoch)
print(len(x) * epochs / (now() - start))
"""
)
