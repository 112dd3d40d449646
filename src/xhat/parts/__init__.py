"""The parts that models and their training are made of; the catalogue finds them by their files."""
