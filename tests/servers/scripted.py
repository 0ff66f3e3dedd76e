"""A server of JSON that a test can make misbehave for a while."""

from __future__ import annotations

from collections.abc import Callable

from tests.servers.web import Answer, Request


class Scripted:
    """Answers for ``tests.servers.web.serving``; `well_behaved` says what is right."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.next_answers: list[Answer | None] = []
        """Given once each, before the server is well behaved again; None is good behaviour."""
        self.after_each: Callable[[], None] = lambda: None
        """What happens between two requests."""

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.next_answers and (answer := self.next_answers.pop(0)) is not None:
            return answer
        answer = self.well_behaved(request)
        self.after_each()
        return answer

    def well_behaved(self, request: Request) -> Answer:
        """What the server answers when nothing is wrong."""
        raise NotImplementedError
