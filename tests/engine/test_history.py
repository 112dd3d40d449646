import json

import pytest

from xhat.engine.history import Epoch, History


def epoch(number: int, score: float) -> Epoch:
    train = {"distortion": 9.0 - number, "rate": 1.0} if number else {}
    return Epoch(number, train, {"distortion": score}, score, 1e-3, 0.5)


HISTORY = History([epoch(0, 9.0), epoch(1, 4.0), epoch(2, 3.0), epoch(3, 3.0), epoch(4, 5.0)])


def test_the_best_epoch_has_the_lowest_score_and_the_first_of_two_wins():
    assert HISTORY.best.epoch == 2


def test_curves_hold_the_epochs_that_have_the_term():
    assert HISTORY.curve("train", "rate") == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]
    assert HISTORY.curve("validation", "distortion")[0] == (0, 9.0)
    assert HISTORY.curve("train", "nothing") == []


def test_its_time_is_that_of_all_epochs():
    assert HISTORY.seconds == pytest.approx(2.5)


def test_it_goes_through_json():
    assert History.from_list(json.loads(json.dumps(HISTORY.to_list()))) == HISTORY
