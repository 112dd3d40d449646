import tiny

from xhat.engine.history import Epoch, History


def epoch(number, score, candidate=True):
    return Epoch(number, {}, {}, score, 0.0, 0.0, candidate)


def test_what_is_no_candidate_is_not_the_best():
    assert History([epoch(0, 1.0, False), epoch(1, 3.0), epoch(2, 2.0)]).best.epoch == 2


def test_without_a_candidate_the_last_is_kept():
    assert History([epoch(0, 1.0, False), epoch(1, 3.0, False)]).best.epoch == 1


def test_an_epoch_on_the_way_of_a_schedule_is_not_kept():
    overrides = {**tiny.NARROW, "objective.beta": "linear(0, 1, epochs=2)"}
    training = tiny.training(tiny.plan("vae", overrides=overrides, epochs=4))
    training.run()
    assert [e.candidate for e in training.history.epochs] == [False, False, True, True, True]
    assert training.history.best.epoch >= 2


def test_a_game_of_classes_keeps_its_last_epoch():
    training = tiny.training(tiny.plan("aae_cluster", epochs=3))
    training.run()
    assert training.history.best.epoch == 3
    end = training.step.trainee.state_dict()
    assert all(training.best[name].equal(value) for name, value in end.items())
