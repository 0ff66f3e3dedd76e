"""The tool that starts the tests' node: what it says where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.elasticsearch import NodeUnavailable, main, running_node
from tests.servers.elasticsearch_java import java_home, open_to_all
from tests.servers.elasticsearch_machines import Machine, Process, find, free_port, state_file


def test_an_address_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setenv("OUTCRY_TEST_ELASTICSEARCH", f"http://user:s3cret@127.0.0.1:{port}")
    with pytest.raises(NodeUnavailable) as caught, running_node():
        raise AssertionError("unreachable")
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_unknown_words_are_answered_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restart"]) == 2
    assert "start|stop|status" in capsys.readouterr().err


def test_without_a_java_that_is_new_enough_it_says_what_to_install(tmp_path: Path) -> None:
    homes = {}
    for name, words in (
        ("old", 'JAVA_VERSION="17.0.1"\nMODULES="jdk.incubator.vector"'),
        ("bare", 'JAVA_VERSION="25"\nMODULES="java.base"'),
        ("good", 'JAVA_VERSION="25.0.3"\nMODULES="java.base jdk.incubator.vector"'),
    ):
        homes[name] = tmp_path / name
        (homes[name] / "bin").mkdir(parents=True)
        (homes[name] / "bin" / "java").touch()
        (homes[name] / "release").write_text(words)
    assert java_home([homes["old"], homes["bare"], homes["good"]], root=False) == homes["good"]
    with pytest.raises(NodeUnavailable, match="install a JDK 21"):
        java_home([homes["old"], homes["bare"], tmp_path / "nowhere"], root=False)


def test_root_takes_no_java_that_its_unprivileged_account_cannot_reach(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert not open_to_all(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    (tmp_path / "release").write_text('JAVA_VERSION="25"\nMODULES="jdk.incubator.vector"')
    with pytest.raises(NodeUnavailable):
        java_home([tmp_path], root=True)


def test_what_a_node_needs_to_be_found_again_is_for_its_owner_only(tmp_path: Path) -> None:
    machine = Process(tmp_path / "node", {"kind": "process", "port": 1, "password": "s3cret"})
    machine.remember()
    assert state_file(machine.folder).stat().st_mode & 0o077 == 0
    found = find(machine.folder)
    assert isinstance(found, Process)
    assert found.state == machine.state
    found.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_process_group_that_is_no_longer_the_nodes_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        state = {"kind": "process", "port": 1, "password": "", "group": os.getpgid(stranger.pid)}
        machine: Machine = Process(tmp_path / "node", state)
        machine.kill()
        assert stranger.poll() is None
