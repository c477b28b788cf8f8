"""Examinations of codecs with one known fault each, and of correct ones."""

from __future__ import annotations

import pytest
from helpers import faulty_codecs, small_codecs
from helpers.examinations import errors, examined, finding

from lic_bench.doctor import Check, Level, passes

pytestmark = pytest.mark.usefixtures("forkserver", "_no_side_files")

EVEN = "1x1 and 17x33: encode: ValueError: sides must be even. These come back whole: 64x64 and 48x32."
FAULTY = [
    # the codec, the one check that finds an error, and a part of its sentence
    ("LastPicture", Check.STREAM_ALONE, "gives back the picture that was encoded last"),
    ("ModuleState", Check.STREAM_ALONE, "needs something of the encoder that is not in the stream"),
    ("SizeInObject", Check.STREAM_ALONE, "the picture's size is not in the stream"),
    (
        "SideFile",
        Check.STREAM_ALONE,
        f"decoding reads what encoding wrote beside the stream: {faulty_codecs.SIDE_FILE.with_suffix('')}",
    ),
    ("TemporaryFile", Check.STREAM_ALONE, "Encoding wrote"),
    ("DriftingByThree", Check.THREADS, "by up to 3 of 255"),
    ("OneThreaded", Check.THREADS, "the arithmetic decoder ran out of bits"),
    ("SmallPayload", Check.PAYLOAD, "payload_bits leaves out part of the rate"),
    ("LargePayload", Check.PAYLOAD, "payload_bits says more than the whole stream holds"),
    ("EvenSides", Check.SIZES, EVEN),
    ("NotCropped", Check.SIZES, "17x33: came back as 48x32x3 uint8 instead of 33x17x3 uint8"),
    ("NoFlatPictures", Check.PLAIN_PICTURES, "black and white: encode: ZeroDivisionError: no spread"),
    ("RandomStream", Check.REPETITION, "encoding a picture twice gives two different streams"),
    ("RandomPicture", Check.REPETITION, "decoding a stream twice gives two different pictures"),
    ("ProcessInStream", Check.REPETITION, "another process makes another stream of the same picture"),
    ("FloatPicture", Check.CODING, "came back as 64x64x3 float32 instead of 64x64x3 uint8"),
    ("TensorPicture", Check.CODING, "decode gave a Tensor, not a numpy array"),
    ("WritesIntoInput", Check.CALLERS_PICTURE, "encoding writes into the array it is given"),
]


@pytest.mark.parametrize(("name", "check", "said"), FAULTY, ids=[name for name, _, _ in FAULTY])
def test_a_faulty_codec_fails_its_check_only(name: str, check: Check, said: str) -> None:
    findings = examined(faulty_codecs.reference(name))
    assert errors(findings) == [check]
    assert said in finding(findings, check).sentence
    assert finding(findings, check).advice
    assert not passes(findings)


def test_a_codec_that_dies_does_not_stop_the_examination() -> None:
    findings = examined(small_codecs.reference("DYING"))
    assert errors(findings) == [Check.CODING]
    sentence = finding(findings, Check.CODING).sentence
    assert "64x64, 1x1, 17x33 and 48x32: encode: its process was ended by SIGKILL" in sentence
    assert finding(findings, Check.STREAM_ALONE).sentence == "not examined: no picture comes back whole."


def test_a_size_that_takes_too_long_ends_the_sizes() -> None:
    sizes = finding(examined(faulty_codecs.reference("SlowOnLines"), timeout_seconds=5), Check.SIZES)
    assert sizes.sentence.startswith("1x1: decode: gave no result within 5 s and was stopped (--timeout); 17x33 and")
    assert sizes.sentence.endswith("not examined, since something before it never ended. These come back whole: 64x64.")
    assert sizes.advice.startswith("If it only takes long, raise --timeout")
    assert sizes.values == {"failing": ["1x1", "17x33", "48x32"], "pictures": ["64x64"]}


def test_a_drift_by_one_is_a_warning() -> None:
    threads = finding(examined(faulty_codecs.reference("DriftingByOne")), Check.THREADS)
    assert (threads.level, threads.sentence[:6]) == (Level.WARNING, "drift:")
    assert threads.values == {"agreement": "pixels_differ", "largest_difference": 1}


@pytest.mark.parametrize(
    "reference", ["jpeg", small_codecs.reference("LOSSLESS"), faulty_codecs.reference("CountedPayload")]
)
def test_a_correct_codec_has_no_error_and_no_warning(reference: str) -> None:
    findings = examined(reference)
    assert {each.level for each in findings} == {Level.PASS, Level.INFO}
    assert passes(findings)
    assert {
        Check.SIZES,
        Check.PLAIN_PICTURES,
        Check.CALLERS_PICTURE,
        Check.REPETITION,
        Check.STREAM_ALONE,
        Check.THREADS,
        Check.DEVICE,
    } < {each.check for each in findings}


def test_the_other_device_is_tried() -> None:
    """The device "other" is one that the codec's operating points stand for: exact, drift, broken, refused."""
    reference = faulty_codecs.reference("DEVICE_DEPENDENT")
    found = {
        label: finding(examined(reference, label=label, other_device="other"), Check.DEVICE)
        for label in ("exact", "drift", "broken", "refused")
    }
    assert found["exact"].sentence == "exact: on other instead of cpu all 9 streams decode to the same pictures."
    assert "by up to 5 of 255" in found["drift"].sentence
    assert found["broken"].sentence.startswith("broken: on other instead of cpu")
    assert [each.level for each in found.values()] == [Level.PASS, Level.ERROR, Level.ERROR, Level.INFO]
    assert [each.values.get("agreement") for each in found.values()] == ["exact", "pixels_differ", "failed", None]
    assert "made on another device" in found["refused"].sentence


def test_a_codec_that_cannot_be_loaded_ends_the_examination() -> None:
    (loading,) = examined(faulty_codecs.reference("Unloadable"))
    assert (loading.check, loading.level) == (Check.LOADING, Level.ERROR)
    assert "OSError: the library is not installed" in loading.sentence


def test_an_estimator_is_examined_without_streams() -> None:
    findings = examined("asymmetric-published")
    assert {each.check for each in findings if each.level is Level.PASS} >= {Check.FORWARD, Check.OPERATORS}
    assert "codes nothing" in finding(findings, Check.CODEC).sentence
    assert passes(findings)
