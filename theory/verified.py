"""A record of the certificates that are verified, for a second verifier.

What a check of the ledger verifies in Python can so be put to a proof assistant's kernel as well, without a list of
certificates beside the check.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["note_verified", "verified_certificates"]

_NOTED: ContextVar[list[Any] | None] = ContextVar("_NOTED", default=None)


@contextmanager
def verified_certificates() -> Iterator[list[Any]]:
    """Collect the certificates that are verified, so that something else than Python can check them once more.

    Yields
    ------
    list of ShiftCertificate, SturmCertificate or theory.deep_rfm.kernel_certificate.Certificate
        Filled within the block, in the order of verification; those that do not verify are left out.

    Examples
    --------
    >>> from theory.certificate import SturmCertificate
    >>> with verified_certificates() as found:
    ...     _ = SturmCertificate("", (1, 0, 1), 0).verify(), SturmCertificate("", (-1, 0, 1), 0).verify()
    >>> [certificate.coefficients for certificate in found]
    [(1, 0, 1)]
    """
    found: list[Any] = []
    token = _NOTED.set(found)
    try:
        yield found
    finally:
        _NOTED.reset(token)


def note_verified(certificate: Any, verified: bool) -> bool:
    """Hand on whether a certificate is verified, and note it for `verified_certificates` if it is."""
    found = _NOTED.get()
    if verified and found is not None:
        found.append(certificate)
    return verified
