"""The JavaScript that draws the figures of a page: Vega, Vega-Lite and vega-embed in one text of 0.9 MB.

It is made from what vl-convert carries, without a network, in about three seconds of CPU time, and kept in the user's
cache folder under the version that it is of.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

#: What the page's own script calls: `comparatorEmbed(element, chart, options)`. Errors alone are said: what Vega-Lite
#: remarks on a chart is for who writes one, and it can be told so by the console alone.
SNIPPET = """
console.warn = () => undefined;
window.comparatorEmbed = (element, chart, options) => vegaEmbed(element, chart, options);
"""
FOLDER = "comparator"
END = "\n//whole"


@cache
def bundle() -> str:
    """Return the JavaScript; made once for each version, where the cache can be kept."""
    own = hashlib.sha256(SNIPPET.encode()).hexdigest()[:8]
    kept = _folder() / f"figures-{version('vl-convert-python')}-{own}.js"
    with suppress(OSError, UnicodeDecodeError):
        text = kept.read_text(encoding="utf-8")
        if text.endswith(END):
            return text
    text = _made()
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(kept)
        finally:
            temporary.unlink(missing_ok=True)
    return text


def _made() -> str:
    from vl_convert import javascript_bundle

    text = javascript_bundle(SNIPPET)
    # Inside a script element nothing may end it, nor begin what looks like another.
    assert "</script" not in text.lower() and "<!--" not in text
    return text.rstrip() + END


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / FOLDER
    except RuntimeError:  # no home: nothing is kept
        return Path(os.devnull) / FOLDER
