"""What a name stands for: what this package has, and what other installed packages add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from pkgutil import resolve_name
from typing import Any, TypeVar

from comparator.errors import InputError
from comparator.extensions.own_code import FAILURES

Thing = TypeVar("Thing")


class Registry(Mapping[str, Thing]):
    """Things of one kind by name: engines, say, or schedulers.

    `own` has this package's: each the thing itself, or where it is, as `module:name`, which is imported when it is
    asked for. Another package adds one by a line of its `pyproject.toml`, below the group's name:

        [project.entry-points."comparator.schedulers"]
        lsf = "my_cluster:LSF"

    It takes the place of none of `own`. To ask for one that cannot be imported raises `InputError`.
    """

    def __init__(self, group: str, own: Mapping[str, Thing | str]) -> None:
        self._group, self._own = group, own

    def __getitem__(self, name: str) -> Thing:
        if name in self._own:
            found: Any = self._own[name]
            return resolve_name(found) if isinstance(found, str) else found
        for added in entry_points(group=self._group, name=name):
            return self._load(added)
        raise KeyError(name)

    def is_own(self, name: str) -> bool:
        """Whether a name is this package's."""
        return name in self._own

    def module_of(self, name: str) -> str | None:
        """The module in which another package has what it calls so; None where none has, or it is this package's."""
        added = () if name in self._own else entry_points(group=self._group, name=name)
        return next((each.module for each in added), None)

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in entry_points(group=self._group).names

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from sorted(entry_points(group=self._group).names - self._own.keys())

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _load(self, added: EntryPoint) -> Thing:
        try:
            return added.load()
        except FAILURES as error:
            package = added.dist.name if added.dist is not None else "a package"
            raise InputError(
                f"{package}: its entry point {added.name} = '{added.value}' of {self._group} cannot be imported:"
                f" {type(error).__name__}: {error}"
            ) from error
