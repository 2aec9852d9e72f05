"""How fast the three GANs train here, against plain PyTorch loops over the same networks.

    python benchmarks/gans.py                      # one line per model: images/s, ours, plain, ratio
    torchrun --nproc-per-node 2 benchmarks/gans.py # two processes, each with its own batch

The plain loop is the one of most tutorials: fp32, channels first, all gradients of the whole graph in every
backward pass, a loss read back with .item() in every step. StarGAN has none here: its penalty needs the same
second backward pass in any loop.
"""

import argparse
import time

import torch
import torch.nn.functional as F

from medgan_helpers import training
from medgan_helpers.dcgan import DCGAN, discriminator_loss, generator_loss
from medgan_helpers.pix2pix import Pix2Pix
from medgan_helpers.stargan import StarGAN


class Plain(DCGAN):
    """The DCGAN of the 2016 paper in a plain loop."""

    def step(self, real):
        d_real, fake = self.discriminator(real), self.generator(torch.randn(len(real), 100))
        d_loss = discriminator_loss(d_real, self.discriminator(fake.detach()), "non-saturating")
        self.d_optimizer.zero_grad()
        d_loss.backward()
        self.d_optimizer.step()
        g_loss = generator_loss(self.discriminator(fake), "non-saturating")
        self.g_optimizer.zero_grad()
        g_loss.backward()
        self.g_optimizer.step()
        return d_loss.item(), g_loss.item()


class PlainPix2Pix(Pix2Pix):
    """Pix2Pix in a plain loop."""

    def step(self, pair):
        degraded, clean = pair
        restored = self.generator(degraded)
        d_real = self.judge(degraded, clean)
        d_fake = self.judge(degraded, restored.detach())
        d_loss = (F.softplus(-d_real).mean() + F.softplus(d_fake).mean()) / 2
        self.d_optimizer.zero_grad()
        d_loss.backward()
        self.d_optimizer.step()
        l1 = F.l1_loss(restored, clean)
        g_loss = F.softplus(-self.judge(degraded, restored)).mean() + 100 * l1
        self.g_optimizer.zero_grad()
        g_loss.backward()
        self.g_optimizer.step()
        return d_loss.item(), g_loss.item(), l1.item()


def rate(model, batch, images, steps):
    """Images per second over `steps` steps, after two that warm up."""
    for _ in range(2):
        model.step(batch)
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        model.step(batch)
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    return images * training.rank_and_world()[1] * steps / (time.perf_counter() - start)


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--size", type=int, default=64, help="pixels a side (default: the class profile's)")
    parser.add_argument("--width", type=int, default=32, help="channels of the first layer")
    parser.add_argument("--batch", type=int, default=64, help="images per step")
    parser.add_argument("--steps", type=int, default=10, help="steps that are timed")
    parser.add_argument("--compile", action="store_true", help="torch.compile our networks: does it pay?")
    options = parser.parse_args()
    films = torch.rand(options.batch, 1, options.size, options.size) * 2 - 1
    labels = torch.randint(0, 2, (options.batch, 2)).float()
    pair, shape, how = (films, films), (options.size, options.width), {"compile": options.compile}
    ours = {
        "DCGAN": (DCGAN(*shape, **how), films, Plain(*shape, precision="fp32", norm="batch")),
        "Pix2Pix": (Pix2Pix(*shape, **how), pair, PlainPix2Pix(*shape, precision="fp32")),
        "StarGAN": (StarGAN(options.size, 2, shape[1] // 2, critic_steps=2, **how), (films, labels), None),
    }
    print(f"{'model':26}{'images/s':>10}{'plain':>10}{'ratio':>8}")
    for name, (model, batch, plain) in ours.items():
        speed = rate(model, batch, options.batch, options.steps)
        line = f"{name:26}{speed:10.0f}"
        if plain is not None and plain.device.type == "cpu" and training.rank_and_world()[1] == 1:
            for network in (plain.generator, plain.discriminator):
                network.to(memory_format=torch.contiguous_format)
            base = rate(plain, batch, options.batch, options.steps)
            line += f"{base:10.0f}{speed / base:8.2f}"
        if training.rank_and_world()[0] == 0:
            print(line)


if __name__ == "__main__":
    main()
