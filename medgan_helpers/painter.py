"""The painter of `stargan_robust`: films, labels and noise in, films that show the labels out."""

import torch
import torch.nn.functional as F
from torch import nn

from .checks import door, number

FAR = 0.2  # of half a side: as far as tissue moves (6 px of 64)
HAZE = 0.5  # of grey levels in [-1, 1]: the strongest haze or shade; more is drawn as a filling
HAZY, FILLED, OPEN = -1.0, -2.0, 1.0  # first logits: a fifth of the haze, hardly any filling, an open gate
GRAIN = 1.4  # pixels at 64 px (standard deviation): what is finer stays the film's own
REACH = 3  # pixels on either side of a blur's filter
SLOPE = 0.2  # of the leaky ReLU


@door(sigma=number(above=0))
def blur(films, sigma):
    """Gaussian blur of films (B, C, H, W), sigma in pixels, edges repeated."""
    offsets = torch.arange(-REACH, REACH + 1, device=films.device)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2).to(films.dtype)
    weights = (weights / weights.sum()).expand(films.shape[1], 1, 1, -1)
    films = F.pad(films, [REACH] * 4, mode="replicate")
    films = F.conv2d(films, weights, groups=films.shape[1])
    return F.conv2d(films, weights.transpose(2, 3), groups=films.shape[1])


class ConditionalNorm(nn.Module):
    """Instance norm whose scale and shift follow from a wish: (B, C, H, W) and (B, W) to the former."""

    def __init__(self, channels, wish):
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.style = nn.Linear(wish, 2 * channels)

    def forward(self, x, wish):
        scale, shift = self.style(wish)[:, :, None, None].chunk(2, dim=1)
        return self.norm(x) * (1 + scale) + shift


class Stage(nn.Module):
    """Convolution, norm set by the wish, leaky ReLU; stride 2 halves the side."""

    def __init__(self, before, after, wish, stride=1):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3 if stride == 1 else 4, stride, 1, bias=False)
        self.norm = ConditionalNorm(after, wish)

    def forward(self, x, wish):
        return F.leaky_relu(self.norm(self.convolution(x), wish), SLOPE)


def larger(x, mode="nearest"):
    return F.interpolate(x, scale_factor=2, mode=mode)


class Painter(nn.Module):
    """Films x (B, 1, H, W), labels (B, domains) and noise z (B, noise) to films that show the labels.

    A U-Net at half the film's size. Labels and noise set every norm; noise also reaches the coarsest maps as
    a picture, so that it can say *where*. Upsampling repeats pixels: transposed convolutions and pixel
    shuffles leave a grid. Haze, filling and a gate for the whole film can be exactly 0 (`hard`): a sigmoid
    never is, and a little of everything everywhere is what a judge of realness sees first.
    """

    def __init__(self, domains=5, width=24, noise=16):
        super().__init__()
        wish, w = domains + noise, width
        self.noise = noise
        self.first = Stage(4 + 2, w, wish)  # four pixels of the film, and where they are
        self.down = nn.ModuleList([Stage(w, 2 * w, wish, 2), Stage(2 * w, 3 * w, wish, 2)])
        self.deep = Stage(3 * w, 4 * w, wish, 2)  # (B, 4 w, H / 16, W / 16)
        self.where = nn.Linear(wish, 8 * 16)  # a picture of 4 x 4
        self.middle = Stage(4 * w + 8, 4 * w, wish)
        self.gate = nn.Linear(8 * w + wish, 1)  # is anything to be done at all?
        self.up = nn.ModuleList([Stage(7 * w, 3 * w, wish), Stage(5 * w, 2 * w, wish), Stage(3 * w, w, wish)])
        self.change = nn.Conv2d(w, 4, 3, padding=1)  # haze, and where; a grey, and where
        self.move = nn.Conv2d(2 * w, 2, 3, padding=1)  # across and down
        for head in (self.change, self.move, self.gate):
            nn.init.zeros_(head.weight)  # the first picture is nearly the film itself
            nn.init.zeros_(head.bias)
        nn.init.constant_(self.gate.bias, OPEN)
        with torch.no_grad():
            self.change.bias.copy_(torch.tensor([0.0, HAZY, 0.0, FILLED]))

    def forward(self, x, labels, z):
        return self.paint(x, *self.draw(x, labels, z))

    def draw(self, x, labels, z):
        """The change (B, 1, H, W), and the way that tissue comes (B, 2, H, W), in halves of a side."""
        wish = torch.cat([labels, z], dim=1)
        h = torch.cat([F.pixel_unshuffle(x, 2), places(x, 2)], dim=1)
        skips = [self.first(h, wish)]
        for stage in self.down:
            skips.append(stage(skips[-1], wish))
        h = self.deep(skips[-1], wish)
        picture = F.interpolate(self.where(wish).unflatten(1, (8, 4, 4)), size=h.shape[2:])
        h = h + self.middle(torch.cat([h, picture], dim=1), wish)
        pooled = torch.cat([h.mean((2, 3)), h.amax((2, 3)), wish], dim=1)
        gate = hard(self.gate(pooled).float())[:, :, None, None]
        for stage in self.up:
            h = stage(torch.cat([larger(h), skips.pop()], dim=1), wish)
            if h.shape[-1] == x.shape[-1] // 4:
                move = gate * FAR * torch.tanh(self.move(h).float())
        move, drawn = larger(larger(move, "bilinear"), "bilinear"), self.change(h).float()
        haze = HAZE * torch.tanh(drawn[:, :1]) * hard(drawn[:, 1:2])
        grey, cover = torch.tanh(drawn[:, 2:3]), hard(drawn[:, 3:])
        # Towards a grey, not by an amount: fluid over lung and over liver ends level, without a bright rim.
        filled = larger(cover, "bilinear") * (larger(grey, "bilinear") - moved(x, move))
        return gate * (filled + larger(haze, "bilinear")), move

    @staticmethod
    def paint(x, change, move):
        """Films x after a change and a move. What is finer than GRAIN (noise, letters) stays the film's own:
        a network at half size could only smear it."""
        sigma = GRAIN * x.shape[-1] / 64
        return (blur(moved(x, move) + change, sigma) + x - blur(x, sigma)).clamp(-1, 1)


def hard(logits):
    """A sigmoid that is exactly 0 below a tenth."""
    return ((logits.sigmoid() - 0.1) / 0.9).clamp(min=0)


def places(x, part):
    """Where the pixels are, (B, 2, H / part, W / part), from -1 to 1: across and down."""
    rows, columns = (torch.linspace(-1, 1, side // part, device=x.device) for side in x.shape[2:])
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))
    return grid.expand(len(x), -1, -1, -1)


def moved(x, move):
    """Films whose tissue comes from `move` (B, 2, H, W; halves of a side) away."""
    source = (places(x, 1) + move).permute(0, 2, 3, 1)
    return F.grid_sample(x.float(), source, padding_mode="border", align_corners=True)
