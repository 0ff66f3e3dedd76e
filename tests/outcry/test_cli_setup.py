"""Settings are written, checked and looked after."""

from __future__ import annotations

from pathlib import Path

import pytest

from outcry import exits
from outcry.settings import load_settings
from outcry.template import settings_text
from tests.outcry.shell import call, objects, only_line
from tests.servers.mastodon import MastodonServer
from tests.servers.web import serving
from triage.departments import Department


def _statuses(home: Path, *words: str) -> dict[str, str]:
    return {row["name"]: row["status"] for row in objects(call(home, *words, "--json"))}


def test_the_written_settings_are_the_defaults(tmp_path: Path) -> None:
    result = call(tmp_path / "home", "init")
    assert result.exit_code == exits.DONE
    plain = tmp_path / "plain"
    written, default = load_settings(tmp_path / "home"), load_settings(plain)
    for part in ("brand", "store", "listen", "nlp", "rules", "targets", "desk"):
        assert getattr(written, part) == getattr(default, part), part


def test_settings_that_are_there_are_kept(tmp_path: Path) -> None:
    (tmp_path / "outcry.toml").write_text("# ours\n")
    result = call(tmp_path, "init")
    assert result.exit_code == exits.WRONG
    assert "--force overwrites it" in only_line(result)
    assert (tmp_path / "outcry.toml").read_text() == "# ours\n"
    assert call(tmp_path, "init", "--force").exit_code == exits.DONE
    assert (tmp_path / "outcry.toml").read_text() == settings_text()


def test_the_examples_in_the_written_settings_can_be_taken_up(tmp_path: Path) -> None:
    text = settings_text()
    values = ("source", "key", "url", "server", "tag", "mastodon", "hellopeter")
    for line in text.splitlines():
        example = line.removeprefix("# ")
        if line.startswith("# [[targets]]") or example.startswith(tuple(f"{v} = " for v in values)):
            text = text.replace(line, example)
    (tmp_path / "outcry.toml").write_text(text)
    settings = load_settings(tmp_path)
    assert [target.source for target in settings.targets] == ["rss", "mastodon"]
    assert settings.rules.check().thresholds == {"mastodon": 0.7}
    assert settings.rules.sla_hours_by_source == {"hellopeter": {"P1": 0.5, "P2": 2.0}}
    targets = {n: s for n, s in _statuses(tmp_path, "check").items() if n.startswith("target")}
    assert targets == {"target rss/forum": "ok", "target mastodon/hashtag": "warn"}


def test_odd_words_in_a_department_survive_being_written(tmp_path: Path) -> None:
    from outcry import template

    odd = Department(name='a "b" \\ ü', phrases=("x" * 50, "don't\tdo"), examples=("line\nbreak",))
    (tmp_path / "outcry.toml").write_text(template.department_text(odd))
    assert load_settings(tmp_path).rules.departments == (odd,)


def test_a_new_home_is_ready_but_has_nothing_to_listen_to(tmp_path: Path) -> None:
    result = call(tmp_path / "home", "check")
    assert result.exit_code == exits.DONE
    statuses = _statuses(tmp_path / "home", "check")
    assert statuses.pop("targets") == "warn"
    assert set(statuses.values()) == {"ok"}
    assert {"settings", "landing zone", "model", "store"} <= set(statuses)


def test_a_landing_zone_that_cannot_be_written_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("in the way")
    result = call(tmp_path, "check")
    assert result.exit_code == exits.FAILED
    assert "fail  landing zone: " in result.stdout


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        ('[[targets]]\nsource = "gopher"\nkey = "a"\n', "target gopher/a"),
        ('[nlp]\nmodel = "none-such"\n', "model"),
        ('[store]\nkind = "elasticsearch"\nurl = "http://127.0.0.1:9"\n', "store"),
    ],
)
def test_what_cannot_work_fails_the_check(toml: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "outcry.toml").write_text(toml)
    result = call(tmp_path, "check", "--json")
    assert result.exit_code == exits.FAILED
    assert _statuses(tmp_path, "check")[name] == "fail"


