"""The container carries all that a decoder needs, and refuses what it cannot read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lic_bench.bitstream import Container, pack, plain_shape, unpack
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


def test_another_operating_points_stream_is_refused() -> None:
    packed = pack(Container("net/3", "cpu", 1, 2, 2, [1, 1], (b"abc",)))
    with pytest.raises(StreamError, match="not made by net/4"):
        unpack(packed, "net/4")


def test_a_cut_or_lengthened_stream_is_refused() -> None:
    packed = pack(Container("net/3", "cpu", 1, 2, 2, [1, 1], (b"abc",)))
    for length in range(5, len(packed)):
        with pytest.raises(StreamError, match="ends too early"):
            unpack(packed[:length], "net/3")
    with pytest.raises(StreamError, match="1 bytes too many"):
        unpack(packed + b"!", "net/3")
    with pytest.raises(StreamError, match="first byte"):
        unpack(b"", "net/3")


def test_a_shape_that_is_no_number_is_refused() -> None:
    with pytest.raises(StreamError, match="only integers"):
        plain_shape({"y": 1.5})
