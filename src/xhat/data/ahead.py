"""Reading the next part while this one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Read = TypeVar("Read")


def ahead(read: Callable[[Part], Read], parts: Iterable[Part]) -> Iterator[Read]:
    """Give ``read(part)`` of each part, in order, while a thread reads the next one.

    Parameters
    ----------
    read : function
        Called in the thread; what it raises is raised here, in its part's turn.
    parts : iterable
        Asked for one part beyond that in use.
    """
    coming: deque[Future[Read]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="xhat-ahead") as pool:
        for part in parts:
            coming.append(pool.submit(read, part))
            if len(coming) > 1:
                # Not kept in a name: the user alone decides how long a part stays in memory.
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
