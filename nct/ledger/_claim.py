"""Claims, and the checks that stand behind them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar, get_args

from nct.ledger._reach import Coverage, Covers, coverages
from nct.ledger._statement import Statement, Variant

Kind = Literal["derived", "exact", "enclosed", "property", "simulated", "optimised", "kernel"]
Verdict = Literal["holds", "amended", "fails", "observed"]

#: The kinds of evidence: derived from the definition by computer algebra; exact arithmetic, or a certificate for all
#: values; enclosed by ball arithmetic; property-based over random instances; simulated; found by an independent
#: optimiser; checked by a proof assistant's kernel, which comes on top of the others and counts for none of them.
KINDS: tuple[Kind, ...] = get_args(Kind)

#: The kinds that can cover all values of a statement: an argument, not a sample.
PROVING: tuple[Kind, ...] = ("derived", "exact", "enclosed", "kernel")

#: What a claim comes to: true as printed; false as printed and true as amended; false with no repair known; an
#: experiment, seen at the scale that was run.
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

_CHECK = "__ledger_check__"
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of a source paper, with what is known of it.

    Parameters
    ----------
    id : str
        ``<paper>.<row>``, unique in the ledger.
    title : str
        A few words.
    source : str
        Paper and place: theorem, equation, page or figure.
    verdict : {"holds", "amended", "fails", "observed"}
        What the computation says of the printed statement.
    printed : Statement
        The statement exactly as the source prints it.
    amended : Statement, optional
        The statement that does hold; given exactly when the verdict is ``amended``.
    seen : Statement, optional
        For an experiment, what was seen at the scale that was run, where it is not what is printed. Every check has to
        accept it; at least one does not find the printed statement.
    ran : str, optional
        For an experiment, what was run: data, sizes, seeds, and thresholds with whose they are.
    near_misses : mapping of str to object
        False statements close to the true one, by name, in the form of ``printed.value``. Every check has to
        reject each.
    depends_on : iterable of str
        The ids of the claims that this one rests on.
    counterexample_code : str, optional
        A few lines of plain Python, without the project, that show what is wrong with the printed statement: they print
        the instance, and assert what refutes it.
    true_edits : mapping of str to str
        Edits that ``--ledger-mutate`` makes of the form that stands and that are true as well, by the name that it
        gives them, each with the reason.

    Raises
    ------
    ValueError
        If an id is not of that form, a title or source is empty, the verdict is unknown, an amended statement is
        missing or not wanted, `seen` or `ran` is given for what is no experiment, or `counterexample_code` for what
        holds.
    TypeError
        If a statement is no `Statement`, the near misses are no mapping, or `depends_on` is a single string.

    Notes
    -----
    These fields are listed here and nowhere else: listing, printing and writing a claim go by `dataclasses.fields`.
    """

    id: str
    title: str
    source: str
    verdict: Verdict
    printed: Statement
    amended: Statement | None = None
    seen: Statement | None = None
    ran: str | None = None
    near_misses: Mapping[str, Any] = field(default_factory=dict)
    depends_on: Iterable[str] = ()
    counterexample_code: str | None = None
    true_edits: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*(\.[A-Za-z0-9-]+)+", self.id):
            raise ValueError(f"id = {self.id!r}; id must be '<paper>.<row>', in letters, digits, '-' and '.'")
        if self.verdict not in VERDICTS:
            raise self._wrong("verdict", f"must be one of {', '.join(VERDICTS)}")
        for name in ("title", "source"):
            if not getattr(self, name).strip():
                raise self._wrong(name, "must not be empty")
        self._check_types()
        if (self.amended is not None) != (self.verdict == "amended"):
            given = "missing" if self.amended is None else "given"
            raise ValueError(
                f"amended of {self.id} is {given}; amended must be given exactly when the verdict is 'amended', "
                f"not {self.verdict!r}"
            )
        for name in ("seen", "ran"):
            if getattr(self, name) is not None and self.verdict != "observed":
                given = f"{name} must be given only when the verdict is 'observed', not {self.verdict!r}"
                raise ValueError(f"{name} of {self.id} is given; {given}")
        if self.counterexample_code is not None and self.verdict == "holds":
            raise ValueError(
                f"counterexample_code of {self.id} is given; counterexample_code must not be given when the verdict is"
                " 'holds'"
            )
        object.__setattr__(self, "near_misses", MappingProxyType(dict(self.near_misses)))
        object.__setattr__(self, "depends_on", tuple(self.depends_on))
        object.__setattr__(self, "true_edits", MappingProxyType(dict(self.true_edits)))

    def _check_types(self) -> None:
        for name, value in (("printed", self.printed), ("amended", self.amended), ("seen", self.seen)):
            if not isinstance(value, Statement) and (value is not None or name == "printed"):
                raise TypeError(f"{name} of {self.id} is a {type(value).__name__}; {name} must be a Statement")
        for name in ("near_misses", "true_edits"):
            if not isinstance(getattr(self, name), Mapping):
                given = type(getattr(self, name)).__name__
                raise TypeError(f"{name} of {self.id} is a {given}; {name} must be a mapping of names")
        if isinstance(self.depends_on, str):
            raise TypeError(
                f"depends_on = {self.depends_on!r} of {self.id} is a string; depends_on must be a list of ids"
            )

    def _wrong(self, name: str, allowed: str) -> ValueError:
        return ValueError(f"{name} = {getattr(self, name)!r} of {self.id}; {name} {allowed}")

    @property
    def paper(self) -> str:
        """The paper's key: the part of the id before the first dot."""
        return self.id.partition(".")[0]

    @property
    def row(self) -> str:
        """The row within the paper: the part of the id after the first dot."""
        return self.id.partition(".")[2]

    @property
    def standing(self) -> Statement:
        """The form that stands: amended, or as seen in an experiment, or as printed (which `fails` says is false)."""
        return self.amended or self.seen or self.printed

    @property
    def variants(self) -> list[Variant]:
        """Printed, amended, seen and near-miss forms, with whether each is expected to hold."""
        as_printed = None if self.seen is not None else self.verdict in ("holds", "observed")
        forms = [Variant("printed", "printed", self.printed.value, as_printed)]
        if self.amended is not None:
            forms.append(Variant("amended", "amended", self.amended.value, True))
        if self.seen is not None:
            forms.append(Variant("seen", "seen", self.seen.value, True))
        return forms + [Variant("near miss", name, value, False) for name, value in self.near_misses.items()]

    def to_json(self) -> dict[str, Any]:
        """The claim in words, field by field: texts of statements and names of near misses, without their values."""
        return {field.name: _in_words(getattr(self, field.name)) for field in fields(self)}

    def check(
        self,
        kind: Kind,
        *,
        covers: Covers | None = None,
        blind_to: Mapping[str, str] | None = None,
        resolution: float | None = None,
        refutes: Iterable[str] = (),
    ) -> Callable[[_F], _F]:
        """Register a function of the statement as evidence of `kind`.

        The function takes the statement as its argument ``statement``, raises an AssertionError (best by `require`) if
        the statement does not stand, and returns otherwise. Its other arguments are pytest fixtures or Hypothesis
        draws.

        Parameters
        ----------
        kind : {"derived", "exact", "enclosed", "property", "simulated", "optimised", "kernel"}
            The kind of evidence.
        covers : "all", Part, Instances or Search, or several of these in a list
            What the check covers of the form that stands: ``"all"`` values or a named `Part` of them, by an argument
            that holds for every one; `Instances`, with which, how many and drawn how; or a `Search` that found nothing
            against it. Say ``"all"`` only if the argument, not just the outcome, covers every value.
        blind_to : mapping of str to str, optional
            Near misses that this check cannot tell from the statement, each with the reason. The ledger counts a near
            miss only where another check rejects it.
        resolution : float, optional
            The relative change of a number in the statement that the check can just tell from its statistical error;
            without it, the check is taken to be free of that. If every check of the claim states one, machine-made
            edits move numbers by twice the finest of them.
        refutes : iterable of str, optional
            Of a ``kernel`` check only: the near misses whose negation it proves. A proof that a kernel rejects refutes
            nothing, so such a check is run on the form that stands and on these.

        Returns
        -------
        callable
            The decorator.

        Raises
        ------
        ValueError
            If the kind is unknown, a name in `blind_to` is no near miss of the claim, or `covers` says what a check of
            this kind cannot know or names a part that the statement does not have, or the resolution is not positive,
            or `refutes` names no near miss or is given for another kind.
        """
        if kind not in KINDS:
            raise ValueError(f"kind = {kind!r} of a check of {self.id}; kind must be one of {', '.join(KINDS)}")
        blind_to = MappingProxyType(dict(blind_to or {}))
        for name in blind_to:
            if name not in self.near_misses:
                raise ValueError(
                    f"blind_to = {name!r} of a check of {self.id}; blind_to must name near misses of the claim"
                )

        if resolution is not None and not resolution > 0:
            raise ValueError(f"resolution = {resolution!r} of a check of {self.id}; resolution must be positive")
        refutes = self._checked_refutes(kind, refutes)
        covered = coverages(covers)
        for allowed in self._faults_of_coverage(kind, covered):
            raise ValueError(f"covers = {covers!r} of a check of {self.id}; {allowed}")

        def register(function: _F) -> _F:
            setattr(function, _CHECK, Check(self, kind, blind_to, covered, resolution, refutes))
            return function

        return register

    def _checked_refutes(self, kind: Kind, refutes: Iterable[str]) -> tuple[str, ...]:
        names = tuple(refutes)
        for name in names:
            if kind != "kernel" or name not in self.near_misses:
                raise ValueError(
                    f"refutes = {name!r} of a check of {self.id} that is {kind}; refutes must name near misses of the "
                    "claim, in a check of the kind 'kernel'"
                )
        return names

    def _faults_of_coverage(self, kind: Kind, covered: Iterable[Coverage]) -> Iterator[str]:
        parts = self.standing.parts
        for one in covered:
            if one.extent in ("all", "part"):
                if kind not in PROVING:
                    yield f"covers must be Instances(…) or Search(…) of evidence that is {kind}, which proves nothing"
                if self.verdict in ("observed", "fails"):
                    yield f"covers must be Instances(…) or Search(…) of a claim with the verdict {self.verdict!r}"
            if kind == "kernel" and one.extent not in ("all", "part"):
                yield "covers must be 'all' or Part(…) of a kernel check, which proves what it covers"
            if kind != "kernel" and one.extent == "part" and parts and one.text not in parts:
                yield f"covers must name parts of the statement: {', '.join(parts)}"

    def checks_in(self, module: ModuleType) -> dict[str, "Check"]:
        """The claim's checks that `module` defines, by function name."""
        notes = {name: Check.of(value) for name, value in vars(module).items()}
        return {name: note for name, note in notes.items() if note is not None and note.claim is self}


