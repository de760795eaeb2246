"""Evidence that a proof kernel checks: running Coq on a script, and reading off what the proofs assume.

A script that is rejected is not proved; it is not refuted. So a rejection fails the run and never counts as the
rejection of a near miss: to refute a statement, a script proves its negation.
"""

import re
import shutil
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

from nct.ledger._claim import Claim
from nct.ledger._require import Refuted

#: What the real numbers of Coq's standard library rest on.
ASSUMPTIONS = frozenset(
    {
        "ClassicalDedekindReals.sig_not_dec",
        "ClassicalDedekindReals.sig_forall_dec",
        "Classical_Prop.classic",
        "FunctionalExtensionality.functional_extensionality_dep",
    }
)
_LIMIT = 120.0
_COLLECTED: ContextVar[list[str] | None] = ContextVar("_COLLECTED", default=None)


class NotProved(Exception):
    """A script that the kernel rejects, or a proof that assumes more than it may."""


@dataclass(frozen=True)
class Checked:
    """What Coq says of a script.

    Attributes
    ----------
    accepted : bool
        Whether every proof in it is complete and correct.
    assumptions : frozenset of str
        The axioms that its theorems rest on.
    message : str
        Coq's errors.
    seconds : float
        How long it took.
    """

    accepted: bool
    assumptions: frozenset[str]
    message: str
    seconds: float


def find_coqc() -> str | None:
    """Return the path of Coq's compiler, or None where there is none."""
    return shutil.which("coqc")


def theorems(source: str) -> list[str]:
    """The names of the theorems that a script states.

    Examples
    --------
    >>> theorems("Theorem one : True. Proof. exact I. Qed.")
    ['one']
    """
    return re.findall(r"(?:^|\.)\s*(?:Theorem|Lemma|Corollary)\s+([A-Za-z_][\w']*)", source, re.MULTILINE)


def with_assumptions(source: str) -> str:
    """The script with a command after it that prints what all of its theorems together assume."""
    uses = "\n".join(f"  let _ := @{name} in" for name in theorems(source))
    return f"""{source.rstrip()}

(* What the proofs assume: axioms of the standard reals, and nothing else. *)
Definition every_theorem : True :=
{uses}
  I.
Print Assumptions every_theorem.
"""


@cache
def run_coqc(source: str) -> Checked:
    """Put a script to Coq.

    Parameters
    ----------
    source : str
        Coq source, with at least one theorem.

    Returns
    -------
    Checked

    Raises
    ------
    ValueError
        If the script states no theorem.
    FileNotFoundError
        If there is no `coqc`.
    NotProved
        If it takes longer than two minutes.
    """
    if not theorems(source):
        raise ValueError("source states no theorem; source must state at least one")
    coqc = find_coqc()
    if coqc is None:
        raise FileNotFoundError("there is no coqc")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "script.v")
        path.write_text(with_assumptions(source), encoding="utf-8")
        begin = time.perf_counter()
        try:
            run = subprocess.run(
                [coqc, "-q", path.name], cwd=folder, capture_output=True, encoding="utf-8", timeout=_LIMIT
            )
        except subprocess.TimeoutExpired as error:
            raise NotProved(f"coqc takes more than {_LIMIT:g} s") from error
        seconds = time.perf_counter() - begin
    assumed = re.findall(r"^([A-Za-z_][\w'.]*)\s*:(?!=)", run.stdout, re.MULTILINE)
    accepted = run.returncode == 0
    return Checked(accepted, frozenset(assumed) - {"Axioms"}, run.stderr.strip(), round(seconds, 3))


def require_proved(claim: Claim, source: str) -> None:
    """Have the kernel check every theorem of a script, which must assume no more than the standard reals do.

    Parameters
    ----------
    claim : Claim
        The claim that the script is evidence for; a comment at its head names it.
    source : str
        Coq source.

    Raises
    ------
    NotProved
        If Coq rejects it or a theorem rests on another axiom. This is no refutation.
    """
    script = headed(claim, source)
    collected = _COLLECTED.get()
    if collected is not None:
        collected.append(script)
        return
    if find_coqc() is None:
        import pytest

        pytest.skip("not run: there is no coqc (Debian's package is coq)")
    checked = run_coqc(script)
    if not checked.accepted:
        raise NotProved(f"not proved, which is no refutation; coqc says: {checked.message}")
    others = sorted(checked.assumptions - ASSUMPTIONS)
    if others:
        raise NotProved(f"proved from assumptions that are no axioms of the standard reals: {', '.join(others)}")


def require_disproved(claim: Claim, source: str, message: str, **witness: object) -> NoReturn:
    """Have the kernel check the refutation of a false statement, and then report the statement as refuted.

    Parameters
    ----------
    claim : Claim
        The claim.
    source : str
        Coq source, which proves the negation of what a false form of the statement says.
    message : str
        What is wrong.
    **witness : object
        The instance.

    Raises
    ------
    Refuted
        If the refutation is checked.
    NotProved
        If it is not.
    """
    require_proved(claim, source)
    raise Refuted(message, **witness)


def headed(claim: Claim, source: str) -> str:
    """The script with a comment before it that names the claim and its source."""
    words = f"{claim.id}: {claim.title}. Source: {claim.source}".replace("*)", "* )").replace('"', "'")
    return f"(* {textwrap.fill(words, 110, subsequent_indent='   ')} *)\n\n{source}"


@contextmanager
def collecting() -> Iterator[list[str]]:
    """Collect the scripts that would be put to Coq, in the place of running it."""
    found: list[str] = []
    token = _COLLECTED.set(found)
    try:
        yield found
    finally:
        _COLLECTED.reset(token)
