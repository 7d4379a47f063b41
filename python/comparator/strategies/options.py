"""The options of strategies: one pydantic model for each, which says of every option what it is and what it takes.

A model's fields are the keys of `[search]` that are the strategy's own. Of a field its description, bounds and default
are said there and nowhere else; what is refused is worded by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from comparator.errors import InputError, nearest, nearest_names
from comparator.formats.refusal import allowed
from comparator.formats.text import message, shortened, shown
from comparator.space import MOST_POINTS


class StrategyOptions(BaseModel):
    """The options of a strategy that has none; the base of all others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Chosen = TypeVar("Chosen", bound=StrategyOptions)

#: Numbers of things, of which there are never more than points of a space.
FromOne = Annotated[int, Field(ge=1, le=MOST_POINTS)]
FromTwo = Annotated[int, Field(ge=2, le=MOST_POINTS)]
Probability = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
#: A file; in an experiment file it is relative to that.
FilePath = Annotated[str, Field(json_schema_extra={"format": "path"})]

#: The types of JSON's schemas, in words.
TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}

#: What DEAP, and CANDLE's scripts around it, call our options.
SPELLINGS = {
    "mutpb": "mutation_probability",
    "mut_prob": "mutation_probability",
    "cxpb": "crossover_probability",
    "cx_prob": "crossover_probability",
    "mut_indpb": "gene_mutation_probability",
    "cx_indpb": "gene_crossover_probability",
    "tournsize": "tournament_size",
    "off_prop": "offspring_proportion",
    "offspring_prop": "offspring_proportion",
    "lambda_": "offspring_proportion",
    "ngen": "generations",
    "num_iter": "generations",
    "num_iterations": "generations",
    "mu": "population",
    "num_pop": "population",
    "pop": "population",
    "population_size": "population",
    "w": "inertia",
    "phi1": "cognitive",
    "phi2": "social",
    "c1": "cognitive",
    "c2": "social",
    "smax": "maximal_speed",
    "vmax": "maximal_speed",
    "init_params": "initial_population",
    "init_params_file": "initial_population",
    "param_file": "initial_population",
}


def spelt_here(word: str, spellings: Mapping[str, str]) -> str:
    """The hint for a name that DEAP or CANDLE have for something of ours, or an empty string."""
    here = spellings.get(word.lower())
    return f" (here it is '{here}')" if here else ""


def read_options(model: type[Chosen], given: Mapping[str, object], where: str, beside: Iterable[str] = ()) -> Chosen:
    """The options as `model` has them; those that are not given, or None, have their defaults.

    Raises `InputError` for an unknown one, and for a value that is not allowed; its line begins with `where`. `beside`
    are the keys that stand beside the options, one of which may have been meant.
    """
    fields = model.model_fields
    unknown = next((key for key in given if key not in fields), None)
    if unknown is not None:
        suggestion = spelt_here(unknown, SPELLINGS) or nearest(unknown, [*fields, *beside])
        is_beside = not set(nearest_names(unknown, [*fields, *beside])) <= set(fields)
        known = "" if is_beside else f"; options: {', '.join(fields) or 'none'}"
        raise InputError(f"{where}: unknown option '{shortened(unknown)}'{suggestion}{known}")
    try:
        return model.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        raise InputError(f"{where}: {_refusal(model, error, given)}") from None


def file_options(model: type[StrategyOptions]) -> list[str]:
    """The options that name a file."""
    described = model.model_json_schema().get("properties", {})
    return [name for name, each in described.items() if any(form.get("format") == "path" for form in _forms(each))]


def _refusal(model: type[StrategyOptions], error: ValidationError, given: Mapping[str, object]) -> str:
    """What is wrong with the options, in words."""
    first = error.errors()[0]
    said = first.get("ctx", {}).get("error")  # by a validator of the model's own
    if not first["loc"]:
        return message(str(said)) if said else allowed(error)
    option = str(first["loc"][0])
    if option not in given:
        return f"'{option}' is not given, and has no default"
    words = None if said else _allowed(model, option)
    reason = f": {message(str(said)) if said else allowed(error)}" if words is None else f" is not {words}"
    return f"'{option}' = {shown(given[option])}{reason}"


def _allowed(model: type[StrategyOptions], option: str) -> str | None:
    """What an option takes, in words; None where its type has none."""
    words = [_words(form) for form in _forms(model.model_json_schema()["properties"][option])]
    return None if None in words else ", or ".join(word for word in words if word is not None)


def _forms(described: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The forms that a value may have, without None, which stands for an option that is not given."""
    return [form for form in described.get("anyOf", [described]) if form.get("type") != "null"]


def _words(form: Mapping[str, Any]) -> str | None:
    if "enum" in form:
        return f"one of {', '.join(map(str, form['enum']))}"
    if form.get("format") == "path":
        return "the path of a file"
    words = TYPES.get(str(form.get("type")))
    if words is None:
        return None
    bounds = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))
    return " ".join([words, *(f"{word} {form[key]:,}" for key, word in bounds if key in form)])
