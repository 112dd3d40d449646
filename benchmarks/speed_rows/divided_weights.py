"""Memory that each of two processes takes beside its libraries while a wide perceptron trains, whole and divided."""

from __future__ import annotations

import json

from speed_rows._row import Contender, Options, Row

# What a step leaves behind: weights, gradients, moments, the best weights so far, and what the allocator keeps.
MEMORY = """
import json, os, sys
a = json.loads(sys.argv[1])
import torch, xhat
from xhat.engine.hook import Hook
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
class Look(Hook):
    most = 0
    def on_step(self, training):
        if training.step.done > 2: self.most = max(self.most, resident())
x, look = torch.rand(1280, 64), Look()
before = resident()
xhat.fit(x, latent=16, init="random", overrides={"net.hidden": [a["width"]] * 2}, epochs=1, batch_size=128,
         device="cpu", compile="off", fsdp=a["fsdp"], hooks=[look])
if os.environ["RANK"] == "0": print(look.most - before)
"""

STARTER = f"""
import sys
from xhat.cli.launch import launch
sys.exit(launch(2, sys.argv[1:], (sys.executable, "-c", {MEMORY!r})))
"""


def row(options: Options) -> Row:
    width = 2000 if options.quick else 6000
    contenders = {
        name: Contender(STARTER, (json.dumps({"width": width, "fsdp": fsdp}),))
        for name, fsdp in (("whole weights", False), ("fsdp", True))
    }
    title = f"MLP 64-{width}-{width}-16 and back, two processes: memory of each"
    return Row(title, contenders, unit="MB", less=True)
