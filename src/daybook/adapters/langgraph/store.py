"""`DaybookStore`: LangGraph's long-term memory across threads, in an agent's table."""

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchOp,
    TTLConfig,
)

from daybook.adapters.langgraph import documents, filters
from daybook.adapters.langgraph.documents import Address, KeptDocument, Namespace
from daybook.client import AWSClientManager, client_manager_or_usual
from daybook.errors import InvalidInputError
from daybook.models.identity import checked_agent_id, microseconds
from daybook.models.json_values import JsonObject
from daybook.store import MEMORY, Store, thread_keys
from daybook.store.attributes import Item
from daybook.store.expressions import begins_with, equals
from daybook.store.schema import TTL_ATTRIBUTE

_STEPS_A_MICROSECOND = 1000
_WORTH_A_WRITE = 100
"""A read prolongs a document's life when it wins at least this part (1/100) of the whole."""


class DaybookStore(BaseStore):
    """Keeps JSON documents by namespace and key; safe to share between threads.

    It means what LangGraph's InMemoryStore means, without vectors: `query` does not rank, and
    `index` has no effect. `ttl` holds the defaults for how long documents live, in minutes.
    Raises InvalidAgentIdError. The methods raise InvalidInputError, before anything is written,
    for what cannot be stored, and StorageError.
    """

    supports_ttl = True

    def __init__(
        self,
        *,
        agent_id: str,
        client_manager: AWSClientManager | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        self.agent_id = checked_agent_id(agent_id)
        self.client_manager = client_manager_or_usual(client_manager)
        if ttl is not None:
            documents.checked_ttl_seconds(ttl.get("default_ttl"))
        self.ttl_config = ttl
        self._last_order = 0
        self._lock = threading.Lock()

    @property
    def _store(self) -> Store:
        return self.client_manager.store

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several operations: those that read see nothing of those that write.

        All gets are one request, a search or a listing is one for each 1 MB, all puts are two,
        deletes one (25 to a request). Of several puts to one key the last counts.
        """
        listed = list(ops)
        puts = self._checked_puts(listed)
        gets = [
            documents.checked_address(self.agent_id, op.namespace, op.key)
            for op in listed
            if isinstance(op, GetOp)
        ]
        found = self._get(gets)
        results: list[Result] = []
        read: list[KeptDocument] = []
        for op in listed:
            if isinstance(op, GetOp):
                one = found.get((op.namespace, op.key))
                results.append(one.plain if one else None)
                read += [one] if one and op.refresh_ttl else []
            elif isinstance(op, SearchOp):
                hits = self._search(op)
                results.append([hit.document for hit in hits])
                read += hits if op.refresh_ttl else []
            elif isinstance(op, ListNamespacesOp):
                results.append(self._list_namespaces(op))
            else:
                results.append(None)
        self._prolong(read)
        self._put(puts)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do as `batch`, in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    def _checked_puts(
        self, ops: Sequence[Op]
    ) -> dict[Address, tuple[JsonObject | None, int | None]]:
        puts: dict[Address, tuple[JsonObject | None, int | None]] = {}
        for op in ops:
            if isinstance(op, PutOp):
                address = documents.checked_address(self.agent_id, op.namespace, op.key)
                puts[address] = (None, None)
                if op.value is not None:
                    value = documents.checked_value(op.value)
                    puts[address] = (value, documents.checked_ttl_seconds(op.ttl))
            elif not isinstance(op, GetOp | SearchOp | ListNamespacesOp):
                raise InvalidInputError(
                    f"{op!r:.60} is no operation of a store: use GetOp, SearchOp, PutOp or "
                    "ListNamespacesOp"
                )
        return puts

    def _get(self, addresses: Sequence[Address]) -> dict[Address, KeptDocument]:
        if not addresses:
            return {}
        distinct = dict.fromkeys(addresses)
        wanted = [thread_keys.document(self.agent_id, *address) for address in distinct]
        found = [
            documents.document_of(self._store, item) for item in self._store.fetch(MEMORY, wanted)
        ]
        return {(one.document.namespace, one.document.key): one for one in found}

    def _search(self, op: SearchOp) -> list[KeptDocument]:
        found = [
            one
            for one in documents.in_order(
                self._under(documents.checked_labels(op.namespace_prefix))
            )
            if filters.lets_through(op.filter, one.document.value)
        ]
        return found[op.offset : op.offset + op.limit]

    def _list_namespaces(self, op: ListNamespacesOp) -> list[Namespace]:
        start = documents.checked_labels(filters.fixed_start(op.match_conditions))
        found = {one.document.namespace for one in self._under(start)}
        matching = {
            namespace[: op.max_depth] if op.max_depth is not None else namespace
            for namespace in found
            if all(filters.is_under(namespace, one) for one in op.match_conditions or ())
        }
        return sorted(matching)[op.offset : op.offset + op.limit]

    def _under(self, prefix: Namespace) -> list[KeptDocument]:
        mine = equals("pk", thread_keys.documents(self.agent_id))
        condition = mine & begins_with("sk", thread_keys.documents_under(prefix))
        items = self._store.query(MEMORY, condition, consistent=True)
        return [documents.document_of(self._store, item) for item in items]

    def _put(self, puts: Mapping[Address, tuple[JsonObject | None, int | None]]) -> None:
        written = {address: of for address, of in puts.items() if of[0] is not None}
        gone = [address for address in puts if address not in written]
        if written:
            self._store.put_all(MEMORY, self._items(written))
        document_keys = [thread_keys.document(self.agent_id, *address) for address in gone]
        self._store.delete_all(MEMORY, document_keys)

    def _items(self, puts: Mapping[Address, tuple[Any, int | None]]) -> list[Item]:
        """Return the items to write: the namespaces that are new, then the documents."""
        store, agent_id = self._store, self.agent_id
        keys_of = {
            namespace: thread_keys.document_namespace(agent_id, namespace) for namespace, _ in puts
        }
        wanted = [thread_keys.document(agent_id, *address) for address in puts]
        standing = {
            str(item["sk"]): item for item in store.fetch(MEMORY, [*keys_of.values(), *wanted])
        }
        now = store.clock()
        namespaces: dict[Namespace, Item] = {}
        items: list[Item] = []
        for address, (value, ttl_seconds) in puts.items():
            namespace = address[0]
            if namespace not in namespaces:
                key = keys_of[namespace]
                order = {documents.ORDER: self._next_order()}
                namespaces[namespace] = standing.get(str(key["sk"]), key | order)
            item = documents.item_of(
                store,
                agent_id,
                address,
                value,
                standing=standing.get(str(thread_keys.document(agent_id, *address)["sk"])),
                now=now,
                order=self._next_order(),
                namespace_order=int(namespaces[namespace][documents.ORDER]),
                ttl_seconds=ttl_seconds,
            )
            items.append(item)
        new = [item for item in namespaces.values() if str(item["sk"]) not in standing]
        return [*new, *items]

    def _next_order(self) -> int:
        """Return a number that grows with each call, and with the clock across processes."""
        now = microseconds(self._store.clock()) * _STEPS_A_MICROSECOND
        with self._lock:
            self._last_order = max(self._last_order + 1, now)
            return self._last_order

    def _prolong(self, read: Iterable[KeptDocument]) -> None:
        """Let the documents that were read live as long again, unless they have changed."""
        now = self._store.clock()
        for item in {str(one.item["sk"]): one.item for one in read}.values():
            if documents.TTL_SECONDS not in item:
                continue
            ttl_seconds = int(item[documents.TTL_SECONDS])
            until, ends = documents.expiry(now, ttl_seconds), int(item[TTL_ATTRIBUTE])
            if (until - ends) * _WORTH_A_WRITE > ttl_seconds:
                unchanged = equals(documents.UPDATED, item[documents.UPDATED])
                longer = item | {TTL_ATTRIBUTE: until}
                self._store.replace(MEMORY, longer, unchanged & equals(TTL_ATTRIBUTE, ends))
