"""The report says what the frames say, and opens anywhere: no network, no script, no mouse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from insight.figures import figures, tables_of
from insight.frames import Frames
from insight.report import SECTIONS, page
from insight.scope import WEEK, Scope
from outcry.analysts import frames
from outcry.demo import AS_OF, Demo
from tests.outcry.shell import call, objects, only_line
from tests.triage.store.samples import T0, mention
from triage.store import open_store

END = AS_OF + timedelta(hours=6)
PRODUCTS = {"router": ("modem",)}


def of_week(data: Frames) -> str:
    return page(figures(data, Scope("The week", END - WEEK, END), PRODUCTS), END)


def test_each_question_has_its_section(data: Frames) -> None:
    made = of_week(data)
    for question in (
        "What are people unhappy about today?",
        "What is spreading?",
        "Are we keeping up?",
        "Where does it come from, and what do we miss?",
        "Is the model right?",
        "One customer, one case",
    ):
        assert f">{question}</h2>" in made


def test_the_same_figures_give_the_same_page(data: Frames) -> None:
    assert of_week(data) == of_week(data)


def test_what_people_wrote_is_never_markup(tmp_path: Path) -> None:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    said = "<script>alert(1)</script> <b>broken</b>"
    store.save_mentions(
        [
            mention(text=said, severity=4, complaint=True, url="javascript:alert(1)"),
            mention("m2", text=said, severity=4, complaint=True, url="https://e.example/?a=1&b=2"),
        ]
    )
    scope = Scope("<i>Week</i>", T0 - WEEK, T0 + WEEK)
    made = page(figures(Frames(store), scope, {"<b>": ("broken",)}), END)
    store.close()
    assert "<script" not in made
    assert "javascript:" not in made
    assert "<b>" not in made
    assert "<i>" not in made
    assert 'href="https://e.example/?a=1&amp;b=2"' in made


def test_what_agents_wrote_by_hand_is_not_forwarded(data: Frames) -> None:
    case = figures(data, Scope("The week", END - WEEK, END)).case
    theirs = case[case["what"].isin(["claimed", "contacted", "resolved"])]
    by_hand = {event.words for event in data.events().itertuples() if event.by != "triage"}
    assert by_hand - {""}
    assert set(theirs["words"]) <= {""}


def test_an_empty_deployment_has_a_report_that_says_so(tmp_path: Path) -> None:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    made = of_week(Frames(store))
    store.close()
    assert "0 complaints among 0 posts (–)" in made
    assert "No case was opened." in made


@pytest.fixture
def opened(browser: Browser, data: Frames, tmp_path: Path) -> Iterator[Page]:
    """The report in a browser without a network, which may say nothing and ask for nothing."""
    file = tmp_path / "report.html"
    file.write_text(of_week(data))
    context = browser.new_context(offline=True, viewport={"width": 1100, "height": 800})
    said: list[str] = []
    shown = context.new_page()
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: said.append(request.url))
    shown.goto(file.as_uri())
    yield shown
    context.close()
    assert said == [file.as_uri()]


@pytest.mark.browser
def test_the_page_opens_without_a_network_and_axe_finds_nothing(opened: Page) -> None:
    found = Axe().run(opened)
    assert found.generate_snapshot() == ""


@pytest.mark.browser
def test_every_drawing_stands_beside_its_numbers(opened: Page) -> None:
    parts = opened.locator(".part:has(svg)")
    assert parts.count() >= 6
    for at in range(parts.count()):
        assert parts.nth(at).locator("tbody tr").count() > 0
        assert parts.nth(at).locator("figcaption").inner_text().endswith("are in the table.")


@pytest.mark.browser
def test_the_keyboard_leads_past_the_list_to_the_answers(opened: Page) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to the answers"
    opened.keyboard.press("Enter")
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.browser
def test_nothing_is_cut_off_on_a_telephone_or_on_paper(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    opened.set_viewport_size({"width": 680, "height": 900})  # A4 within its margins
    opened.emulate_media(media="print")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 680
    assert not opened.locator("nav").is_visible()
    assert opened.pdf(format="A4").startswith(b"%PDF-")


def test_the_command_writes_the_page_and_says_where(worked: Path, tmp_path: Path) -> None:
    file = tmp_path / "week.html"
    done = call(worked, "report", "--week", "--as-of", END.isoformat(), "--out", str(file))
    assert done.exit_code == 0
    assert str(file) in only_line(done)
    assert len(SECTIONS) == file.read_text().count("<h2 ")


def test_the_command_gives_the_numbers_as_json(worked: Path) -> None:
    with frames(worked) as data:
        scope = Scope("", END - 4 * WEEK, END, "billing")
        expected = dict(tables_of(figures(data, scope)))
    words = ("report", "--month", "--department", "billing", "--as-of", END.isoformat(), "--json")
    shown = {row["table"]: row["rows"] for row in objects(call(worked, *words))}
    assert shown == expected


def test_an_incident_has_a_report_of_its_own(heard: Demo, tmp_path: Path) -> None:
    (incident,) = heard.incidents
    file = tmp_path / "incident.html"
    name = incident.incident[:8]
    done = call(
        heard.home, "report", "--incident", name, "--as-of", END.isoformat(), "--out", str(file)
    )
    assert done.exit_code == 0
    assert incident.title in file.read_text()
    assert f"{len(incident.posts)} complaints among {len(incident.posts)} posts" in file.read_text()


@pytest.mark.parametrize(
    ("as_of", "said"),
    [("2020-01-01T00:00Z", "are of 2026-11-"), ("2030-01-01T00:00Z", "to 2026-11-20: see --as-of")],
)
def test_an_empty_week_says_when_there_was_something(
    as_of: str, said: str, worked: Path, tmp_path: Path
) -> None:
    file = tmp_path / "week.html"
    done = call(worked, "report", "--as-of", as_of, "--out", str(file))
    first, second = done.stderr.splitlines()
    assert said in first
    assert second.endswith("kB")
    assert "0 complaints among 0 posts" in file.read_text()


def test_a_deployment_that_has_heard_nothing_says_what_to_run(tmp_path: Path) -> None:
    done = call(tmp_path / "home", "report", "--out", str(tmp_path / "week.html"))
    assert "run 'outcry run' first" in done.stderr


def test_without_the_extra_the_command_says_what_to_install(worked: Path) -> None:
    code = "import sys; sys.modules['altair'] = None; from outcry.cli import main; main()"
    words = ("--home", str(worked), "report")
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'outcry-triage[analysts]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--week", "--month"), "exclude each other; choose one"),
        (("--department", "gardening"), "no department 'gardening'; there are billing"),
        (("--incident", "I-nowhere"), "no incident begins with 'I-nowhere'"),
    ],
)
def test_what_cannot_be_reported_on_is_refused(
    words: tuple[str, ...], said: str, worked: Path
) -> None:
    done = call(worked, "report", *words)
    assert done.exit_code == 2
    assert said in only_line(done)
