"""A fitted model that reads labels: every verb asks for them, by number or by name."""

import numpy as np
import pytest
import tiny

import xhat
from xhat.core.errors import ConfigError, DataError, ShapeError
from xhat.report.write import compose

NAMES = np.array([f"class {letter}" for letter in "abcdefghij"])


def labelled(rows=slice(None), names=NAMES):
    return xhat.data.open(tiny.rows()[rows], labels=names[tiny.data().y.numpy()[rows]], to_learn=False)


@pytest.fixture(scope="module")
def model():
    return xhat.fit(labelled(), "cvae", latent=3, overrides=tiny.NARROW, **tiny.SHORT)


def test_codes_follow_the_labels(model):
    codes = model.encode(labelled())
    assert codes.shape == (200, 3)
    assert not np.allclose(codes, model.encode(labelled(names=np.roll(NAMES, 1))))
    np.testing.assert_allclose(model.decode(codes, labels=NAMES[tiny.data().y]), model.reconstruct(labelled()))
    np.testing.assert_allclose(model.decode(codes, labels=tiny.data().y), model.reconstruct(labelled()))


def test_classes_of_other_data_are_known_by_their_names(model):
    few = np.flatnonzero(tiny.data().y.numpy() >= 7)  # of classes h, i, j, which this data alone would call 0, 1, 2
    assert labelled(few).y.max() == 2
    np.testing.assert_allclose(model.encode(labelled(few)), model.encode(labelled())[few], atol=1e-5)
    with pytest.raises(DataError, match="knows no class of that name, got other"):
        model.encode(labelled(names=np.array([*NAMES[:9], "other"])))


def test_a_model_of_numbered_classes_refuses_names():
    model = xhat.fit(tiny.data(), "cvae", latent=3, overrides=tiny.NARROW, **tiny.SHORT)
    with pytest.raises(DataError, match="knows its classes by numbers, and these labels are names, got class a"):
        model.encode(labelled())
    assert model.encode(tiny.data()).shape == (200, 3)


@pytest.mark.parametrize("kind", ["vade", "aae_cluster", "aae_reduce"])
def test_the_names_of_the_datas_classes_are_none_of_clusters(kind):
    latent = 2 if kind == "aae_reduce" else 3
    clusters = {"recipe.clusters": 10}
    fitted = xhat.fit(labelled(), kind, latent=latent, overrides=tiny.NARROW | clusters, **tiny.SHORT)
    with pytest.raises(ConfigError, match="sample: a label must be from 0 to 9, got class d"):
        fitted.sample(2, label="class d")
    assert fitted.sample(2, label=3).shape == (2, 8, 8)


@pytest.mark.parametrize(("kind", "latent"), [("m2", 3), ("aae_semi", 3), ("aae_labels", 2)])
def test_the_names_of_the_datas_classes_are_the_priors(kind, latent):
    fitted = xhat.fit(labelled(), kind, latent=latent, overrides=tiny.NARROW, **tiny.SHORT)
    assert np.array_equal(fitted.sample(2, label="class d"), fitted.sample(2, label=3))


def test_new_rows_of_a_class(model):
    drawn = model.sample(5, label="class d", seed=2)
    assert np.array_equal(drawn, model.sample(5, label=3, seed=2))
    assert np.array_equal(drawn, model.sample(5, label="3", seed=2))
    assert np.array_equal(drawn, model.sample(5, label=[3] * 5, seed=2))
    for one in (np.int64(3), np.uint8(3), np.array(3), tiny.data().y.new_tensor(3), np.full(5, 3), [np.int64(3)] * 5):
        assert np.array_equal(drawn, model.sample(5, label=one, seed=2))
    assert not np.allclose(drawn, model.sample(5, label=4, seed=2))
    assert model.sample(5).shape == (5, 8, 8)


@pytest.mark.parametrize("label", [10, -1, "class z", "10", 1.5, None])
def test_a_class_that_is_not_there(model, label):
    with pytest.raises(ConfigError, match=r"sample: a label must be one of class a, class b, .*, got"):
        model.sample(1, label=[label])


def test_labels_are_asked_for(model):
    codes = model.encode(labelled())
    for call in (
        lambda: model.encode(tiny.rows()),
        lambda: model.decode(codes),
        lambda: model.reconstruct(tiny.rows()),
    ):
        with pytest.raises(ConfigError, match=r"labels are missing where they are needed, got none\. Open .*labels="):
            call()
    with pytest.raises(ShapeError, match="decode: needs one label, or 200, got 2"):
        model.decode(codes, labels=[1, 2])


def test_a_model_without_classes_refuses_them():
    plain = tiny.fit("ae", epochs=1)
    with pytest.raises(ConfigError, match=r"sample: this model has no classes\..*cvae"):
        plain.sample(2, label=1)
    with pytest.raises(ConfigError, match="decode: this model reads no labels"):
        plain.decode(plain.encode(tiny.rows()), labels=1)


def test_saved_and_loaded_it_says_the_same(model, tmp_path):
    xhat.save(model, tmp_path / "run")
    again = xhat.load(tmp_path / "run")
    np.testing.assert_array_equal(again.encode(labelled()), model.encode(labelled()))
    np.testing.assert_array_equal(again.sample(20), model.sample(20))  # the classes' shares are kept, too


def test_its_report_is_written(model):
    page = compose(model, labelled())
    assert "Samples" in page
    assert "labels=labels" in page


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "recipes/cvae: needs a class for each row, got none"),
        (np.linspace(0, 1, 200), "recipes/cvae: needs a class for each row, got torch.float32"),
        (np.zeros((200, 2), int), r"recipes/cvae: needs a class for each row, got torch.int64 of shape \(200, 2\)"),
        (np.zeros(200, int), "recipes/cvae: needs labels of two classes or more, got 1"),
        (np.full(200, -1), "recipes/cvae: needs labels of two classes or more, got 0"),
        (np.r_[[-1] * 5, np.arange(195) % 3], "this model reads the label of every row, got 5 rows without one.*m2"),
    ],
)
def test_labels_that_make_no_classes_are_refused_before_anything_is_written(labels, message, tmp_path):
    data = xhat.data.open(tiny.rows(), labels=labels)
    with pytest.raises(ConfigError, match=message):
        xhat.fit(data, "cvae", overrides=tiny.NARROW, out=tmp_path / "run", **tiny.SHORT)
    assert not (tmp_path / "run").exists()


def test_symbols_have_no_place_for_a_class():
    tokens = xhat.data.open(np.arange(120).reshape(20, 6) % 5, kind="tokens", labels=np.arange(20) % 2)
    with pytest.raises(ConfigError, match="stand beside numbers, and these rows hold symbols"):
        xhat.fit(tokens, "cvae")


@pytest.mark.parametrize("net", ["conditional", "pca_path"])
def test_a_net_around_another_one_is_none_by_itself(net):
    with pytest.raises(ConfigError, match=f"nets/{net}: goes around another net"):
        tiny.plan(net=net, overrides=None)
