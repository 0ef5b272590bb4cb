"""The cache keeps entries within its bytes and drops those that show what changed."""

import tracemalloc
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from catalogue_svc.query.cache import EntryCache, size_of

A, B, P = UUID(int=1), UUID(int=2), UUID(int=3)


def test_an_entry_is_forgotten_with_each_id_that_it_shows_something_of() -> None:
    cache = EntryCache(10_000)
    cache.put(("a",), b"a", (A, P))
    cache.put(("a", "de"), b"a", (A, P))
    cache.put(("b",), b"b", (B,))
    cache.forget([P])
    assert [cache.get(("a",)), cache.get(("a", "de")), cache.get(("b",))] == [None, None, b"b"]
    cache.forget([A, B])
    assert len(cache) == cache.size == 0


def test_the_longest_unused_entry_goes_first() -> None:
    cache = EntryCache(2 * size_of(("a",), b"a" * 10, 1))
    cache.put(("a",), b"a" * 10, (A,))
    cache.put(("b",), b"b" * 10, (B,))
    assert cache.get(("a",))
    cache.put(("p",), b"p" * 10, (P,))
    assert [cache.get((name,)) is not None for name in "abp"] == [True, False, True]


def test_an_entry_larger_than_the_cache_is_not_kept() -> None:
    cache = EntryCache(100)
    cache.put(("a",), b"a" * 1000, (A,))
    assert len(cache) == cache.size == 0


def test_long_keys_take_of_the_room_what_they_take_of_memory() -> None:
    tracemalloc.start()
    try:
        cache = EntryCache(4_000_000)
        before = tracemalloc.get_traced_memory()[0]
        for number in range(4_000):
            languages = (f"x{number:07}-{each:026}" for each in range(20))
            cache.put(("offer", str(UUID(int=number)), True, *languages), b"%0500d" % number, (UUID(int=number), P))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 1_000 < len(cache) < 2_000
    assert taken < cache.size * 1.1


@given(st.lists(st.tuples(st.sampled_from("pfc"), st.integers(0, 5), st.integers(0, 2000))))
def test_the_size_is_that_of_what_is_kept_and_stays_within_bounds(steps: list[tuple[str, int, int]]) -> None:
    cache = EntryCache(5000)
    for step, number, size in steps:
        if step == "p":
            cache.put((number,), b"x" * size, (UUID(int=number), UUID(int=number % 2)))
        elif step == "f":
            cache.forget([UUID(int=number)])
        elif size == 0:
            cache.clear()
        entries = {(number,): entry for number in range(6) if (entry := cache.get((number,))) is not None}
        assert (
            cache.size == sum(size_of(key, entry, len({key[0], key[0] % 2})) for key, entry in entries.items()) <= 5000
        )
        assert len(cache) == len(entries)
        assert set(cache._keys) == {subject for kept in cache._kept.values() for subject in kept.subjects}
