"""`comparator init`: from two models, or one, to an experiment file that is ready to run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comparator.cli.app import RUN, ExperimentsOption, app, out, stop_signals_like_ctrl_c
from comparator.cli.questions import Questions, words_of
from comparator.errors import InputError
from comparator.experiment.terminal import copyable, note, tell
from comparator.formats.text import shortened, write_text_whole
from comparator.site.folders import command_line, experiments_folder, project_root

if TYPE_CHECKING:
    from comparator.drafting.definitions import Definition
    from comparator.drafting.draft import Draft
    from comparator.experiment.host import Host
    from comparator.model.model import Model
    from comparator.model.python_environment import PythonChoice

EVALUATIONS = 56

ModelsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FIRST [SECOND]]",
        help="Folders, images, Python files, functions (FILE.py:NAME), or names of models; one alone is searched.",
        show_default=False,
    ),
]
VaryOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=RANGE",
        help="What is varied: noise=0:50, width=25:200:log, kind=a,b, or NAME for what is proposed.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A hyperparameter; cmp_0_NAME, cmp_1_NAME: of one model."),
]
PythonOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH",
        help="What runs the models: an environment, or an interpreter; cmp.0=PATH, cmp.1=PATH: one model.",
    ),
]
RequirementsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="Environments are made from this requirements file; cmp.0=FILE, cmp.1=FILE."),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default=False)
]
TrialOption = Annotated[
    bool | None,
    typer.Option("--try/--no-try", help="Train each model once, to see what it reports.", show_default=False),
]


@app.command(rich_help_panel=RUN, short_help="Write the experiment file of your own two models.")
def init(
    models: ModelsArgument = None,
    vary: VaryOption = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="What is compared.", show_default=False)] = None,
    find: Annotated[str, typer.Option(metavar="WHAT", help="both, regions, or maximum.")] = "both",
    evaluations: Annotated[int, typer.Option(min=1, help="The budget: pairs of trainings.")] = EVALUATIONS,
    settings: SetOption = None,
    python: PythonOption = None,
    requirements: RequirementsOption = None,
    output: OutputOption = None,
    force: Annotated[bool, typer.Option("--force", help="Write it over one that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take what is proposed.")] = False,
    trial: TrialOption = None,
    limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="What such a training may take.")] = 300.0,
    site: Annotated[str, typer.Option("--site", metavar="NAME", help="The machine's profile in sites/.")] = "local",
    experiments: ExperimentsOption = None,
) -> None:
    """Write the experiment file of a comparison of your own two models, or a search of one, and check it."""
    from comparator.drafting.draft import FIND_WORDS
    from comparator.drafting.naming import file_for, functions_written
    from comparator.drafting.pythons import check_pythons, pythons_of
    from comparator.errors import nearest

    if find not in FIND_WORDS:
        raise InputError(f"--find {shortened(find)}: is none of {', '.join(FIND_WORDS)}{nearest(find, FIND_WORDS)}")
    stop_signals_like_ctrl_c()
    asked = Asked(vary or [], metric, find, evaluations, settings or [], trial, limit, Questions(yes))
    host = _host(site, experiments)
    pythons = pythons_of(python or [], requirements or [])
    references = _references(models or [], pythons, asked.questions, host)
    check_pythons(pythons, len(references))
    file = file_for(output, references, force=force)
    with functions_written(references, file.absolute().parent, force=force) as names:
        draft = _draft(asked, names, references, pythons, file, host)
        _write_checked(draft, file, host, is_kept=asked.questions.were_answered)


@dataclass(frozen=True)
class Asked:
    """What the flags say of the experiment, and who is asked for the rest."""

    vary: Sequence[str]
    metric: str | None
    find: str
    evaluations: int
    settings: Sequence[str]
    trial: bool | None
    limit: float
    questions: Questions


def _host(site: str, experiments: Path | None) -> Host:
    from comparator.engine.interface import EngineOptions
    from comparator.experiment.host import open_host

    root = project_root()
    return open_host(root, experiments_folder(experiments, root), site, EngineOptions(), warm=True, console=out)


def _draft(
    asked: Asked,
    names: Sequence[str],
    references: Sequence[str],
    pythons: Sequence[PythonChoice],
    file: Path,
    host: Host,
) -> Draft:
    """What the flags, the models and the user say, as a file."""
    from comparator.drafting.definitions import shared
    from comparator.drafting.draft import Draft
    from comparator.drafting.given import check_set
    from comparator.drafting.metrics import Trials
    from comparator.drafting.naming import labels_of
    from comparator.drafting.pythons import python_keys

    found = _models(names, pythons, file, host)
    given = _settings(asked.settings, found, asked.questions)
    of_each = _known(found, host)
    check_set(given, of_each)
    space = _space(found, of_each, asked.vary, given, asked.questions)
    trials = Trials(found, given, space, host.root / "containers", host.slots[0], host.site.data_folder, asked.limit)
    return Draft(
        models=tuple(names),
        space=space,
        metric=_metric(trials, asked.metric, asked.trial, asked.questions),
        evaluations=asked.evaluations,
        find=asked.find,
        settings=given,
        labels=labels_of(references),
        pythons=tuple(python_keys(each, file.absolute().parent) for each in pythons[: len(names)]),
        known={name: each for name, each in shared(of_each).items() if name not in _seeds(found)},
    )


def _seeds(models: Sequence[Model]) -> set[str]:
    """The hyperparameters by which the models take the seeds of a training: a search gives these itself."""
    told = [model.description for model in models]
    return {name for each in told for name in (each.seed, *(each.seeds or {}).values()) if name}


def _references(given: Sequence[str], pythons: Sequence[PythonChoice], questions: Questions, host: Host) -> list[str]:
    if len(given) > 2:
        raise InputError(f"{len(given)} models are given; two are compared, and one is searched")
    if given:
        return list(given)
    what = "a folder, an image, a Python file, FILE.py:FUNCTION, or a model's name"

    def read(answer: str, number: int) -> str:
        from comparator.drafting.functions import model_of_function
        from comparator.drafting.naming import named_from

        if model_of_function(answer, Path.cwd()) is None:
            _models([named_from(Path.cwd(), answer)], pythons[number:], Path("init.toml"), host)
        return answer

    first = questions.ask(f"First model ({what})", None, "FIRST SECOND", lambda answer: read(answer, 0))
    second = questions.ask(
        "Second model ('none': the first alone is searched)",
        "none",
        "SECOND",
        lambda answer: None if answer == "none" else read(answer, 1),
    )
    return [first] if second is None else [first, second]


def _models(names: Sequence[str], pythons: Sequence[PythonChoice], file: Path, host: Host) -> list[Model]:
    from comparator.model.environment_making import make
    from comparator.model.references import find_model

    containers, folder = host.root / "containers", file.absolute().parent
    models = [
        find_model(name, folder, containers, "init", host.site, python if python else None)
        for name, python in zip(names, pythons, strict=False)
    ]
    for model in models:
        if model.python is not None:
            make(model.python, host.say)
    return models


def _settings(given: Sequence[str], models: Sequence[Model], questions: Questions) -> dict[str, Any]:
    """The hyperparameters that are set; of two copies of one model those that set them apart are asked for."""
    from comparator.formats.hyperparameters import parse_override, set_once

    set_apart: list[str] = []
    is_one = len(models) == 2 and models[0].key == models[1].key
    if is_one and not any(re.match(r"cmp_[01]_", each) for each in given):
        for number, which in enumerate(("First", "Second")):
            flag = f"--set cmp_{number}_NAME=VALUE"
            words = f"{which} copy of {models[0].name}: its own settings, NAME=VALUE NAME=VALUE"
            set_apart += [f"cmp_{number}_{each}" for each in questions.ask(words, None, flag, _assignments)]
    found: dict[str, Any] = {}
    for assignment in [*given, *set_apart]:
        set_once(found, *parse_override(assignment), f"--set {shortened(assignment)}")
    return found


def _assignments(answer: str) -> list[str]:
    """The `NAME=VALUE` of an answer, checked as such."""
    from comparator.formats.hyperparameters import parse_override

    found = words_of(answer)
    for each in found:
        parse_override(each)
    if not found:
        raise InputError("nothing is set; give NAME=VALUE")
    return found


def _known(models: Sequence[Model], host: Host) -> list[dict[str, Definition]]:
    """What is known of the hyperparameters that each model takes; what is not is noted."""
    from comparator.drafting.definitions import find_definitions
    from comparator.model.probe import likely_seed, usual_seed

    found: dict[object, dict[str, Definition]] = {}
    for model in models:
        if model.key in found:
            continue
        with out.status("looking at the models"):
            doubts: list[str] = []
            found[model.key] = find_definitions(model, host.slots[0], host.site.data_folder, doubts.append)
        for doubt in doubts:
            note(out, doubt)
        if not found[model.key]:
            note(out, f"{model.reference}: what it takes is not known, so it is supposed to take what is varied")
        seed, is_taken = likely_seed(found[model.key]), model.description.seed is not None
        # A module is given the usual one unasked.
        is_taken = is_taken or (model.module is not None and usual_seed(found[model.key]) is not None)
        if seed is not None and not is_taken:
            note(out, f"{model.reference}: the line seed = '{seed}' in {model.description_file} gives it its seeds")
    return [found[model.key] for model in models]


def _space(
    models: Sequence[Model],
    of_each: Sequence[Mapping[str, Definition]],
    vary: Sequence[str],
    settings: Mapping[str, Any],
    questions: Questions,
) -> list[dict[str, Any]]:
    """What is varied: as the flags say, else what is proposed, or the user says instead."""
    from comparator.drafting.definitions import shared
    from comparator.drafting.ranges import most_telling, proposals, read_vary, words

    known = shared(of_each)
    fixed = {re.sub(r"^cmp_([01]_)?", "", name) for name in settings}
    if vary:
        return _checked([read_vary(each, known, of_each) for each in vary], settings)
    splits = {model.description.split for model in models if model.description.split}
    proposed = proposals(known, without=fixed | _seeds(models) | splits)
    if proposed and not questions.takes_defaults:
        out.print("What can be varied:" if len(models) == 1 else "What can be varied of both:")
        for name, entry in proposed.items():
            said = known[name].description
            tell(out, f"  {name}={words(entry)}{f'   {said}' if said else ''}")
    taken = most_telling(proposed)
    usual = " ".join(f"{entry['name']}={words(entry)}" for entry in taken)

    def read(answer: str) -> list[dict[str, Any]]:
        entries = taken if answer == usual else [read_vary(each, known, of_each) for each in words_of(answer)]
        return _checked(entries, settings)

    question = "What is varied (NAME=LOWER:UPPER, :log behind it for a log scale, or NAME=a,b)"
    return questions.ask(question, usual or None, "--vary NAME=LOWER:UPPER", read)


def _checked(entries: list[dict[str, Any]], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is varied, where something is, each once, and nothing that is set."""
    from comparator.formats.spelling import check_once, is_same

    if all(entry["type"] == "constant" for entry in entries):
        raise InputError("nothing is varied; give --vary NAME=LOWER:UPPER")
    check_once([entry["name"] for entry in entries], "--vary")
    for name in (entry["name"] for entry in entries):
        for other in settings:
            if is_same(_of_both(name), _of_both(other)):
                raise InputError(f"--vary {name}: --set {other}={settings[other]} sets it; leave one of them out")
    return entries


