"""Several models in one folder: named behind a colon, each described by itself, told apart in identity and by data."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparator.checks.model import Bench
from comparator.checks.model.trial import Trial
from comparator.errors import InputError
from comparator.model.catalogue import Known, known_models
from comparator.model.description import parse_description
from comparator.model.model import Model, find_model
from comparator.site.profile import Slot

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


@pytest.fixture
def containers(tmp_path: Path) -> Path:
    folder = tmp_path / "containers"
    for name in ("trees", "plain"):
        (folder / name).mkdir(parents=True)
    (folder / "trees" / "model.toml").write_text(DESCRIPTION)
    (folder / "trees" / "trees.py").write_text("def run(params):\n    return {'val_loss': len(params['kind'])}\n")
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
        ("[1.0]", "[]", "'variants.Ridge.hyperparameters.alpha' = []: list should have at least 1 item"),
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


def test_a_model_check_tries_the_variant(containers: Path, tmp_path: Path) -> None:
    bench = Bench(containers, Slot(0), tmp_path / "bench", settings={"noise": 1.0})
    assert Trial(found("trees:Forest", containers), bench).settings == {"noise": 1.0, "kind": "Forest"}
