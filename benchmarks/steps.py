"""Training steps of every model, ours and in plain PyTorch, for `table.py`.

The plain loop is the one of most tutorials: fp32, channels first, default Adam, all gradients of the whole
graph in every backward pass, every loss read back with .item(). Networks and batches are the same.
"""

import torch
import torch.nn.functional as F

from medgan_helpers import classifier, dcgan, flow, pix2pix, stargan

SIZE, WIDTH, BATCH = 64, 32, 32
PLAIN = {"device": "cpu", "precision": "fp32"}


def adam(network, rate=2e-4):
    return torch.optim.Adam(network.parameters(), rate, (0.5, 0.999))


def descend(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def plain_dcgan():
    model = dcgan.DCGAN(SIZE, WIDTH, norm="batch", **PLAIN)
    generator, discriminator = contiguous(model.generator), contiguous(model.discriminator)
    d_adam, g_adam = adam(discriminator), adam(generator)

    def step(real):
        fake = generator(torch.randn(len(real), 100))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        descend(d_adam, dcgan.discriminator_loss(real_logits, fake_logits, "non-saturating"))
        descend(g_adam, dcgan.generator_loss(discriminator(fake), "non-saturating"))

    return step


def plain_pix2pix():
    model = pix2pix.Pix2Pix(SIZE, WIDTH, **PLAIN)
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


def plain_stargan():
    model = stargan.StarGAN(SIZE, 2, WIDTH // 2, critic_steps=2, **PLAIN)
    generator, critic = contiguous(model.generator), contiguous(model.discriminator)
    d_adam, g_adam, rng, done = adam(critic), adam(generator), torch.Generator().manual_seed(0), [0]

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


def plain_flow():
    network = contiguous(flow.Flow(SIZE, WIDTH, **PLAIN).generator)
    optimizer = adam(network)

    def step(real):
        noise, t = torch.randn_like(real), torch.rand(len(real))
        descend(optimizer, F.mse_loss(network(flow.between(noise, real, t), t), real - noise))

    return step


def plain_classifier():
    network = contiguous(classifier.DenseNet(preset="narrow", **PLAIN).network)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)

    def step(batch):
        films, labels = batch
        logits = network.classifier(network.grid(films).mean((2, 3)))
        descend(optimizer, F.binary_cross_entropy_with_logits(logits, labels))

    return step


def contiguous(network):
    """Channels first, as PyTorch makes networks."""
    return network.to(memory_format=torch.contiguous_format).train()


def all_steps():
    """{name: (our step, the plain step, batch)}."""
    rng = torch.Generator().manual_seed(0)
    films = torch.rand((BATCH, 1, SIZE, SIZE), generator=rng) * 2 - 1
    two, all_findings = (torch.randint(0, 2, (BATCH, n), generator=rng).float() for n in (2, 14))
    ours_stargan = stargan.StarGAN(SIZE, 2, WIDTH // 2, critic_steps=2)
    return {
        "DCGAN": (dcgan.DCGAN(SIZE, WIDTH).step, plain_dcgan(), films),
        "Pix2Pix": (pix2pix.Pix2Pix(SIZE, WIDTH).step, plain_pix2pix(), (films, films.flip(3))),
        "StarGAN": (ours_stargan.step, plain_stargan(), (films, two)),
        "flow": (flow.Flow(SIZE, WIDTH).step, plain_flow(), films),
        "classifier": (
            classifier.DenseNet(preset="narrow").step, plain_classifier(), (films, all_findings)
        ),
    }  # fmt: skip
