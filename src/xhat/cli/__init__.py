"""The command line: thin, it parses, calls and prints."""

from xhat.cli.app import main

__all__ = ["main"]