@dataclass(frozen=True)
class Check:
    """What `Claim.check` notes on a check function.

    Attributes
    ----------
    claim : Claim
        The claim that the function checks.
    kind : str
        The kind of evidence.
    blind_to : mapping of str to str
        The near misses that it cannot see, each with the reason.
    covers : tuple of Coverage
        What it covers of the statement.
    resolution : float or None
        The relative change that it can just tell from its statistical error; None if it has none.
    refutes : tuple of str
        Of a kernel check, the near misses that it refutes.
    """

    claim: Claim
    kind: Kind
    blind_to: Mapping[str, str]
    covers: tuple[Coverage, ...]
    resolution: float | None
    refutes: tuple[str, ...] = ()

    @classmethod
    def of(cls, function: object) -> "Check | None":
        """The note on `function`, if it is a check."""
        note = getattr(function, _CHECK, None)
        return note if isinstance(note, cls) else None

    @property
    def variants(self) -> list[Variant]:
        """The forms of the statement that the check is run on."""
        if self.kind == "kernel":
            standing = self.claim.standing.value
            return [
                v
                for v in self.claim.variants
                if (v.name in self.refutes if v.role == "near miss" else v.value is standing)
            ]
        return [v for v in self.claim.variants if v.role != "near miss" or v.name not in self.blind_to]


def claim_of(module: ModuleType) -> Claim | None:
    """The claim that a module states, if it states one."""
    claim = getattr(module, "claim", None)
    return claim if isinstance(claim, Claim) else None


def natural(name: str) -> list[tuple[int, int | str]]:
    """A sorting key that puts lemma-9 before lemma-12.

    Examples
    --------
    >>> sorted(["lowrank.lemma-12", "lowrank.lemma-9"], key=natural)
    ['lowrank.lemma-9', 'lowrank.lemma-12']
    """
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]


def _in_words(value: Any) -> Any:
    match value:
        case Statement():
            return value.text
        case Mapping() | tuple():
            return list(value)
    return value
