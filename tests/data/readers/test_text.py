import numpy as np
import pytest

import xhat.data
from xhat.core.errors import ConfigError, DataError
from xhat.data.vocabulary import BYTES

POEM = "Über allen Gipfeln\r\nist Ruh,\nin allen Wipfeln\n"


@pytest.fixture
def write(tmp_path):
    def write(content, name="poem.txt"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write


def read(path, **options):
    return xhat.data.open(path, kind="text", **options)


@pytest.mark.parametrize("symbols", ["characters", "bytes"])
def test_a_text_becomes_tokens_and_text_again(write, symbols):
    data = read(write(POEM), window=8, symbols=symbols)
    schema = data.schema
    assert (schema.kind, schema.shape, schema.symbols, schema.stride) == ("tokens", (8,), symbols, 8)
    assert data.x.numpy().dtype == np.uint8
    assert (schema.low, schema.high) == (0, len(schema.vocabulary) - 1)
    text = POEM.encode() if symbols == "bytes" else POEM
    whole = text[: len(data) * 8]
    again = "".join(schema.text(data.x.numpy())) if symbols == "characters" else data.x.numpy().tobytes()
    assert again == whole


def test_characters_are_numbered_in_their_own_order(write):
    data = read(write(POEM), window=4)
    assert data.schema.vocabulary == tuple(sorted(set(POEM)))
    assert "\r" in data.schema.vocabulary  # a copy has the line ends of its source


def test_bytes_are_named_as_latin_1_does_and_mapped(write):
    data = read(write(POEM), window=4, symbols="bytes")
    assert data.schema.vocabulary == BYTES == tuple(bytes(range(256)).decode("latin-1"))
    assert data.x[0].tolist() == list(POEM.encode()[:4])
    assert data.schema.text(data.x[:2].numpy()) == ["Übe", "r al"]  # as UTF-8
    assert read(write(b"\xff\xfe\x00a" * 4), window=2, symbols="bytes").schema.text(np.array([[255, 97]])) == [
        "\ufffda"
    ]


def test_rows_have_64_characters_unless_told(write):
    data = read(write("abc" * 100))
    assert data.schema.shape == (64,)
    assert len(data) == 300 // 64


def test_more_than_256_characters_need_more_than_a_byte(write):
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    data = read(write(text), window=10)
    assert data.x.numpy().dtype == np.int64
    assert "".join(data.schema.text(data.x.numpy())) == text


def test_a_mark_of_byte_order_is_no_character(write):
    assert "\ufeff" not in read(write("\ufeff" + POEM), window=4).schema.vocabulary


@pytest.mark.parametrize("name", ["notes.md", "notes", "notes.py", "NOTES.TXT"])
def test_a_text_may_be_called_anything(write, name):
    assert read(write(POEM, name), window=4).schema.kind == "tokens"


def test_a_fitted_vocabulary_numbers_other_texts_alike(write):
    fitted = read(write("abcabcabd"), window=3).schema
    data = read(write("dbaabd"), window=3, vocabulary=fitted.vocabulary)
    assert data.x.tolist() == [[3, 1, 0], [0, 1, 3]]
    fitted.check(data.schema)


def test_a_symbol_outside_the_vocabulary_is_named_with_its_place(write):
    vocabulary = read(write(POEM), window=4).schema.vocabulary
    message = rf"^poem: symbols must be among the vocabulary's {len(vocabulary)}, got 'é' in line 2, column 4\."
    with pytest.raises(DataError, match=message):
        read(write("Ruh\nRuhé"), window=2, vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        (b"abc\xff\xfe" * 9, {}, DataError, r"^poem\.txt: .*must be UTF-8, got 0xff at byte 3\. Use symbols='bytes'"),
        ("short", {}, DataError, "^poem: a window of 64 steps needs a series of as many, got 5"),
        ("a" * 200, {}, DataError, "some value must differ between rows"),
        (POEM, {"symbols": "words"}, ConfigError, "symbols must be 'characters' or 'bytes', got 'words'"),
        (POEM, {"symbols": "bytes", "vocabulary": ("a",)}, ConfigError, "the vocabulary of bytes is fixed"),
        (POEM, {"vocabulary": ("a", "a")}, ConfigError, "a vocabulary holds different texts"),
        (POEM, {"vocabulary": ("ab", "a")}, ConfigError, "a vocabulary of characters has one a symbol, got 'ab'"),
        (POEM, {"mask": np.ones((2, 3), bool)}, ConfigError, "windows are cut from one series, which has no mask"),
        (POEM, {"labels": "y"}, ConfigError, "has no use for labels='y'"),
        ("", {}, DataError, "the file is empty"),
    ],
)
def test_refuses_in_a_line(write, content, options, error, message):
    with pytest.raises(error, match=message):
        read(write(content), **options)


@pytest.mark.parametrize(
    "text", ["One word\nand then three more\n", "One line, and\nanother, too\n", "One\nand two.\n"]
)
def test_prose_that_is_opened_as_a_table_is_told_how(write, text):
    with pytest.raises(DataError, match=r"[Aa] text is opened with kind='text' \(--rows text\)"):
        xhat.data.open(write(text))


def test_symbols_are_for_texts_alone(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(3))
    with pytest.raises(ConfigError, match=r"has no use for symbols='bytes'\. Leave it out: it is for texts"):
        xhat.data.open(tmp_path / "x.npy", symbols="bytes")
    with pytest.raises(ConfigError, match=r"array: is no text file\. Use kind='tokens'"):
        xhat.data.open(np.eye(3, dtype=int), kind="text")


def test_a_real_text(shared):
    data = read(shared("tinyshakespeare/input.txt"), stride=1)
    assert (len(data), data.schema.shape, len(data.schema.vocabulary)) == (1_115_394 - 63, (64,), 65)
    assert data.x.stride() == (1, 1)  # a view: each character is held once
    assert data.schema.text(data.x[:1].numpy())[0].startswith("First Citizen:\nBefore we proceed")
