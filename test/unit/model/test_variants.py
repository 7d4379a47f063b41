"""Several models in one folder: named behind a colon, each described by itself, told apart in identity and by data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from comparator.checks.model import Bench
from comparator.checks.model.trial import Trial
from comparator.drafting.definitions import find_definitions
from comparator.drafting.ranges import proposals
from comparator.engine.given import run_hyperparameters
from comparator.engine.local import Local
from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.experiment_file import read_settings
from comparator.experiment.freezing import make_plan
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.reopening import reopen_plan
from comparator.model.catalogue import Known, known_models
from comparator.model.description import parse_description
from comparator.model.model import Model
from comparator.model.references import find_model, with_path_written
from comparator.results.form import of_form
from comparator.results.frozen import WholeExperiment
from comparator.site.profile import Slot, read_site

DESCRIPTION = """
name = "Trees"
module = "trees"
variant = "kind"

[hyperparameters.kind]
type = "string"

[hyperparameters.noise]
type = "float"
default = 0.0

[hyperparameters.max_depth]
type = "int"

[hyperparameters.alpha]
type = "float"

[inputs.expression]
files = ["raw/x.tsv", "prepared/*/x.npy"]

[inputs.mutations]

[variants.Forest]
description = "many trees"
needs = ["expression"]
hyperparameters = { max_depth = [5, 10, 30] }

[variants.Ridge]
hyperparameters = { alpha = [1.0] }

[variants.Deep]
description = "many omics"
needs = ["expression", "mutations"]
"""

TREES = """
def initialize_parameters():
    return {"kind": "Forest", "noise": 0.0, "max_depth": 7, "alpha": 2.0}


def run(params):
    return {"val_loss": len(params["kind"]) + params["noise"]}