def _of_both(name: str) -> str:
    """The name of a hyperparameter without the prefix that says nothing: `cmp_`, which is of both models."""
    return re.sub(r"^cmp_(?![01]_)", "", name)


def _metric(trials: Any, asked: str | None, agreed: bool | None, questions: Questions) -> str:
    """The metric: as asked, as described, or what a short training of each model reports."""
    from comparator.drafting.metrics import check_metric, described_metrics

    known = described_metrics(trials.models)
    if known is None and _wants_trial(asked, agreed, questions):
        with out.status("training each model once"):
            known = trials.metrics()
    if asked is not None:
        check_metric(asked, known)
        return asked
    if known == []:
        raise InputError("the two models have no metric in common; comparator model check MODEL says what each reports")
    choice = f"Metric ({', '.join(known)})" if known else "Metric"

    def read(answer: str) -> str:
        check_metric(answer, known)
        return answer

    return questions.ask(choice, known[0] if known else None, "--metric NAME", read)


def _wants_trial(asked: str | None, agreed: bool | None, questions: Questions) -> bool:
    if agreed is not None:
        return agreed
    return asked is None and questions.agree("Train each model once, to see what it reports", "--metric NAME, --try")


def _write_checked(draft: Draft, file: Path, host: Host, *, is_kept: bool) -> None:
    """Write the file, check it as a search would, and say how it is run.

    What is refused is not left behind, unless it `is_kept` for the answers in it.
    """
    from comparator.experiment import planning
    from comparator.experiment.dry_run import budget_words

    before = file.read_bytes() if file.exists() else None
    write_text_whole(file, draft.text)
    command = command_line(host.experiments, host.root, "search", str(file))
    try:
        plan = planning.plan_experiment(host, file, [], full=False, command=command)
    except InputError as error:
        if is_kept:
            raise InputError(f"{error}; mend it in {file}, and check it by: {command} --dry-run") from None
        file.unlink() if before is None else file.write_bytes(before)
        raise
    copyable(out, f"{file}: is written")
    tell(out, f"{plan.frozen.title}  {budget_words(plan.frozen)}")
    copyable(out, f"run it by: {command}")
