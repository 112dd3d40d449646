import pytest

from xhat.cli.sample import _conditions
from xhat.core.errors import ConfigError


def test_conditions_are_read_by_column():
    assert _conditions(("sex=Female", "income=<=50K", "sex=Female")) == {"sex": "Female", "income": "<=50K"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sex",), "--where: must be COLUMN=VALUE, got 'sex'"),
        (("sex=Female", "sex=Male"), "--where: must give a column one value, got sex=Female and sex=Male"),
    ],
)
def test_conditions_that_say_nothing_or_two_things_are_refused(words, says):
    with pytest.raises(ConfigError, match=says):
        _conditions(words)
