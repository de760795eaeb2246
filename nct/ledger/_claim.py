"""Claims, checks and refutations."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar, get_args

Kind = Literal["derived", "exact", "enclosed", "property", "simulated", "optimised"]
Verdict = Literal["holds", "amended", "fails", "observed"]

#: The kinds of evidence: derived from the definition by computer algebra; exact arithmetic, or a certificate for all
#: values; enclosed by ball arithmetic; property-based over random instances; simulated; found by an independent
#: optimiser.
KINDS: tuple[Kind, ...] = get_args(Kind)

#: What a claim comes to: true as printed; false as printed and true as amended; false with no repair known; an
#: experiment, seen at the scale that was run.
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

_CHECK = "__ledger_check__"
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Statement:
    """One wording of a claim.

    Attributes
    ----------
    text : str
        The statement in LaTeX and prose, for people.
    value : object
        The statement as the checks take it: a formula as a function or SymPy expression, a predicate, a table.
    """

    text: str
    value: Any


@dataclass(frozen=True)
class Variant:
    """A form in which a statement meets its checks: printed, amended or a near miss."""

    role: Literal["printed", "amended", "near miss"]
    name: str
    value: Any
    holds: bool

    @property
    def id(self) -> str:
        """The variant in a test's name, such as ``printed`` or ``near-miss-off-by-one``."""
        words = self.role if self.role != "near miss" else f"{self.role} {self.name}"
        return re.sub(r"[^\w.+]+", "-", words).strip("-")


@dataclass(frozen=True)
class Check:
    """What `Claim.check` notes on a check function."""

    claim: "Claim"
    kind: Kind
    blind_to: Mapping[str, str]

    @classmethod
    def of(cls, function: object) -> "Check | None":
        """The note on `function`, if it is a check."""
        note = getattr(function, _CHECK, None)
        return note if isinstance(note, cls) else None

    @property
    def variants(self) -> list[Variant]:
        """The forms of the statement that the check is run on."""
        return [v for v in self.claim.variants if v.role != "near miss" or v.name not in self.blind_to]


@dataclass(frozen=True, kw_only=True)
class Claim:
    r"""A statement of a source paper, with what is known of it.

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
    near_misses : mapping of str to object
        False statements close to the true one, by name, in the form of ``printed.value``. Every check has to
        reject each.
    depends_on : iterable of str
        The ids of the claims that this one rests on.

    Raises
    ------
    ValueError
        If an id is not of that form, a title or source is empty, the verdict is unknown, or an amended statement is
        missing or not wanted.
    TypeError
        If a statement is no `Statement`, the near misses are no mapping, or `depends_on` is a single string.
    """

    id: str
    title: str
    source: str
    verdict: Verdict
    printed: Statement
    amended: Statement | None = None
    near_misses: Mapping[str, Any] = field(default_factory=dict)
    depends_on: Iterable[str] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*(\.[A-Za-z0-9-]+)+", self.id):
            raise ValueError(f"id = {self.id!r}: a claim's id is '<paper>.<row>', in letters, digits, '-' and '.'")
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict = {self.verdict!r} of {self.id}: allowed are {', '.join(VERDICTS)}")
        for name in ("title", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} of {self.id} is empty")
        if (self.amended is not None) != (self.verdict == "amended"):
            raise ValueError(f"amended of {self.id}: given exactly when the verdict is 'amended', not {self.verdict!r}")
        for name, value in (("printed", self.printed), ("amended", self.amended)):
            if (value is not None or name == "printed") and not isinstance(value, Statement):
                raise TypeError(f"{name} of {self.id} is a {type(value).__name__}, not a Statement")
        if not isinstance(self.near_misses, Mapping):
            raise TypeError(f"near_misses of {self.id} is a {type(self.near_misses).__name__}, not a mapping")
        if isinstance(self.depends_on, str):
            raise TypeError(f"depends_on = {self.depends_on!r} of {self.id} is a string, not a list of ids")
        object.__setattr__(self, "near_misses", MappingProxyType(dict(self.near_misses)))
        object.__setattr__(self, "depends_on", tuple(self.depends_on))

    @property
    def variants(self) -> list[Variant]:
        """Printed, amended and near-miss forms, with whether each is expected to hold."""
        forms = [Variant("printed", "printed", self.printed.value, self.verdict in ("holds", "observed"))]
        if self.amended is not None:
            forms.append(Variant("amended", "amended", self.amended.value, True))
        return forms + [Variant("near miss", name, value, False) for name, value in self.near_misses.items()]

    def check(self, kind: Kind, *, blind_to: Mapping[str, str] | None = None) -> Callable[[_F], _F]:
        """Register a function of the statement as evidence of `kind`.

        The function takes the statement as its argument ``statement``, raises an AssertionError (best by `require`) if
        the statement does not stand, and returns otherwise. Its other arguments are pytest fixtures or Hypothesis
        draws.

        Parameters
        ----------
        kind : {"derived", "exact", "enclosed", "property", "simulated", "optimised"}
            The kind of evidence.
        blind_to : mapping of str to str, optional
            Near misses that this check cannot tell from the statement, each with the reason. The ledger counts a near
            miss only where another check rejects it.

        Raises
        ------
        ValueError
            If the kind is unknown or a name in `blind_to` is no near miss of the claim.
        """
        if kind not in KINDS:
            raise ValueError(f"kind = {kind!r} of a check of {self.id}: allowed are {', '.join(KINDS)}")
        blind_to = MappingProxyType(dict(blind_to or {}))
        for name in blind_to:
            if name not in self.near_misses:
                raise ValueError(f"blind_to = {name!r} of a check of {self.id}: no near miss has that name")

        def register(function: _F) -> _F:
            setattr(function, _CHECK, Check(self, kind, blind_to))
            return function

        return register

    def checks_in(self, module: ModuleType) -> dict[str, Check]:
        """The claim's checks that `module` defines, by function name."""
        notes = {name: Check.of(value) for name, value in vars(module).items()}
        return {name: note for name, note in notes.items() if note is not None and note.claim is self}


class Refuted(AssertionError):
    """A statement does not stand; `witness` is the instance that shows it."""

    def __init__(self, message: str, **witness: object) -> None:
        self.witness = witness
        shown = ", ".join(f"{name} = {value}" for name, value in witness.items())
        super().__init__(f"{message}: {shown}" if shown else message)


def require(condition: object, message: str, **witness: object) -> None:
    """Raise `Refuted` with the witness unless the condition is true.

    Parameters
    ----------
    condition : object
        What the statement entails; its truth value counts.
    message : str
        What is wrong if it is false.
    **witness
        The instance: the values at which the statement fails, shown in the ledger as its counterexample.

    Raises
    ------
    Refuted
        If the condition is false.
    """
    if not condition:
        raise Refuted(message, **witness)


def natural(name: str) -> list[tuple[int, int | str]]:
    """A sorting key that puts lemma-9 before lemma-12."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]
