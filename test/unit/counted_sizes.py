"""How large things become in a computation: what its functions are called with is noted."""

from __future__ import annotations

from typing import Any

import pytest


def watch(monkeypatch: pytest.MonkeyPatch, found: list[int], module: Any, name: str, of: Any) -> None:
    """Have each call of `module.name` add `of(its arguments)` to `found`."""
    whole = getattr(module, name)

    def counted(*given: Any, **more: Any) -> Any:
        found.append(of(*given))
        return whole(*given, **more)

    monkeypatch.setattr(module, name, counted)
