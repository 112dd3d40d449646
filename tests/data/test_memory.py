import pytest

from xhat.core.errors import ConfigError
from xhat.data.memory import LEAST, allowed, amount, free, rows_within


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


def test_left_open_it_is_half_of_what_is_free(monkeypatch):
    monkeypatch.setattr("xhat.data.memory.free", lambda: 6_000_000)
    assert allowed(None) == 3_000_000


def container(root, at="", limit="9000000", files="active_file 500000\ninactive_file 1500000\n"):
    """Write what the kernel says of a container that uses 7 MB, of which 2 MB are kept of files."""
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if at else ("memory.max", "memory.current")
    (root / at).mkdir(exist_ok=True)
    for name, text in zip((*names, "memory.stat"), (limit, "7000000\n", f"anon 4000000\n{files}"), strict=True):
        (root / at / name).write_text(text)
    return root


def test_pages_of_files_are_free_in_a_container(tmp_path):
    assert free(container(tmp_path)) == 4_000_000


def test_so_they_are_in_one_of_the_first_format(tmp_path):
    # What is not "total" leaves out containers within this one, which its usage counts.
    files = "inactive_file 7\ntotal_inactive_file 1500000\ntotal_active_file 500000\n"
    assert free(container(tmp_path, "memory", files=files)) == 4_000_000


def test_a_container_without_a_limit_or_statistics_has_the_machines(tmp_path):
    assert free(container(tmp_path, limit="max\n")) > 4_000_000
    container(tmp_path)
    (tmp_path / "memory.stat").unlink()
    assert free(tmp_path) == 2_000_000


def test_never_is_less_than_the_least_free(tmp_path):
    assert free(container(tmp_path, limit="1000000", files="")) == LEAST


def test_bytes_are_said_as_people_do():
    assert [amount(n) for n in (12, 64 << 20, 5 * 10**9, 2 * 10**12)] == ["12 bytes", "67.1 MB", "5.0 GB", "2.0 TB"]


def test_large_rows_are_taken_a_few_at_a_time_and_never_none():
    assert [rows_within(size, 4096) for size in (0, 100, 1 << 20, 1 << 40)] == [4096, 4096, 64, 1]
