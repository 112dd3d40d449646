import pytest

from xhat.core.errors import ConfigError
from xhat.data.memory import allowed, amount, free


@pytest.mark.parametrize(
    ("text", "count"),
    [("1GB", 10**9), ("512 MiB", 512 * 2**20), ("1.5g", 15 * 10**8), (2_000_000, 2_000_000), ("2000000", 2_000_000)],
)
def test_amounts_are_read_as_people_write_them(text, count):
    assert allowed(text) == count


@pytest.mark.parametrize("wrong", ["much", "-1GB", "1 XB", 0, "10kB", ""])
def test_what_is_none_is_refused_in_one_line(wrong):
    with pytest.raises(ConfigError, match=r"memory: must be an amount of 1 MB or more, got .* As 1GB") as error:
        allowed(wrong)
    assert "\n" not in str(error.value)


def test_left_open_it_is_half_of_what_is_free():
    # Others use the machine between the two looks.
    assert allowed(None) == pytest.approx(free() / 2, rel=0.3)


def test_bytes_are_said_as_people_do():
    assert [amount(n) for n in (12, 64 << 20, 5 * 10**9, 2 * 10**12)] == ["12 bytes", "67.1 MB", "5.0 GB", "2.0 TB"]
