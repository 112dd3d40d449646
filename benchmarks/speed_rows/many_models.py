"""A hundred small models at once: seeds, folds or a grid in one program, beside a peer that trains one by one."""

from __future__ import annotations

import json

from speed_rows._row import Contender, Options, Row
from speed_rows._training import PYTHAE, ROWS

# The time of whole epochs, their short last batches and their validation included; samples of all models together.
MANY = (
    ROWS
    + """
import warnings
from xhat.data.open import open as open_data
from xhat.data.scaling import Scaling
from xhat.engine.alike import grouped
from xhat.engine.settings import TrainSettings
from xhat.engine.task import Task
from xhat.engine.together import Together
from xhat.engine.trainee import Trainee
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.reconstruction import Reconstruction
epochs = steps * batch // a["rows"]
data, options, latent = open_data(x, kind="table"), a["net_options"], a["latent"]
def task(seed):
    torch.manual_seed(seed)
    model = Autoencoder(MLPEncoder(shape, (latent,), **options), Plain((latent,)),
                        MLPDecoder((latent,), shape, **options), Gaussian(1.0))
    how = "on" if a["compile"] else "off"
    settings = TrainSettings(epochs=epochs, batch_size=batch, patience=epochs, seed=seed, compile=how)
    trainee = Trainee(model, Reconstruction(), Scaling())
    return Task(trainee, data, torch.arange(a["rows"]), torch.arange(100), settings)
tasks = [task(seed) for seed in range(a["models"])]
(group,) = grouped(tasks)
times = []
Together(tasks, group.places, lambda epoch, left: times.append(now())).run()
first = max(2, epochs // 10)
print(a["models"] * a["rows"] * (len(times) - 1 - first) / (times[-1] - times[first]))
"""
)


def row(options: Options) -> Row:
    work = {
        "rows": 2000,
        "shape": (30,),
        "floats": True,
        "net": "mlp",
        "net_options": {"hidden": (16,), "activation": "silu"},
        "latent": 4,
        "objective": "squares",
        "batch": 64,
        "warm": 320,
        "steps": 1600 if options.quick else 6400,
        "clock": options.clock,
    }
    peers = {"Pythae, one by one": Contender(PYTHAE, (json.dumps(work),), options.peer)} if options.peer else {}
    forms = {"xhat, 100 in one program": False, "xhat, 100 in one program, compiled": True}
    ours = {
        name: Contender(MANY, (json.dumps(work | {"models": 100, "compile": compiled}),))
        for name, compiled in forms.items()
        if not (options.quick and compiled)
    }
    goals = {"xhat, 100 in one program, compiled": 80.0} if options.peer else {}
    return Row("100 models of the tiny table at once, samples of all", peers | ours, goals)
