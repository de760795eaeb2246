"""Test items that hold a claim as a whole to something, apart from its checks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from nct.ledger._claim import Claim, claim_of


class Faulty(Exception):
    """A claim with faults, one a line."""


class ClaimItem(pytest.Item):
    """An item that fails with the faults of its file's claim, if there are any."""

    parent: pytest.Module

    @property
    def claim(self) -> Claim:
        """The claim of the item's file."""
        return cast(Claim, claim_of(self.parent.obj))

    def faults(self) -> Iterator[str]:
        """What is wrong with the claim."""
        raise NotImplementedError

    def runtest(self) -> None:
        """Fail with every fault."""
        faults = list(self.faults())
        if faults:
            raise Faulty("\n".join(f"{self.claim.id}: {fault}" for fault in faults))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The faults alone, without the frames that found them."""
        return str(excinfo.value) if isinstance(excinfo.value, Faulty) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The place and the name of the item in reports."""
        return self.path, 0, f"{self.name}: {self.claim.id}"
