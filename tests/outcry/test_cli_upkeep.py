"""Coverage, and what becomes of a post that was deleted, from the file to the case."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from outcry import exits
from tests.outcry.shell import call, objects, only_line
from tests.servers.web import Answer, serving

WORDS = "Third week without internet, nobody calls back, I want my money back at last"
POST = {
    "source": "hellopeter",
    "native_id": "1",
    "text": WORDS,
    "created_at": "2026-11-20T08:00:00Z",
    "author": {"handle": "thandi"},
}
GONE = {"record": "deletion", "source": "hellopeter", "native_id": "1"}
AS_OF = ("--as-of", "2026-11-20T09:00Z")


def _take(home: Path, *records: dict[str, object]) -> None:
    file = home.parent / f"{len(records)}-{records[0].get('record', 'post')}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert call(home, "import", str(file), "--preset", "canonical").exit_code == exits.DONE
    assert call(home, "run", *AS_OF).exit_code == exits.DONE


def _files(home: Path) -> str:
    read = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in (home / "landing").rglob("*")
        if path.is_file()
    ]
    return b"\n".join(read).decode()


def test_a_deleted_post_leaves_ticket_and_files_and_the_case_survives(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _take(home, POST)
    (waiting,) = objects(call(home, "queue", "--json", *AS_OF))
    assert WORDS in waiting["excerpt"]
    call(home, "next", "--agent", "lindiwe", *AS_OF)
    _take(home, GONE)
    case = call(home, "show", waiting["ticket"], "--json")
    assert case.exit_code == exits.DONE
    assert "internet" not in case.stdout
    assert "internet" in _files(home)
    (done,) = objects(call(home, "purge", "--json"))
    assert (done["deletions"], done["mentions"]) == (1, 1)
    assert "internet" not in _files(home)
    (again,) = objects(call(home, "purge", "--json"))
    assert (again["deletions"], again["mentions"]) == (0, 0)
    assert call(home, "replay", "--triage").exit_code == exits.DONE
    assert call(home, "triage", *AS_OF).exit_code == exits.DONE
    assert "internet" not in call(home, "show", waiting["ticket"], "--json").stdout


def test_coverage_shows_what_was_heard_and_what_was_not(tmp_path: Path) -> None:
    (tmp_path / "outcry.toml").write_text(
        '[[targets]]\nsource = "rss"\nkey = "inside"\nurl = "http://127.0.0.1/feed"\n'
    )
    assert call(tmp_path, "listen", "--as-of", "2026-11-20T09:00Z").exit_code == exits.WRONG
    (row,) = objects(call(tmp_path, "coverage", "--day", "2026-11-20", "--json"))
    assert (row["step"], row["asked"], row["answered"]) == ("coverage", 1, 0)
    assert row["missing"][0].startswith("BadTarget: 127.0.0.1 is at 127.0.0.1")
    shown = call(tmp_path, "coverage", "--month", "2026-11")
    assert "rss/inside" in shown.stdout
    assert "missing  rss/inside 2026-11-20: BadTarget" in shown.stdout
    assert (
        "Nothing was asked in 2026-11-21"
        in call(tmp_path, "coverage", "--day", "2026-11-21").stdout
    )


def _spender(home: Path) -> None:
    target = '[[targets]]\nsource = "x"\nkey = "{}"\nquery = "tram"\n'
    (home / "outcry.toml").write_text(
        target.format("a") + target.format("b") + '[listen.rates.x]\nusd = "50/month"\n'
    )
    used = {
        "levels": {"usd/month": {"left": 48.5, "at": "2026-11-20T08:00:00Z", "of": 50}},
        "used": {"2026-10": {"usd": 3}, "2026-11": {"usd": 1.5, "calls": 30}},
        "days": {"2026-11-19": {"usd": 1.25}, "2026-11-20": {"usd": 0.25, "calls": 7}},
    }
    account = home / "landing/state/allowance/x.json"
    account.parent.mkdir(parents=True)
    account.write_text(json.dumps(used))


def test_coverage_shows_what_was_spent_and_what_is_left(tmp_path: Path) -> None:
    _spender(tmp_path)

    def spent(*words: str) -> dict[str, tuple[float, float | None]]:
        found = objects(call(tmp_path, "coverage", *words, "--json", *AS_OF))
        return {one["what"]: (one["used"], one["left"]) for one in found if one["step"] == "spent"}

    assert spent() == {"calls": (7, 450), "usd": (0.25, 48.5)}
    assert spent("--month", "2026-11") == {"calls": (30, 450), "usd": (1.5, 48.5)}
    assert spent("--month", "2026-10") == {"usd": (3, None)}
    assert spent("--day", "2026-11-19") == {"usd": (1.25, None)}
    shown = call(tmp_path, "coverage", "--month", "2026-11", *AS_OF).stdout
    (line,) = (line for line in shown.splitlines() if " usd " in line)
    assert line.split() == ["2026-11", "x/a,", "x/b", "usd", "1.5", "50/month", "48.5"]
    (tmp_path / "outcry.toml").write_text("")
    assert spent("--month", "2026-11")["usd"] == (1.5, None)


def test_a_source_that_falls_silent_raises_an_alert(tmp_path: Path) -> None:
    feed = '<rss version="2.0"><channel>{}</channel></rss>'
    item = "<item><guid>{0}</guid><title>t</title><description>late {0}</description></item>"
    shown = [""]
    with serving(lambda request: Answer(feed.format(shown[0]).encode())) as url:
        (tmp_path / "outcry.toml").write_text(
            f'[[targets]]\nsource = "rss"\nkey = "forum"\nurl = "{url}/feed"\n'
            '[listen]\nallow_networks = ["127.0.0.0/8"]\n'
        )
        for hour in range(12):
            shown[0] = item.format(hour) if hour < 9 else ""
            call(tmp_path, "listen", "--as-of", f"2026-11-20T{hour:02}:00Z")
            found = objects(call(tmp_path, "coverage", "--json", "--as-of", "2026-11-20T12:00Z"))
            alerts = [one for one in found if one["step"] == "alert"]
            assert bool(alerts) == (hour >= 9), hour
    assert (alerts[0]["target"], alerts[0]["since"]) == ("forum", "20261120T084500Z")
    assert "was never silent before" in alerts[0]["words"]
    doctor = call(tmp_path, "doctor", "--as-of", "2026-11-20T12:00Z")
    assert "warn  silence rss/forum" in doctor.stdout


def test_a_period_that_is_none_is_refused(tmp_path: Path) -> None:
    result = call(tmp_path, "coverage", "--month", "2026-11-20")
    assert result.exit_code == exits.WRONG
    assert "write it like 2026-11" in only_line(result)
    assert call(tmp_path, "coverage", "--day", "x", "--month", "y").exit_code == exits.WRONG


def test_a_rate_and_a_network_that_are_none_are_refused(tmp_path: Path) -> None:
    for line, words in (
        ('rates.mastodon = { calls = "often" }', "write it like 450/15m"),
        ('allow_networks = ["home"]', "write it like 10.0.0.0/8"),
    ):
        (tmp_path / "outcry.toml").write_text(f"[listen]\n{line}\n")
        result = call(tmp_path, "check")
        assert result.exit_code == exits.WRONG
        assert words in only_line(result)
