"""A model in three steps: which scripts they are, how each is called, and what each is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from three_steps import HYBRID, write_model, write_raw_data

from comparator.errors import InputError
from comparator.experiment.freezing.given_names import doubt_unknown
from comparator.model.description import ModelDescription, parse_description
from comparator.model.model import Model
from comparator.model.references import find_model
from comparator.model.runners.staged import check_raw_data
from comparator.model.stage_flags import flags_of_python, section_of
from comparator.model.stages import Stages, find_stages, raw_folder


def found(folder: Path, description: ModelDescription | None = None) -> Stages:
    stages = find_stages(folder, description or ModelDescription())
    assert stages is not None
    return stages


def model_in(folder: Path) -> Model:
    return find_model(str(folder), folder, folder / "containers", "test")


def test_three_scripts_are_a_model_without_train_sh_and_without_a_description(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy")
    (folder / "train.sh").unlink()
    model = model_in(folder)
    assert model.stages is not None and model.description.convention == "improve"
    assert model.script("train.sh") is None
    known = model.description.hyperparameters
    assert known["learning_rate"].type == "float" and known["layers"].type == "list"
    assert known["scaling"].stage == "preprocess" and known["epochs"].stage == "train"
    assert (known["epochs"].model_extra or {})["default"] == 20  # of its parameter file
    assert {"study", "split", "training_size", "infer"} <= set(known)
    assert not {"input_dir", "output_dir"} & set(known)
    assert model.description.metrics["val_r2"].kind == "score"


def test_what_no_step_is_given_is_told(tmp_path: Path) -> None:
    model = model_in(write_model(tmp_path / "toy"))
    named = ["epochs", "train_ml_data_dir", "lerning_rate", "model_outdir", "rng_seed"]
    assert doubt_unknown(model, named, "space.json") == [
        "space.json: no step of the model takes 'lerning_rate' (did you mean 'learning_rate'?); it is not passed on",
        "space.json: train_ml_data_dir, model_outdir: each step is given folders of its own, and these are not used;"
        " whose data are taken, 'study' and 'split' say",
    ]


def test_a_script_is_called_itself_and_it_is_said_why(tmp_path: Path) -> None:
    stages = found(write_model(tmp_path / "toy", preprocess__sh='DATA=$1; shift; python x.py "$@"\n'))
    assert "takes its first word for the device" in stages.train.why
    assert "takes its first word for the data folder" in stages.preprocess.why
    assert stages.infer is not None and stages.infer.why == "there is no infer.sh"
    places = {"raw": tmp_path / "raw", "data": tmp_path / "data", "run": tmp_path / "run"}
    command = stages.train.command({"epochs": 3, "layers": [1, 2]}, places, "/a/python")
    folders = ["--input_dir", str(tmp_path / "data"), "--output_dir", str(tmp_path / "run")]
    assert command == ["/a/python", str(stages.train.script), *folders, "--epochs", "3", "--layers", "1", "2"]
    inference = stages.infer.command({}, places, "/a/python")
    assert inference[2:] == [
        *("--input_data_dir", str(tmp_path / "data"), "--input_model_dir", str(tmp_path / "run")),
        *("--output_dir", str(tmp_path / "run")),
    ]


def test_a_script_that_hands_its_flags_on_is_told_apart_from_one_that_takes_places(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy", train__sh="python toy_train_improve.py $@\n")
    assert "only hands flags on" in found(folder).train.why


def test_a_step_is_given_what_its_script_knows_and_nothing_else(tmp_path: Path) -> None:
    stages = found(write_model(tmp_path / "toy"))
    given = {
        **{"epochs": 1, "Learning_Rate": 0.5, "scaling": "std", "noise": 3, "layers": "16 8", "experiment_id": "e"},
        **{"run_id": "r", "ml_data_outdir": "x", "output_dir": "y"},
    }
    genes = str(tmp_path / "toy" / "genes.txt")
    assert stages.given(stages.preprocess, given) == {"scaling": "std", "gene_file": genes}
    assert stages.given(stages.train, given) == {"epochs": 1, "learning_rate": 0.5, "layers": ["16", "8"]}
    assert stages.infer is not None and stages.given(stages.infer, given) == {}
    assert stages.unknown(list(given)) == ["noise", "experiment_id", "run_id"]


def test_study_and_split_name_the_split_files(tmp_path: Path) -> None:
    stages = found(write_model(tmp_path / "toy"))
    given = stages.given(stages.preprocess, {"study": "gCSI", "split": 3})
    assert given["train_split_file"] == "gCSI_split_3_train.txt"
    assert given["test_split_file"] == "gCSI_split_3_test.txt"
    other = stages.given(stages.preprocess, {"split": 3, "val_split_file": "own.txt"})
    assert (other["train_split_file"], other["val_split_file"]) == ("CCLE_split_3_train.txt", "own.txt")
    (tmp_path / "toy" / "toy_params.txt").write_text("[Preprocess]\n")
    unsaid = found(tmp_path / "toy")
    with pytest.raises(InputError, match="study and split must both be given"):
        unsaid.given(unsaid.preprocess, {"split": 3})


def test_a_name_of_ours_that_the_model_has_for_itself_is_the_model_s(tmp_path: Path) -> None:
    train = 'import argparse\nargparse.ArgumentParser().add_argument("--split", type=int)\n'
    stages = found(write_model(tmp_path / "toy", toy_train_improve__py=train))
    assert stages.given(stages.train, {"split": 4}) == {"split": 4}
    assert "train_split_file" not in stages.given(stages.preprocess, {"split": 4})
    assert stages.ours({"split": 4, "Study": "gCSI"}, "split") is None
    assert stages.ours({"split": 4, "Study": "gCSI"}, "study") == "gCSI"


OLD = """
from improve import framework as frm
from toy_preprocess_improve import preprocess_params

