"""What the figures' charts hold, and that any space gives charts that compile."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import vl_convert
from cases import long_but
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import CATEGORICAL, GRID, LAYERS, NOISE, as_read, frozen, genetic, grid_records, sampled, summary_of

from comparator.errors import InputError
from comparator.evidence.importance import Importance, Share
from comparator.findings.axes import Axis
from comparator.findings.metric_agreement import with_signed
from comparator.findings.summary import summarise
from comparator.findings.verdict import Findings, find
from comparator.objective.amounts import SHARES
from comparator.report import figures
from comparator.report.evaluations import evaluations_content
from comparator.report.figures import Figure
from comparator.report.figures.boxes import region_layers
from comparator.report.figures.channels import along, number_channel
from comparator.report.figures.figure import figure as figure_of
from comparator.report.figures.figure import layer, newest
from comparator.report.figures.files import FORMS, figure_file, inline_svg, standing
from comparator.report.figures.heat import Scale, difference_scale, metric_scale
from comparator.report.figures.many import ranking
from comparator.report.figures.maps import objective_maps
from comparator.report.figures.progress import best_and_mean
from comparator.report.figures.surface import expected
from comparator.report.figures.timeline import _duration
from comparator.report.material import GridBest, Material

pytestmark = pytest.mark.usefixtures("quick_reports")

UNASKED = Findings(None, "nothing was asked")
Row = dict[str, Any]


def material_of(records: list[Row], **changes: Any) -> Material:
    """What the figures are made of, with the findings."""
    experiment = frozen(**changes)
    read = with_signed(experiment, as_read(records))
    summary = summarise(experiment, read)
    return Material(summary, find(experiment, read, summary))


def drawn(material: Material) -> dict[str, Figure]:
    return {each.name: each for each in figures.draw(material)}


def rows_of(chart: Mapping[str, Any], mark: str = "") -> list[Row]:
    """The rows of a chart's layers, or of those with one kind of mark."""
    layers = chart.get("layer", [chart])
    return [row for each in layers if mark in ("", each["mark"]["type"]) for row in each["data"]["values"]]


def compile_chart(figure: Figure) -> Any:
    """What Vega-Lite makes of it; raises where it is no specification."""
    return vl_convert.vegalite_to_vega(json.dumps(standing(figure), allow_nan=False))


def texts(chart: Any, key: str) -> Iterator[str]:
    """All texts that a chart holds under a key, at any depth."""
    if isinstance(chart, Mapping):
        for name, value in chart.items():
            if name == key and isinstance(value, str):
                yield value
            yield from texts(value, key)
    elif isinstance(chart, list):
        for each in chart:
            yield from texts(each, key)


def test_every_evaluation_is_on_the_map_once_with_what_it_says() -> None:
    material = material_of(genetic())
    chart = drawn(material)["search"].chart
    dots = rows_of(chart, "circle")
    done = [one for one in material.summary.searched if one.difference is not None]
    assert sorted(row["evaluations"][0] for row in dots) == sorted(one.number for one in done)
    by_number = {row["evaluations"][0]: row for row in dots}
    for one in done:
        row = by_number[one.number]
        assert (row["x"], row["y"], row["v"]) == (one.point["noise"], one.point["layer_force"], one.difference)
        assert row["tip"].startswith(f"evaluation {one.number}: ") and "layer_force" in row["tip"]
    failed = {row["evaluations"][0] for row in rows_of(chart, "point") if "failed" in row["tip"]}
    assert failed == {11, 38}


def test_the_map_shows_what_a_model_of_all_evaluations_expects_and_how_sure_it_is() -> None:
    material = material_of(genetic())
    x, y = material.summary.axes
    surface = expected(material.summary, material.findings.predictor, x, y)
    assert surface is not None and len(surface.means) == len(surface.sides[0]) == 30
    for column, low, high in zip(surface.means, surface.lows, surface.highs, strict=True):
        assert all(0 <= least <= mean <= most for least, mean, most in zip(low, column, high, strict=True))
    predictor = material.findings.predictor
    assert predictor is not None
    (left, right), (foot, top) = surface.sides[0][3], surface.sides[1][7]
    told = predictor.at({"noise": (left + right) / 2, "layer_force": (foot * top) ** 0.5})
    assert surface.means[3][7] == pytest.approx(abs(told.mean))
    assert "what a model of all evaluations expects" in drawn(material)["search"].caption


