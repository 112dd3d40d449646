"""What `partial_fit` learns of the data's range."""

import numpy as np
import pandas as pd

import xhat

RNG = np.random.default_rng(0)


def part(low, high):
    return pd.DataFrame({"age": RNG.integers(low, high, 60), "sex": RNG.choice(["f", "m"], 60)})


def test_samples_reach_all_that_was_seen_and_no_further():
    model = xhat.TabularVAE(1, random_state=0)
    for low, high in ((20, 30), (60, 70), (20, 30)):
        model.partial_fit(part(low, high))
    ages = model.sample(400, random_state=0)["age"]
    assert ages.max() > 30  # not the first rows' end
    assert ages.between(20, 69).all()


def test_arrays_say_their_range_as_well():
    model = xhat.AE(1, random_state=0).partial_fit(RNG.uniform(0, 1, (20, 2))).partial_fit(RNG.uniform(-3, 5, (20, 2)))
    assert model.fitted_.schema.low < -1
    assert model.fitted_.schema.high > 3
