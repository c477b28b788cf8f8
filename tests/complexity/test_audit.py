"""The audit must find again what is known of published complexity claims; other counters differ for known reasons."""

from __future__ import annotations

import pytest
import torch
from helpers.one_operator import CASES, HEIGHT, WIDTH
from torch import nn

from lic_bench.analysis.published import ComplexityClaim
from lic_bench.complexity import audit, codec_complexity, external_counters, tables
from lic_bench.complexity.audit import ALL, AT_OUTPUT, LAYERS, MEAN, ClaimCheck, ClaimVerdict
from lic_bench.complexity.mac_counter import trace_module
from lic_bench.errors import RequestError
from lic_bench.registry import codecs

MODELS = "loc-lic,mlicpp,mlicpp-2023,cheng2020-anchor,bmshj2018-*,mbt2018*"


@pytest.fixture(scope="module")
def checks() -> tuple[ClaimCheck, ...]:
    return audit.audit(MODELS)


def of(
    checks: tuple[ClaimCheck, ...], codec: str, claimed: float, quantity: str = "kmac_per_pixel_total"
) -> ClaimCheck:
    (found,) = (c for c in checks if (c.claim.codec, c.claim.value, c.claim.quantity) == (codec, claimed, quantity))
    return found


@pytest.mark.parametrize(
    ("codec", "claimed", "convention", "network", "count"),
    [
        ("loc-lic", 270, LAYERS, "loc-lic", 271.4),
        ("mlicpp", 1256, LAYERS, "mlicpp-2023", 1256.6),
        ("mlicpp", 1282.81, ALL, "mlicpp-2023", 1282.7),
        ("cheng2020", 933, LAYERS, "cheng2020-anchor N192", 932.4),
        ("cheng2020", 674.8, LAYERS, MEAN, 674.1),
        ("bmshj2018-factorized", 268.2, AT_OUTPUT, MEAN, 268.0),
        ("bmshj2018-hyperprior", 274.6, AT_OUTPUT, MEAN, 274.4),
        ("mbt2018-mean", 317.0, AT_OUTPUT, MEAN, 316.9),
        ("mbt2018", 444.9, AT_OUTPUT, MEAN, 444.7),
    ],
)
def test_known_claims_are_explained(
    checks: tuple[ClaimCheck, ...], codec: str, claimed: float, convention: str, network: str, count: float
) -> None:
    found = of(checks, codec, claimed)
    assert found.explained is not None
    assert (found.explained.convention, found.explained.variant) == (convention, network)
    assert round(found.explained.value, 1) == count
    assert found.verdict is (ClaimVerdict.HOLDS if convention == ALL else ClaimVerdict.HOLDS_UNDER)


def test_loc_lic_counts_its_authors_way_and_in_full(checks: tuple[ClaimCheck, ...]) -> None:
    counts = of(checks, "loc-lic", 270).counts
    assert {name: round(value, 1) for name, value in counts.items()} == {ALL: 274.9, LAYERS: 271.4, AT_OUTPUT: 271.4}


def test_lowest_complexity_fails_when_all_are_counted_alike(checks: tuple[ClaimCheck, ...]) -> None:
    older = {"bmshj2018-factorized": 268.2, "bmshj2018-hyperprior": 274.6, "mbt2018-mean": 317.0, "mbt2018": 444.9}
    correctly = [of(checks, *claim).counts[LAYERS] for claim in older.items()]
    assert [round(value, 1) for value in correctly] == [107.2, 111.4, 130.9, 194.9]
    (order,) = (order for order in audit.orders_that_fail(checks) if order.codec == "loc-lic")
    assert set(older) - {"bmshj2018-factorized"} <= set(order.above)  # that one was claimed to be below it all along


def test_decoders_of_another_table_hold(checks: tuple[ClaimCheck, ...]) -> None:
    for codec, claimed in (("bmshj2018-hyperprior", 43.542), ("mbt2018", 139.638), ("cheng2020-anchor", 583.058)):
        assert of(checks, codec, claimed, "kmac_per_pixel_decode").verdict is ClaimVerdict.HOLDS


