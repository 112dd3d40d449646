"""Sources: where rows are read from that do not fit into memory; one format a file."""
