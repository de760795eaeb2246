"""Files of Coq source: what they begin with, and the theorems in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PRELUDE = """\
Require Import Reals Lra Lia.
Local Open Scope R_scope.

(* A sum of products and powers of what is non-negative is non-negative. *)
Ltac nonneg :=
  lazymatch goal with
  | |- 0 <= _ + _ => apply Rplus_le_le_0_compat; nonneg
  | |- 0 <= _ * _ => apply Rmult_le_pos; nonneg
  | |- 0 <= _ ^ _ => apply pow_le; nonneg
  | |- 0 <= IZR _ => apply (IZR_le 0); discriminate
  | |- _ => first [assumption | lra]
  end.

(* It is positive if its first term is. *)
Ltac positive :=
  lazymatch goal with
  | |- 0 < _ + _ => apply Rplus_lt_le_0_compat; [positive | nonneg]
  | |- _ => lra
  end."""


@dataclass(frozen=True)
class Lemma:
    """A theorem with its proof, as Coq source.

    Attributes
    ----------
    name : str
        The theorem's name.
    text : str
        The source, from the comment above the theorem to its end.
    library : Path, optional
        A file of what the proof needs, to stand once before all theorems.
    """

    name: str
    text: str
    library: Path | None = None


def script(lemmas: Iterable[Lemma | str | Path]) -> str:
    """Return a file of Coq source that `coqc` accepts if every theorem in it is proved.

    Parameters
    ----------
    lemmas : iterable of Lemma, str or Path
        The theorems in their order; a string is source that stands between them as it is, a path the file of it.

    Returns
    -------
    str
        The file's text.

    Examples
    --------
    >>> from theory.certificate import ShiftCertificate
    >>> from theory.coq import translate
    >>> certificate = ShiftCertificate("r(r−3)/2 > 0", ("r",), {(2,): 1, (1,): -3}, (4,))
    >>> print(script(translate(certificate, "edges")).split("end.")[-1].strip())
    (* r(r−3)/2 > 0 *)
    Theorem edges : forall r : R,
      4 <= r ->
      0 < - 3 * r + r ^ 2.
    Proof.
      intros r bound_r.
      assert (shift_r : 0 <= r - 4) by lra.
      assert (shifted :
        - 3 * r + r ^ 2
        = 4 + 5 * (r - 4) + (r - 4) ^ 2) by ring.
      rewrite shifted; clear shifted; positive.
    Qed.
    """
    parts = list(lemmas)
    libraries = dict.fromkeys(part.library for part in parts if isinstance(part, Lemma) and part.library)
    return "\n\n".join([_PRELUDE, *map(_source, [*libraries, *parts])]) + "\n"


def _source(part: Lemma | str | Path) -> str:
    if isinstance(part, Path):
        return part.read_text(encoding="utf-8").rstrip()
    return part if isinstance(part, str) else part.text
