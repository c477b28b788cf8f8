"""Second computations of the octave and the asymmetric codec: from the state dict and the description alone.

No author's figures exist for these two networks, so their wiring is written down once more, in functions, and compared
in float64. What comes out is each latent's values, means and scales in the order of coding, and the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

State = Mapping[str, Tensor]
Pair = tuple[Tensor, Tensor]
PEDESTAL = 2.0**-36
"""Of CompressAI's reparametrised GDN."""


@dataclass
class Pass:
    """One forward pass: y before rounding, symbols by latent in the order of coding, bits of each, the picture."""

    y: tuple[Tensor, ...] = ()
    x_hat: Tensor = field(default_factory=lambda: torch.empty(0))
    symbols: dict[str, Tensor] = field(default_factory=dict)
    bits: dict[str, float] = field(default_factory=dict)

    def gaussian(self, name: str, symbols: Tensor, scales: Tensor) -> None:
        """Keep a latent that is coded with Gaussians of these scales, at least 0.11."""
        scales = scales.clamp(min=0.11)
        mass = _phi((0.5 - symbols.abs()) / scales) - _phi((-0.5 - symbols.abs()) / scales)
        self.symbols[name] = symbols
        self.bits[name] = float(-mass.clamp(min=1e-9).log2().sum())


def _phi(x: Tensor) -> Tensor:
    return 0.5 * torch.erfc(-x / 2**0.5)


def _convolved(state: State, name: str, x: Tensor, stride: int = 1, transposed: bool = False) -> Tensor:
    name = f"{name}.0" if f"{name}.0.weight" in state else name
    weight, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
    padding = weight.shape[-1] // 2
    if transposed:
        return F.conv_transpose2d(x, weight, bias, stride, padding, output_padding=stride - 1)
    groups = x.shape[1] if weight.shape[1] == 1 else 1
    return F.conv2d(x, weight, bias, stride, padding, groups=groups)


def _gdn(state: State, name: str, x: Tensor, inverse: bool = False) -> Tensor:
    beta = state[f"{name}.beta"].clamp(min=(1e-6 + PEDESTAL) ** 0.5) ** 2 - PEDESTAL
    gamma = state[f"{name}.gamma"].clamp(min=PEDESTAL**0.5) ** 2 - PEDESTAL
    energy = beta[:, None, None] + torch.einsum("oi,bihw->bohw", gamma, x * x)
    return x * energy.sqrt() if inverse else x / energy.sqrt()


def _activated(state: State, name: str, x: Tensor, activation: str) -> Tensor:
    if activation == "leaky":
        return torch.where(x < 0, 0.2 * x, x)
    return _gdn(state, f"{name}.1", x, inverse=activation == "inverse") if activation else x


def _octave_layer(
    state: State, name: str, high: Tensor, low: Tensor | None, stride: int, transposed: bool, activation: str
) -> tuple[Tensor, Tensor | None]:
    def branch(which: str, x: Tensor, step: int, up: bool) -> Tensor:
        return _activated(state, f"{name}.{which}", _convolved(state, f"{name}.{which}", x, step, up), activation)

    hh = branch("high", high, stride, transposed)
    ll = None if low is None else branch("low", low, stride, transposed)
    out_high = hh if ll is None else hh + branch("low_to_high", ll, 2, True)
    if not any(key.startswith(f"{name}.high_to_low.") for key in state):
        return out_high, None
    hl = branch("high_to_low", hh, 2, False)
    return out_high, hl if ll is None else ll + hl


def _stack(
    state: State, name: str, high: Tensor, low: Tensor | None, strides: str, transposed: bool, activation: str
) -> Pair:
    """Layers in a row, of these strides; the last one has no activation."""
    for i, stride in enumerate(strides):
        last = i == len(strides) - 1
        high, low = _octave_layer(state, f"{name}.{i}", high, low, int(stride), transposed, "" if last else activation)
    return high, cast(Tensor, low)


def _enlarged(state: State, name: str, x: Tensor) -> Tensor:
    for i in (0, 2):
        x = _gdn(state, f"{name}.{i + 1}", _convolved(state, f"{name}.{i}", x, 2, transposed=True))
    return x


