"""`Shelf`: the trajectories of a buffer, by place, by id, and by reward."""

import struct
from collections.abc import Iterable
from itertools import islice

from daybook.models.identity import microseconds
from daybook.models.trajectories import OutcomeTag, Trajectory
from daybook.replay.chunks import Chunk
from daybook.replay.places import Place
from daybook.store import REPLAY, Store, objects, replay_keys
from daybook.store.attributes import Item
from daybook.store.batching import GET_LIMIT
from daybook.store.bodies import BODY_OBJECT, pack, unpack
from daybook.store.codec import Codec
from daybook.store.expressions import equals
from daybook.store.requests import Delete

TRAJECTORY_CODEC = Codec(version=1)


class Shelf:
    """Trajectories as items, each with a pointer that finds it by its id and ranks it."""

    def __init__(self, store: Store, buffer: str) -> None:
        self._store = store
        self._buffer = buffer

    def put(self, place: Place, trajectory: Trajectory) -> None:
        """Put a trajectory into a place; what was there before is nowhere any more."""
        item = self._key(place) | {
            "lap": place.lap,
            "id": trajectory.trajectory_id,
            "at": microseconds(self._store.clock()),
        }
        document = trajectory.model_dump(mode="json")
        folder = replay_keys.bodies(self._buffer, place.text)
        packed = pack(self._store, TRAJECTORY_CODEC, folder, item, document)
        before = self._store.exchange(REPLAY, packed)
        # after a lost answer what was there before is this very item
        if before and self._place_of(before) != place:
            self._forget(before)

    def remove(self, items: Iterable[Item]) -> None:
        """Remove trajectories' items, with what points to them."""
        for item in items:
            self._store.delete_all(REPLAY, [{"pk": item["pk"], "sk": item["sk"]}])
            self._forget(item)

    def point(self, place: Place, trajectory: Trajectory, standing: Place | None) -> Place | None:
        """Let an id stand for a place, if it stands for `standing`; else return what it does."""
        tag = trajectory.final_outcome.value
        pointer = replay_keys.pointer(self._buffer, trajectory.trajectory_id) | {
            "place": place.text,
            "outcome_key": replay_keys.outcome_key(self._buffer, tag),
            "task_key": replay_keys.task_key(self._buffer, tag, trajectory.task_description),
            "reward_key": _reward_key(trajectory.reward),
        }
        found: Item | None = {}
        if standing is not None:
            found = self._store.replace(REPLAY, pointer, equals("place", standing.text))
        if found == {}:  # there is none, or none any more
            found = self._store.insert(REPLAY, pointer)
        if found is None or found.get("place") == place.text:
            return None
        return Place.of_text(found["place"])

    def place_of(self, trajectory_id: str) -> Place | None:
        """Return the place that an id stands for."""
        pointer = self._store.get(REPLAY, replay_keys.pointer(self._buffer, trajectory_id))
        return Place.of_text(pointer["place"]) if pointer else None

    def fetch(self, places: Iterable[Place], *, consistent: bool = False) -> dict[Place, Item]:
        """Return the items of these places; those where another lap's is are left out."""
        keys = [self._key(place) for place in set(places)]
        found = self._store.fetch(REPLAY, keys, consistent=consistent)
        wanted = set(places)
        return {place: item for item in found if (place := self._place_of(item)) in wanted}

    def fetch_live(self, places: Iterable[Place]) -> dict[Place, Item]:
        """Return the items of these places that their chunks still know. One request for 50."""
        wanted = list(dict.fromkeys(places))
        chunks = {replay_keys.chunk(self._buffer, place.chunk)["sk"]: place for place in wanted}
        keys = [self._key(place) for place in wanted]
        keys += [replay_keys.chunk(self._buffer, place.chunk) for place in chunks.values()]
        laps: dict[int, Chunk] = {}
        items: dict[Place, Item] = {}
        for item in self._store.fetch(REPLAY, keys):
            if "id" in item:
                items[self._place_of(item)] = item
            else:
                chunk = Chunk.of(item)
                laps[chunk.number] = chunk
        return {
            place: items[place]
            for place in wanted
            if place in items and place.chunk in laps and laps[place.chunk].lap == place.lap
        }

    def in_chunk(self, number: int) -> list[Item]:
        """Return the items of a chunk's trajectories."""
        partition = replay_keys.trajectories(self._buffer, number)
        return list(self._store.query(REPLAY, equals("pk", partition), consistent=True))

    def of_chunk(self, number: int) -> dict[Place, Item]:
        """Return the items of a chunk's trajectories, by their places."""
        return {self._place_of(item): item for item in self.in_chunk(number)}

    def top(self, tag: OutcomeTag, task: str | None, limit: int) -> list[Item]:
        """Return the items of what ended so, the highest reward first. Two requests for 50."""
        if task is None:
            index, name = REPLAY.index("OutcomeIndex"), "outcome_key"
            partition = replay_keys.outcome_key(self._buffer, tag.value)
        else:
            index, name = REPLAY.index("TaskIndex"), "task_key"
            partition = replay_keys.task_key(self._buffer, tag.value, task)
        ranked = self._store.query(
            REPLAY, equals(name, partition), index=index, newest_first=True, page_size=limit
        )
        found: list[Item] = []
        while len(found) < limit:
            some = [
                Place.of_text(each["place"]) for each in islice(ranked, min(limit, GET_LIMIT // 2))
            ]
            if not some:
                break
            found += self.fetch_live(some).values()
        return found[:limit]

    def read(self, item: Item) -> Trajectory:
        """Return the trajectory of an item."""
        document = unpack(self._store, TRAJECTORY_CODEC, item)
        return Trajectory.model_validate(document, strict=False)  # moments are text in JSON

    def _forget(self, item: Item) -> None:
        """Remove what an item that is gone leaves behind: its pointer, and its object."""
        place = self._place_of(item)
        pointer = replay_keys.pointer(self._buffer, str(item["id"]))
        still_there = equals("place", place.text)
        self._store.transact([Delete(table=REPLAY, key=pointer, condition=still_there)])
        if BODY_OBJECT in item and self._store.bucket:
            objects.delete_bodies(self._store.s3(), self._store.bucket, [str(item[BODY_OBJECT])])

    def _key(self, place: Place) -> Item:
        return replay_keys.trajectory(self._buffer, place.chunk, place.slot)

    @staticmethod
    def _place_of(item: Item) -> Place:
        chunk = str(item["pk"]).rpartition("#P")[2]
        return Place(int(item["lap"]), int(chunk), int(item["sk"]))


def _reward_key(reward: float) -> str:
    """Return a number as text that sorts as it does: IEEE 754's bits, turned where negative."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", reward + 0.0))
    turned = bits ^ (0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else 1 << 63)
    return f"{turned:016x}"
