from xhat.data import readers


def test_every_suffix_has_one_reader():
    known = readers.by_suffix()
    assert {".npy", ".npz", ".csv", ".tsv", ".txt", ".parquet"} <= set(known)
    assert len(known) == sum(len(reader.SUFFIXES) for reader in set(known.values()))
    assert all(callable(reader.read) for reader in known.values())