def test_parameters_and_model_sizes_are_audited_too(checks: tuple[ClaimCheck, ...]) -> None:
    for claimed, network in ((116.72, "mlicpp-2023"), (83.5, "mlicpp")):
        explained = of(checks, "mlicpp", claimed, "params_m").explained
        assert explained is not None
        assert explained.variant == network
    assert of(checks, "cheng2020", 50.8, "model_mb").verdict is ClaimVerdict.DOES_NOT_HOLD


def test_a_total_is_explained_by_convention_and_size(checks: tuple[ClaimCheck, ...]) -> None:
    for claimed, quantity in ((222, "encode_gflops"), (300, "decode_gflops")):
        found = of(checks, "mlicpp", claimed, quantity)
        assert found.explained is not None
        assert (found.explained.convention, found.explained.size) == (LAYERS, (768, 512))
        assert found.explained.mac_as_flop
        assert found.verdict is ClaimVerdict.HOLDS_UNDER
    assert tables.verdict_text(found) == "holds under layers, a MAC as one FLOP (mlicpp at 768x512: 300.30)"


# The factorized prior's synthesis: four 5x5 transposed convolutions of stride 2, and three inverse GDN between them.
LAYER_GMAC = 25 * (192 * 128 / 256 + 128 * 128 / 64 + 128 * 128 / 16 + 128 * 3 / 4) * 65536 / 1e9
GDN_GMAC = 128 * 128 * (1 / 64 + 1 / 16 + 1 / 4) * 65536 / 1e9


@pytest.mark.parametrize(
    ("gflops", "convention", "mac_as_flop", "verdict"),
    [
        (2 * (LAYER_GMAC + GDN_GMAC), ALL, False, ClaimVerdict.HOLDS),
        (LAYER_GMAC + GDN_GMAC, ALL, True, ClaimVerdict.HOLDS_UNDER),
        (4 * LAYER_GMAC, AT_OUTPUT, True, ClaimVerdict.HOLDS_UNDER),
        (8 * LAYER_GMAC, AT_OUTPUT, False, ClaimVerdict.HOLDS_UNDER),
        (3 * LAYER_GMAC, None, None, ClaimVerdict.DOES_NOT_HOLD),
    ],
)
def test_a_flop_is_half_a_mac_or_a_whole_one(
    gflops: float, convention: str | None, mac_as_flop: bool | None, verdict: ClaimVerdict
) -> None:
    ledger = audit.Ledger()
    ledger.add(codecs.get("bmshj2018-factorized"))
    claim = ComplexityClaim(
        "bmshj2018-factorized", "decode_gflops", round(gflops, 2), "GFLOPs", "", "nobody", "text", decimals=2
    )
    found = audit.check(claim, ledger)
    assert found.verdict is verdict
    if convention is not None:
        assert found.explained is not None
        assert (found.explained.convention, found.explained.mac_as_flop) == (convention, mac_as_flop)
        assert (found.explained.variant, found.explained.size) == ("bmshj2018-factorized N128-M192", (256, 256))


def test_the_figure_with_the_digits_as_printed_explains(checks: tuple[ClaimCheck, ...]) -> None:
    explained = of(checks, "mlicpp", 116.5, "params_m").explained
    assert explained is not None
    assert (explained.convention, explained.variant) == (LAYERS, "mlicpp-2023")  # in all there are 116.72 million


def test_a_model_that_is_not_in_the_zoo_is_not_checkable() -> None:
    claim = next(claim for claim in audit.claims() if claim.codec == "hpcm-base")
    found = audit.check(claim, audit.Ledger())
    assert (found.verdict, tables.verdict_text(found)) == (
        ClaimVerdict.NOT_CHECKABLE,
        "not checkable here; not in the zoo",
    )


def test_the_table_shows_claim_counts_and_verdict(checks: tuple[ClaimCheck, ...]) -> None:
    lines = tables.audit_rows([of(checks, "loc-lic", 270)])
    assert lines[0] == ["claim of", "what", "claimed", ALL, LAYERS, AT_OUTPUT, "verdict", "source"]
    assert lines[1][2:7] == ["270 kMAC/pixel", "274.9", "271.4", "271.4", "holds under layers (loc-lic: 271.4)"]