def _estimated(state: State, name: str, *contexts: Tensor) -> Pair:
    x = torch.cat(contexts, dim=1)
    for i in (0, 2):
        x = F.leaky_relu(_convolved(state, f"{name}.{i}", x), 0.2)
    means, scales = _convolved(state, f"{name}.4", x).chunk(2, dim=1)
    return means, scales


def octave(state: State, x: Tensor) -> Pass:
    """The octave codec's pass: specification of sections 2 and 3 of its description; the medians of w are zero."""
    seen = Pass()
    y_h, y_l = seen.y = _stack(state, "g_a", x, None, "2222", False, "gdn")
    z_h, z_l = _stack(state, "h_a1", y_h, y_l, "122", False, "leaky")
    w_h, w_l = (torch.floor(w + 0.5) for w in _stack(state, "h_a2", z_h, z_l, "111", False, "leaky"))
    seen.symbols.update(w_h=w_h, w_l=w_l)

    def coded(name: str, values: Tensor, parameters: Pair) -> Tensor:
        means, scales = parameters
        symbols = torch.floor(values - means + 0.5)
        seen.gaussian(name, symbols, scales)
        return symbols + means

    def helper(name: str, x: Tensor) -> Tensor:
        return _convolved(state, f"helpers.{name}", x, 2, transposed=True)

    p2_h, p2_l = _stack(state, "h_s2", w_h, w_l, "111", True, "leaky")
    mean2, scale2 = p2_l.chunk(2, dim=1)
    z_l = coded("z_l", z_l, (mean2, scale2))
    z_h = coded("z_h", z_h, _estimated(state, "helpers.parameters_z_h", helper("lift_z", z_l), p2_h))
    p1_h, p1_l = _stack(state, "h_s1", z_h, z_l, "221", True, "leaky")
    mean1, scale1 = p1_l.chunk(2, dim=1)
    shared = "helpers.parameters_y_l"
    means = _convolved(state, shared, torch.cat((mean1, _enlarged(state, "helpers.enlarge_means", mean2)), dim=1))
    scales = _convolved(state, shared, torch.cat((scale1, _enlarged(state, "helpers.enlarge_scales", scale2)), dim=1))
    y_l = coded("y_l", y_l, (means, scales))
    enlarged = _enlarged(state, "helpers.enlarge_p2_h", p2_h)
    y_h = coded("y_h", y_h, _estimated(state, "helpers.parameters_y_h", helper("lift_y", y_l), enlarged, p1_h))
    seen.x_hat, _ = _stack(state, "g_s", y_h, y_l, "2222", True, "inverse")
    return seen


def _norm(state: State, name: str, x: Tensor) -> Tensor:
    """LayerNorm over channels at each position, epsilon 1e-5."""
    mean = x.mean(dim=1, keepdim=True)
    spread = ((x - mean) ** 2).mean(dim=1, keepdim=True)
    scale, shift = (state[f"{name}.{which}"][:, None, None] for which in ("weight", "bias"))
    return (x - mean) / (spread + 1e-5).sqrt() * scale + shift


def _prelu(state: State, name: str, x: Tensor) -> Tensor:
    return torch.where(x < 0, state[f"{name}.weight"][:, None, None] * x, x)


def _norm_prelu(state: State, name: str, x: Tensor) -> Tensor:
    return _prelu(state, f"{name}.act", _norm(state, f"{name}.norm", x))


def _dsc(state: State, name: str, x: Tensor, stride: int = 1) -> Tensor:
    x = _norm_prelu(state, f"{name}.n1", _convolved(state, f"{name}.dw", x, stride))
    return _norm_prelu(state, f"{name}.n2", _convolved(state, f"{name}.pw", x))


def _mb(state: State, name: str, x: Tensor) -> Tensor:
    wide = _norm_prelu(state, f"{name}.n1", _convolved(state, f"{name}.expand", x))
    wide = _norm_prelu(state, f"{name}.n2", _convolved(state, f"{name}.dw", wide))
    return x + _norm(state, f"{name}.n3", _convolved(state, f"{name}.project", wide))


def _dwan(state: State, name: str, x: Tensor) -> Tensor:
    p, q, r, t = x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]
    bands = [(p + q + r + t) / 2, (p - q + r - t) / 2, (p + q - r - t) / 2, (p - q - r + t) / 2]
    a = _dsc(state, f"{name}.conv2", _dsc(state, f"{name}.conv1", torch.cat(bands, dim=1)))
    a = F.interpolate(torch.sigmoid(_convolved(state, f"{name}.conv3", a)), scale_factor=2, mode="bilinear")
    return x * (0.3 + 0.7 * a)


