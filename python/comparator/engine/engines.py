"""The engines there are, and the one that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from comparator.engine.executor import ExecutorEngine
from comparator.engine.interface import Engine, EngineOptions
from comparator.errors import InputError, nearest
from comparator.extensions.registry import Registry
from comparator.formats.text import shortened
from comparator.site.profile import Site, Slot, site_file
from comparator.site.variables import said

ENGINES: Registry[type[Engine]] = Registry(
    "comparator.engines",
    {"local": "comparator.engine.local:Local", "swift-t": "comparator.engine.swift_t:SwiftT"},
)


def open_engine(asked: EngineOptions, site: Site, slots: Sequence[Slot], root: Path) -> Engine:
    """The engine that is asked for, else the site's first; raises `InputError`."""
    check_engines(site, root)
    if isinstance(asked.engine, Engine):
        _refuse_options(asked, f"the {asked.engine.name} engine was given with options of its own", frozenset())
        return asked.engine
    if isinstance(asked.engine, Executor):
        kind: type[Engine] = ExecutorEngine
        name = type(asked.engine).__name__
    else:
        name = asked.engine or site.engines[0]
        if name not in site.engines:
            has = ", ".join(site.engines)
            raise InputError(f"--engine {shortened(name)}: site '{site.name}' has {has}{nearest(name, ENGINES)}")
        kind = ENGINES[name]
    _refuse_options(asked, f"the {name} engine {kind.manner}", kind.takes)
    return kind.open(asked, site, slots)


def check_engines(site: Site, root: Path) -> None:
    """See to it that there are the engines that a site's file names; raises `InputError`."""
    for name in site.engines:
        if name not in ENGINES:
            raise InputError(
                f"{said('SITE_ENGINES', ' '.join(site.engines), site_file(site.name, root))}: there is no engine"
                f" '{shortened(name)}'{nearest(name, ENGINES)}; there are: {', '.join(ENGINES)}"
            )


def _refuse_options(asked: EngineOptions, why: str, taken: frozenset[str]) -> None:
    refused = next((option for option in asked.given() if option not in taken), None)
    if refused is None:
        return
    others = [name for name in ENGINES if refused in ENGINES[name].takes]
    hint = f"; --engine {others[0]} takes it" if others else ""
    raise InputError(f"--{refused.replace('_', '-')}: {why}{hint}")
