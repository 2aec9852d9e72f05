"""DCGAN: films from noise.

Goodfellow et al., *Generative adversarial nets*, NeurIPS 2014: the game and Algorithm 1.
Radford, Metz & Chintala, *Unsupervised representation learning with deep convolutional GANs*, ICLR 2016: the
two networks, Adam(2e-4, beta1 = .5) and the initial weights N(0, .02).
Huang, Gokaslan, Kuleshov & Tompkin, *The GAN is dead; long live the GAN! A modern GAN baseline*, NeurIPS 2024
(arXiv 2501.05441): the relativistic pairing loss with both gradient penalties.
"""

from dataclasses import asdict, dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from .checks import door, images, like, one_of, pair, tensor, torch_seed, whole
from .checks import settings as check_settings
from .diffaugment import diff_augment
from .training import EMA, Model, linear_decay, one_step, seeded
from .training.model import MANY, check_config

SIZES = (32, 64, 128)
BETAS = (0.5, 0.999)  # of Adam: beta1 = .9 oscillates (Radford et al. 2016, section 4)
LOSSES = ("non-saturating", "saturating", "hinge", "relativistic")
NORMS = ("batch", "spectral", "none")


@dataclass(frozen=True)
class Recipe:
    """How a DCGAN is made and taught. The defaults are the paper's (Radford et al. 2016, section 4)."""

    latent: int = 100  # numbers of noise for one film
    upsample: str = "transposed"  # of the generator, or "nearest" and a convolution
    norm: str = "batch"  # of the discriminator; of NORMS
    loss: str = "non-saturating"  # of LOSSES
    penalty: float = 0.0  # gamma: the price on the discriminator's slope at films, real (R1) and made (R2)
    learning_rates: tuple = (2e-4, 2e-4)  # of discriminator and generator
    augment: bool = False  # DiffAugment: the discriminator sees every film changed (Zhao et al. 2020)
    average: bool = False  # draw from the moving average of the generator's weights


PAPER = Recipe()
SMALL = Recipe(  # for minutes on a CPU and some thousand films, none of which is seen often
    upsample="nearest",  # cannot draw a checkerboard (Odena et al. 2016)
    loss="hinge",  # the discriminator stops at films that it tells apart by a margin (Lim & Ye 2017)
    learning_rates=(2e-4, 4e-4),  # few steps, so the generator takes larger ones
    average=True,  # late generators circle about a good place; their mean is nearer (Yazici et al. 2019)
)
FEW_FILMS = replace(  # for films that are seen again and again, and could be learnt by heart
    SMALL,
    norm="spectral",  # every layer is 1-Lipschitz, so its slope stays useful (Miyato et al. 2018)
    augment=True,  # films that are never twice the same (Zhao et al. 2020)
    learning_rates=(8e-4, 4e-4),  # spectral norm slows the discriminator down (Heusel et al. 2017)
)
MODERN = replace(  # the loss of Huang et al. 2024 (R3GAN) on the networks of 2016
    SMALL,
    loss="relativistic",  # is this film more real than that one?
    norm="none",  # the penalty is on the slope at each film; a batch norm would mix the films
    penalty=1.0,  # both R1 and R2: without either the game need not end (their section 2)
)
SMALL_BATCH = 32  # the paper's 128 would be fewer steps a minute, and the early ones matter most


@door(image_size=whole())
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
        check_config({"channels": channels, "latent": latent, "width": width})
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


@door(inputs=whole(), outputs=whole(), upsample=one_of("transposed", "nearest"))
def double(inputs, outputs, upsample):
    """Double the side of a feature map."""
    if upsample == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))


class Discriminator(nn.Module):
    """Films (B, channels, H, W) to logits (B,): positive for real. D(x) of the paper is sigmoid(logit).

    norm: "batch" (the paper), "spectral" (Miyato et al., ICLR 2018: every layer is 1-Lipschitz, which keeps
    its gradient useful to the generator) or "none".
    """

    @door(norm=one_of(*NORMS))
    def __init__(self, image_size=64, channels=1, width=64, norm="batch"):
        check_config({"channels": channels, "width": width})
        super().__init__()
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


@door(real=tensor(), fake=tensor(), kind=one_of(*LOSSES))
def discriminator_loss(real, fake, kind):
    """What D minimises, from its logits of real and synthetic films (B,). softplus(-l) is -log sigmoid(l)."""
    if kind == "hinge":  # Lim & Ye 2017: logits beyond the margin 1 are good enough
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if kind == "relativistic":  # Huang et al. 2024, eq. 2: a real film beats the fake beside it
        like(fake)("real", real)
        return F.softplus(fake - real).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()  # eq. 1: -[log D(x) + log(1 - D(G(z)))]


@door(fake=tensor(), kind=one_of(*LOSSES), real=tensor())
def generator_loss(fake, kind, real=None):
    """What G minimises, from D's logits of synthetic films (B,); "relativistic" needs real ones too."""
    if kind == "relativistic":  # the synthetic film should beat the real one beside it
        like(fake)("real", real)
        return F.softplus(real - fake).mean()
    if kind == "hinge":
        return -fake.mean()
    if kind == "saturating":  # eq. 1: log(1 - D(G(z))), whose gradient vanishes if D wins
        return -F.softplus(fake).mean()
    return F.softplus(-fake).mean()  # -log D(G(z)): Goodfellow et al. 2014, end of section 3


