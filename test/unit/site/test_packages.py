"""What is read of the heads of packages is what Python says of them."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from comparator.site import packages


def test_names_and_versions_are_those_that_python_tells() -> None:
    names = sorted({str(each.metadata["Name"]) for each in metadata.distributions()})
    assert packages.names() == names
    assert {name: packages.version(name) for name in names} == {name: metadata.version(name) for name in names}


def test_a_package_that_is_not_installed_is_none() -> None:
    with pytest.raises(metadata.PackageNotFoundError):
        packages.version("no-package-of-this-name")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_description_says_is_no_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    folder = tmp_path / "mine-2.0.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.1", "name: mine", "Version:  2.0", "", "Version: 3.0", "Name: another"]
    (folder / "METADATA").write_bytes(end.join(lines).encode())
    monkeypatch.syspath_prepend(str(tmp_path))
    assert packages.version("mine") == metadata.version("mine") == "2.0"
    assert "mine" in packages.names() and "another" not in packages.names()
