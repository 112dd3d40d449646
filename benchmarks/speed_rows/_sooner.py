"""Seconds, with start-up, until rows that were held out are copied as well as PCA copies them, or better by a share."""

from __future__ import annotations

import json

import numpy as np
from _record import shared
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from speed_rows._row import Contender, Options, Row

DIMENSIONS = 32

START = """
import time
start = time.perf_counter()
import json, sys
import numpy as np
a = json.loads(sys.argv[1])
def rows():
    if a["data"] == "digits":
        from sklearn.datasets import load_digits
        x = load_digits().data.astype(np.float32) / 16
        return x[:1500], x[1500:]
    with np.load(a["data"]) as file:
        return [file[n].reshape(-1, 784).astype(np.float32)[:20_000] / 255 for n in ("x_train", "x_test")]
train, held = rows()
def look(copies):
    now = time.perf_counter() - start
    if ((copies - held) ** 2).sum(1).mean() <= a["target"] or now > a["most"]:
        print(now)
        sys.stdout.flush()
        import os
        os._exit(0)
"""

XHAT = """
import torch
from xhat.engine.hook import Hook
class Look(Hook):
    def on_epoch(self, training, epoch):
        trainee, x = training.trainee, torch.from_numpy(held)
        with torch.no_grad():
            look(trainee.scaling.inverse(trainee.model.eval().reconstruct(trainee.scaling(x))).numpy())
"""

# The function, and the estimator, which takes scikit-learn's import of a second with it.
FIT = (
    START
    + XHAT
    + """
import xhat
xhat.fit(train, latent=a["k"], hooks=[Look()])
print(a["most"])
"""
)

AE = (
    START
    + XHAT
    + """
from xhat.estimators.ae import AE
AE(n_components=a["k"], callbacks=[Look()]).fit(train)
print(a["most"])
"""
)

SKLEARN = (
    START
    + """
from sklearn.neural_network import MLPRegressor
net = MLPRegressor(hidden_layer_sizes=(512, a["k"], 512))
while True:
    net.partial_fit(train, train)
    look(net.predict(held))
"""
)

PYTHAE = (
    START
    + """
import logging, os, tempfile, warnings
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
os.environ["TQDM_DISABLE"] = "1"
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import AE, AEConfig
from pythae.trainers import BaseTrainer, BaseTrainerConfig
model = AE(AEConfig(input_dim=(train.shape[1],), latent_dim=a["k"]))
x = torch.from_numpy(train)
config = BaseTrainerConfig(output_dir=tempfile.mkdtemp(), num_epochs=10_000, keep_best_on_train=False, no_cuda=True)
trainer = BaseTrainer(model, train_dataset=BaseDataset(x, torch.ones(len(x))), training_config=config)
trainer.prepare_training()
test = BaseDataset(torch.from_numpy(held), torch.ones(len(held)))
epoch = 0
while True:
    epoch += 1
    trainer.train_step(epoch)
    model.eval()
    with torch.no_grad():
        look(model(test[:]).recon_x.numpy().reshape(held.shape))
    model.train()
"""
)


def sooner(options: Options, data: str, share: float) -> Row:
    """Put a row together: `data` is "digits" or "mnist", and `share` that of PCA's error which is to be reached."""
    name = "digits" if data == "digits" else str(shared("mnist/mnist.npz"))
    train, held = _rows(name)
    pca = PCA(DIMENSIONS, svd_solver="covariance_eigh").fit(train)
    error = float(((pca.inverse_transform(pca.transform(held)) - held) ** 2).sum(1).mean())
    # A hair above: PCA's own rounding is not what is measured.
    about = {"data": name, "target": 1.001 * share * error, "k": DIMENSIONS, "most": 10 if options.quick else 120}
    given = (json.dumps(about),)
    peers = {} if options.peer is None else {"Pythae": Contender(PYTHAE, given, options.peer)}
    if not options.quick:  # it would take most of a quick run's minute
        peers["scikit-learn's MLP"] = Contender(SKLEARN, given)
    ours = {"xhat.fit": Contender(FIT, given), "xhat.AE": Contender(AE, given)}
    what = "PCA's error" if share == 1 else f"{share:g} of PCA's error"
    return Row(
        f"{data}, k = {DIMENSIONS}: seconds to {what}, at most {about['most']}",
        peers | ours,
        dict.fromkeys(ours, 5),
        "s",
        less=True,
    )


def _rows(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if name == "digits":
        x = load_digits().data.astype(np.float32) / 16
        return x[:1500], x[1500:]
    with np.load(name) as file:
        train, held = (file[n].reshape(-1, 784).astype(np.float32)[:20_000] / 255 for n in ("x_train", "x_test"))
    return train, held
