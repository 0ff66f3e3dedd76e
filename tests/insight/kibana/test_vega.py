"""The Vega panels, drawn in a real browser from a real node's answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import vl_convert
from playwright.sync_api import Browser, Route

from insight.kibana.files import Saved, urls_of
from tests.insight.kibana import truth
from tests.insight.kibana.filled import WHOLE, Filled

pytestmark = [pytest.mark.elasticsearch, pytest.mark.browser]

PAGE = "http://boards.example/"
BODY = "<link rel=icon href=data:><div id=panel style='width: 600px; height: 300px'></div>"


def drawn(browser: Browser, filled: Filled, panel: Saved) -> tuple[str, list[str]]:
    """The SVG of a panel and what the console says; its questions are answered by the node."""
    spec = json.loads(json.dumps(panel.attributes["visState"]["params"]["spec"]))
    answers = filled.asker.vega(panel, WHOLE)
    for number, (data, _) in enumerate(zip(_data(spec), answers, strict=True)):
        data["url"] = f"{PAGE}answer/{number}"
    script = vl_convert.javascript_bundle()
    said: list[str] = []
    context = browser.new_context()
    try:
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.route(f"{PAGE}**", _says(BODY, "text/html"))
        for number, answer in enumerate(answers):
            page.route(f"{PAGE}answer/{number}", _says(json.dumps(answer), "application/json"))
        page.goto(PAGE)
        page.add_script_tag(content=script, type="module")
        page.wait_for_function("window.vegaEmbed !== undefined")
        page.evaluate(
            "spec => vegaEmbed('#panel', spec, {renderer: 'svg', actions: false}).then(() => null)",
            spec,
        )
        return page.inner_html("#panel"), said
    finally:
        context.close()


def _says(body: str, kind: str) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type=kind)

    return answer


def _data(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Each ``data`` of a specification that has a url, in the order of `urls_of`."""
    found: list[dict[str, Any]] = []
    wanted = [id(url) for url in urls_of(spec)]
    waiting: list[object] = [spec]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, dict):
            if id(part.get("url")) in wanted:
                found.append(part)
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def test_every_vega_panel_is_drawn_with_a_mark_for_each_row(
    browser: Browser, demonstrated: Filled
) -> None:
    for panel in demonstrated.panels("visualization"):
        picture, said = drawn(browser, demonstrated, panel)
        assert said == [], f"{panel.title}: {said}"
        marks = re.findall(r'aria-roledescription="(?:bar|point)"', picture)
        rows = demonstrated.asker.vega(panel, WHOLE)[0]
        data, *_ = _data(panel.attributes["visState"]["params"]["spec"])
        for step in data["format"]["property"].split("."):
            rows = rows[step]
        assert len(marks) == len(rows) > 0, panel.title


def test_the_words_that_stand_out_are_counted_as_pandas_counts_them(demonstrated: Filled) -> None:
    (panel,) = [p for p in demonstrated.panels("visualization") if p.title.startswith("Words")]
    found = demonstrated.asker.vega(panel, WHOLE)[0]["aggregations"]["complaints"]
    buckets = found["sample"]["words"]["buckets"]
    frame = truth.frames(demonstrated.settings, demonstrated.store)["mentions"]
    complaints = frame[(frame["counted"] == "yes") & (frame["reading"] == "complaint")]
    near, all_posts = (
        Counter(word for text in some["text"] for word in set(_words(text)))
        for some in (complaints, frame)
    )
    assert len(buckets) >= 3
    for bucket in buckets:
        counted = (bucket["doc_count"], bucket["bg_count"])
        assert counted == (near[bucket["key"]], all_posts[bucket["key"]]), bucket["key"]


def _words(text: str) -> list[str]:
    """As the standard analyser cuts a text."""
    return re.findall(r"\w+(?:['’.]\w+)*", text.casefold().replace("[", " ").replace("]", " "))


def test_the_calibration_is_that_of_pandas(demonstrated: Filled) -> None:
    (panel,) = [p for p in demonstrated.panels("visualization") if p.title.startswith("Predicted")]
    buckets = demonstrated.asker.vega(panel, WHOLE)[0]["aggregations"]["judged"]["band"]["buckets"]
    frame = truth.frames(demonstrated.settings, demonstrated.store)["outcomes"]
    judged = frame.dropna(subset=["right_share", "complaint_probability"])
    bands = judged.groupby((judged["complaint_probability"] * 10).astype(int))
    wanted = [
        (len(some), some["complaint_probability"].mean(), some["right_share"].mean())
        for _, some in bands
    ]
    asked = [
        (one["doc_count"], one["predicted"]["value"], one["right"]["value"]) for one in buckets
    ]
    assert asked == [pytest.approx(row) for row in wanted]
