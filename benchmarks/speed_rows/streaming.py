"""Rows on a disk: a file of 5 GB with 1 GB of memory allowed, beside a part of it that lies in memory.

The file is written to the temporary folder (TMPDIR) and deleted at the end; before each training the system is asked to
forget what it has read of it. A contender whose process ever takes more than 1 GB fails.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

import numpy as np

from speed_rows._row import Contender, Options, Row

D, PART = 784, 64_000  # numbers of a row; rows of the part in memory, 200 MB

PROGRAM = """
import json, os, resource, sys, time, torch
import numpy as np
from xhat.data.open import open as open_data
from xhat.data.scaling import Scaling
from xhat.engine.hook import Hook
from xhat.engine.settings import TrainSettings
from xhat.engine.trainee import Trainee
from xhat.engine.training import Training
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.beta_elbo import BetaELBO

path, how, warm, steps, part, clock = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), sys.argv[6]
now = time.process_time if clock == "cpu" else time.perf_counter
if how == "resident":
    data = open_data(np.load(path, mmap_mode="r")[:part].copy())
else:
    data = open_data(path, memory=how)
    assert data.streams
split = data.split()
data = data.pinned(split.validation)
options = dict(hidden=(512,), activation="relu")
encoder, decoder = MLPEncoder((784,), (32,), **options), MLPDecoder((16,), (784,), **options)
model = Autoencoder(encoder, Gaussian((16,)), decoder, Bernoulli())
trainee = Trainee(model, BetaELBO(), Scaling.fit("unit", data.some(split.train).resident, 0.0, 1.0))

class Enough(Exception):
    pass

class Clock(Hook):
    # The first and the last step of an epoch; what is between two of them, as validation, is not measured.
    spent, taken, first = 0.0, 0, None
    def on_step(self, training):
        done = training.step.done
        if done <= warm: return
        if self.first is not None and done > self.first + 1:
            self.spent, self.taken = self.spent + now() - self.last, self.taken + 1
        if self.first is None or (done - 1) % training.steps_per_epoch == 0: self.first = done
        self.last = now()
        if self.taken >= steps: raise Enough

clock = Clock()
epochs = -(-(steps + warm) * 100 // len(split.train)) + 1
settings = TrainSettings(epochs=epochs, batch_size=100, patience=epochs, device="cpu")
with open(path, "rb") as file:  # what was read to open it, too
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
try:
    Training(trainee, data, split.train, split.validation[:100], settings, [clock]).run()
except Enough:
    pass
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(f"{how}: peak {peak:.2f} GB", file=sys.stderr)
if how != "resident" and peak > 1:
    sys.exit(f"took {peak:.2f} GB of memory, more than 1 GB")
print(100 * clock.taken / clock.spent)
"""


def row(options: Options) -> Row:
    size = 200 * 10**6 if options.quick else 5 * 10**9
    # A small file is streamed in as small a share of it.
    memory, steps = ("40MB", 400) if options.quick else ("1GB", 8000)
    path = _written(size)
    given = (50, steps, PART, options.clock)
    contenders = {
        "in memory, 200 MB": Contender(PROGRAM, (path, "resident", *given)),
        f"streamed, {size / 1e9:g} GB": Contender(PROGRAM, (path, memory, *given)),
    }
    title = f"{size / 1e9:g} GB of rows on disk, 1 GB of memory allowed, MLP VAE, batch 100"
    return Row(title, contenders, {f"streamed, {size / 1e9:g} GB": 0.8})


def _written(size: int) -> Path:
    """Write random rows of [0, 1] in parts, to a file that is deleted at the end."""
    handle, name = tempfile.mkstemp(suffix=".npy", prefix="xhat-streaming-")
    atexit.register(Path(name).unlink, missing_ok=True)
    rows, random = size // (4 * D), np.random.default_rng(0)
    with os.fdopen(handle, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, D)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, rows, PART):
            file.write(random.random((min(PART, rows - start), D), np.float32).data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
