"""Training steps of every model, ours and in plain PyTorch, for `table.py`.

The plain loop is the one of most tutorials: fp32, channels first, default Adam, all gradients of the whole
graph in every backward pass, every loss read back with .item(). Networks and batches are the same.
"""

import torch
import torch.nn.functional as F

from medgan_helpers import classifier, dcgan, flow, pix2pix, stargan

SIZE, WIDTH = 64, 32
BATCH = {"cpu": 32, "cuda": 64}


def plain(device):
    return {"device": device, "precision": "fp32"}


def adam(network, rate=2e-4):
    return torch.optim.Adam(network.parameters(), rate, (0.5, 0.999))


def descend(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def plain_dcgan(device):
    model = dcgan.DCGAN(SIZE, WIDTH, norm="batch", **plain(device))
    generator, discriminator = contiguous(model.generator), contiguous(model.discriminator)
    d_adam, g_adam = adam(discriminator), adam(generator)

    def step(real):
        fake = generator(torch.randn(len(real), 100, device=device))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        descend(d_adam, dcgan.discriminator_loss(real_logits, fake_logits, "non-saturating"))
        descend(g_adam, dcgan.generator_loss(discriminator(fake), "non-saturating"))

    return step


def plain_pix2pix(device):
    model = pix2pix.Pix2Pix(SIZE, WIDTH, settings=pix2pix.DRAW, **plain(device))
    generator, discriminator = contiguous(model.generator), contiguous(model.discriminator)
    d_adam, g_adam = adam(discriminator), adam(generator)

    def judge(degraded, image):
        return discriminator(torch.cat([degraded, image], 1))

    def step(pair):
        degraded, clean = pair
        drawn = generator(degraded)
        loss = pix2pix.discriminator_loss(judge(degraded, clean), judge(degraded, drawn.detach()))
        descend(d_adam, loss)
        descend(g_adam, F.softplus(-judge(degraded, drawn)).mean() + 100 * F.l1_loss(drawn, clean))

    return step


def plain_stargan(device):
    model = stargan.StarGAN(SIZE, 2, WIDTH // 2, critic_steps=2, **plain(device))
    generator, critic = contiguous(model.generator), contiguous(model.discriminator)
    d_adam, g_adam, rng, done = adam(critic), adam(generator), torch.Generator(device).manual_seed(0), [0]

    def step(batch):
        real, labels = batch
        target = stargan.permute(labels, rng)
        fake = generator(real, target)
        (d_real, logits), (d_fake, _) = critic(real), critic(fake.detach())
        penalty = stargan.gradient_penalty(critic, real, fake.detach(), rng)
        loss = d_fake.mean() - d_real.mean() + 10 * penalty + stargan.class_loss(logits, labels)
        descend(d_adam, loss)
        done[0] += 1
        if done[0] % 2 == 0:
            fake = generator(real, target)
            d_fake, logits = critic(fake)
            cycle = F.l1_loss(generator(fake, labels), real)
            descend(g_adam, stargan.class_loss(logits, target) - d_fake.mean() + 10 * cycle)

    return step


def plain_flow(device):
    network = contiguous(flow.Flow(SIZE, WIDTH, **plain(device)).generator)
    optimizer = adam(network)

    def step(real):
        noise, t = torch.randn_like(real), torch.rand(len(real), device=device)
        descend(optimizer, F.mse_loss(network(flow.between(noise, real, t), t), real - noise))

    return step


def plain_classifier(device):
    network = contiguous(classifier.DenseNet(preset="narrow", **plain(device)).network)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)

    def step(batch):
        films, labels = batch
        logits = network.classifier(network.grid(films).mean((2, 3)))
        descend(optimizer, F.binary_cross_entropy_with_logits(logits, labels))

    return step


def contiguous(network):
    """Channels first, as PyTorch makes networks."""
    return network.to(memory_format=torch.contiguous_format).train()


def all_steps(device, count=None):
    """{name: (our step, the plain step, batch)}: batches of `count` films (None: BATCH) on the device."""
    rng, count, here = torch.Generator().manual_seed(0), count or BATCH[device], {"device": device}
    films = (torch.rand((count, 1, SIZE, SIZE), generator=rng) * 2 - 1).to(device)
    two, all_findings = (torch.randint(0, 2, (count, n), generator=rng).float().to(device) for n in (2, 14))
    ours_stargan = stargan.StarGAN(SIZE, 2, WIDTH // 2, critic_steps=2, **here)
    return {
        "DCGAN": (dcgan.DCGAN(SIZE, WIDTH, **here).step, plain_dcgan(device), films),
        "Pix2Pix": (
            pix2pix.Pix2Pix(SIZE, WIDTH, settings=pix2pix.DRAW, **here).step,
            plain_pix2pix(device), (films, films.flip(3)),
        ),
        "StarGAN": (ours_stargan.step, plain_stargan(device), (films, two)),
        "flow": (flow.Flow(SIZE, WIDTH, **here).step, plain_flow(device), films),
        "classifier": (
            classifier.DenseNet(preset="narrow", **here).step,
            plain_classifier(device), (films, all_findings),
        ),
    }  # fmt: skip


def full_size():
    """{(name, pixels): (step, batch)} of the full profile's networks, on a GPU."""

    def films(count, size):
        return torch.rand((count, 1, size, size), device="cuda") * 2 - 1

    def labels(count, findings):
        return torch.randint(0, 2, (count, findings), device="cuda").float()

    official = classifier.DenseNet(preset="densenet121", device="cuda")
    return {
        ("DCGAN", 128): (dcgan.DCGAN(128, 64, device="cuda").step, films(128, 128)),
        ("Pix2Pix", 128): (
            pix2pix.Pix2Pix(128, 64, settings=pix2pix.DRAW, device="cuda").step, (films(64, 128),) * 2,
        ),
        ("StarGAN", 128): (
            stargan.StarGAN(128, 5, 64, critic_steps=1, device="cuda").step,
            (films(16, 128), labels(16, 5)),
        ),
        ("flow", 128): (flow.Flow(128, 64, device="cuda").step, films(128, 128)),
        ("DenseNet-121", 128): (official.step, (films(128, 128), labels(128, 14))),
        ("DenseNet-121", 224): (official.step, (films(128, 224), labels(128, 14))),
    }  # fmt: skip