def test_a_map_without_a_model_shows_the_means_of_cells() -> None:
    summary = summary_of(genetic(6, failed=()))
    chart = objective_maps(Material(summary, UNASKED))[0]
    cells = rows_of(chart.chart, "rect")
    assert sorted(number for row in cells for number in row["evaluations"]) == list(range(6))
    assert "Empty cells were never evaluated" in chart.caption


def test_a_map_of_sizes_says_where_each_of_the_two_has_the_larger_metric() -> None:
    material = material_of(sampled([NOISE, LAYERS]), space=[NOISE, LAYERS])
    first, second = material.summary.models
    assert "which has the larger" not in objective_maps(material)[0].caption  # it is the second everywhere
    points = material.summary.points
    turned = (replace(points[0], mean=-0.1), *points[1:])
    told = f"it is {first} at 1 and {second} at {len(points) - 1} of {len(points)} points."
    assert told in objective_maps(replace(material, summary=replace(material.summary, points=turned)))[0].caption


def test_several_pairs_share_one_scale_and_are_on_average_over_the_rest() -> None:
    space = [NOISE, LAYERS, CATEGORICAL]
    maps = [each for each in figures.draw(material_of(sampled(space), space=space)) if each.name.startswith("search-")]
    assert len(maps) == 3 and "on average over the other hyperparameters" in maps[0].caption
    domains = {json.dumps(each.chart["layer"][0]["encoding"]["color"]["scale"]["domain"]) for each in maps}
    assert len(domains) == 1


def test_a_region_is_a_frame_at_its_bounds_that_chooses_what_lies_inside() -> None:
    material = material_of(genetic())
    assert material.findings.regions
    bounds = material.findings.regions[0].region.bounds
    plate = next(row for row in rows_of(drawn(material)["search"].chart, "text") if row["text"] == "1")
    x, y = material.summary.axes
    inside = {
        one.number
        for one in material.summary.points
        if all(
            axis.name not in bounds or bounds[axis.name][0] <= one.point[axis.name] <= bounds[axis.name][1]
            for axis in (x, y)
        )
    }
    assert set(plate["evaluations"]) == inside and inside
    assert plate["x"] == pytest.approx(min(bounds.get("noise", [0, 50])[1], 50))
    assert plate["tip"].startswith("region 1: ")


def test_a_frame_is_cut_where_another_hyperparameter_bounds_its_region() -> None:
    space = [NOISE, LAYERS, CATEGORICAL]
    summary = summary_of(sampled(space), space=space)
    bounds = {"noise": [10.0, 20.0], "activation": {"values": ["relu", "a rather long name of an activation"]}}
    found = material_of(genetic()).findings.regions[0]
    region = replace(found, region=replace(found.region, bounds=bounds))

    def frames(*axes: Axis) -> list[Row]:
        return list(region_layers(summary, [region], axes)[0][0]["data"]["values"])

    noise, layers, activation = summary.axes
    over_both = [(row["y"], row["y2"], row["cut"]) for row in frames(noise, activation)]
    assert over_both == [(-0.5, 0.5, False), (1.5, 2.5, False)]
    assert [(row["x"], row["x2"], row["cut"]) for row in frames(noise, layers)] == [(10.0, 20.0, True)]
    marks = [each["mark"] for each in region_layers(summary, [region], (noise, layers))[0]]
    assert [mark.get("strokeDash") for mark in marks] == [None, [6, 4]]


def test_evaluations_lie_over_the_frame_of_a_region_and_its_number_over_them() -> None:
    layers = drawn(material_of(genetic()))["search"].chart["layer"]
    kinds = [(each["mark"]["type"], "fill" in each["mark"]) for each in layers]
    assert kinds[:4] == [("rect", False), ("rect", True), ("rect", True), ("circle", False)]
    assert kinds[-2:] == [("point", True), ("text", False)]
    places = layers[0]["mark"]
    assert min(places["x2Offset"], -places["y2Offset"]) >= 1, "less would let the page shine through between places"


