"""Variables that users of CANDLE's workflows have set: none of them is passed over in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from comparator.experiment.of_the_environment import ELSEWHERE, METRIC, OF_JOBS, doubt_environment
from comparator.experiment.settings import ExperimentSettings, known_keys
from comparator.site.profile import read_site
from comparator.strategies.population import EvolutionOptions

SITE = read_site("local", Path(__file__).parents[3])


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*METRIC, *ELSEWHERE, *OF_JOBS):
        monkeypatch.delenv(name, raising=False)


def test_the_metric_is_that_of_either_name(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ExperimentSettings(model="uno", upf="upf.txt")
    assert settings.asked_metric == "val_loss"
    monkeypatch.setenv("OBJ_RETURN", "val_corr")
    assert settings.asked_metric == "val_corr"
    monkeypatch.setenv("MODEL_RETURN", "val_r2")
    assert settings.asked_metric == "val_r2"
    assert settings.model_copy(update={"metric": "val_mse"}).asked_metric == "val_mse"
    assert doubt_environment("val_r2", "x.toml", SITE) == []
    assert doubt_environment("val_mse", "x.toml", SITE) == [
        "MODEL_RETURN=val_r2 has no effect: x.toml states 'val_mse'"
    ]


def test_what_has_no_effect_is_said_with_what_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCS", "4")
    monkeypatch.setenv("MODEL_NAME", "nt3")
    monkeypatch.setenv("PPN", "")
    monkeypatch.setenv("WALLTIME", "00:10:00")
    words = "variables of CANDLE's workflows without effect: MODEL_NAME (here: model), PROCS (here: --workers)"
    assert doubt_environment("val_loss", "x.toml", SITE) == [words]
    jobs = replace(SITE, scheduler="pbs", project="P1")
    monkeypatch.setenv("PROJECT", "P1")
    assert doubt_environment("val_loss", "x.toml", jobs) == [f"{words}, WALLTIME (here: --walltime)"]
    monkeypatch.setenv("PROJECT", "P2")
    assert doubt_environment("val_loss", "x.toml", jobs) == [
        f"{words}, WALLTIME (here: --walltime), PROJECT (here: --project)"
    ]


def test_what_says_it_is_a_key_of_experiment_files_or_an_option() -> None:
    keys = {key for key in ELSEWHERE.values() if not key.startswith("--")}
    assert keys <= {*known_keys(), *(f"search.{name}" for name in EvolutionOptions.model_fields)}
