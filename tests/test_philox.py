"""Philox4x32-10: the known answers of Random123, and the interpreter's own words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_forward import philox
from sparing import _core

WORD = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
@pytest.mark.parametrize("function", [_core.philox4x32, philox])
def test_the_known_answers_of_random123(function, counter, key, expected):
    assert " ".join(f"{word:08x}" for word in function(counter, key)) == expected


@given(counter=st.tuples(WORD, WORD, WORD, WORD), key=st.tuples(WORD, WORD))
def test_kernel_and_reference_agree(counter, key):
    assert list(_core.philox4x32(counter, key)) == list(philox(counter, key))


def test_words_are_uniform():
    """Chi-square of the top byte over 40 000 words: 255 degrees of freedom, so 255 +- 6 x 22.6."""
    words = np.array([_core.philox4x32((i, 7, 0, 0), (1, 2)) for i in range(10_000)])
    counts = np.bincount(words.ravel() >> 24, minlength=256)
    expected = words.size / 256
    assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 6 * 22.6
