"""The demonstration shows the product's point in one screen, the same every time."""

from __future__ import annotations

import shlex
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from outcry import exits
from outcry.case import Case
from outcry.demo import AS_OF, Demo, post, stream
from outcry.demo.screen import commands, show
from outcry.session import console
from tests.outcry.shell import call, call_process, objects, only_line


def _screen(home: Path) -> list[str]:
    result = call(home, "demo")
    assert result.exit_code == exits.DONE
    assert result.stderr == ""
    return result.stdout.splitlines()


def _case_about(demo: Demo, about: str) -> list[Case]:
    """The cases that a post with this label opened."""
    return [
        case
        for case in demo.cases.values()
        if any(
            fold.reason == "opened the case" and demo.about.get(fold.uid) == about
            for fold in case.ticket.mentions
        )
    ]


def test_the_stream_has_all_that_it_is_meant_to_show() -> None:
    lines = list(stream())
    assert 35 <= len(lines) <= 45
    outage = [line for line in lines if line["about"] == "outage"]
    assert len({line["author"]["handle"] for line in outage}) == 5
    assert len({line["source"] for line in outage}) == 3
    assert {line["about"] for line in lines} == {
        *("outage", "repost storm", "one person twice", "the brand", "praise", "sarcasm"),
        *("spam", "threat to leave", "safety", "card number", "other language", "fraud"),
        *("complaint", "news and questions"),
    }


def test_everybody_in_the_stream_is_invented() -> None:
    for line in stream():
        for link in (line["url"], line["author"].get("url", "")):
            assert not link or ".example/" in link, link


def test_labels_and_relative_times_are_not_part_of_a_post() -> None:
    for line in stream():
        assert post(line).keys().isdisjoint({"about", "minutes_ago"})


def test_the_safety_issue_is_first(demo: Demo) -> None:
    (case,) = _case_about(demo, "safety")
    assert demo.queue[0]["ticket"] == case.ticket.ticket
    assert any(part.name == "safety" for part in case.ticket.parts)


def test_the_repost_storm_is_one_case_with_ten_voices(demo: Demo) -> None:
    (case,) = _case_about(demo, "repost storm")
    assert case.ticket.voices == 10
    assert case.ticket.posts == 1


def test_who_complains_in_two_places_is_one_case(demo: Demo) -> None:
    (case,) = _case_about(demo, "one person twice")
    assert {post.source for post in case.posts} == {"hellopeter", "bluesky"}
    assert case.ticket.voices == 1


def test_five_customers_on_three_networks_report_the_outage(demo: Demo) -> None:
    told = {
        fold.uid
        for case in demo.cases.values()
        for fold in case.ticket.mentions
        if demo.about.get(fold.uid) == "outage"
    }
    assert len(told) == 5


def test_the_outage_is_one_incident_with_its_five_customers(demo: Demo) -> None:
    (incident,) = demo.incidents
    assert {demo.about[uid] for uid in incident.posts} == {"outage"}
    assert (incident.customers, len(incident.sources)) == (5, 3)
    assert "doornvlei" in incident.title
    assert incident.detected_at - incident.first_at < timedelta(minutes=30)


def test_the_brand_opens_nothing(demo: Demo) -> None:
    assert _case_about(demo, "the brand") == []


@pytest.mark.parametrize("about", ["praise", "spam", "news and questions"])
def test_what_asks_for_nobody_is_left_out(about: str, demo: Demo) -> None:
    assert _case_about(demo, about) == []
    assert about in {silent.about for silent in demo.silent}


def test_the_other_language_waits_for_people_to_sort_it(demo: Demo) -> None:
    (case,) = _case_about(demo, "other language")
    assert case.ticket.language == "af"
    assert case.ticket.department is None


def test_the_card_number_is_nowhere_to_be_seen(demo: Demo, desk: Path) -> None:
    (case,) = _case_about(demo, "card number")
    assert "Card " in case.ticket.excerpt
    shown = call(desk, "show", case.ticket.ticket).stdout
    assert "4111" not in case.ticket.excerpt + shown
    assert b"4111 1111" not in (desk / "outcry.db").read_bytes()


def test_every_post_is_in_a_case_or_left_out_with_a_reason(demo: Demo) -> None:
    in_cases = sum(demo.folded.values())
    assert in_cases + sum(demo.left_out.values()) == demo.posts
    assert len(demo.silent) == sum(demo.left_out.values())


def test_sarcasm_that_was_missed_is_admitted(demo: Demo) -> None:
    missed = [s for s in demo.silent if s.about == "sarcasm"]
    screen = console()
    with screen.capture() as captured:
        show(demo, screen)
    assert captured.get().count("missed: it is sarcasm") == len(missed)


def test_it_fits_one_screen(tmp_path: Path) -> None:
    lines = _screen(tmp_path / "home")
    assert len(lines) <= 60
    # The proposed commands hold a folder's name, which is the caller's.
    assert max(len(line) for line in lines if "--home" not in line) <= 100


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    once = _screen(tmp_path / "home")
    assert _screen(tmp_path / "home") == once


def test_the_commands_that_it_proposes_work(demo: Demo, desk: Path) -> None:
    proposed = [shlex.split(line) for line in commands(demo)]
    assert len(proposed) == 4
    for _, option, home, *words in proposed:
        assert (option, home) == ("--home", str(demo.home))
        result = call(desk, *words)
        assert result.exit_code == exits.DONE
        assert "T-" in result.stdout


def test_the_proposed_commands_can_be_called_from_here(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bin_folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", str(bin_folder))
    assert next(commands(demo)).startswith("outcry --home ")
    monkeypatch.setenv("PATH", str(tmp_path))
    for folder in (bin_folder.parents[1], tmp_path):
        monkeypatch.chdir(folder)
        program, *_ = shlex.split(next(commands(demo)))
        assert Path(program).samefile(bin_folder / "outcry")


def test_for_scripts_it_is_a_summary_the_tickets_and_the_rest(tmp_path: Path) -> None:
    rows = objects(call(tmp_path / "home", "demo", "--json"))
    summary, *rest = rows
    assert summary["show"] == "summary"
    assert summary["as_of"] == AS_OF.isoformat()
    kinds = [row["show"] for row in rest]
    assert kinds.count("ticket") == summary["tickets"]
    assert kinds.count("first") == 1
    assert kinds.count("incident") == 1
    assert kinds.count("left out") == sum(summary["left_out"].values())


def test_it_never_writes_into_somebody_elses_home(tmp_path: Path) -> None:
    (tmp_path / "outcry.toml").write_text('[brand]\nname = "ours"\n')
    result = call(tmp_path, "demo")
    assert result.exit_code == exits.WRONG
    assert "give the demo a new folder" in only_line(result)
    assert (tmp_path / "outcry.toml").read_text() == '[brand]\nname = "ours"\n'


def test_as_a_process_without_a_home_it_makes_its_own(tmp_path: Path) -> None:
    done = call_process("demo", TMPDIR=str(tmp_path), OUTCRY_HOME=str(tmp_path / "mine"))
    assert done.returncode == exits.DONE
    assert done.stderr == b""
    (made,) = tmp_path.iterdir()
    assert made.name.startswith("outcry-demo-")
    assert str(made).encode() in done.stdout
