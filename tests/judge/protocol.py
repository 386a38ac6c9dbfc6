"""How `client` and `worker` talk: pickles, each after its length in eight bytes."""

from __future__ import annotations

import pickle
import struct
from typing import IO, Literal, NamedTuple, TypeAlias

Plan: TypeAlias = Literal["fresh", "replaced"]

_HEAD = struct.Struct(">Q")


class Request(NamedTuple):
    """One project to run; see `tests.judge.run` for the meaning."""

    project_dir: str
    plan: Plan
    fresh_process: bool
    retry: bool
    timeout: int


def send(stream: IO[bytes], value: object) -> None:
    data = pickle.dumps(value)
    stream.write(_HEAD.pack(len(data)) + data)
    stream.flush()


def receive(stream: IO[bytes]) -> object:
    """EOFError when the other side has gone."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    (size,) = _HEAD.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)
