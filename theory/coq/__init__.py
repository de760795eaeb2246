"""Certificates as Coq source: a theorem over the reals and a proof that the proof assistant's kernel checks.

A certificate's own `verify` is short Python over exact integers; Coq's kernel is smaller still, and nobody here wrote
it. `translate` states a certificate as a theorem in the certificate's own variables, `script` makes a file of such
theorems that Coq's standard library suffices for. What the kernel has checked in the ledger, and what it has not, is in
docs/coq.md.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
