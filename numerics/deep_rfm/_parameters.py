"""Parameters of immutable parts of an estimator, such as a kernel's bandwidth, as parameters of the estimator."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

__all__ = ["PartsAsParameters"]


class PartsAsParameters(BaseEstimator):  # type: ignore[misc]
    """An estimator some of whose parameters are dataclasses that do not change, with fields that a search may vary.

    A field of a part has the name ``part__field``; those that are given by keyword only, as tensors are, do not vary.
    To set one gives the estimator another part of the kind.
    """

    _parts: ClassVar[Mapping[str, Any]]
    """The names of the parts, and what stands for None."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, and those of the parts.

        Parameters
        ----------
        deep : bool
            Whether the fields of the parts are among them.

        Returns
        -------
        dict
        """
        parameters: dict[str, Any] = super().get_params(deep=False)
        if deep:
            for name in self._parts:
                part = self._part(name)
                fields = dataclasses.fields(part) if dataclasses.is_dataclass(part) else ()
                parameters |= {
                    f"{name}__{field.name}": getattr(part, field.name) for field in fields if not field.kw_only
                }
        return parameters

    def set_params(self, **parameters: Any) -> "PartsAsParameters":
        """Set parameters by name, those of parts last.

        Parameters
        ----------
        **parameters
            By name.

        Returns
        -------
        estimator
            Itself.

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        own = {name: value for name, value in parameters.items() if "__" not in name}
        super().set_params(**own)
        for name, value in parameters.items():
            if name not in own:
                self._set_field(name, value)
        return self

    def _part(self, name: str) -> Any:
        part = getattr(self, name)
        return self._parts[name] if part is None else part

    def _set_field(self, name: str, value: Any) -> None:
        valid = self.get_params()
        if name not in valid:
            raise ValueError(f"{name} is no parameter of {type(self).__name__}; there are {', '.join(sorted(valid))}")
        part, _, field = name.partition("__")
        setattr(self, part, dataclasses.replace(self._part(part), **{field: value}))
