"""The keys of what LangGraph keeps: threads of checkpoints, and the documents of its store.

A partition for each thread, one for the agent's list of threads and runs, and one for its
documents: each starts with the agent's id and `#`, so that a role confined to the agent reaches
them. Foreign text is escaped, so that it cannot be taken for one of our separators; what sorts
is the checkpoint's id, which comes without `#`.
"""

from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import quote

from daybook.store.attributes import Item
from daybook.store.keys import THREAD_BODIES

_LONGEST_TOKEN = 200


def token(text: str) -> str:
    """Return any text as a part of a key: escaped, or its hash when that would be long.

    No escaped text starts with `+`, so that none can pass for the hash of another.
    """
    escaped = quote(text, safe="")
    if len(escaped) <= _LONGEST_TOKEN:
        return escaped
    return f"+{sha256(text.encode()).hexdigest()}"


def thread_list(agent_id: str) -> str:
    """Return the partition that lists an agent's LangGraph threads and their runs."""
    return f"{agent_id}#langgraph"


def listed_thread(agent_id: str, thread: str) -> Item:
    """Return the key of a thread in the list of threads."""
    return {"pk": thread_list(agent_id), "sk": f"T#{token(thread)}"}


def listed_threads() -> str:
    """Return what the sort keys of all threads in the list start with."""
    return "T#"


def listed_run(agent_id: str, run_id: str, thread: str) -> Item:
    """Return the key of the item that says in which thread a run wrote."""
    return {"pk": thread_list(agent_id), "sk": f"{listed_runs(run_id)}{token(thread)}"}


def listed_runs(run_id: str) -> str:
    """Return what the sort keys start with of whatever says where a run wrote."""
    return f"R#{token(run_id)}#"


def thread(agent_id: str, thread_id: str) -> str:
    """Return the partition of a thread."""
    return f"{thread_list(agent_id)}#{token(thread_id)}"


def checkpoint(partition: str, namespace: str, checkpoint_id: str) -> Item:
    """Return the key of a checkpoint in the partition of its thread."""
    return {"pk": partition, "sk": f"{checkpoints(namespace)}{checkpoint_id}"}


def checkpoints(namespace: str | None = None) -> str:
    """Return what the sort keys of a namespace's checkpoints start with; None: of all."""
    return "C#" if namespace is None else f"C#{token(namespace)}#"


def checkpoint_id_of(sort_key: str) -> str:
    """Return a checkpoint's id from its sort key, or from that of something beside it."""
    return sort_key.split("#")[2]


def beside(namespace: str, checkpoint_id: str) -> str:
    """Return what the sort keys start with of all that lies beside a checkpoint."""
    return f"{all_beside()}{token(namespace)}#{checkpoint_id}#"


def all_beside() -> str:
    """Return what the sort keys start with of all that lies beside any checkpoint."""
    return "D#"


def next_checkpoint(partition: str, namespace: str, checkpoint_id: str) -> Item:
    """Return the key of the item that says which checkpoint follows; of "": the first one."""
    return {"pk": partition, "sk": f"{beside(namespace, checkpoint_id)}N"}


def task_writes(partition: str, beside_checkpoint: str, task: str, special: int = 0) -> Item:
    """Return the key of what a task wrote; the special ones (below 0) have items of their own."""
    kind = f"S{-special}" if special else "W"
    return {"pk": partition, "sk": f"{beside_checkpoint}{kind}#{token(task)}"}


def body_part(partition: str, beside_checkpoint: str, digest: str, number: int) -> Item:
    """Return the key of a part of a body that is too large for one item."""
    return {"pk": partition, "sk": f"{beside_checkpoint}B#{digest}#{number:02d}"}


def is_body_part(sort_key: str) -> bool:
    """Whether what lies beside a checkpoint is a part of a body."""
    return sort_key.split("#")[3] == "B"


def owner_of(sort_key: str) -> str:
    """Return what `beside` gave for the checkpoint that this lies beside."""
    return "#".join(sort_key.split("#")[:3]) + "#"


def is_next_checkpoint(sort_key: str) -> bool:
    """Whether what lies beside a checkpoint says which one follows."""
    return sort_key.split("#")[3] == "N"


def thread_bodies(agent_id: str) -> str:
    """Return the folder of the objects that hold what a thread's items cannot."""
    return f"{THREAD_BODIES}{agent_id}"


def documents(agent_id: str) -> str:
    """Return the partition of the documents of an agent's LangGraph store."""
    return f"{agent_id}#documents"


def document(agent_id: str, namespace: Sequence[str], name: str) -> Item:
    """Return the key of a document."""
    return {"pk": documents(agent_id), "sk": f"{documents_under(namespace)}#{token(name)}"}


def documents_under(namespace: Sequence[str]) -> str:
    """Return what the sort keys start with of the documents of a namespace and all below it."""
    return "I#" + "".join(f"{token(label)}/" for label in namespace)


def document_namespace(agent_id: str, namespace: Sequence[str]) -> Item:
    """Return the key of the item that says when a namespace was first written to."""
    return {"pk": documents(agent_id), "sk": f"N{documents_under(namespace)}"}