# How much of one operator each counter sees, without the biases that ptflops adds; the rest of the cases is seen by all
# or, like raw weights by ptflops' hooks on modules, by none of the others.
SEEN = {
    "convolution": (1, 1, 1, 1),
    "transposed convolution": (1, 1, 1, 1),
    "convolution with raw weights": (1, 1, 0, 1),
    "masked convolution": (1, 1, 0, 1),
    "GDN": (1, 1, 0, 1),
    "linear with bias": (1, 1, 1, 1),
    "linear": (1, 1, 0, 1),
    "matmul": (1, 1, 0, 1),
    "einsum": (1, 1, 0, 1),
    "mv": (0, 0, 0, 0),
    "scaled_dot_product_attention": (0, 0, 0, 0),
    "attention with narrow values": (0, 1, 0, 1),  # "by layout": no fused kernel takes these
    "MultiheadAttention's fast path": (0, 0, 0, 0),
    "deformable convolution": (0, 0, 0, 0),
}
BIASES = {"convolution": 48 * 5, "transposed convolution": 192 * 5, "masked convolution": 48 * 5, "GDN": 48 * 3,
          "linear with bias": 18 * 5}  # fmt: skip
COUNTERS = (
    external_counters.fvcore,
    external_counters.ptflops_aten,
    external_counters.ptflops_pytorch,
    external_counters.torch_flops,
)


@pytest.mark.parametrize("name", SEEN)
def test_other_counters_see_what_is_known_of_them(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    module, picture = case.make().eval(), torch.rand(1, 3, HEIGHT, WIDTH)
    for counter, seen in zip(COUNTERS, SEEN[name], strict=True):
        biases = BIASES.get(name, 0) * seen if counter in COUNTERS[1:3] else 0
        assert counter(module, (picture,)).macs == seen * case.macs + biases, counter.__name__


def test_torch_counts_nothing_of_fast_path_attention() -> None:
    case = next(case for case in CASES if case.name == "MultiheadAttention")
    found = external_counters.torch_flops(case.make().eval(), (torch.rand(1, 3, HEIGHT, WIDTH),))
    assert found.macs == 48 * 3 * 12  # the linear layer before it, and no more


@pytest.mark.parametrize("counter", COUNTERS)
def test_differences_are_explained_to_the_last_operation(counter: external_counters.ExternalCounter) -> None:
    card = codecs.get("bmshj2018-hyperprior")
    (found,) = external_counters.compare("hyperprior", codec_complexity.loaded(card, card.points[0]), 64, 64, [counter])
    assert sum(item.macs for item in found.differences) == found.theirs.macs - found.ours
    assert all(external_counters.reason(item) for item in found.differences)
    if counter in (external_counters.fvcore, external_counters.torch_flops):
        assert found.differences == ()


def test_the_difference_of_a_module_counter_is_gdn_less_biases() -> None:
    card = codecs.get("bmshj2018-factorized")
    codec = codec_complexity.loaded(card, card.points[0])
    (found,) = external_counters.compare("factorized", codec, 64, 64, [external_counters.ptflops_pytorch])
    gdn = 2 * 128 * 128 * (1 / 4 + 1 / 16 + 1 / 64) * 64 * 64
    biases = 64 * 64 * (128 * (1 / 4 + 1 / 16 + 1 / 64) * 2 + 192 / 256 + 3)
    (convolutions,) = (item for item in found.differences if item.kind == "convolutions")
    assert convolutions.macs == biases - gdn


def test_counters_leave_no_hooks_behind() -> None:
    module = nn.Sequential(nn.Conv2d(3, 5, 1), nn.ReLU())
    for counter in COUNTERS:
        counter(module, (torch.rand(1, 3, HEIGHT, WIDTH),))
    assert not any(child._forward_hooks or child._forward_pre_hooks for child in module.modules())
    assert trace_module(module, (WIDTH, HEIGHT)).summary().macs == WIDTH * HEIGHT * 15


def test_an_unknown_counter_is_named() -> None:
    with pytest.raises(RequestError, match="There is no external counter 'thop'; there are fvcore, ptflops, torch"):
        external_counters.named("fvcore,thop")
