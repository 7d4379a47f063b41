"""What a command would run, said before anything starts."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.stages import PILOT_SEEDS
from comparator.experiment.terminal import LONGEST_TITLE
from comparator.findings.beforehand import Design, power_words
from comparator.formats.text import shortened
from comparator.model.model import Model
from comparator.model.runners.together import FUNCTION
from comparator.objective.amounts import measure_of
from comparator.results.frozen import Confirm, FrozenExperiment
from comparator.strategies.replication import Replication


def describe(host: Host, plan: Plan) -> None:
    """Say what would run."""
    frozen = plan.frozen
    host.say(shortened(frozen.title, LONGEST_TITLE) or frozen.file)
    for submodel in frozen.models:
        name = "" if submodel.name == submodel.label else f"{submodel.name} in "
        by = "" if submodel.python is None else f", Python {submodel.python.version} ({submodel.python.interpreter})"
        host.say(f"  submodel {submodel.submodel}: {submodel.label}, {name}{submodel.path}{by}")
    over = ", ".join(plan.space.names) if plan.space is not None else f"the lines of {frozen.settings['upf']}"
    host.say(f"  objective: {frozen.objective.name} over {over}")
    if frozen.rechecks is None:  # else nothing is searched
        host.say(f"  strategy: {frozen.strategy.name}, seed {frozen.strategy.seed}")
    host.say(f"  budget: {budget_words(frozen)}")
    for line in _power_words(plan) if frozen.rechecks is None else ():
        host.say(f"  {line}")
    describe_host(host, plan.models)
    for line in host.engine.rehearsal(host.task(host.experiments / "ID", is_sweep=plan.is_sweep)):
        host.show(line)
    host.say("nothing was started (--dry-run)")


def describe_host(host: Host, models: Sequence[Model]) -> None:
    """Say where these models would run."""
    site = host.site
    host.say(f"  site {site.name}: {site.description}")
    workers = f"{host.workers} workers{_together(host, models)}"
    host.say(f"  engine {host.engine.name}: {workers}; a node has {len(host.slots)} slots")
    for words in host.engine.words():
        host.say(f"  {words}")
    host.say(f"  data: {site.data_folder}")


def _together(host: Host, models: Sequence[Model]) -> str:
    """How many trainings a worker gives to a model at once, where the site has more than one."""
    if host.site.together == 1:
        return ""
    together = host.together(models)
    if together > 1:
        return f", each of which gives {together} trainings at once to a model with {FUNCTION}(params_list)"
    return f", each with one training at a time, since no model is served that has {FUNCTION}(params_list)"


def _power_words(plan: Plan) -> list[str]:
    """What the budget sees, as far as it can be said before a pilot."""
    to_go = None if plan.budget is None else plan.budget - PILOT_SEEDS * len(plan.pilot)
    smallest = None if plan.objective.needs_unit else plan.smallest  # whose unit is what no pilot has measured yet
    measure = measure_of(plan.frozen)
    design = Design(to_go, plan.replication.first, blocks=plan.fresh_blocks, smallest=smallest, measure=measure)
    return power_words(design)


def budget_words(frozen: FrozenExperiment) -> str:
    """What is trained: the search's budget, and what is tried anew beside it."""
    budget, stages = frozen.budget, frozen.stages
    trainings = 1 if frozen.has_alternatives else len(frozen.models)
    if frozen.rechecks is not None:
        pairs = sum(len(claim.points) for claim in frozen.claims or ())
        return f"nothing is searched; {pairs} pairs, {pairs * trainings} trainings, less those that the store has"
    if budget.evaluations is None:
        words = f"{budget.generations} generations" if budget.generations else "until the search ends"
    else:
        words = f"{budget.evaluations} evaluations, {budget.evaluations * trainings} trainings"
    if stages.first is not None:
        pairs = stages.first.points * Replication.of(stages.replicates).first
        words += (
            f", of {stages.first.epochs} of {stages.first.full} epochs; then {pairs * trainings} in full, of the best"
            f" {stages.first.points} points; together as long as those of"
            f" {frozen.settings['search']['evaluations']} full evaluations, or shorter"
        )
    if stages.pilot:
        words += f"; a pilot of {len(stages.pilot) * PILOT_SEEDS} among them"
    if stages.probes:
        words += f"; {_probe_words(len(stages.probes))}"
    if stages.confirm:
        words += f"; {_confirm_words(stages.confirm)}"
    if stages.blocks > 1:
        words += f"; dealt to {stages.blocks} blocks of seeds, and of data splits where the model takes one"
    return words


def _probe_words(count: int) -> str:
    if count == 1:
        return "1 beside it, with another value of the hyperparameter, tells which model it changes"
    return f"{count} beside it, each with another value of one hyperparameter, tell which changes which model"


def _confirm_words(confirm: Confirm) -> str:
    """What is trained anew beside the budget: a region, or the best, and what it is compared with."""
    seeds, best = confirm.seeds, f"at each of the best {confirm.points} points" if confirm.points > 1 else "at the best"
    places = [f"{seeds} in every region that is found"] * confirm.regions
    places += [f"{seeds} {best}"] * bool(confirm.points)
    places += [f"{seeds} elsewhere to compare with"] * confirm.elsewhere
    claims = confirm.points + confirm.regions + confirm.elsewhere
    together = f" ({claims * seeds} together where one region is found)" if confirm.regions else ""
    then = ""
    if confirm.controls:
        pairs = len(confirm.controls) * 2 * seeds
        designs = f"{len(confirm.controls)} designs" if len(confirm.controls) > 1 else "a design"
        then = f"; then {pairs} pairs more by {designs} that cut both studies alike, where one region is shown"
    return f"afterwards, on seeds that the search never used, {', '.join(places)}{together}{then}"