model_params = [{"name": "num_leaves", "type": int, "default": 31, "help": "leaves"}]
train_params = [] + model_params

def main():
    frm.initialize_parameters(None, default_model="toy_params.txt",
                              additional_definitions=preprocess_params + train_params)
"""
OLD_PREPROCESS = """
import improve
preprocess_params = [{"name": "use_lincs", "type": improve.str2bool, "default": True, "help": "genes"}]
frm.initialize_parameters(None, additional_definitions=preprocess_params)
"""
NEW = """
from improvelib.applications.drug_response_prediction.config import DRPTrainConfig
import definitions.of_model as of_model

def main():
    additional_definitions = of_model.train_params
    DRPTrainConfig().initialize_parameters("x", default_config="own.ini", additional_definitions=additional_definitions)
"""
OF_MODEL = """
from improvelib.utils import str2bool
train_params = [{"name": "arch", "type": str, "choices": ["a", "b"], "help": "which"}, {"name": "epochs", "type": int}]
"""


def test_the_names_of_the_older_interface_are_used_where_its_module_is_imported(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy", toy_train_improve__py=OLD, toy_preprocess_improve__py=OLD_PREPROCESS)
    stages = found(folder)
    assert list(stages.preprocess.takes.places) == ["raw_data_dir", "ml_data_outdir"]
    assert list(stages.train.takes.places) == ["train_ml_data_dir", "val_ml_data_dir", "model_outdir"]
    assert {"num_leaves", "use_lincs", "epochs"} <= set(stages.train.takes.flags)
    assert stages.preprocess.takes.flags["use_lincs"].type == "bool"
    assert "num_leaves" not in stages.preprocess.takes.flags


def test_definitions_are_followed_through_the_modules_of_the_folder(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy", toy_train_improve__py=NEW)
    (folder / "own.ini").write_text("[Train]\nepochs = 5\nckpt_save_interval = 2\n[Preprocess]\nepochs = 6\n")
    (folder / "definitions").mkdir()
    (folder / "definitions" / "of_model.py").write_text(OF_MODEL)
    flags = found(folder).train.takes.flags
    assert flags["arch"].choices == ("a", "b") and flags["epochs"].default == 5
    assert "learning_rate" in flags  # of the interface
    assert "ckpt_save_interval" not in flags  # its file has it, its script would refuse it


def test_lists_of_the_definitions_file_serve_where_a_script_hands_over_none(tmp_path: Path) -> None:
    lists = 'toy_train_params = [{"name": "arch", "type": str}]\ntoy_infer_params = [{"name": "beam", "type": int}]\n'
    train = "import improvelib\n"
    folder = write_model(tmp_path / "toy", toy_train_improve__py=train, model_params_def__py=lists)
    flags = found(folder).train.takes.flags
    assert "arch" in flags and "beam" not in flags


AGAIN = """
import improvelib
from model_params_def import train_params
of_application = []
train_params = of_application + train_params
train_params += [{"name": "later", "type": int}]
train_params.append({"name": "last", "type": float})
cfg.initialize_parameters("x", additional_definitions=train_params)
"""
IMPORTED = """
train_params = [{"name": "arch", "type": str}, {"name": "width", "type": int, "default": 8}]
train_params.extend([{"name": "width", "type": int, "default": 9}])
"""


def test_a_list_that_is_made_anew_of_the_one_that_was_imported_has_all_of_both(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy", toy_train_improve__py=AGAIN, model_params_def__py=IMPORTED)
    flags = found(folder).train.takes.flags
    assert {"arch", "width", "later", "last"} <= set(flags)
    assert flags["width"].default == 8  # improvelib keeps the first of two
    (folder / "toy_train_improve.py").write_text(AGAIN.replace("import improvelib", "import improve"))
    assert found(folder).train.takes.flags["width"].default == 9  # argparse the last


def test_modules_that_import_a_list_from_each_other_end(tmp_path: Path) -> None:
    circle = {"one__py": "from two import params\n", "two__py": "from one import params\n"}
    train = "import improvelib\nfrom one import params\nf(additional_definitions=params)\n"
    assert "epochs" in found(write_model(tmp_path / "toy", toy_train_improve__py=train, **circle)).train.takes.flags


def test_modules_that_import_all_of_each_other_are_followed_once(tmp_path: Path) -> None:
    all_of_all = "".join(f"from {name} import *\n" for name in ("one", "two", "three"))
    circle = {
        "one__py": all_of_all,
        "two__py": all_of_all,
        "three__py": all_of_all + 'params = [{"name": "a", "type": int}]\n',
    }
    train = f"import improvelib\n{all_of_all}f(additional_definitions=params)\n"
    assert "a" in found(write_model(tmp_path / "toy", toy_train_improve__py=train, **circle)).train.takes.flags


def test_a_sum_of_many_lists_is_read_whole(tmp_path: Path) -> None:
    params = " + ".join(f'[{{"name": "a{number}", "type": int}}]' for number in range(1500))
    train = f"import improvelib\nparams = {params}\nf(additional_definitions=params)\n"
    flags = found(write_model(tmp_path / "toy", toy_train_improve__py=train)).train.takes.flags
    assert {"a0", "a1499"} <= set(flags)


BUILTINS = """
import argparse, improvelib
from improvelib.utils import str2bool
parser = argparse.ArgumentParser()
parser.add_argument("--augment", type=bool, default=True)
parser.add_argument("--pretrain", type=str2bool, default=True)
parser.add_argument("--filters", type=list, default=[64, 64])
parser.add_argument("--dense", type=list, nargs="+")
"""


def test_false_is_given_as_the_word_that_the_script_reads_as_false(tmp_path: Path) -> None:
    stages = found(write_model(tmp_path / "toy", toy_train_improve__py=BUILTINS))
    given = {"augment": False, "pretrain": False, "dense": [3, 4]}
    own = stages.given(stages.train, given)
    assert own == {"augment": "", "pretrain": False, "dense": [3, 4]}
    words = stages.train.command(own, {"data": tmp_path, "run": tmp_path}, "python")
    assert words[words.index("--augment") + 1] == "" and words[words.index("--pretrain") + 1] == "False"
    assert stages.given(stages.train, {"augment": True}) == {"augment": True}


def test_a_flag_is_written_as_the_script_has_it_and_a_switch_takes_no_word(tmp_path: Path) -> None:
    own = """