def asymmetric(state: State, x: Tensor) -> Pass:
    """The asymmetric reading's pass: its description, section 3. Both passes are dense, then masked."""
    seen = Pass()
    up = {"stride": 2, "transposed": True}
    y = _norm_prelu(state, "g_a.norm1", _convolved(state, "g_a.conv1", 2 * x - 1, 2))
    y = _dsc(state, "g_a.conv2", _mb(state, "g_a.hcnn1", y), 2)
    y = _dsc(state, "g_a.conv3", _mb(state, "g_a.hcnn2", y), 2)
    y = _dwan(state, "attention", _convolved(state, "g_a.conv4", _mb(state, "g_a.hcnn3", y)))
    seen.y = (y,)
    z = _convolved(state, "h_a.conv3", _dsc(state, "h_a.conv2", _dsc(state, "h_a.conv1", y), 2), 2)
    medians = state["entropy_bottleneck.quantiles"][:, 0, 1][:, None, None]
    z = torch.round(_dwan(state, "h_a.dwan", z) - medians)
    seen.symbols["z"] = z
    phi = _prelu(state, "h_s.act1", _convolved(state, "h_s.up1", z + medians, **up))
    phi = _convolved(state, "h_s.conv3", _prelu(state, "h_s.act2", _convolved(state, "h_s.up2", phi, **up)))
    gate = _convolved(state, "context.gate1", phi.mean(dim=(2, 3), keepdim=True))
    gate = torch.sigmoid(_convolved(state, "context.gate2", _prelu(state, "context.gate_act", gate)))
    rows, columns = (torch.arange(side) for side in y.shape[-2:])
    anchors = (rows[:, None] + columns) % 2 == 0

    def parameters(local: Tensor) -> Pair:
        fused = _convolved(state, "context.fuse1", torch.cat((local, phi), dim=1) * gate)
        means, raw = _convolved(state, "context.fuse2", _prelu(state, "context.act1", fused)).chunk(2, dim=1)
        return means, (1 + raw.exp()).log()

    first_means, first_scales = parameters(torch.zeros_like(phi))
    first = torch.where(anchors, torch.round(y - first_means) + first_means, 0)
    taps = torch.tensor([[(row + column) % 2 for column in range(5)] for row in range(5)])
    local = F.conv2d(first, state["context.local.weight"] * taps, state["context.local.bias"], padding=2)
    second_means, second_scales = parameters(local)
    means = torch.where(anchors, first_means, second_means)
    symbols = torch.round(y - means)
    seen.gaussian("y", symbols, torch.where(anchors, first_scales, second_scales))
    y = symbols + means
    filtered = _dsc(state, "g_s.pqf.conv2", _dsc(state, "g_s.pqf.conv1", y))
    y = _dwan(state, "g_s.pqf.dwan", y + 0.1 * torch.tanh(_convolved(state, "g_s.pqf.conv3", filtered)))
    y = _convolved(state, "g_s.up1", _mb(state, "g_s.hcnn", _convolved(state, "g_s.conv1", y)), **up)
    y = _convolved(state, "g_s.up2", _norm_prelu(state, "g_s.norm1", y), **up)
    y = _convolved(state, "g_s.up3", _norm_prelu(state, "g_s.norm2", y), **up)
    seen.x_hat = (y + 1) / 2
    return seen


def differences(seen: Pass, y: Sequence[Tensor], out: Mapping[str, Any]) -> list[str]:
    """How a network's y and what its forward returns differ from a second computation; empty where they do not."""
    found = []
    pairs = [("y", *pair) for pair in zip(y, seen.y, strict=True)] + [("x_hat", out["x_hat"], seen.x_hat)]
    for name, ours, theirs in pairs:
        apart = float((ours - theirs).abs().max() / theirs.std())
        if not apart < 1e-9:
            found.append(f"{name} differs by {apart:.1e} of its deviation")
    for name, bits in seen.bits.items():
        took = float(-out["likelihoods"][name].log2().sum())
        if not abs(took / bits - 1) < 1e-7:  # CompressAI keeps the bound of 0.11 in float32
            found.append(f"{name} takes {took:.6f} bits, not {bits:.6f}")
    return found
