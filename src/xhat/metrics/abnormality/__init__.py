"""How abnormal a row is to a fitted model: one score a file, each a sum over features."""