def test_axes_say_their_scale_and_the_names_of_their_values() -> None:
    log = along(Axis("rate", (1e-5, 1e-3, 0.1), log=True), "x")
    assert log["scale"]["type"] == "log" and log["axis"]["title"] == "rate (log scale)"
    assert log["axis"]["values"] == [1e-5, 1e-4, 1e-3, 0.01, 0.1]
    material = material_of(grid_records(), **GRID)
    grid = drawn(material)["grid"].chart["layer"][0]["encoding"]
    assert grid["x"]["axis"]["values"] == list(material.summary.axes[0].at)
    listed = material_of(sampled([CATEGORICAL]), space=[CATEGORICAL])
    params = {each["name"]: each["value"] for each in drawn(listed)["search"].chart["params"]}
    assert params["x_labels"] == ["relu", "tanh", "a rather long name …"]


def test_no_share_of_a_variance_is_drawn_as_more_than_all_of_it() -> None:
    importance = Importance((Share("noise", 0.77, 0.37, 1.28), Share("layer_force", 0.0, -0.02, 0.02)), 0.9, 35)
    (chart,) = (each.chart for each in ranking(material_of(genetic()).summary, importance))
    assert [row["high"] for row in rows_of(chart, "rule") if "high" in row] == [1.0, 0.02]


def test_each_hyperparameter_has_the_way_that_the_difference_goes_along_it() -> None:
    found = drawn(material_of(genetic()))
    importance = [found["importance"].chart["params"][0]["value"][place] for place in (0, 1)]
    effects = [found["effect-1"], found["effect-2"]]
    assert [each.choice.label for each in effects if each.choice] == importance, "the strongest first"
    assert {each.place for each in effects} == {"effect"}, "they take turns"
    scales = [each.chart["layer"][-1]["encoding"]["y"]["scale"]["domain"] for each in effects]
    assert scales[0] == scales[1], "so that their heights may be compared"
    by_name = dict(zip(importance, effects, strict=True))
    rows = rows_of(by_name["layer_force"].chart, "line")
    assert rows[-1]["y"] - rows[0]["y"] > 0.05, "these models differ more with more layers"
    assert all(row["low"] <= row["y"] <= row["high"] for row in rows)
    assert not [name for name in drawn(material_of(grid_records(), **GRID)) if name.startswith("effect")]


def test_one_hyperparameter_has_its_expected_curve() -> None:
    chart = drawn(material_of(sampled([NOISE], 40), space=[NOISE]))["search"].chart
    assert len(rows_of(chart, "line")) == len(rows_of(chart, "area")) == 30
    assert all(row["low"] <= row["y"] <= row["high"] for row in rows_of(chart, "area"))
    assert len(rows_of(chart, "circle")) == 40
    height = next(each["encoding"]["y"] for each in chart["layer"] if each["mark"]["type"] == "line")
    low, high = height["scale"]["domain"]
    assert all(low <= row["low"] and row["high"] <= high for row in rows_of(chart, "area")), "all of it on the axis"
    assert height["axis"]["title"] == ["relative difference of val_loss"], "a size, where V of the search is negative"


def test_the_first_map_is_of_what_bounds_the_first_region_then_of_what_explains_most() -> None:
    space = [CATEGORICAL, NOISE, LAYERS]
    records = [
        {**one, "point": {**one["point"], "activation": "relu" if n % 2 else "elu"}} for n, one in enumerate(genetic())
    ]
    material = material_of(records, space=space)

    def first_map(*bounded: str) -> str:
        bounds = {name: {"values": ["relu"]} if name == "activation" else [30.0, 40.0] for name in bounded}
        found = material_of(genetic()).findings.regions[0]
        regions = (replace(found, region=replace(found.region, bounds=bounds)),) if bounded else ()
        found_there = replace(material.findings, regions=regions)
        return objective_maps(replace(material, findings=found_there))[0].title

    assert first_map("layer_force", "activation").endswith(": activation and layer_force")
    assert first_map().endswith(": noise and layer_force"), "activation changes nothing"


