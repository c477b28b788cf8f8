"""Cards for codecs without one: what they say, what their figures are worth, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.user_codecs import reference

from lic_bench.cli import app
from lic_bench.errors import RequestError
from lic_bench.registry import adapters, codecs


def command(*arguments: str) -> int:
    code: int | None = app(list(arguments), standalone_mode=False)
    return code or 0


@pytest.mark.parametrize(
    ("attribute", "name"),
    [("MyCodec", "my-codec"), ("my_codec", "my-codec"), ("TCM2Small", "tcm2-small"), ("ELIC", "elic")],
)
def test_a_name_in_kebab_case(attribute: str, name: str) -> None:
    assert adapters.kebab_case(attribute) == name


def test_the_mapping_fills_the_card() -> None:
    card = codecs.get(reference("MyPrior"))
    assert (card.name, card.title, card.licence, card.paper, card.year) == (
        "my-prior", "Mine", "MIT", "in preparation", 2026,
    )  # fmt: skip
    assert [(point.label, dict(point.settings)) for point in card.points] == [
        ("narrow", {"N": 4, "M": 6}),
        ("wide", {"N": 8, "M": 12}),
    ]
    assert (card.learned, card.trained) == (True, False)


@pytest.mark.parametrize(
    ("name", "learned", "trained"),
    [
        ("MyPrior", True, False),
        ("NoArguments", True, True),
        ("build_prior", True, False),
        ("AN_OBJECT", True, False),
        ("WithNetwork", True, False),
        ("Own", False, False),
        ("build_skipping", False, False),
    ],
)
def test_whether_figures_count_is_never_guessed(name: str, learned: bool, trained: bool) -> None:
    card = codecs.get(reference(name))
    assert (card.learned, card.trained) == (learned, trained)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Misspelt", r"key 'tilte'\. Did you mean title"),
        ("WrongKind", "operating points: label -> keywords of the constructor"),
        ("Neither", "it is not a CodecCard but a class that gives no codec"),
        ("MyPryor", "Did you mean MyPrior"),
        ("FactorizedPrior", r"missing a required argument: 'N'; give them as lic_bench = {\"points\""),
    ],
)
def test_what_is_no_codec_is_refused_with_the_reason(name: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        codecs.get(reference(name))


def test_a_file_named_like_another_module_is_refused(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("class Codec:\n    def encode(self, image): ...\n    def decode(self, s): ...\n")
    with pytest.raises(RequestError, match=r"another module is called 'json'"):
        codecs.get(f"{tmp_path / 'json.py'}:Codec")


def test_changed_code_is_another_job(tmp_path: Path) -> None:
    file = tmp_path / "changing.py"
    file.write_text("class Codec:\n    def encode(self, image): ...\n    def decode(self, s): ...\n")
    before = codecs.CODECS.resolve(f"{file}:Codec").source_sha256  # type: ignore[union-attr]
    file.write_text(file.read_text() + "# another line\n")
    assert before != codecs.CODECS.resolve(f"{file}:Codec").source_sha256  # type: ignore[union-attr]
    assert len(before) == 64


def test_codecs_of_one_name_keep_their_references(tmp_path: Path) -> None:
    references = []
    for stem in ("first_file", "second_file"):
        (tmp_path / f"{stem}.py").write_text(
            "class Same:\n    def encode(self, i): ...\n    def decode(self, s): ...\n"
        )
        references.append(f"{tmp_path / stem}.py:Same")
    cards = [codecs.get(each) for each in references]
    assert [card.reference for card in cards] == references
    with pytest.raises(RequestError, match="Two models are called 'same'"):
        codecs.select(references)


def test_commands_take_user_supplied_codecs(capsys: pytest.CaptureFixture[str]) -> None:
    prior, own, misspelt = reference("MyPrior"), reference("Own"), reference("Misspelt")
    command("models", f"{prior},{own}")
    assert "my-prior narrow (unknown): none published" in capsys.readouterr().out
    code = command("complexity", "-m", f"{prior},{own},{misspelt}", "--size", "64x64", "--format", "json")
    output = capsys.readouterr()
    assert {item["codec"] for item in json.loads(output.out)} == {"my-prior"}
    assert "Not learned, so nothing to count: own." in output.err
    assert "Did you mean title" in output.err
    assert code == 1
    assert command("complexity", "-m", prior, "--size", "64x64", "--against", "torch") == 0
    assert "my-prior" in capsys.readouterr().out
