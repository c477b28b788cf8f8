"""Trains every operating point on one core, in a minute or so: `python -m my_codec.train`.

A demonstration of how a codec gets its weights, and no way to train one that is meant to be good: ten small pictures,
a few thousand steps. The pictures ship inside scikit-image, and none of them is in lic-bench's data set `sample`, so
that what is measured there was not seen in training.
"""

from __future__ import annotations

import time
from pathlib import Path

import skimage.data
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from my_codec.model import POINTS, MyCodec

TEXTURES = ("brick", "camera", "coins", "grass", "gravel", "moon")
PICTURES = (*TEXTURES, "hubble_deep_field", "immunohistochemistry", "retina", "rocket")
LAMBDAS = dict(zip(POINTS, (0.0025, 0.005, 0.01, 0.02), strict=True))
"""What an error weighs against a bit: bits per pixel + lambda x 255^2 x mean squared error."""

FIRST_STEPS, STEPS = 1500, 500
FIRST_RATE, RATE = 2e-3, 1e-3
"""The highest learning rates. At 4e-3, which result a short training has hangs on how a processor rounds its sums."""
BATCH, SIDE = 8, 32


def main() -> None:
    """Train one point after another, each from the one before, and write their weights beside this file."""
    torch.manual_seed(1)
    torch.set_num_threads(1)  # sums depend on it
    pictures = [tensor(getattr(skimage.data, name)()) for name in PICTURES]
    network = MyCodec()
    train(network, pictures, LAMBDAS["4"], FIRST_STEPS, FIRST_RATE)
    folder = Path(__file__).parent / "weights"
    folder.mkdir(exist_ok=True)
    for label, weight in LAMBDAS.items():
        begun = time.perf_counter()
        loss = train(network, pictures, weight, STEPS, RATE)
        fit_tables(network)
        save_file(network.state_dict(), folder / f"{label}.safetensors")
        print(f"point {label}: loss {loss:.2f}, {time.perf_counter() - begun:.0f} s", flush=True)


def train(network: MyCodec, pictures: list[Tensor], weight: float, steps: int, rate: float) -> float:
    """Minimise rate + weight x distortion on random patches; the mean loss of the last 50 steps."""
    network.train()
    parameters = [each for name, each in network.named_parameters() if not name.endswith(".quantiles")]
    optimiser = torch.optim.Adam(parameters)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps)
    losses = []
    for _ in range(steps):
        x = patches(pictures)
        out = network(x)
        bits_per_pixel = -torch.log2(out["likelihoods"]["y"]).sum() / (BATCH * SIDE**2)
        loss = bits_per_pixel + weight * 255**2 * nn.functional.mse_loss(out["x_hat"], x)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return sum(losses[-50:]) / 50


def fit_tables(network: MyCodec) -> None:
    """Move the ends and the medians of the coder's tables to where the latents are; no picture is needed for that."""
    optimiser = torch.optim.Adam([network.entropy_bottleneck.quantiles], lr=0.05)
    for _ in range(400):
        optimiser.zero_grad()
        network.aux_loss().backward()
        optimiser.step()


def patches(pictures: list[Tensor]) -> Tensor:
    """BATCH x 3 x SIDE x SIDE: places drawn at random, half of them mirrored, their channels in any order."""
    drawn = []
    for which in torch.randint(len(pictures), (BATCH,)).tolist():
        _, height, width = pictures[which].shape
        top, left = int(torch.randint(height - SIDE, ())), int(torch.randint(width - SIDE, ()))
        patch = pictures[which][torch.randperm(3), top : top + SIDE, left : left + SIDE]
        drawn.append(patch.flip(2) if torch.rand(()) < 0.5 else patch)
    return torch.stack(drawn)


def tensor(picture: object) -> Tensor:
    """A picture as 3 x H x W in [0, 1]; grey is repeated in three channels."""
    x = torch.as_tensor(picture, dtype=torch.float32) / 255
    return x.expand(3, *x.shape) if x.ndim == 2 else x.permute(2, 0, 1)


if __name__ == "__main__":
    main()