def test_rules_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    (tmp_path / "outcry.toml").write_text("[triage.cuts]\np1 = 10\n")
    result = call(tmp_path, "check")
    assert result.exit_code == exits.WRONG
    assert "cuts: must fall from p1 over p2 to p3" in only_line(result)


def _mastodon(home: Path, server: str) -> None:
    (home / "outcry.toml").write_text(
        '[listen]\nallow_networks = ["127.0.0.0/8"]\n'
        f'[[targets]]\nsource = "mastodon"\nkey = "a"\nserver = "{server}"\ntag = "x"\n'
    )


def test_a_credential_is_tried_and_what_it_may_do_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line(code: int) -> str:
        result = call(tmp_path, "check")
        assert result.exit_code == code
        assert secret not in result.stdout + result.stderr
        (found,) = (line for line in result.stdout.splitlines() if "mastodon/a" in line)
        return found

    server, secret = MastodonServer([]), "a secret"
    with serving(server) as url:
        _mastodon(tmp_path, url)
        assert _statuses(tmp_path, "check")["target mastodon/a"] == "warn"
        monkeypatch.setenv("OUTCRY_MASTODON_TOKEN", secret)
        works = "its credential works: the token of 'Harrowgate listens' may: read profile"
        assert line(exits.DONE) == f"ok    target mastodon/a: {works}"
        (account,) = (tmp_path / "landing/state/allowance").glob("*.json")
        assert '"calls":1' in account.read_text()
        assert server.queries == [], "no post was asked for"
        monkeypatch.setenv("OUTCRY_MASTODON_TOKEN", secret := "another secret")
        refused = line(exits.FAILED)
    assert refused.startswith("fail  target mastodon/a: its credential is refused: 127.0.0.1")
    assert line(exits.FAILED).startswith(
        "fail  target mastodon/a: its credential could not be tried: 127.0.0.1"
    )


def test_a_credential_whose_calls_are_used_up_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_MASTODON_TOKEN", "a secret")
    server = MastodonServer([])
    with serving(server) as url:
        _mastodon(tmp_path, url)
        with (tmp_path / "outcry.toml").open("a") as file:
            file.write('[listen.rates.mastodon]\ncalls = "1/day"\n')
        assert _statuses(tmp_path, "check")["target mastodon/a"] == "ok"
        result = call(tmp_path, "check")
    assert result.exit_code == exits.DONE
    assert "could not be tried: mastodon-" in result.stdout
    assert "the day's 1 calls are used up" in result.stdout


def test_a_credential_whose_every_call_has_a_price_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_X_TOKEN", "a secret")
    target = '[[targets]]\nsource = "x"\nkey = "b"\nquery = "q"\n'
    (tmp_path / "outcry.toml").write_text(target)
    assert "warn  target x/b: off, since each call has a price" in call(tmp_path, "check").stdout
    (tmp_path / "outcry.toml").write_text(target + '[listen.rates.x]\nusd = "50/month"\n')
    shown = call(tmp_path, "check").stdout
    assert "ok    target x/b: its credential is set, and was not tried: each call has a" in shown


def test_the_doctor_counts_what_is_there_and_who_waits(desk: Path) -> None:
    result = call(desk, "doctor", "--as-of", "2026-11-20T08:00Z", "--json")
    rows = {row["name"]: row for row in objects(result)}
    assert result.exit_code == exits.DONE
    assert {"versions", "disk", "landing size", "ledger", "scoring", "counts"} <= set(rows)
    assert "the oldest since 2026-11-19" in rows["unanswered"]["detail"]
    assert rows["scoring"]["detail"] == "nothing waits"


def test_the_doctor_knows_what_waits_to_be_scored(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,date\nno answer,2026-11-20T08:00Z\n")
    call(tmp_path / "home", "import", str(file))
    assert _statuses(tmp_path / "home", "doctor")["scoring"] == "warn"


def test_the_doctor_of_an_empty_home_is_calm(tmp_path: Path) -> None:
    result = call(tmp_path / "home", "doctor")
    assert result.exit_code == exits.DONE
    assert "nobody is waiting" in result.stdout