class DCGAN(Model):
    """Two networks and the game they play.

    recipe: PAPER, SMALL, FEW_FILMS, MODERN or a Recipe of your own; keywords of Recipe after it change single
    settings: DCGAN(64, 32, recipe=SMALL, loss="saturating").
    decay_steps: length of the schedule, constant for half of it, then falling to 0; None: constant, as in the
    paper. Raises ValueError for an unknown setting.
    """

    def __init__(
        self, image_size=64, width=64, seed=0, device="auto", precision="auto", *,
        recipe=PAPER, decay_steps=None, compile=False, **settings,
    ):  # fmt: skip
        if not isinstance(recipe, Recipe):
            raise TypeError(f"recipe is {recipe!r}: expected PAPER, SMALL, FEW_FILMS, MODERN or a Recipe")
        self.recipe = recipe = replace(recipe, **settings)
        check_settings(recipe, loss=one_of(*LOSSES), norm=one_of(*NORMS), learning_rates=pair)
        config = dict(image_size=image_size, width=width, seed=seed, decay_steps=decay_steps)
        rates = list(recipe.learning_rates)  # a list, as JSON reads it
        super().__init__(config | asdict(recipe) | {"learning_rates": rates}, device, precision, compile)
        with seeded(seed):
            generator = Generator(image_size, latent=recipe.latent, width=width, upsample=recipe.upsample)
            self.generator = self.place(generator)
            self.discriminator = self.place(Discriminator(image_size, width=width, norm=recipe.norm))
        self.ema = EMA(self.generator) if recipe.average else None
        d_rate, g_rate = rates
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), d_rate, BETAS, fused=True)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), g_rate, BETAS, fused=True)
        self.d_schedule = linear_decay(self.d_optimizer, decay_steps)
        self.g_schedule = linear_decay(self.g_optimizer, decay_steps)

    def plan(self):
        return "game"

    @one_step
    def step(self, real):
        """One iteration of Algorithm 1 (Goodfellow et al. 2014; k = 1) on films (B, 1, H, W) in [-1, 1], or
        on (films, labels), whose labels are not looked at. Returns losses, D(x), D(G(z)), diversity."""
        real = real if torch.is_tensor(real) else real[0]
        z = torch.randn(len(real), self.recipe.latent, generator=self.rng, device=self.device)  # z ~ p(z)
        fake = self.generator(z)

        # D goes up its gradient of  log D(x) + log(1 - D(G(z)))  (eq. 1); detach: G stands still meanwhile
        d_real, d_fake = self.judge(real), self.judge(fake.detach())
        d_loss = discriminator_loss(d_real, d_fake, self.recipe.loss)
        if self.recipe.penalty:
            d_loss = d_loss + self.recipe.penalty / 2 * (self.slope(real) + self.slope(fake))  # R1 + R2
        self.descend(d_loss, self.d_optimizer)

        # G goes up its gradient of  log D(G(z)), against the D that has just learnt
        rivals = self.judge(real) if self.recipe.loss == "relativistic" else None
        g_loss = generator_loss(self.judge(fake), self.recipe.loss, rivals)
        self.descend(g_loss, self.g_optimizer)
        self.update_average()
        return {"d_loss": d_loss, "g_loss": g_loss} | opinions(d_real, d_fake, real, fake)

    def judge(self, films):
        """The discriminator's logits, of augmented films if `augment` is on."""
        return self.discriminator(diff_augment(films, self.rng) if self.recipe.augment else films)

    @door(films=tensor("B", "1", "H", "W"))
    def slope(self, films):
        """Mean squared length of the gradient of D's logit at each film: how steep D is there."""
        films = films.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.judge(films).sum(), films, create_graph=True)
        return gradient.float().square().sum((1, 2, 3)).mean()

    @door(n=whole(1, MANY), seed=torch_seed)
    def generate(self, n, seed=0):
        """n synthetic films (n, 1, H, W) in [-1, 1] on the CPU; the same for the same seed."""
        rng = torch.Generator().manual_seed(seed)
        return self.draw(torch.randn(n, self.recipe.latent, generator=rng))

    @door(z=tensor("n", "latent"))
    def draw(self, z):
        """The films (n, 1, H, W) that belong to latents z (n, latent): for walks between two films."""
        if z.shape[1:] != (self.recipe.latent,):
            raise ValueError(f"latents are {tuple(z.shape)}: expected (n, {self.recipe.latent})")
        if z.isnan().any():
            raise ValueError("latents hold nan: expected numbers, as torch.randn draws them")
        return self.in_parts(self.trained, z)


@door(d_real=tensor("B"), d_fake=tensor("B"), real=images, fake=images)
def opinions(d_real, d_fake, real, fake):
    """What to watch: D(x) and D(G(z)), means over the batch, and the diversity of the synthetic films."""
    spread = fake.std(0).mean() / real.std(0).mean()  # 1: a batch varies as much as one of real films
    return {"d_real": d_real.sigmoid().mean(), "d_fake": d_fake.sigmoid().mean(), "diversity": spread}
