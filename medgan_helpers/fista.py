"""The search for the image that fits a measurement and is smooth: FISTA, for CT and MR alike."""

import math


def fista(start, agree, smooth, iterations):
    """The x of least fit(x) + roughness(x), from `start`.

    agree: x -> x one step down the fit, no longer than 1 / its steepest slope allows; smooth: x -> the image
    near x of least roughness. Both are asked `iterations` times. The steps run ahead of themselves, so k of
    them do what k ** 2 plain ones would (Beck & Teboulle 2009, *A fast iterative shrinkage-thresholding
    algorithm for linear inverse problems*, equations 4.1 to 4.3).
    """
    x = ahead = start
    momentum = 1.0
    for _ in range(iterations):
        before, x = x, smooth(agree(ahead))
        last, momentum = momentum, (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = x + (last - 1) / momentum * (x - before)
    return x
