"""A temporary ledger for each test."""

import pytest
from ledgers import Ledger


@pytest.fixture
def ledger(pytester):
    return Ledger(pytester)