def test_a_scale_with_a_middle_ends_in_numbers_of_few_digits() -> None:
    legend = Scale(-0.874923, 0.874923, 0.0).channel("difference", SHARES)["legend"]
    assert ",.3~g" in legend["labelExpr"]


def test_a_typical_time_is_the_same_number_wherever_it_stands() -> None:
    assert [_duration(seconds) for seconds in (0.0123, 3.549, 115.2)] == ["0.012 s", "3.5 s", "120 s"]


def test_parallel_coordinates_hold_each_point_once_between_0_and_1() -> None:
    space = [NOISE, LAYERS, CATEGORICAL]
    material = material_of(sampled(space), space=space)
    lines = rows_of(drawn(material)["parallel"].chart, "line")
    assert len(lines) == len(material.summary.points)
    assert all(0 <= row["at0"] <= 1 and 0 <= row["at1"] <= 1 for row in lines)


def test_progress_is_measured_by_the_best_of_a_grid() -> None:
    (progress,) = best_and_mean(summary_of(genetic()), GridBest("g-1", 121, 0.7))
    line = next(row for row in rows_of(progress.chart, "rule"))
    assert (line["y"], line["text"]) == (0.7, "best of the grid (121 points)")
    assert "experiment g-1: 70.00 %" in progress.caption and "does not reach it" in progress.caption
    members = [row for row in rows_of(progress.chart, "point") if row.get("series") == "generation's best"]
    assert sum(len(row["evaluations"]) for row in members) == 56


def test_of_a_chart_whose_rows_grow_the_newest_are_taken() -> None:
    chart = drawn(material_of(genetic()))["search"].chart
    grown = [layer for layer in newest(chart, {3, 5})["layer"] if layer.get("name", "").startswith("growing")]
    assert grown and {row["evaluations"][0] for layer in grown for row in layer["data"]["values"]} <= {3, 5}
    others = [layer for layer in chart["layer"] if not layer.get("name", "").startswith("growing")]
    assert all(layer in newest(chart, ())["layer"] for layer in others)


def test_a_frame_bounds_columns_of_the_table() -> None:
    material = material_of(genetic())
    columns = evaluations_content(material.summary)["columns"]
    axes = [figure.chart["usermeta"]["axes"] for figure in drawn(material).values() if "usermeta" in figure.chart]
    assert axes and all(name in columns for each in axes for name in each.values())


HOSTILE = '</script>"\'`${x} {{1+1}} a.b[c]\\ datum["v"] $\\frac{1}{2}$ \x00\x1b[31m\u202e\ud800 ' + "long " * 20
KINDS = st.sampled_from(["float", "log", "int", "few", "categorical", "ordered", "logical"])


def entry(number: int, kind: str, name: str) -> Row:
    bounds: Row = {
        "float": {"type": "float", "lower": -3, "upper": 50},
        "log": {"type": "float", "lower": 1e-6, "upper": 0.1, "use_log_scale": True},
        "int": {"type": "int", "lower": 1, "upper": 1000},
        "few": {"type": "int", "lower": 0, "upper": 3},
        "categorical": {"type": "categorical", "element_type": "string", "values": ["a", HOSTILE, "[1, 2]"]},
        "ordered": {"type": "ordered", "element_type": "int", "values": [16, 32, 64]},
        "logical": {"type": "logical"},
    }[kind]
    return {"name": f"{name}{number}", **bounds}


@pytest.mark.long
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(KINDS, min_size=1, max_size=4), st.sampled_from(["plain_name", HOSTILE]), st.integers(1, 20))
def test_any_space_gives_charts_that_compile_and_take_no_text_for_an_expression(
    kinds: list[str], name: str, count: int
) -> None:
    space = [entry(number, kind, name) for number, kind in enumerate(kinds)]
    for figure in figures.draw(material_of(sampled(space, count), space=space)):
        for chart in (figure.chart, compile_chart(figure)):
            for key in ("test", "calculate", "labelExpr", "expr", "signal", "field"):
                assert not any("frac" in text or "plain_name" in text for text in texts(chart, key)), key


