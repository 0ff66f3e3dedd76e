"""Themes are what people complain about, and last week's names are this week's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from insight import themes as room
from insight.frames import Frames
from insight.themes import WEEK, Theme, cluster, name, themes, words_of
from insight.vectors import lsa
from models.data import airline
from outcry.demo import AS_OF
from tests.outcry.shell import call, objects
from tests.triage.store.samples import T0, mention
from triage.store import Store, open_store

SUBJECTS = {
    "parcel": ("parcel", "courier", "delivery", "doorstep", "tracking"),
    "bill": ("invoice", "charged", "refund", "billing", "amount"),
    "line": ("internet", "fibre", "router", "offline", "outage"),
    "shop": ("cashier", "queue", "manager", "branch", "rude"),
}
FILLERS = ("again", "today", "honestly", "please", "really", "still", "week", "never", "why")


def said(subject: str, count: int, seed: int) -> list[str]:
    dice = random.Random(f"{subject}{seed}")
    return [
        " ".join(dice.sample(SUBJECTS[subject], 3) + dice.sample(FILLERS, 2)) for _ in range(count)
    ]


def store_week(store: Store, week: int, counts: dict[str, int]) -> None:
    """So many complaints about each subject, spread over one week."""
    rows = []
    for subject, count in counts.items():
        for number, text in enumerate(said(subject, count, week)):
            at = T0 + week * WEEK + timedelta(hours=1 + number)
            uid = f"{subject}-{week}-{number}"
            rows.append(
                mention(uid, text=text, complaint=True, created_at=at, customer=f"c{number}")
            )
    store.save_mentions(rows)


def after(week: int) -> datetime:
    return T0 + (week + 1) * WEEK


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store("sqlite", path=tmp_path / "outcry.db")
    made.setup()
    yield made
    made.close()


def subject_of(theme: Theme) -> str:
    return theme.uids[0].partition("-")[0]


def test_subjects_become_themes_with_examples_from_their_midst(store: Store) -> None:
    store_week(store, 0, dict.fromkeys(SUBJECTS, 30))
    found, assigned = themes(Frames(store), after(0), 1, 4)
    truth = [uid.partition("-")[0] for uid in assigned["uid"]]
    assert adjusted_mutual_info_score(truth, assigned["theme"]) > 0.9
    assert {subject_of(one) for one in found} == SUBJECTS.keys()
    for one in found:
        assert set(one.name.split(", ")) <= {*SUBJECTS[subject_of(one)], *FILLERS}
        assert len(one.examples) == 3
        assert one.new


def test_a_theme_keeps_its_name_when_other_people_complain_in_other_numbers(store: Store) -> None:
    store_week(store, 0, {"parcel": 40, "bill": 20, "line": 30, "shop": 25})
    first, _ = themes(Frames(store), after(0), 1, 4)
    store_week(store, 1, {"parcel": 15, "bill": 45, "line": 20, "shop": 30})
    second, _ = themes(Frames(store), after(1), 1, 4)
    names = {subject_of(one): (one.theme, one.name) for one in first}
    assert {subject_of(one): (one.theme, one.name) for one in second} == names
    assert not any(one.new for one in second)


def test_a_new_subject_gets_a_name_of_its_own_and_a_lost_one_is_remembered(store: Store) -> None:
    store_week(store, 0, {"parcel": 30, "bill": 30, "line": 30})
    first, _ = themes(Frames(store), after(0), 1, 3)
    names = {subject_of(one): one.name for one in first}
    store_week(store, 1, {"parcel": 30, "bill": 30, "shop": 30})
    second, _ = themes(Frames(store), after(1), 1, 3)
    (fresh,) = [one for one in second if one.new]
    assert subject_of(fresh) == "shop"
    assert fresh.name not in names.values()
    store_week(store, 2, {"parcel": 30, "line": 30, "shop": 30})
    third, _ = themes(Frames(store), after(2), 1, 3)
    assert {subject_of(one): one.name for one in third} == {
        "parcel": names["parcel"],
        "line": names["line"],
        "shop": fresh.name,
    }


def test_the_trend_counts_each_week(store: Store) -> None:
    store_week(store, 0, {"parcel": 10, "bill": 20})
    store_week(store, 1, {"parcel": 30, "bill": 20})
    found, _ = themes(Frames(store), after(1), 2, 2)
    weeks = {subject_of(one): one.weeks for one in found}
    assert weeks == {"parcel": (10, 30), "bill": (20, 20)}
    assert [one.usual for one in found] == [10.0, 20.0]
    assert [one.this_week for one in found] == [30, 20]


def test_only_complaints_of_customers_that_are_still_there_count(store: Store) -> None:
    store_week(store, 0, {"parcel": 20, "bill": 20})
    store.save_mentions(
        [
            mention("brand", text="parcel courier", complaint=True, owner=True),
            mention("copy", text="parcel courier", complaint=True, repost=True),
            mention("praise", text="parcel courier", complaint=False),
            mention("unread", text="parcel courier"),
        ]
    )
    store.delete_mentions(["parcel-0-0"])
    _, assigned = themes(Frames(store), after(0), 2, 2)
    assert len(assigned) == 39


def test_too_few_complaints_are_no_theme(store: Store) -> None:
    assert themes(Frames(store), after(0))[0] == []
    store_week(store, 0, {"parcel": 1})
    assert themes(Frames(store), after(0))[0] == []


def test_posts_beyond_the_sample_go_where_their_words_belong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [text for subject in SUBJECTS for text in said(subject, 200, 1)]
    truth = np.repeat(range(len(SUBJECTS)), 200)
    monkeypatch.setattr(room, "SAMPLE", 100)
    labels, near = cluster(texts, 4)
    assert adjusted_mutual_info_score(truth, labels) > 0.9
    assert len(near) == len(texts)


def test_the_same_texts_are_parted_alike() -> None:
    texts = said("bill", 40, 1) + said("line", 40, 1)
    assert cluster(texts, 3)[0].tolist() == cluster(texts, 3)[0].tolist()


def test_names_are_never_given_twice() -> None:
    words = {0: {"bill": 1.0}, 1: {"bill": 1.0}, 2: {"bill": 1.0}}
    named = name(words, [], T0)
    assert len({one.name for one in named.values()}) == 3
    assert len({one.theme for one in named.values()}) == 3


def test_a_word_that_only_one_post_has_names_nothing() -> None:
    said_twice = ["router dead zanele", "router dead", "bill wrong", "bill wrong"]
    words = words_of(said_twice, np.array([0, 0, 1, 1]))
    assert "zanele" not in {word for row in words.values() for word in row}


def test_the_command_names_themes_of_the_demonstration(worked: Path) -> None:
    at = (AS_OF + timedelta(hours=6)).isoformat()
    found = objects(call(worked, "themes", "--count", "3", "--as-of", at, "--json"))
    assert len(found) == 3
    assert sum(one["posts"] for one in found) >= 15
    again = objects(call(worked, "themes", "--count", "3", "--as-of", at, "--json"))
    assert {one["name"] for one in again} == {one["name"] for one in found}
    shown = call(worked, "themes", "--count", "3", "--as-of", at)
    assert f"{again[0]['theme']}  {again[0]['name']}: " in shown.stdout


def test_themes_are_far_nearer_to_the_reasons_than_chance(labelled_data: Path) -> None:
    rows = [row for row in airline(labelled_data) if row.reason][::5]
    labels, _ = cluster([row.text for row in rows], 20, lsa)
    assert adjusted_mutual_info_score([row.reason for row in rows], labels) > 0.10
