"""Records with a body: packed into an item or beside it in S3, and unpacked again."""

from daybook.errors import BodyCorruptError
from daybook.models.json_values import JsonObject
from daybook.store import keys, objects
from daybook.store.attributes import Item, size
from daybook.store.codec import LARGEST_INLINE, Codec
from daybook.store.table import Store

BODY = "body"
BODY_OBJECT = "body_object"
VERSION = "v"

_BODY_OVERHEAD = len(BODY) + len(VERSION) + 3


def pack(store: Store, codec: Codec, folder: str, item: Item, document: JsonObject) -> Item:
    """Return the item with its body: inside, or in S3 with a pointer when over 350 KB.

    `folder` is where in the bucket, from `keys`.

    The object is written here, before the item that points to it, so an item never points
    to nothing. Raises BodyTooLargeError when the body needs S3 and no bucket is configured.
    """
    return placed(store, folder, packed(codec, item, document))


def packed(codec: Codec, item: Item, document: JsonObject, *, beside: int = 0) -> Item:
    """Return the item with its body inside, also one that is too large to be written so.

    `beside` is the size in bytes of attributes that will be added.
    """
    body = codec.encode(document, beside=size(item) + beside + _BODY_OVERHEAD)
    return item | {VERSION: codec.version, BODY: body}


def check_large_body(store: Store, item: Item) -> None:
    """Raise BodyTooLargeError if the body inside an item has to go to S3, and cannot."""
    if body := _large_body(item):
        objects.check_bucket(store.bucket, len(body))


def placed(store: Store, folder: str, item: Item) -> Item:
    """Return the item as it is written: a body that is too large is in S3, and pointed to."""
    body = _large_body(item)
    if not body:
        return item
    name = f"{folder}/{objects.checksum(body)}"
    objects.put_body(store.s3(), store.bucket, name, body)
    del item[BODY]
    return item | {BODY_OBJECT: name}


def _large_body(item: Item) -> bytes | None:
    body = item[BODY]
    return body if isinstance(body, bytes) and len(body) > LARGEST_INLINE else None


def unpack(store: Store, codec: Codec, item: Item) -> JsonObject:
    """Return the document of an item. Raises BodyMissingError or BodyCorruptError."""
    if BODY_OBJECT in item:
        item = item | {BODY: own_object(store, item)}
    return codec.decode(*body_of(item))


def body_of(item: Item) -> tuple[str | bytes, int]:
    """Return the body inside an item, and its version. Raises BodyCorruptError."""
    body, version = item.get(BODY), item.get(VERSION)
    if not isinstance(version, int) or not isinstance(body, str | bytes):
        raise BodyCorruptError(f"the item {item.get('pk')!r} {item.get('sk')!r} has no body")
    return body, version


def own_object(store: Store, item: Item) -> bytes:
    """Return the object that an item points to. Raises BodyMissingError or BodyCorruptError.

    It has to be of the agent whose item it is: an agent may write its own items, and whoever
    reads them for it, as the API does, may read the objects of all.
    """
    name = str(item[BODY_OBJECT])
    if not keys.is_own_object(str(item["pk"]), name):
        raise BodyCorruptError(
            f"the item {item['pk']!r} {item.get('sk')!r} points to {name!r:.200}, which is not of "
            "its own agent: it is damaged or forged"
        )
    return objects.get_body(store.s3(), store.bucket, name)
