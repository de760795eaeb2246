"""A temporary ledger for each test."""

import sys

import pytest
from ledgers import Ledger


@pytest.fixture
def ledger(pytester, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # room for the ledger's whole table
    return Ledger(pytester)


@pytest.fixture(autouse=True)
def without_compiled_files(monkeypatch):
    """A file written anew in the same second, of the same size, would be taken for the one that was compiled."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
