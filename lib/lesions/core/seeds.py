"""Random numbers for one purpose each, all fixed by one seed.

Two places that make a generator of the same numbers draw the same, and what looks independent is
not: the order of images and the choice of their views, say, or view 2 of seed 0 and view 1 of
seed 1 where the two are added. Here a stream has a name, and no two names share one.

Some places take a bare number as they always did, so that what is kept stays what it is: the split
(NumPy's newer generator) and resampling (its older one), which have one of the two each for
themselves; the sample (lists of numbers); and what has the same fixed number whatever the user's
seed is, such as the bootstrap and the descriptors.
"""

import hashlib

import numpy as np


def _sequence(seed: int, purpose: str, numbers: tuple[int, ...]) -> np.random.SeedSequence:
    # NumPy takes [1] and [1, 0] for the same seed, so all goes through one text.
    text = repr((purpose, int(seed), *(int(number) for number in numbers)))
    return np.random.SeedSequence(int.from_bytes(hashlib.sha256(text.encode()).digest()))


def stream(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """A generator of random numbers for one purpose.

    Args:
        seed: what a user sets.
        purpose: what they are for, in words; every place has its own.
        numbers: what else tells streams of the purpose apart, such as an epoch's number.
    """
    return np.random.default_rng(_sequence(seed, purpose, numbers))


def number(seed: int, purpose: str, *numbers: int) -> int:
    """A seed from 0 to 2**31 - 1 for what wants a number, as scikit-learn and TensorFlow do.

    Args:
        seed, purpose, numbers: as in `stream`.
    """
    return int(_sequence(seed, purpose, numbers).generate_state(1)[0] >> 1)
