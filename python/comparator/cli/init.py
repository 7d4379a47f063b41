"""`comparator init`: from two models, or one, to an experiment file that is ready to run."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from comparator.cli.app import RUN, ExperimentsOption, app, out, stop_signals_like_ctrl_c
from comparator.errors import InputError
from comparator.experiment.terminal import copyable, note, tell
from comparator.formats.names import as_file_name, home_written_out
from comparator.formats.text import shortened, write_text_whole
from comparator.site.folders import command_line, experiments_folder, project_root

if TYPE_CHECKING:
    from comparator.drafting.definitions import Definition
    from comparator.drafting.draft import Draft
    from comparator.experiment.host import Host
    from comparator.model.model import Model

EVALUATIONS = 56
#: So often a question is asked whose answer cannot be taken.
TRIES = 3

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Questions:
    """What the user is asked: at a terminal each question with its default; with `--yes` the defaults are taken."""

    takes_defaults: bool

    def ask(self, words: str, default: str | None, flag: str, read: Callable[[str], Answer]) -> Answer:
        """What `read` makes of the answer; an answer of which it raises `InputError` is told, and asked for again.

        Raises `InputError` that names `flag` where nobody can be asked, and that of the last of `TRIES` answers.
        """
        if self.takes_defaults and default is not None:
            return read(default)
        if self.takes_defaults or not sys.stdin.isatty():
            yes = "" if default is None else f", or --yes for {shortened(default)}"
            raise InputError(f"{words[:1].lower()}{words[1:]}: nobody can be asked here; give {flag}{yes}")
        for left in reversed(range(TRIES)):
            try:
                return read(_typed(words, default))
            except InputError as error:
                if not left:
                    raise
                note(out, str(error))
        raise AssertionError("unreachable")

    def agree(self, words: str, flag: str) -> bool:
        """Whether the user agrees, as they do by default."""
        return self.ask(f"{words} (yes or no)", "yes", flag, _yes_or_no)


def _typed(words: str, default: str | None) -> str:
    try:
        return str(typer.prompt(words, default=default)).strip()
    except typer.Abort:  # Ctrl-C, or the end of what is typed
        raise KeyboardInterrupt from None


def _yes_or_no(answer: str) -> bool:
    if answer.lower() not in ("y", "yes", "n", "no"):
        raise InputError(f"'{shortened(answer)}': the answer is yes or no")
    return answer.lower() in ("y", "yes")


def _words(answer: str) -> list[str]:
    """The words of an answer, as a shell has them."""
    try:
        return shlex.split(answer)
    except ValueError:
        raise InputError(f"{shortened(answer)}: a quote is not closed") from None


@app.command(rich_help_panel=RUN, short_help="Write the experiment file of your own two models.")
def init(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIRST [SECOND]]",
            help="Folders, images, Python files, functions (FILE.py:NAME), or names of models; one alone is searched.",
            show_default=False,
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=RANGE",
            help="What is varied: noise=0:50, width=25:200:log, kind=a,b, or NAME for what is proposed.",
        ),
    ] = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="What is compared.", show_default=False)] = None,
    find: Annotated[str, typer.Option(metavar="WHAT", help="both, regions, or maximum.")] = "both",
    evaluations: Annotated[int, typer.Option(min=1, help="The budget: pairs of trainings.")] = EVALUATIONS,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A hyperparameter; cmp_0_NAME, cmp_1_NAME: of one model."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write it over one that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take what is proposed.")] = False,
    trial: Annotated[
        bool | None,
        typer.Option("--try/--no-try", help="Train each model once, to see what it reports.", show_default=False),
    ] = None,
    limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="What such a training may take.")] = 300.0,
    site: Annotated[str, typer.Option("--site", metavar="NAME", help="The machine's profile in sites/.")] = "local",
    experiments: ExperimentsOption = None,
) -> None:
    """Write the experiment file of a comparison of your own two models, or a search of one, and check it."""
    from comparator.drafting.definitions import shared
    from comparator.drafting.draft import FIND_WORDS, Draft
    from comparator.drafting.metrics import Trials
    from comparator.engine.interface import EngineOptions
    from comparator.errors import nearest
    from comparator.experiment.host import open_host

    if find not in FIND_WORDS:
        raise InputError(f"--find {shortened(find)}: is none of {', '.join(FIND_WORDS)}{nearest(find, FIND_WORDS)}")
    stop_signals_like_ctrl_c()
    questions = Questions(yes)
    root = project_root()
    folder = experiments_folder(experiments, root)
    host = open_host(root, folder, site, EngineOptions(), warm=True, console=out)
    references = _references(models or [], questions, host)
    file = _file(output, references, force=force)
    with _written(references, file.absolute().parent, force=force) as names:
        found = _models(names, file, host)
        given = _settings(settings or [], found, questions)
        of_each = _known(found, host)
        known = shared(of_each)
        space = _space(found, of_each, vary or [], given, questions)
        trials = Trials(found, given, space, host.root / "containers", host.slots[0], host.site.data_folder, limit)
        chosen = _metric(trials, metric, trial, questions)
        draft = Draft(
            models=tuple(names),
            space=space,
            metric=chosen,
            evaluations=evaluations,
            find=find,
            settings=given,
            labels=_labels(references),
            known=known,
        )
        write_text_whole(file, draft.text)
    _check(draft, file, host)


def _references(given: Sequence[str], questions: Questions, host: Host) -> list[str]:
    if len(given) > 2:
        raise InputError(f"{len(given)} models are given; two are compared, and one is searched")
    if given:
        return list(given)
    what = "a folder, an image, a Python file, FILE.py:FUNCTION, or a model's name"

    def read(answer: str) -> str:
        from comparator.drafting.functions import model_of_function

        if model_of_function(answer, Path.cwd()) is None:
            _models([_from(Path.cwd(), answer)], Path("init.toml"), host)
        return answer

    first = questions.ask(f"First model ({what})", None, "FIRST SECOND", read)
    second = questions.ask(
        "Second model ('none': the first alone is searched)",
        "none",
        "SECOND",
        lambda answer: None if answer == "none" else read(answer),
    )
    return [first] if second is None else [first, second]


def _file(output: Path | None, references: Sequence[str], *, force: bool) -> Path:
    """Where the file goes; one that is there is kept."""
    stems = [as_file_name(_short_name(each)) for each in references]
    proposed = "-".join(["compare" if len(stems) == 2 else "search", *dict.fromkeys(stems)]) + ".toml"
    file = home_written_out(output) if output is not None else Path(proposed)
    if file.suffix != ".toml":
        raise InputError(f"--output {file}: an experiment file is called NAME.toml")
    if not file.absolute().parent.is_dir():
        raise InputError(f"--output {file}: there is no folder {file.absolute().parent}")
    if file.exists() and not force:
        raise InputError(f"{file}: is there already; --output FILE names another, --force writes over it")
    return file


@contextlib.contextmanager
def _written(references: Sequence[str], folder: Path, *, force: bool) -> Iterator[list[str]]:
    """The models as the file names them, with a file for each function; these go where no experiment comes of it."""
    from comparator.drafting.functions import model_of_function

    names, made = [], []
    try:
        for reference in references:
            found = model_of_function(reference, folder)
            if found is None:
                names.append(_from(folder, reference))
                continue
            path, text = found
            if path.exists() and path.read_text(encoding="utf-8") != text and not force:
                raise InputError(f"{path}: is there already, and is to call {reference}; --force writes over it")
            if not path.exists():
                made.append(path)
            write_text_whole(path, text)
            names.append(path.name)
        yield names
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _from(folder: Path, reference: str) -> str:
    """A model as a file in `folder` names it: by a relative path, or as it is where that is none."""
    from comparator.model.model import with_path_written

    return with_path_written(reference, lambda place: os.path.relpath(place.absolute(), folder))


def _short_name(reference: str) -> str:
    """What a model is called in a file's name and in reports: its function, or the end of its path."""
    path, _, function = reference.rpartition(".py:")
    return function if path else re.sub(r"\.(py|sif)$", "", home_written_out(reference).absolute().name)


