"""How far a verdict reaches: what each check covers, and what the checks of a claim cover together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

Extent = Literal["all", "part", "instances", "search"]
Scope = Literal["proved", "proved in part", "tested", "searched"]

#: How far evidence carries, from furthest: an argument covers every value of the statement; it covers named parts;
#: instances, drawn as stated, found nothing against it; a search found nothing against it.
SCOPES: tuple[Scope, ...] = get_args(Scope)


def short_scope(scope: str | None) -> str:
    """A scope as a table's cell; empty where there is none.

    Examples
    --------
    >>> short_scope("proved in part"), short_scope("tested")
    ('in part', 'tested')
    """
    return {"proved in part": "in part"}.get(scope or "", scope or "")


@dataclass(frozen=True)
class Coverage:
    """What a check covers of its statement."""

    text: str
    extent: ClassVar[Extent]

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise TypeError(f"{type(self).__name__} of a {type(self.text).__name__}; it must be of a string")
        if not self.text.strip():
            raise ValueError(f"{type(self).__name__}({self.text!r}): the text must say what is covered")

    def to_json(self) -> dict[str, str]:
        """The coverage as plain data."""
        return {"extent": self.extent, "text": self.text}

    @staticmethod
    def from_json(data: dict[str, str]) -> "Coverage":
        """The coverage that `to_json` has written."""
        return next(sort for sort in (All, Part, Instances, Search) if sort.extent == data["extent"])(data["text"])


@dataclass(frozen=True)
class All(Coverage):
    """Every value of the statement is covered by an argument; written ``covers="all"``."""

    text: str = "all values"
    extent: ClassVar[Extent] = "all"


@dataclass(frozen=True)
class Part(Coverage):
    """Every value of a named part of the statement is covered by an argument."""

    extent: ClassVar[Extent] = "part"


@dataclass(frozen=True)
class Instances(Coverage):
    """Instances were tried; the text says which, how many and how they are drawn."""

    extent: ClassVar[Extent] = "instances"


@dataclass(frozen=True)
class Search(Coverage):
    """An optimiser or an enumeration looked for something against the statement; the text says which and how far."""

    extent: ClassVar[Extent] = "search"


Covers = Literal["all"] | Coverage | Sequence[Literal["all"] | Coverage]

#: What a check covers that does not say it.
NOT_SAID = Instances("not said")


def coverages(covers: Covers | None) -> tuple[Coverage, ...]:
    """What a check covers, from the argument ``covers`` of `Claim.check`.

    Parameters
    ----------
    covers : "all", Part, Instances or Search, or several of these in a list; or None
        What the check covers; None says nothing, which counts as instances.

    Raises
    ------
    TypeError
        If something else is given.
    ValueError
        If a string other than ``"all"`` or an empty list is given.

    Examples
    --------
    >>> coverages("all")
    (All(text='all values'),)
    >>> coverages([Part("equal classes"), Instances("unequal classes, K ≤ 8, drawn uniformly")])
    (Part(text='equal classes'), Instances(text='unequal classes, K ≤ 8, drawn uniformly'))
    """
    if covers is None:
        return (NOT_SAID,)
    if isinstance(covers, str):
        if covers != "all":
            raise ValueError(f"covers = {covers!r}; covers must be 'all', Part(…), Instances(…) or Search(…)")
        return (All(),)
    if isinstance(covers, Coverage):
        return (covers,)
    if not isinstance(covers, list | tuple):
        kind = type(covers).__name__
        raise TypeError(f"covers = {covers!r} is a {kind}; covers must be 'all', Part(…), Instances(…) or Search(…)")
    if not covers:
        raise ValueError("covers = []; covers must name what is covered")
    return tuple(one for item in covers for one in coverages(item))


@dataclass(frozen=True)
class Reach:
    """How far the evidence of a claim carries.

    Attributes
    ----------
    scope : {"proved", "proved in part", "tested", "searched"}
        The furthest that the checks go together.
    parts : tuple of str
        The parts that are proved, where that is not the whole.
    kernel : tuple of str
        What a proof assistant's kernel has checked of it.
    """

    scope: Scope
    parts: tuple[str, ...] = ()
    kernel: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The reach as it stands in the ledger's JSON."""
        return {"scope": self.scope, "parts": list(self.parts), "kernel": list(self.kernel)}


def reach(covered: Iterable[Coverage], parts: Sequence[str] = ()) -> Reach | None:
    """How far several checks carry together.

    Parameters
    ----------
    covered : iterable of Coverage
        What the checks cover, each on its own.
    parts : sequence of str
        The parts that the statement consists of, if it names any. All of them together are the whole.

    Returns
    -------
    Reach or None
        None if nothing is covered.

    Examples
    --------
    >>> reach([Part("L = 2"), Instances("L ≤ 9"), Part("L > 2")], parts=["L = 2", "L > 2"])
    Reach(scope='proved', parts=(), kernel=())
    >>> reach([Part("L = 2"), Instances("L ≤ 9")])
    Reach(scope='proved in part', parts=('L = 2',), kernel=())
    """
    covered = list(covered)
    extents = {one.extent for one in covered}
    proved = list(dict.fromkeys(one.text for one in covered if one.extent == "part"))
    if "all" in extents or (parts and set(parts) <= set(proved)):
        return Reach("proved")
    if proved:
        return Reach("proved in part", tuple(proved))
    if "instances" in extents:
        return Reach("tested")
    return Reach("searched") if "search" in extents else None
