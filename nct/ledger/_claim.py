"""Claims, and the checks that stand behind them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar, get_args

from nct.ledger._statement import Statement, Variant

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
    near_misses: Mapping[str, Any] = field(default_factory=dict)
    depends_on: Iterable[str] = ()

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
        object.__setattr__(self, "near_misses", MappingProxyType(dict(self.near_misses)))
        object.__setattr__(self, "depends_on", tuple(self.depends_on))

    def _check_types(self) -> None:
        for name, value in (("printed", self.printed), ("amended", self.amended)):
            if not isinstance(value, Statement) and (value is not None or name == "printed"):
                raise TypeError(f"{name} of {self.id} is a {type(value).__name__}; {name} must be a Statement")
        if not isinstance(self.near_misses, Mapping):
            given = type(self.near_misses).__name__
            raise TypeError(f"near_misses of {self.id} is a {given}; near_misses must be a mapping of names")
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
    def variants(self) -> list[Variant]:
        """Printed, amended and near-miss forms, with whether each is expected to hold."""
        forms = [Variant("printed", "printed", self.printed.value, self.verdict in ("holds", "observed"))]
        if self.amended is not None:
            forms.append(Variant("amended", "amended", self.amended.value, True))
        return forms + [Variant("near miss", name, value, False) for name, value in self.near_misses.items()]

    def to_json(self) -> dict[str, Any]:
        """The claim in words, field by field: texts of statements and names of near misses, without their values."""
        return {field.name: _in_words(getattr(self, field.name)) for field in fields(self)}

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

        Returns
        -------
        callable
            The decorator.

        Raises
        ------
        ValueError
            If the kind is unknown or a name in `blind_to` is no near miss of the claim.
        """
        if kind not in KINDS:
            raise ValueError(f"kind = {kind!r} of a check of {self.id}; kind must be one of {', '.join(KINDS)}")
        blind_to = MappingProxyType(dict(blind_to or {}))
        for name in blind_to:
            if name not in self.near_misses:
                raise ValueError(
                    f"blind_to = {name!r} of a check of {self.id}; blind_to must name near misses of the claim"
                )

        def register(function: _F) -> _F:
            setattr(function, _CHECK, Check(self, kind, blind_to))
            return function

        return register

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
    """

    claim: Claim
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
