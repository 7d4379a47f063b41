"""Studies and measures by name, from the manifest of the prepared data alone; standard library only.

Studies are named as Uno does, by prefix: `GDSC` is GDSC1 and GDSC2, a full name is that study alone, `all` is
every study.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import nearest
from drug_response.errors import DataError
from drug_response.sources import SOURCES

#: What `data_source` is where any source will do.
AUTO = "auto"


def match_names(wanted: Iterable[str], available: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the studies that `wanted` names, in the order of `wanted`, and the words that name none."""
    found: list[str] = []
    unknown: list[str] = []
    for word in wanted:
        if word in available:
            names = [word]
        else:
            names = [name for name in available if word == "all" or (word and name.startswith(word))]
        if not names:
            unknown.append(word)
        found.extend(name for name in names if name not in found)
    return found, unknown


def choose_source(
    manifest: dict[str, Any], data_source: str, named: Mapping[str, Sequence[str]], data_folder: Path
) -> str:
    """Return the source to read, one of `drug_response.sources.SOURCES`.

    `named` gives for each hyperparameter (`train_sources`, ...) the studies that it names. `auto` takes the first
    source that has them all. Raises `DataError` with one line where a study, or the source, is missing.
    """
    sources = manifest["sources"]
    if data_source == AUTO:
        order = [name for name in SOURCES if name in sources]
    elif data_source in sources:
        order = [data_source]
    elif data_source in SOURCES:
        there = ", ".join(sorted(sources))
        bring = SOURCES[data_source].bring
        raise DataError(f"data_source = '{data_source}': not in {data_folder}, which has {there}; bring {bring}")
    else:
        known = [AUTO, *SOURCES]
        raise DataError(
            f"data_source = '{data_source}': must be one of {', '.join(known)}{nearest(data_source, known)}"
        )
    for source in order:
        if all(not match_names(words, list(sources[source]["studies"]))[1] for words in named.values()):
            return source
    raise DataError(_missing_study(sources, order[-1], named, data_folder))


def _missing_study(sources: dict[str, Any], source: str, named: Mapping[str, Sequence[str]], data_folder: Path) -> str:
    known = {name: sorted(content["studies"]) for name, content in sources.items()}
    for key, words in named.items():
        _, unknown = match_names(words, known[source])
        if unknown:
            bring = " or ".join(source.bring for source in SOURCES.values() if source.has_any_study)
            there = "; ".join(f"{name} has {', '.join(studies)}" for name, studies in sorted(known.items()))
            return (
                f"{key}: the data in {data_folder} have no study '{unknown[0]}'"
                f"{nearest(unknown[0], known[source])}: {there}; for another study put {bring} that has it "
                f"into CANDLE_DATA_DIR"
            )
    raise AssertionError("every study is there")


def choose_measure(study: str, measures: Sequence[str], wanted: str | None) -> str:
    """Return the study's measure of that name, in any case. Raises `DataError` with the measures there are."""
    for name in measures:
        if wanted is not None and name.lower() == wanted.lower():
            return name
    there = f"{study} has {', '.join(measures)}"
    if wanted is None:
        raise DataError(f"agg_dose = None: these data have no single doses; {there}")
    raise DataError(f"agg_dose = '{wanted}': {there}{nearest(wanted, measures)}")
