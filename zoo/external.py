"""External encoders, where the user has their programs: VTM, VVenC, HM, BPG, x265, libaom, SVT-AV1."""

from __future__ import annotations

from collections.abc import Sequence

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Requirement


def _requirements(tool: str, install: str, encoders: Sequence[str], decoders: Sequence[str]) -> tuple[Requirement, ...]:
    variable = f"LIC_BENCH_{tool.upper().replace('-', '_')}_BIN"
    return tuple(
        Requirement(f"{programs[0]} ({install})", programs=tuple(programs), folder_variable=variable)
        for programs in (encoders, decoders)
    )


def _points(qualities: Sequence[int], **settings: int) -> tuple[OperatingPoint, ...]:
    return tuple(OperatingPoint(str(quality), settings={"quality": quality, **settings}) for quality in qualities)


_LOADER = "lic_bench.zoo.external_programs:load"
_QPS = (47, 42, 37, 32, 27, 22, 17, 12)
_QP_RANGE = (51, 0)
_UNTRIED = "Its command line is from the program's documentation; it has not been run here against the real program."

VTM = CodecCard(
    name="vtm",
    title="VVC intra, 4:4:4, 10 bit (VTM)",
    family="external",
    by_name_only=True,
    paper="ITU-T H.266 | ISO/IEC 23090-3: Versatile video coding; VTM is its reference software",
    year=2020,
    licence="BSD-3-Clause (VTM)",
    learned=False,
    points=_points(_QPS),
    loader=_LOADER,
    qualities=(63, 0),
    published=(CurveId("vtm", "compressai-classical", "none"), CurveId("vtm-17.0", "mlic-repo-figures", "none")),
    requirements=_requirements(
        "vtm", "build VTM, then give --vtm-bin", ("EncoderApp", "EncoderAppStatic"), ("DecoderApp", "DecoderAppStatic")
    ),
    notes=("The label is the QP; encoder_intra_vtm.cfg. Scored against the picture as given.",),
)

VVENC = CodecCard(
    name="vvenc",
    title="VVC intra, 4:2:0, 10 bit (VVenC)",
    family="external",
    by_name_only=True,
    paper="Wieckowski et al.: VVenC: an open and optimized VVC encoder implementation, ICMEW 2021",
    year=2021,
    licence="BSD-3-Clause-Clear (VVenC, VVdeC)",
    learned=False,
    points=_points(_QPS),
    loader=_LOADER,
    qualities=(63, 0),
    requirements=_requirements("vvenc", "build VVenC and VVdeC", ("vvencapp",), ("vvdecapp",)),
    notes=("VVenC codes 4:2:0 alone: chroma at half width and height costs PSNR at high rates.", _UNTRIED),
)

HM = CodecCard(
    name="hm",
    title="HEVC intra, 4:4:4, 10 bit (HM)",
    family="external",
    by_name_only=True,
    paper="ITU-T H.265 | ISO/IEC 23008-2: High efficiency video coding; HM is its reference software",
    year=2013,
    licence="BSD-3-Clause (HM)",
    learned=False,
    points=_points(_QPS),
    loader=_LOADER,
    qualities=_QP_RANGE,
    published=(CurveId("hm", "compressai-classical", "none"),),
    requirements=_requirements(
        "hm", "build HM", ("TAppEncoder", "TAppEncoderStatic"), ("TAppDecoder", "TAppDecoderStatic")
    ),
    notes=("The label is the QP; encoder_intra_main_rext.cfg.", _UNTRIED),
)

BPG = CodecCard(
    name="bpg",
    title="BPG, 4:4:4, 10 bit",
    family="external",
    by_name_only=True,
    paper="Bellard: Better Portable Graphics, 2014 (bellard.org/bpg); the codec is an HEVC intra frame",
    year=2014,
    licence="LGPL-2.1-or-later and BSD-2-Clause (libbpg), GPL-2.0-or-later (x265)",
    learned=False,
    points=_points(_QPS),
    loader=_LOADER,
    qualities=_QP_RANGE,
    published=(CurveId("bpg-444", "compressai-classical", "none"),),
    requirements=_requirements("bpg", "build libbpg", ("bpgenc",), ("bpgdec",)),
    notes=("BPG converts RGB itself; its decoder writes 8-bit RGB.", _UNTRIED),
)

X265 = CodecCard(
    name="x265",
    title="HEVC intra, 4:4:4, 10 bit (x265)",
    family="external",
    by_name_only=True,
    paper=HM.paper,
    year=2013,
    licence="GPL-2.0-or-later (x265), LGPL-3.0-or-later (libde265)",
    learned=False,
    points=_points(_QPS),
    loader=_LOADER,
    qualities=_QP_RANGE,
    requirements=_requirements("x265", "apt install x265 libde265-examples", ("x265",), ("libde265-dec265", "dec265")),
    notes=("The settings of hevc, with the program instead of the library; sides from 64 pixels.",),
)

AOM = CodecCard(
    name="aom",
    title="AV1 intra, 4:4:4, 10 bit (libaom)",
    family="external",
    by_name_only=True,
    paper="Alliance for Open Media: AV1 Bitstream and Decoding Process Specification",
    year=2018,
    licence="BSD-2-Clause (libaom)",
    learned=False,
    points=_points((63, 55, 47, 39, 31, 23, 15, 7), speed=0),
    loader=_LOADER,
    qualities=(63, 0),
    published=(CurveId("av1", "compressai-classical", "none"),),
    requirements=_requirements("aom", "apt install aom-tools", ("aomenc",), ("aomdec",)),
    notes=("The label is cq-level. cpu-used 0, tune psnr, as the published curve; that is fed 8 bit.",),
)

SVT_AV1 = CodecCard(
    name="svt-av1",
    title="AV1 intra, 4:2:0, 10 bit (SVT-AV1)",
    family="external",
    by_name_only=True,
    paper=AOM.paper,
    year=2020,
    licence="BSD-3-Clause-Clear (SVT-AV1), BSD-2-Clause (libaom)",
    learned=False,
    points=_points((63, 55, 47, 39, 31, 23, 15, 7)),
    loader=_LOADER,
    qualities=(63, 0),
    requirements=_requirements("svt-av1", "apt install svt-av1 aom-tools", ("SvtAv1EncApp",), ("aomdec",)),
    notes=("SVT-AV1 codes 4:2:0 alone: chroma at half width and height costs PSNR at high rates. Sides from 64.",),
)
