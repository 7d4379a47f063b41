"""The page of a cross-study or of learning curves: figures and tables in one HTML file, in the report's style."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from comparator.formats.text import write_text_whole
from comparator.report.next_step import Step
from comparator.report.numbers import printable
from comparator.report.page import COLOURS, environment
from comparator.results.frozen import FrozenExperiment
from comparator.studies.figures import Picture

TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ id }}: {{ title }}</title>
{% include "icon.html" %}
<style>{{ style }}</style>
</head>
<body>
<main>
<header>
  <h1>{{ title }}</h1>
  <p class="kicker">{{ id }} &middot; {{ created[:10] }}</p>
</header>
<section class="answer"><h2>Answer</h2>
  {% for sentence in answer %}
  <p{% if loop.first %} class="lead"{% endif %}>{{ sentence }}</p>
  {% endfor %}
  <p class="next"><b>Next:</b> {{ next.words }}{% if next.command %}
  <span class="command"><code>{{ next.command | words_apart }}</code></span>{% else %}.{% endif %}</p>
</section>
{% if pictures %}
<div class="figures">
{% for picture in pictures %}
<section><h2>{{ picture.figure.title }}</h2>
  <figure>
    {% if picture.narrow %}
    <div class="chart wide" role="img" aria-label="{{ picture.figure.title }}">{{ in_colours(picture.wide) }}</div>
    <div class="chart narrow" role="img" aria-label="{{ picture.figure.title }}">{{ in_colours(picture.narrow) }}</div>
    {% else %}
    <div class="chart fixed" role="img" aria-label="{{ picture.figure.title }}" tabindex="0">
      {{ in_colours(picture.wide) }}
    </div>
    {% endif %}
    <figcaption class="caption">{{ picture.figure.caption }}</figcaption>
  </figure>
</section>
{% endfor %}
</div>
{% endif %}
{% for section in sections %}
<section><h2>{{ section.heading }}</h2>
  {% if section.note %}<p>{{ section.note }}</p>{% endif %}
  <div class="scroll" tabindex="0" role="region" aria-label="{{ section.heading }}"><table>
    <thead><tr>{% for name in section.columns %}<th>{{ name }}</th>{% endfor %}</tr></thead>
    <tbody>{% for row in section.rows %}
      <tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}
    </tbody>
  </table></div>
</section>
{% endfor %}
<section><h2>Files</h2>
  <p>{% for name in files %}<a href="tables/{{ name | urlencode }}">{{ name }}</a>{{ ", " if not loop.last }}
  {% endfor %}
  in <code>tables/</code>; each figure as PNG and SVG in <code>figures/</code>.</p>
</section>
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Section:
    """A table of the page, with a word to it."""

    heading: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def write(
    folder: Path,
    frozen: FrozenExperiment,
    answer: Sequence[str],
    found: str,
    pictures: Sequence[Picture],
    sections: Sequence[Section],
    files: Sequence[str],
    step: Step,
    **more: Any,
) -> Path:
    """Write `report.html` and `report.json` whole into an experiment's folder; returns the page's path.

    What comes from data is escaped. `found` is the answer in a few words, for a table of experiments, `step` what to do
    next; the file for programs has both, the answer, and `more`.
    """
    style = (resources.files("comparator.report") / "page.css").read_text(encoding="utf-8")
    template = environment().from_string(TEMPLATE)
    text = template.render(
        title=frozen.title,
        id=frozen.id,
        created=frozen.created,
        style=Markup(style),
        answer=answer,
        pictures=pictures,
        in_colours=_in_colours,
        sections=sections,
        files=files,
        next=step,
    )
    temporary = folder / f".report.html.{os.getpid()}.tmp"
    temporary.write_text(printable(text), encoding="utf-8", errors="replace")
    temporary.replace(folder / "report.html")
    said = {"answer": " ".join(answer), "found": found, "next": {"words": step.words, "command": step.command}}
    content = {"id": frozen.id, "title": frozen.title, "metric": frozen.metric, **said, **more}
    write_text_whole(folder / "report.json", json.dumps(content, indent=1, allow_nan=False) + "\n")
    return folder / "report.html"


def _in_colours(picture: str) -> Markup:
    """Return a figure's SVG in the page's colours, light or dark, and without a ground of its own."""
    picture = picture.replace('fill="white"', 'fill="none"', 1)
    for colour, variable in COLOURS.items():
        picture = picture.replace(f'"{colour}"', f'"var({variable})"')
    return Markup(picture)