"""


@pytest.fixture
def containers(tmp_path: Path) -> Path:
    folder = tmp_path / "containers"
    for name in ("trees", "plain"):
        (folder / name).mkdir(parents=True)
    (folder / "trees" / "model.toml").write_text(DESCRIPTION)
    (folder / "trees" / "trees.py").write_text(TREES)
    (folder / "plain" / "train.sh").write_text("#!/bin/sh\n")
    (folder / "plain" / "train.sh").chmod(0o755)
    return folder


def found(reference: str, containers: Path) -> Model:
    return find_model(reference, containers.parent, containers, "exp.toml: model")


def test_a_variant_is_found_by_the_folders_name_by_its_path_and_by_what_a_record_says(containers: Path) -> None:
    by_name = found("trees:Forest", containers)
    by_path = found("containers/trees:Forest", containers)
    of_record = found(by_name.reference, containers)
    assert by_name == by_path == of_record
    assert (by_name.name, by_name.path, by_name.variant) == ("Forest", containers / "trees", "Forest")
    assert by_name.fixed == {"kind": "Forest"}
    assert found("plain", containers).fixed == {}


def test_a_variant_takes_what_all_take_and_its_own(containers: Path) -> None:
    forest, ridge = (found(f"trees:{name}", containers).description for name in ("Forest", "Ridge"))
    assert list(forest.hyperparameters) == ["noise", "max_depth"]
    assert forest.description == "many trees"
    assert forest.hyperparameters["max_depth"].model_extra == {"default": 5, "values": [5, 10, 30]}
    assert list(ridge.hyperparameters) == ["noise", "alpha"]
    assert ridge.hyperparameters["alpha"].model_extra == {"default": 1.0}  # one value is no list to choose from


def test_variants_are_other_models_to_the_store(containers: Path) -> None:
    identities = {found(f"trees:{name}", containers).identity for name in ("Forest", "Ridge", "Deep")}
    assert len(identities) == 3


def test_variants_have_one_environment(containers: Path) -> None:
    (containers / "trees" / "requirements.txt").write_text("scikit-learn\n")
    file = containers / "trees" / "model.toml"
    file.write_text(f'requirements = "requirements.txt"\n{file.read_text()}')
    forest, ridge = (found(f"trees:{name}", containers).python for name in ("Forest", "Ridge"))
    assert forest is not None
    assert forest == ridge
    assert forest.folder.name.startswith("trees-")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("trees:Forst", "'trees:Forst': Trees has no 'Forst' (did you mean 'Forest'?); comparator model list names"),
        ("trees:", "'trees:': Trees has no ''; comparator model list names what there is"),
        ("trees", "'trees' is 3 models: say which, as trees:Forest; comparator model list names them"),
        ("plain:Forest", "'plain:Forest': plain is one model; leave out what is behind the colon"),
        ("treees:Forest", "no model 'treees' (did you mean 'trees'?)"),
    ],
)
def test_what_is_no_variant_is_refused_in_one_line(reference: str, message: str, containers: Path) -> None:
    with pytest.raises(InputError) as refused:
        found(reference, containers)
    assert str(refused.value).startswith(f"exp.toml: model: {message}")
    assert "\n" not in str(refused.value)


def test_a_folder_with_a_colon_in_its_name_is_still_found(containers: Path) -> None:
    (containers / "plain").rename(containers / "plain:old")
    assert found("containers/plain:old", containers).path == containers / "plain:old"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('variant = "kind"', "", "variant and [variants] go together"),
        ('variant = "kind"', 'variant = "knd"', "variant: 'knd' is not described (did you mean 'kind'?)"),
        ('"mutations"]', '"mutation"]', "variants.Deep.needs: 'mutation' is not described (did you mean 'mutations'?)"),
        ("{ alpha =", "{ alhpa =", "variants.Ridge.hyperparameters: 'alhpa' is not described (did you mean 'alpha'?)"),
        ("[1.0]", "[]", "'variants.Ridge.hyperparameters.alpha' = []: must not be empty"),
    ],
)
def test_a_description_whose_variants_do_not_fit_it_is_refused(before: str, after: str, message: str) -> None:
    with pytest.raises(InputError, match=r"^model\.toml: ") as refused:
        parse_description(DESCRIPTION.replace(before, after, 1), "model.toml")
    assert message in str(refused.value)


def test_models_are_listed_with_what_they_lack_of_the_data(containers: Path, tmp_path: Path) -> None:
    (containers / "broken").mkdir()
    (containers / "broken" / "model.toml").write_text("nme = 'x'\n")
    data = tmp_path / "data"
    (data / "prepared" / "study").mkdir(parents=True)
    names = ["trees:Forest", "trees:Ridge", "trees:Deep"]
    broken, plain, *trees = known_models(containers, data)
    assert broken.name == "broken"
    assert "unknown key 'nme'" in broken.problem
    assert plain == Known("plain")
    assert {each.name: each.lacks for each in trees} == {
        "trees:Forest": ("expression",),
        "trees:Ridge": (),
        "trees:Deep": ("expression", "mutations"),
    }
    (data / "prepared" / "study" / "x.npy").touch()
    *_, forest, ridge, deep = known_models(containers, data)
    assert [each.name for each in (forest, ridge, deep)] == names
    assert [each.lacks for each in (forest, ridge, deep)] == [(), (), ("mutations",)]


def test_what_is_proposed_for_a_variant_is_its_own(containers: Path, tmp_path: Path) -> None:
    known = find_definitions(found("trees:Forest", containers), Slot(0), tmp_path)
    assert list(known) == ["noise", "max_depth"]
    assert (known["max_depth"].default, known["max_depth"].choices) == (5, (5, 10, 30))
    assert proposals(known)["max_depth"] == {
        "name": "max_depth",
        "type": "ordered",
        "element_type": "int",
        "values": [5, 10, 30],
    }


@pytest.mark.parametrize(
    ("reference", "written"),
    [
        ("trees", "../containers/trees"),
        ("trees:Forest", "../containers/trees:Forest"),
        ("nowhere:Forest", "nowhere:Forest"),
        ("lgbm", "lgbm"),
    ],
)
def test_a_reference_keeps_its_variant_where_its_path_is_written_anew(
    reference: str, written: str, containers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(containers)
    assert with_path_written(reference, lambda path: f"../containers/{path}") == written


ROOT = Path(__file__).parents[3]


def planned(containers: Path, **given: object) -> Plan:
    """A comparison of two variants, planned and read again."""
    folder = containers.parent
    (folder / "exp.toml").write_text(
        'upf = "upf.txt"\n[cmp]\nmodels = ["trees:Forest", "containers/trees:Ridge"]\nmetric = "val_loss"\n'
    )
    (folder / "upf.txt").write_text(json.dumps({"id": "a", "noise": 1.0, **given}) + "\n")
    site = replace(read_site("local", ROOT), data_folder=folder)
    slots = site.slots()[:1]
    host = Host(folder, folder / "experiments", site, slots, Local(slots, 1), warm=True, console=Console(quiet=True))
    plan = make_plan(read_settings(folder / "exp.toml", []), Context(folder / "exp.toml", host, "test"))
    frozen = of_form(WholeExperiment, plan.noting(id="a").frozen.model_dump(mode="json"), "experiment.json")
    return reopen_plan(frozen, root=folder, site=site)


def test_two_variants_are_compared_and_each_is_given_its_name(containers: Path) -> None:
    plan = planned(containers)
    assert [Path(each.path).name for each in plan.frozen.models] == ["trees:Forest", "trees:Ridge"]
    assert [each.label for each in plan.frozen.models] == ["Forest", "Ridge"]
    assert [model.variant for model in plan.models] == ["Forest", "Ridge"]
    given = [
        run_hyperparameters(plan.frozen, number, {"noise": 1.0}, seed=0, split=None, epochs=None)[0]
        for number in (0, 1)
    ]
    assert given == [{"kind": "Forest", "noise": 1.0}, {"kind": "Ridge", "noise": 1.0}]


def test_the_hyperparameter_that_a_variant_is_cannot_be_set_beside_it(containers: Path) -> None:
    with pytest.raises(InputError, match=r"Kind: the model's name says it, .*/trees:Forest; leave it out$"):
        planned(containers, Kind="Ridge")


def test_a_model_check_tries_the_variant(containers: Path, tmp_path: Path) -> None:
    bench = Bench(containers, Slot(0), tmp_path / "bench", settings={"noise": 1.0})
    assert Trial(found("trees:Forest", containers), bench).settings == {"noise": 1.0, "kind": "Forest"}