def _labels(references: Sequence[str]) -> tuple[str, ...]:
    """What reports call two functions, which would be called by the files that call them."""
    names = tuple(map(_short_name, references))
    return names if any(".py:" in each for each in references) and len(set(names)) == 2 else ()


def _models(names: Sequence[str], file: Path, host: Host) -> list[Model]:
    from comparator.model.environment_making import make
    from comparator.model.model import find_model

    containers = host.root / "containers"
    models = [find_model(name, file.absolute().parent, containers, "init", host.site) for name in names]
    for model in models:
        if model.python is not None:
            make(model.python, host.say)
    return models


def _settings(given: Sequence[str], models: Sequence[Model], questions: Questions) -> dict[str, Any]:
    """The hyperparameters that are set; of two copies of one model those that set them apart are asked for."""
    from comparator.formats.hyperparameters import parse_override, set_once

    set_apart: list[str] = []
    is_one = len(models) == 2 and models[0].reference == models[1].reference
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

    found = _words(answer)
    for each in found:
        parse_override(each)
    if not found:
        raise InputError("nothing is set; give NAME=VALUE")
    return found


def _known(models: Sequence[Model], host: Host) -> list[dict[str, Definition]]:
    """What is known of the hyperparameters that each model takes; what is not is noted."""
    from comparator.drafting.definitions import find_definitions
    from comparator.model.probe import likely_seed, usual_seed

    found: dict[str, dict[str, Definition]] = {}
    for model in models:
        if model.reference in found:
            continue
        with out.status("looking at the models"):
            found[model.reference] = find_definitions(model, host.slots[0], host.site.data_folder)
        if not found[model.reference]:
            note(out, f"{model.reference}: what it takes is not known, so it is supposed to take what is varied")
        seed, is_taken = likely_seed(found[model.reference]), model.description.seed is not None
        # A module is given the usual one unasked.
        is_taken = is_taken or (model.module is not None and usual_seed(found[model.reference]) is not None)
        if seed is not None and not is_taken:
            note(out, f"{model.reference}: the line seed = '{seed}' in {model.description_file} gives it its seeds")
    return [found[model.reference] for model in models]


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
    told = [model.description for model in models]
    seeds = {name for each in told for name in (each.seed, *(each.seeds or {}).values(), each.split) if name}
    if vary:
        return _checked([read_vary(each, known, of_each) for each in vary], settings)
    proposed = proposals(known, without=fixed | seeds)
    if proposed and not questions.takes_defaults:
        out.print("What can be varied:" if len(models) == 1 else "What can be varied of both:")
        for name, entry in proposed.items():
            said = known[name].description
            tell(out, f"  {name}={words(entry)}{f'   {said}' if said else ''}")
    taken = most_telling(proposed)
    usual = " ".join(f"{entry['name']}={words(entry)}" for entry in taken)

    def read(answer: str) -> list[dict[str, Any]]:
        entries = taken if answer == usual else [read_vary(each, known, of_each) for each in _words(answer)]
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


def _check(draft: Draft, file: Path, host: Host) -> None:
    """Check the file as a search would, and say how it is run."""
    from comparator.experiment import planning
    from comparator.experiment.dry_run import budget_words

    copyable(out, f"{file}: is written")
    command = command_line(host.experiments, host.root, "search", str(file))
    try:
        plan = planning.plan_experiment(host, file, [], full=False, command=command)
    except InputError as error:
        raise InputError(f"{error}; mend it in {file}, and check it by: {command} --dry-run") from None
    tell(out, f"{plan.frozen.title}  {budget_words(plan.frozen)}")
    copyable(out, f"run it by: {command}")