import argparse, improvelib
parser = argparse.ArgumentParser()
parser.add_argument("--hidden-size", type=int, default=8)
parser.add_argument("--use-bias", action="store_true")
parser.add_argument("--no-bias", action="store_false")
"""
    stages = found(write_model(tmp_path / "toy", toy_train_improve__py=own))
    given = stages.given(stages.train, {"hidden_size": 4, "use_bias": True, "no_bias": True})
    words = stages.train.command(given, {"data": tmp_path, "run": tmp_path}, "python")
    assert words[words.index("--hidden-size") :] == ["--hidden-size", "4", "--use-bias"]


def test_a_list_that_would_become_its_letters_is_refused_before_anything_starts(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy", toy_train_improve__py=BUILTINS)
    data = write_raw_data(tmp_path / "data")
    with pytest.raises(InputError, match=r"filters cannot be set: toy_train_improve\.py makes a list of its letters"):
        check_raw_data(model_in(folder), {"filters": [32, 32]}, data)
    check_raw_data(model_in(folder), {"dense": [32, 32]}, data)


def test_a_list_that_would_become_its_letters_cannot_be_varied(tmp_path: Path) -> None:
    stages = found(write_model(tmp_path / "toy", toy_train_improve__py=BUILTINS))
    stages.check_varied(["dense", "augment", "study", "unknown"])
    with pytest.raises(InputError, match=r"^Filters cannot be varied: toy_train_improve\.py makes a list"):
        stages.check_varied(["dense", "Filters"])


def test_a_default_is_among_the_choices_that_no_parser_knows(tmp_path: Path) -> None:
    listed = """
