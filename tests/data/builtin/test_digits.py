import xhat.data


def test_the_digits_of_scikit_learn():
    data = xhat.data.open("digits")
    assert len(data) == 1797
    assert (data.schema.kind, data.schema.shape) == ("image", (1, 8, 8))
    assert (data.schema.low, data.schema.high) == (0, 16)
    assert data.y.unique().tolist() == list(range(10))
    # A one has ink in its middle, a zero has none.
    assert data.x[data.y == 1][:, 0, 3:5, 3:5].mean() > 10 > 3 > data.x[data.y == 0][:, 0, 3:5, 3:5].mean()
