"""The container carries all that a decoder needs; whatever is damaged is a StreamError."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lic_bench.bitstream import DEEPEST_SHAPE, LARGEST_SIDE, MOST_THREADS, Container, Shape, pack, plain_shape, unpack
from lic_bench.errors import StreamError

shapes = st.recursive(
    st.integers(0, 10**6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(shapes, st.lists(st.binary(max_size=300), max_size=12), st.integers(1, 10**5), st.integers(0, 300))
def test_what_goes_in_comes_out(shape, strings, side, threads) -> None:  # type: ignore[no-untyped-def]
    contents = Container("net/3", "cpu", threads, side, 7, shape, tuple(strings))
    assert unpack(pack(contents), "net/3") == contents


def test_the_header_of_a_hyperprior_is_eighteen_bytes() -> None:
    # magic 1, identity 4, device 1, threads 1, height and width 2 + 2, shape 1 + 1 + 1, number of
    # strings 1, two lengths 2 + 1
    packed = pack(Container("net/3", "cpu", 1, 512, 768, [8, 12], (b"x" * 200, b"y" * 20)))
    assert len(packed) - 220 == 1 + 4 + 1 + 1 + 4 + 3 + 1 + 3


def test_a_bitstream_of_another_operating_point_is_refused() -> None:
    packed = pack(Container("net/3", "cpu", 1, 2, 2, [1, 1], (b"abc",)))
    with pytest.raises(StreamError, match="not made by net/4"):
        unpack(packed, "net/4")


def test_a_cut_or_lengthened_bitstream_is_refused() -> None:
    packed = pack(Container("net/3", "cpu", 1, 2, 2, [1, 1], (b"abc",)))
    for length in range(5, len(packed)):
        with pytest.raises(StreamError, match="ends too early"):
            unpack(packed[:length], "net/3")
    with pytest.raises(StreamError, match="1 bytes too many"):
        unpack(packed + b"!", "net/3")
    with pytest.raises(StreamError, match="first byte"):
        unpack(b"", "net/3")


WHOLE = pack(Container("net/3", "cpu", 1, 300, 200, {"y": [8, 12], "z": {"": 3}}, (b"abc", b"", b"x" * 200)))


@given(st.lists(st.tuples(st.integers(5, len(WHOLE) - 1), st.integers(1, 255)), min_size=1, max_size=8))
def test_damaged_bytes_are_contents_or_a_stream_error(flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(WHOLE)
    for at, bits in flips:
        damaged[at] ^= bits
    with suppress(StreamError):
        contents = unpack(bytes(damaged), "net/3")
        assert 0 < contents.height <= LARGEST_SIDE
        assert 0 < contents.width <= LARGEST_SIDE
        assert contents.threads <= MOST_THREADS


@given(st.binary(max_size=300))
def test_any_bytes_after_the_identity_are_read_or_refused(tail: bytes) -> None:
    with suppress(StreamError):
        unpack(WHOLE[:5] + tail, "net/3")


def number(value: int) -> bytes:
    """A LEB128 varint."""
    low = bytes(value >> shift & 0x7F | 0x80 for shift in range(0, max(value.bit_length() - 7, 0), 7))
    return low + bytes([value >> 7 * len(low)])


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        (bytes([0, 1, 1, 1]) + number(1 << 2 | 1) * 100_000, "nested more than 100 times"),
        (bytes([0, 1, 1, 1]) + number(10**12 << 2 | 1), "ends too early"),
        (bytes([0, 1, 1, 1, 0]) + number(10**18), "ends too early"),
        (bytes([0, 1, 1, 1, 1 << 2 | 2, 1, 0xFF, 0]), "no text"),
        (bytes([0, 1, 1, 1, 3]), "latent shape is neither"),
        (bytes([0, 1]) + b"\x80" * 100_000, "more than 64 bits"),
        (bytes([0, 1, 0, 1, 0, 0]), "1x0 pixels"),
        (bytes([0, 1, 1]) + number(LARGEST_SIDE + 1) + bytes([0, 0]), "1048577x1 pixels"),
        (bytes([0]) + number(10**9) + bytes([1, 1, 0, 0]), "1000000000 threads"),
    ],
)
def test_what_no_encoder_writes_is_a_stream_error(tail: bytes, said: str) -> None:
    with pytest.raises(StreamError, match=said):
        unpack(WHOLE[:5] + tail, "net/3")


def test_what_cannot_be_read_back_cannot_be_written() -> None:
    deep: Shape = 1
    for _ in range(DEEPEST_SHAPE + 1):
        deep = [deep]
    for contents in (
        Container("net/3", "cpu", 1, 0, 4, 0, ()),
        Container("net/3", "cpu", 1, 4, LARGEST_SIDE + 1, 0, ()),
        Container("net/3", "cpu", 1, 4, 4, -1, ()),
        Container("net/3", "cpu", 1, 4, 4, 1 << 64, ()),
        Container("net/3", "cpu", 1, 4, 4, deep, ()),
    ):
        with pytest.raises(StreamError, match="cannot"):
            pack(contents)


def test_a_shape_that_is_no_number_is_refused() -> None:
    with pytest.raises(StreamError, match="only integers"):
        plain_shape({"y": 1.5})