import improvelib
f(additional_definitions=[{"name": "distance", "type": str, "choice": ["a", "b"], "default": "c"},
                          {"name": "scaler", "type": str, "choices": ["a", "b"], "default": "c"}])
"""
    model = model_in(write_model(tmp_path / "toy", toy_train_improve__py=listed))
    known = model.description.hyperparameters
    assert known["distance"].fault("c") is None and known["distance"].fault("d") is not None
    assert known["scaler"].fault("c") is not None  # argparse refuses it, where it is given


def test_keywords_of_candle_that_the_parameter_file_gives_are_taken_by_the_older_interface(tmp_path: Path) -> None:
    parameters = "[Preprocess]\nscaling = 'std'\n[Train]\nlearning_rate = 0.1\ndense = [8, 4]\nrng_seed = 7\nown = 3\n"
    old = {"toy_train_improve__py": OLD, "toy_preprocess_improve__py": OLD_PREPROCESS, "toy_params__txt": parameters}
    model = model_in(write_model(tmp_path / "toy", **old))
    assert model.stages is not None
    known, given = model.description.hyperparameters, {"learning_rate": 0.2, "dense": [2, 3], "scaling": "max"}
    assert (known["learning_rate"].type, (known["learning_rate"].model_extra or {})["default"]) == ("float", 0.1)
    assert "dropout" not in known and "own" not in known  # nothing uses the one, argparse refuses the other
    assert model.description.seed == "rng_seed"
    assert model.stages.given(model.stages.train, given) == {"learning_rate": 0.2, "dense": [2, 3]}
    assert model.stages.given(model.stages.preprocess, given) == {"scaling": "max"}


def test_tables_of_a_later_interface_are_among_its_hyperparameters(tmp_path: Path) -> None:
    later = {"toy_preprocess_improve__py": "import improvelib\n"}
    later["toy_params__txt"] = "[Preprocess]\ny_data_file = response.tsv\ndrug_mordred_file = drug_mordred.tsv\n"
    stages = found(write_model(tmp_path / "toy", **later))
    assert stages.unknown(["drug_mordred_file", "cell_cnv_transform", "y_data_file"]) == []
    assert stages.unknown(["y_data_files"]) == ["y_data_files"]
    assert (stages.hyperparameters["drug_mordred_file"].model_extra or {})["default"] == "drug_mordred.tsv"


def test_names_of_a_later_interface_are_given_only_to_a_model_whose_file_has_such(tmp_path: Path) -> None:
    script = tmp_path / "toy_preprocess_improve.py"
    script.write_text("import improvelib\n")
    parameters = tmp_path / "toy_params.ini"
    parameters.write_text("[Preprocess]\ny_data_file = response.tsv\n")
    takes = flags_of_python(script, "preprocess", parameters)
    assert takes.own_name("cell_transcriptomic_file") == "cell_transcriptomic_file"
    assert takes.own_name("epochs") is None
    parameters.write_text("[Preprocess]\ny_data_files = [['response.tsv']]\ndrug_bits_file = own.txt\n")
    assert flags_of_python(script, "preprocess", parameters).own_name("cell_transcriptomic_file") is None


def test_one_thing_under_two_names_is_given_under_the_script_s_own(tmp_path: Path) -> None:
    script = tmp_path / "toy_infer_improve.py"
    script.write_text("import improvelib\n")
    assert flags_of_python(script, "infer", None).own_name("test_batch") == "infer_batch"


def test_no_steps_are_found_where_the_description_says_otherwise(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy")
    for text in ('convention = "candle"', 'module = "toy"'):
        assert find_stages(folder, parse_description(text, "model.toml")) is None
    (folder / "toy_preprocess_improve.py").unlink()
    assert find_stages(folder, ModelDescription()) is None


def test_shell_scripts_that_take_flags_alone_are_three_steps_where_the_description_says_so(tmp_path: Path) -> None:
    for name in ("preprocess", "train"):
        (tmp_path / f"{name}.sh").write_text("./program $@\n")
    text = 'convention = "improve"\n[hyperparameters.genes]\nstage = "preprocess"\n[hyperparameters.rate]\n'
    (tmp_path / "model.toml").write_text(text)
    model = model_in(tmp_path)
    assert model.stages is not None and model.stages.preprocess.started_by == ("bash",)
    given = {"genes": 3, "rate": 0.1}
    assert model.stages.given(model.stages.preprocess, given) == {"genes": 3}
    assert model.stages.given(model.stages.train, given) == {"rate": 0.1}
    assert find_stages(tmp_path, ModelDescription()) is None
    (tmp_path / "preprocess.sh").write_text(HYBRID)
    assert model_in(tmp_path).stages is None


def test_scripts_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy", toy_train_improve__py="def broken(:\n")
    with pytest.raises(InputError, match=r"toy_train_improve\.py: is no Python that can be read"):
        find_stages(folder, ModelDescription())
    (folder / "toy_train_improve.py").write_text("")
    (folder / "toy_params.txt").write_text("epochs = 3\n")
    with pytest.raises(InputError, match=r"toy_params\.txt: File contains no section headers"):
        find_stages(folder, ModelDescription())


def test_scripts_of_more_than_one_model_in_a_folder_are_said_to_be_there(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy", other_preprocess_improve__py="", other_train_improve__py="")
    (folder / "train.sh").unlink()
    with pytest.raises(InputError, match=r"and <model>_preprocess_improve\.py and .* of more than one: other, toy$"):
        find_model("toy", tmp_path, tmp_path, "test")


def test_of_a_folder_that_is_no_model_the_files_are_named_that_are(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "dense.py").write_text("def run(params):\n    return 0.5\n")
    (tmp_path / "nets" / "tools.py").write_text("def run():\n    pass\n")
    with pytest.raises(InputError, match=r"a file with run\(params\) is one by itself: dense\.py$"):
        find_model("nets", tmp_path, tmp_path, "test")
    (tmp_path / "nets" / "dense.py").unlink()
    with pytest.raises(InputError, match=r"a model\.toml with command = \[.*\], what one types .* makes it one$"):
        find_model("nets", tmp_path, tmp_path, "test")


def test_a_shell_script_need_not_be_executable_nor_say_by_what_it_is_run(tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    for text, mode, words in (
        ("echo\n", 0o755, ["bash", str(script)]),
        ("#!/bin/sh -e\n", 0o644, ["/bin/sh", "-e", str(script)]),
        ("#!/bin/sh\n", 0o755, [str(script)]),
    ):
        script.write_text(text)
        script.chmod(mode)
        assert model_in(tmp_path).command("train.sh") == words


@pytest.mark.parametrize("place", [".", "raw_data", "csa_data/raw_data"])
def test_raw_data_are_found_in_the_places_of_the_benchmark(tmp_path: Path, place: str) -> None:
    write_raw_data(tmp_path / place)
    assert raw_folder(tmp_path) == (tmp_path / place).resolve()
    assert raw_folder(tmp_path / "splits") is None


@settings(max_examples=50, deadline=None)
@example(text="0\n\x0c0")
@given(text=st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=200))
def test_any_text_is_a_parameter_file_or_refused_in_one_line(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "toy_params.txt"
    path.write_text(f"[Train]\n{text}", encoding="utf-8")
    try:
        assert isinstance(section_of(path, "train"), dict)
    except InputError as error:
        assert "\n" not in str(error)


def test_a_line_further_in_than_one_without_a_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy_params.txt"
    path.write_text("[Train]\nverbose\n\n  epochs = 4\n")
    with pytest.raises(InputError, match="line 4: 'epochs = 4' is further in than the line before it"):
        section_of(path, "train")
    path.write_text("[Train]\nverbose\nepochs = 4\n")
    assert section_of(path, "train") == {"verbose": "", "epochs": "4"}
