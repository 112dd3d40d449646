"""Samples per second of a fit: xhat's engine beside Pythae's trainer and a bare loop, with equal nets, in one run.

    python benchmarks/engine.py --quick
    python benchmarks/engine.py --keep --peer /path/to/python/with/pythae

MLP VAE 784-512-16-512-784, relu, Bernoulli cross-entropy, batch 100, AdamW, float32, on bytes of MNIST's shape.
Each contender trains on the same rows for the same number of steps in a process of its own; rounds are interleaved
and medians compared, since machines are noisy. Nothing is validated and nothing is written during the timed part.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import textwrap

from _record import record, table

COMMON = """
import sys, time, torch
rows, steps_warm, steps = int(sys.argv[1]), 20, int(sys.argv[2])
x = (torch.rand(rows, 784, generator=torch.Generator().manual_seed(0)) > .8).to(torch.uint8) * 255
"""

XHAT = (
    COMMON
    + """
from xhat.data.open import open as open_data
from xhat.engine.randomness import epoch_order, private_randomness
from xhat.engine.rows import batches
from xhat.engine.settings import TrainSettings
from xhat.engine.hook import Hook
from xhat.engine.trainee import Trainee
from xhat.engine.training import Training
from xhat.data.scaling import Scaling
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.beta_elbo import BetaELBO

class Clock(Hook):
    def on_step(self, training):
        if training.step.done == steps_warm: self.start = time.perf_counter()
        if training.step.done == steps_warm + steps: self.seconds = time.perf_counter() - self.start

data = open_data(x, kind="table")
options = dict(hidden=(512,), activation="relu")
encoder, decoder = MLPEncoder((784,), (32,), **options), MLPDecoder((16,), (784,), **options)
model = Autoencoder(encoder, Gaussian((16,)), decoder, Bernoulli())
trainee = Trainee(model, BetaELBO(), Scaling.fit("unit", data.x[:1], 0.0, 255.0))
clock = Clock()
epochs = -(-(steps + steps_warm) * 100 // rows)
settings = TrainSettings(epochs=epochs, batch_size=100, patience=epochs)
Training(trainee, data, torch.arange(rows), torch.arange(100), settings, [clock]).run()
print(100 * steps / clock.seconds)
"""
)

BARE = (
    COMMON
    + """
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
encoder = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 32))
decoder = nn.Sequential(nn.Linear(16, 512), nn.ReLU(), nn.Linear(512, 784))
optimiser = torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], lr=2e-3, fused=True)
done = 0
while done < steps + steps_warm:
    order = torch.randperm(rows)
    for i in range(0, rows, 100):
        batch = x[order[i : i + 100]].float() / 255
        mean, log_var = encoder(batch).chunk(2, 1)
        logits = decoder(mean + torch.exp(.5 * log_var) * torch.randn_like(mean))
        distortion = binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(1)
        rate = .5 * (mean ** 2 + log_var.exp() - 1 - log_var).sum(1)
        (distortion + rate).mean().backward()
        optimiser.step()
        optimiser.zero_grad()
        done += 1
        if done == steps_warm: start = time.perf_counter()
        if done == steps + steps_warm: seconds = time.perf_counter() - start
print(100 * steps / seconds)
"""
)

PYTHAE = (
    COMMON
    + """
import logging, os, tempfile, warnings
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
os.environ["TQDM_DISABLE"] = "1"
from torch import nn
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.data.datasets import BaseDataset

class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(784, 512), nn.ReLU())
        self.mean, self.log_var = nn.Linear(512, 16), nn.Linear(512, 16)
    def forward(self, x):
        h = self.body(x.flatten(1))
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))

class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 512), nn.ReLU(), nn.Linear(512, 784), nn.Sigmoid())
    def forward(self, z):
        return ModelOutput(reconstruction=self.net(z))

model = VAE(VAEConfig(input_dim=(784,), latent_dim=16, reconstruction_loss="bce"), Encoder(), Decoder())
data = BaseDataset(x.float() / 255, torch.ones(rows))
epochs = -(-steps * 100 // rows)
config = BaseTrainerConfig(output_dir=tempfile.mkdtemp(), num_epochs=epochs, per_device_train_batch_size=100,
                           learning_rate=1e-3, optimizer_cls="AdamW", keep_best_on_train=False, no_cuda=True)
trainer = BaseTrainer(model, train_dataset=data, training_config=config)
trainer.prepare_training()
trainer.train_step(0)
start = time.perf_counter()
for epoch in range(1, epochs + 1): trainer.train_step(epoch)
print(100 * (rows // 100) * epochs / (time.perf_counter() - start))
"""
)


def rate(python: str, program: str, rows: int, steps: int) -> float:
    """Run one contender in a process of its own; give its samples per second."""
    done = subprocess.run([python, "-c", program, str(rows), str(steps)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(textwrap.indent(done.stderr, "  "))
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of 200 steps")
    parser.add_argument("--keep", action="store_true", help="write the result beside the script")
    parser.add_argument("--peer", help="a Python that has pythae; without it that row is left out")
    options = parser.parse_args()
    rounds, steps, rows = (1, 200, 10_000) if options.quick else (5, 800, 50_000)
    contenders = {"bare loop": (sys.executable, BARE), "xhat": (sys.executable, XHAT)}
    if options.peer:
        contenders["Pythae 0.1.2"] = (options.peer, PYTHAE)
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (python, program) in contenders.items():
            rates[name].append(rate(python, program, rows, steps))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    bare, ours = medians["bare loop"], medians["xhat"]
    lines = [
        (name, round(m), round(min(rates[name])), round(max(rates[name])), m / bare, f"{ours / m:.2f} x")
        for name, m in medians.items()
    ]
    header = ("", "samples/s, median", "lowest", "highest", "of the bare loop", "xhat is")
    record("engine", table(header, lines), keep=options.keep)


if __name__ == "__main__":
    main()
