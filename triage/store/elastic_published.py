"""The indices that analysts read, kept beside the others and made from them alone.

Who may read what is decided by index, so analysts have indices of their own. `publish` walks each
source index by sequence number, from where the last call has ended to the shard's local
checkpoint: nothing that was acknowledged is passed over, and nothing is looked at twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from triage import facts, publishing
from triage.contacts import Label
from triage.errors import StoreRefused
from triage.facts import FACTS, Fact
from triage.incident import Incident
from triage.store import elastic_documents as documents
from triage.store.base import Identity
from triage.store.elastic_client import Action, Cluster, Hit, Query
from triage.store.elastic_setup import UNDATED, Indices
from triage.ticket import Event, Ticket

VERSION = 1
"""Of the records in `triage.facts`; raise it when one changes, and all is published anew."""
PAGE = 500
_FOUND_BY = {"mentions": ("mention", "mention"), "ticket-events": ("ticket", "_seq_no")}
"""What is searched for what is erased, and in which total order."""
Made = Iterable[tuple[str, Fact | None]]
"""Documents by id; None for one that is to go."""


class PublishedIndices:
    """Composed into `triage.store.elastic.ElasticStore`."""

    _cluster: Cluster
    _indices: Indices
    _clock: Callable[[], datetime]

    def _analysis(self, kind: str) -> str:
        return f"{self._indices.prefix}-analysis-{kind}"

    def _set_up_published(self) -> None:
        names = {
            kind: self._analysis(kind) + (f"-{UNDATED}" if kind == "mentions" else "")
            for kind in FACTS
        }
        exist = self._cluster.call(lambda client: client.indices.exists(index=list(names.values())))
        templates = self._cluster.call(
            lambda client: client.indices.get_index_template(name=f"{self._indices.prefix}-*")
        )["index_templates"]
        stored = {one["name"]: one["index_template"].get("version", 0) for one in templates}
        if exist and all(stored.get(self._analysis(kind)) == VERSION for kind in FACTS):
            return
        for kind, name in names.items():
            words = f"Outcry: {kind} as analysts read them"
            self._indices.put_template(
                self._analysis(kind), kind, facts.mapping(kind), words, VERSION
            )
            self._indices.create(name)
            self._widen(kind)

    def _widen(self, kind: str) -> None:
        """New fields for indices that are older than they."""
        wanted = facts.mapping(kind)
        self._cluster.call(
            lambda client: client.indices.put_mapping(
                index=self._analysis(kind) + ("-*" if kind == "mentions" else ""),
                properties=wanted["properties"],
            )
        )

    def publish(self, teams: Mapping[str, str]) -> int:
        """See `triage.store.base.Store.publish`."""
        self._indices.ready()
        indices, prefix = self._indices, self._indices.prefix
        label, incident = documents.terms("kind", ["label"]), documents.terms("kind", ["incident"])
        everything = documents.EVERYTHING
        done = 0
        for source, kind, query, make in (
            (indices.every_month, "mentions", everything, self._mention_facts),
            (indices.tickets, "tickets", everything, lambda hits: self._ticket_facts(hits, teams)),
            (indices.events, "ticket-events", everything, lambda h: self._event_facts(h, teams)),
            (f"{prefix}-incidents", "incidents", incident, self._incident_facts),
            (indices.ledger, "ledger", everything, self._ledger_facts),
            (f"{prefix}-outreach", "outcomes", label, self._outcome_facts),
        ):
            for name, uuid, reached in self._shards(source):
                target = self._target(kind, name)
                done += self._publish_index(name, uuid, reached, target, query, make)
        return done

    def _shards(self, source: str) -> list[tuple[str, str, int]]:
        """Each index of a name with its identity and how far it is complete, by name."""
        found = self._cluster.call(
            lambda client: client.indices.stats(index=source, metric="docs", level="shards")
        )["indices"]
        self._cluster.refresh(source, always=True)
        return sorted(
            (name, one["uuid"], shard["seq_no"]["local_checkpoint"])
            for name, one in found.items()
            for shard in one["shards"]["0"]
            if shard["routing"]["primary"]
        )

    def _target(self, kind: str, source: str) -> str:
        if kind != "mentions":
            return self._analysis(kind)
        month = source.removeprefix(f"{self._indices.mentions}-")
        return self._indices.there(f"{self._analysis(kind)}-{month}")

    def _publish_index(
        self,
        source: str,
        uuid: str,
        reached: int,
        target: str,
        query: Query,
        make: Callable[[Sequence[Hit]], Made],
    ) -> int:
        def take(page: Sequence[Hit]) -> int:
            done = self._write_facts(target, make(page))
            self._drop_orphans(source, target, [hit["_id"] for hit in page])
            return done

        return self._walk("published", f"{VERSION} {source} {uuid} ", source, reached, query, take)

    def _walk(
        self,
        stage: str,
        began: str,
        source: str,
        reached: int,
        query: Query,
        take: Callable[[Sequence[Hit]], int],
    ) -> int:
        """What is new in an index, page by page; how far it is, is written down after each page.

        Where what was written down begins otherwise than ``began``, everything is new.
        """
        mark = documents.digest(stage, source)
        known = self._cluster.get(self._indices.progress, [mark])
        part = known[mark]["_source"]["part"] if mark in known else ""
        last = int(part.removeprefix(began)) if part.startswith(began) else -1
        if last >= reached:
            return 0
        done = 0
        while True:
            new = {"range": {"_seq_no": {"gt": last, "lte": reached}}}
            both = {"bool": {"filter": [new, query]}}
            page = self._cluster.page(source, both, [{"_seq_no": "asc"}], PAGE)
            done += take(page)
            last = page[-1]["sort"][0] if len(page) == PAGE else reached
            row = {"stage": stage, "part": f"{began}{last}"}
            body = documents.row_document("progress", row, self._clock())
            index = self._indices.progress
            self._cluster.bulk([Action(op="index", index=index, id=mark, body=body)])
            if last >= reached:
                return done

    def _write_facts(self, target: str, made: Made) -> int:
        actions = [
            Action(op="delete", index=target, id=id)
            if fact is None
            else Action(op="index", index=target, id=id, body=facts.document(fact))
            for id, fact in made
        ]
        for action, outcome in zip(actions, self._cluster.bulk(actions), strict=True):
            if outcome.state == "refused":
                raise StoreRefused(f"{target}: {action.id} {outcome.reason}")
        return len(actions)

    def _drop_orphans(self, source: str, target: str, ids: Sequence[str]) -> None:
        """What was erased while it was being written."""
        gone = sorted(set(ids) - self._cluster.get(source, ids, source=False).keys())
        self._cluster.bulk([Action(op="delete", index=target, id=id) for id in gone])

    # what each kind is made of

    def _mention_facts(self, hits: Sequence[Hit]) -> Made:
        rows = [documents.mention_of(hit) for hit in hits]
        hidden = self._hidden(row.customer for row in rows)
        for row in rows:
            yield row.uid, publishing.mention_fact(row, hidden[row.customer])

    def _ticket_facts(self, hits: Sequence[Hit], teams: Mapping[str, str]) -> Made:
        tickets = [documents.ticket_of(hit).ticket for hit in hits]
        hidden = self._hidden(ticket.customer for ticket in tickets)
        for ticket in tickets:
            fact = publishing.ticket_fact(ticket, teams, hidden[ticket.customer])
            yield ticket.ticket, fact

    def _event_facts(self, hits: Sequence[Hit], teams: Mapping[str, str]) -> Made:
        events = [msgspec.convert(hit["_source"], Event) for hit in hits]
        tickets = self._tickets_by_id(event.ticket for event in events)
        for event in events:
            ticket = tickets.get(event.ticket)
            yield event.id, publishing.event_fact(event, ticket, teams) if ticket else None

    def _incident_facts(self, hits: Sequence[Hit]) -> Made:
        for hit in hits:
            incident = msgspec.convert(hit["_source"]["record"], Incident)
            tickets = self._tickets_by_id(incident.tickets)
            yield hit["_id"], publishing.incident_fact(incident, tickets.values())

    def _ledger_facts(self, hits: Sequence[Hit]) -> Made:
        for hit in hits:
            yield hit["_id"], publishing.ledger_fact(hit["_source"])

    def _outcome_facts(self, hits: Sequence[Hit]) -> Made:
        found = [(hit, msgspec.convert(hit["_source"]["record"], Label)) for hit in hits]
        tickets = self._tickets_by_id(label.ticket for _, label in found)
        for hit, label in found:
            customer = hit["_source"]["group"]
            fact = publishing.outcome_fact(label, customer, tickets.get(label.ticket))
            yield hit["_id"], fact

    def _tickets_by_id(self, ids: Iterable[str]) -> dict[str, Ticket]:
        found = self._cluster.get(self._indices.tickets, ids)
        return {id: documents.ticket_of(hit).ticket for id, hit in found.items()}

    def _hidden(self, customers: Iterable[str | None]) -> dict[str | None, publishing.Hidden]:
        wanted = set(customers)
        known = self._cluster.get(self._indices.identities, [one for one in wanted if one])
        people = {id: msgspec.convert(hit["_source"], Identity) for id, hit in known.items()}
        return {one: publishing.Hidden(people.get(one or "")) for one in wanted}

    # what is erased goes from here, too

    def _unpublish(self, kind: str, ids: Sequence[str]) -> list[Action]:
        """What takes these documents out of a kind's indices; of mentions and events by field."""
        if kind not in _FOUND_BY:
            index = self._analysis(kind)
            return [Action(op="delete", index=index, id=id) for id in ids]
        field, order = _FOUND_BY[kind]
        index = self._analysis(kind) + ("-*" if kind == "mentions" else "")
        self._cluster.refresh(index, always=True)
        hits = self._cluster.hits(index, documents.terms(field, ids), [{order: "asc"}])
        return [Action(op="delete", index=hit["_index"], id=hit["_id"]) for hit in hits]
