"""DCGAN: films from noise.

Goodfellow et al., *Generative adversarial nets*, NeurIPS 2014: the game and Algorithm 1.
Radford, Metz & Chintala, *Unsupervised representation learning with deep convolutional GANs*, ICLR 2016: the
two networks, Adam(2e-4, beta1 = .5) and the initial weights N(0, .02).
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from .diffaugment import diff_augment
from .training import EMA, Model, linear_decay, one_step, seeded

SIZES = (32, 64, 128)
LEARNING_RATES = (8e-4, 4e-4)  # of D and G: two time scales (Heusel et al. 2017); the paper: 2e-4
BETAS = (0.5, 0.999)  # Radford et al. 2016: beta1 = .9 oscillates
# For some hundred steps on thousands of films: no film is seen often enough to be learnt by heart, so what
# slows the discriminator down is left out, and the generator learns twice as fast as in the paper.
SMALL = {"norm": "batch", "upsample": "nearest", "augment": False, "learning_rates": (2e-4, 4e-4)}
SMALL_BATCH = 32  # the paper's 128 would be fewer steps a minute, and the early ones matter most


def stages(image_size):
    """How often the side doubles from 4 to half the image size: 3 at 64 px."""
    if image_size not in SIZES:
        raise ValueError(
            f"image_size is {image_size}: DCGAN doubles from 4 x 4, so it can be {SIZES}; resize the films"
        )
    return SIZES.index(image_size) + 2


class Generator(nn.Module):
    """Noise z (B, latent) to films (B, channels, H, W) in [-1, 1], doubling the side at every stage.

    upsample: "transposed" (the paper), or "nearest" then a 3 x 3 convolution, which cannot draw a
    checkerboard (Odena et al., *Deconvolution and checkerboard artifacts*, 2016).
    """

    def __init__(self, image_size=64, channels=1, latent=100, width=64, upsample="transposed"):
        super().__init__()
        self.latent = latent
        most = width * 2 ** stages(image_size)  # 64 px: 512 channels at 4 x 4
        layers = [
            nn.ConvTranspose2d(latent, most, 4, bias=False),
            nn.BatchNorm2d(most),
            nn.ReLU(),
        ]  # (B, 512, 4, 4)
        while most > width:  # (B, 256, 8, 8), (B, 128, 16, 16), (B, 64, 32, 32)
            layers += [double(most, most // 2, upsample), nn.BatchNorm2d(most // 2), nn.ReLU()]
            most //= 2
        self.layers = nn.Sequential(*layers, double(width, channels, upsample))  # (B, 1, 64, 64)
        self.apply(initialise)

    def forward(self, z):
        return torch.tanh(self.layers(z[:, :, None, None]).float())


def double(inputs, outputs, upsample):
    """Double the side of a feature map."""
    if upsample == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    if upsample == "nearest":
        return nn.Sequential(
            nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        )
    raise ValueError(f'upsample is {upsample!r}: choose "transposed" or "nearest"')


class Discriminator(nn.Module):
    """Films (B, channels, H, W) to logits (B,): positive for real. D(x) of the paper is sigmoid(logit).

    norm: "batch" (the paper), "spectral" (Miyato et al., ICLR 2018: every layer is 1-Lipschitz, which keeps
    its gradient useful to the generator) or "none".
    """

    def __init__(self, image_size=64, channels=1, width=64, norm="batch"):
        super().__init__()
        if norm not in ("batch", "spectral", "none"):
            raise ValueError(f'norm is {norm!r}: choose "batch", "spectral" or "none"')
        layers = [
            nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(0.2),
        ]  # (B, 64, 32, 32)
        for _ in range(stages(image_size)):  # (B, 128, 16, 16), (B, 256, 8, 8), (B, 512, 4, 4)
            layers += [nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(2 * width)] if norm == "batch" else []
            layers += [nn.LeakyReLU(0.2)]
            width *= 2
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, bias=False))  # (B, 1, 1, 1)
        self.apply(initialise)
        if norm == "spectral":
            for layer in self.layers:
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def forward(self, x):
        return self.layers(x).float().flatten()


def initialise(module):
    """Weights N(0, .02), batch-norm weights N(1, .02), biases 0 (Radford et al. 2016, section 4)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def discriminator_loss(real, fake, kind):
    """What D minimises, from its logits of real and synthetic films (B,). softplus(-l) is -log sigmoid(l)."""
    if kind == "hinge":  # Lim & Ye 2017: logits beyond the margin 1 are good enough
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()  # eq. 1: -[log D(x) + log(1 - D(G(z)))]