def test_charts_are_moderate_in_size() -> None:
    assert max(len(json.dumps(each.chart)) for each in figures.draw(material_of(genetic()))) < 80_000


@pytest.mark.parametrize(
    ("form", "beginning"), long_but([("svg", b"<svg")], [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
)
def test_a_figure_is_a_file_of_each_form(form: str, beginning: bytes) -> None:
    figure = drawn(material_of(genetic(6, failed=())))["search"]
    content = figure_file(figure, form)
    assert content.startswith(beginning) and form in FORMS
    if form == "svg":
        assert "layer_force (log scale)" in content.decode() and 'fill="white"' in content.decode()
    if form == "png":
        assert struct.unpack(">I", content[16:20])[0] >= 1000


def test_pictures_of_one_page_share_no_identifier() -> None:
    svg = figure_file(drawn(material_of(genetic(6, failed=())))["search"], "svg").decode()
    picture = inline_svg(svg, "one")
    names = set(re.findall(r' id="([^"]+)"', picture))
    assert names and all(name.startswith("one-") for name in names)
    assert set(re.findall(r"url\(#([^)]+)\)", picture)) <= names and picture.startswith("<svg")


def test_another_form_is_refused() -> None:
    figure = drawn(material_of(genetic(6, failed=())))["search"]
    with pytest.raises(InputError, match="a figure is one of svg, png, pdf"):
        figure_file(figure, "gif")


def test_an_axis_of_epochs_names_whole_numbers_alone() -> None:
    rows = [{"x": epoch, "y": 0.1 * epoch, "evaluations": [0], "tip": ""} for epoch in (1, 2, 3)]
    x, y = number_channel("x", "epoch", integer=True), number_channel("y", "loss")
    drawn = figure_file(figure_of("learning-1", "", {"layer": [layer(rows, "line", {}, x=x, y=y)]}), "svg").decode()
    below = drawn[drawn.index("X-axis") :].partition("role-axis-title")[0]
    assert re.findall(r">([^<>]+)</text>", below) == ["1", "2", "3"]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2), written as #rrggbb or rgb(r, g, b)."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)] if colour[0] == "#" else None
        shares = [each / 255 for each in parts or map(int, re.findall(r"\d+", colour))]
        linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in shares]
        return sum(each * weight for each, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scale", [difference_scale([0.1, 0.6]), metric_scale([0.01, 0.02, 0.03, 0.2, 0.3])])
def test_what_stands_on_a_colour_of_the_scale_can_be_read(scale: Scale) -> None:
    values = [scale.low + (scale.high - scale.low) * step / 40 for step in range(41)]
    rows = [{"x": place, "x2": place + 1, "v": value} for place, value in enumerate(values)]
    x = {"field": "x", "type": "quantitative"}
    cells = layer(rows, "rect", {}, x=x, x2={"field": "x2"}, color=scale.channel(""))
    svg = figure_file(figure_of("cells", "cells", cells), "svg").decode()
    marks = svg[svg.index("mark-rect") :]
    colours = re.findall(r'fill="(rgb\([^)]*\)|#[0-9a-f]{6})"', marks[: marks.index("</g>")])
    assert len(colours) == len(values)
    read = [contrast(scale.ink(value), colour) for value, colour in zip(values, colours, strict=True)]
    assert min(read) >= 4.45, "what rounding of the colours leaves of 4.5"


def test_a_log_scale_names_its_powers_of_ten() -> None:
    values = number_channel("y", "loss", log=True, holding=(0.012, 0.6))["axis"]["values"]
    assert values == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    assert number_channel("y", "loss", log=True, holding=(3e-5, 40.0))["axis"]["values"] == [
        1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0,
    ]  # fmt: skip


def test_no_text_of_a_figure_is_smaller_than_those_of_its_axes() -> None:
    charts = [each.chart for each in drawn(material_of(grid_records(5, stage="search"))).values()]
    sizes = re.findall(r'"fontSize": ([\d.]+)', json.dumps(charts))
    assert sizes and all(float(size) >= 11 for size in sizes)
