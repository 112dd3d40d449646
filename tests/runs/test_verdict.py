import pytest

from xhat.runs.verdict import advice, verdict

SUMMARY = {
    "error.model": 2.0,
    "error.pca": 4.0,
    "error.mean": 10.0,
    "code": 8,
    "active": 8,
    "status": "finished",
    "best_epoch": 9,
    "epochs": 10,
    "warnings": [],
    "takes_pca": True,
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {},
            "Its error is 0.50 of PCA's with as many numbers. It explains 80.0 % of the variance with 8 numbers a row.",
        ),
        ({"error.model": 4.0}, "Its error is 1.00 of PCA's"),
        ({"error.model": 5.0}, "PCA does better: this model's error is 1.25 of PCA's."),
        (
            {"error.model": 5.0, "takes_pca": False},
            "PCA does better: this model's error is 1.25 of PCA's. Train longer. It",
        ),
        (
            {"error.model": 5.0, "likelihood": "likelihoods/mixed", "takes_pca": False},
            "It was trained to give rows their probability, not to copy them with the least squared error; that is "
            "1.25 of PCA's with as many numbers. It explains 50.0 %",
        ),
        ({"error.model": 2.0, "likelihood": "likelihoods/mixed"}, "Its error is 0.50 of PCA's"),
        ({"error.model": 10.0}, "It copies worse than the mean input does: it has not learned."),
        ({"error.model": 99.0}, "It copies worse than the mean input does"),
        (
            {"best_epoch": 0, "error.model": 2.00002, "error.pca": 2.0},
            "Nothing better than PCA was found on validation: this model is PCA. Train longer.",
        ),
        (
            {"net_share": 0.0, "error.model": 2.0, "error.pca": 2.0},
            "Nothing better than PCA was found on validation beyond doubt: this model is PCA. Give it more rows. It",
        ),
        ({"net_share": 0.5}, "Its error is 0.50 of PCA's"),
        ({"error.pca": 0.0}, "PCA copies these rows exactly; an autoencoder cannot do better. It explains 80.0 %"),
        ({"error.pca": 1e-12}, "PCA copies these rows exactly"),  # its rounding is no error
        (
            {"error.pca": 1e-9, "error.model": 1e-10},
            "Its error is 0.10 of PCA's",
        ),  # where a model leaves less, it is one
        (
            {"error.model": 5.0, "objective": "objectives/miwae"},
            "It was trained to fill gaps; the errors here are of its copies of what was observed. It explains 50.0 %",
        ),
        ({"error.model": 11.0, "objective": "objectives/miwae"}, "It was trained to fill gaps"),
        (
            {"ancestral": True, "validation.distortion": 81.25, "objective": "objectives/reconstruction"},
            "It predicts each element from those before it, with 0.20 of the mean input's error. Its distortion, "
            "81.25 nats a row, is -log p(x)",
        ),
        (
            {"code": 512, "l0": 15.6},
            "Its error is 0.50 of PCA's with as many active numbers. It explains 80.0 % of the variance with 16 active "
            "numbers a row.",
        ),
        (
            {"code": 512, "l0": 0.2, "error.model": 5.0, "takes_pca": False},
            "PCA does better: this model's error is 1.25 of PCA's with as many active numbers. Train longer. It "
            "explains 50.0 % of the variance with 1 active number a row.",
        ),
        ({"error.mean": 0.0, "error.pca": 0.0}, "PCA copies these rows exactly; an autoencoder cannot do better."),
    ],
)
def test_the_verdict_is_a_sentence_on_the_numbers(change, says):
    assert verdict(SUMMARY | change).startswith(says)


def test_where_nothing_is_wrong_there_is_no_advice():
    assert advice(SUMMARY) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"findings": [{"what": "dead codes", "since": None, "value": 0.1, "advice": "10 % are in use."}]},
            "Dead codes: 10 % are in use.",
        ),
        (
            {"findings": [{"what": "posterior collapse", "since": 4, "value": 0.0, "advice": "lower it."}]},
            "Posterior collapse since epoch 4: lower it.",
        ),
        ({"status": "diverged"}, "Training diverged; these are the last good weights. Lower --lr."),
        ({"best_epoch": 10}, "The last epoch was the best: more --epochs may still lower the error."),
        ({"warnings": ["the code has 9 dimensions"]}, "The code has 9 dimensions."),
    ],
)
def test_each_thing_to_know_is_a_note(change, says):
    (note,) = advice(SUMMARY | change)
    assert note.startswith(says)


def test_a_run_that_stopped_early_is_not_sent_to_train_longer():
    assert advice(SUMMARY | {"best_epoch": 10, "status": "stopped early"}) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"objective": "objectives/denoising"}, ", with 0.20 of the mean input's error."),
        ({"validation.distortion": None}, ", with 0.20 of the mean input's error."),
        ({"error.mean": 0.0, "error.pca": 0.0, "objective": "module.Own"}, "."),  # constant data
    ],
)
def test_of_a_model_of_one_order_no_more_is_said_than_holds(change, says):
    summary = SUMMARY | {"ancestral": True, "validation.distortion": 81.25, "objective": "objectives/reconstruction"}
    summary = {name: value for name, value in (summary | change).items() if value is not None}
    assert verdict(summary) == f"It predicts each element from those before it{says}"