def generator_loss(fake, kind):
    """What G minimises, from D's logits of synthetic films (B,)."""
    return {
        "non-saturating": F.softplus(-fake).mean(),  # -log D(G(z)): Goodfellow et al. 2014, end of section 3
        "hinge": -fake.mean(),
        "saturating": -F.softplus(fake).mean(),  # eq. 1: log(1 - D(G(z))), whose gradient vanishes if D wins
    }[kind]


class DCGAN(Model):
    """Two networks and the game they play. The defaults are the paper plus what few films need:

    loss: "hinge" | "non-saturating" (the paper) | "saturating" (eq. 1 as it stands, to see it fail)
    norm: of the discriminator: "spectral" | "batch" (the paper) | "none"
    augment: DiffAugment (Zhao et al. 2020), or not
    learning_rates: of discriminator and generator
    decay_steps: length of the schedule, constant for half of it, then falling to 0; None: constant, as there
    average: draw from the moving average of the generator's weights (Yazici et al. 2019), or not
    """

    def __init__(
        self, image_size=64, width=64, seed=0, device="auto", precision="auto", *, channels=1, latent=100,
        upsample="transposed", loss="hinge", norm="spectral", augment=True, average=True,
        learning_rates=LEARNING_RATES, decay_steps=None, compile=False,
    ):  # fmt: skip
        if loss not in ("hinge", "non-saturating", "saturating"):
            raise ValueError(f'loss is {loss!r}: choose "hinge", "non-saturating" or "saturating"')
        config = dict(
            image_size=image_size, width=width, seed=seed, channels=channels, latent=latent,
            upsample=upsample, loss=loss, norm=norm, augment=augment, average=average,
            learning_rates=list(learning_rates), decay_steps=decay_steps,
        )  # fmt: skip
        super().__init__(config, device, precision, compile)
        with seeded(seed):
            self.generator = self.place(Generator(image_size, channels, latent, width, upsample))
            self.discriminator = self.place(Discriminator(image_size, channels, width, norm))
        self.ema = EMA(self.generator) if average else None
        d_rate, g_rate = learning_rates
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), d_rate, BETAS, fused=True)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), g_rate, BETAS, fused=True)
        self.d_schedule = linear_decay(self.d_optimizer, decay_steps)
        self.g_schedule = linear_decay(self.g_optimizer, decay_steps)
        self.loss, self.augment = loss, augment

    @one_step
    def step(self, real):
        """One iteration of Algorithm 1 (Goodfellow et al. 2014; k = 1) on films (B, 1, H, W) in [-1, 1], or
        on (films, labels), whose labels are not looked at. Returns losses, D(x), D(G(z)), diversity."""
        real = real if torch.is_tensor(real) else real[0]
        z = torch.randn(len(real), self.generator.latent, generator=self.rng, device=self.device)  # z ~ p(z)
        fake = self.generator(z)

        # D goes up its gradient of  log D(x) + log(1 - D(G(z)))  (eq. 1); detach: G stands still meanwhile
        d_real, d_fake = self.judge(real), self.judge(fake.detach())
        d_loss = discriminator_loss(d_real, d_fake, self.loss)
        self.descend(d_loss, self.d_optimizer)

        # G goes up its gradient of  log D(G(z)), against the D that has just learnt
        g_loss = generator_loss(self.judge(fake), self.loss)
        self.descend(g_loss, self.g_optimizer)
        self.update_average()

        diversity = fake.std(0).mean() / real.std(0).mean()  # 1: a batch varies as much as one of real films
        d_real, d_fake = d_real.sigmoid().mean(), d_fake.sigmoid().mean()
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "d_real": d_real,
            "d_fake": d_fake,
            "diversity": diversity,
        }

    def judge(self, films):
        """The discriminator's logits, of augmented films if `augment` is on."""
        return self.discriminator(diff_augment(films, self.rng) if self.augment else films)

    def generate(self, n, seed=0):
        """n synthetic films (n, channels, H, W) in [-1, 1] on the CPU; the same for the same seed."""
        rng = torch.Generator().manual_seed(seed)
        return self.draw(torch.randn(n, self.generator.latent, generator=rng))

    def draw(self, z):
        """The films (n, channels, H, W) that belong to latents z (n, latent): for walks between two films."""
        return self.in_parts(self.trained, z)
