# SPDX-License-Identifier: MIT
"""gen_filter.py - the first inputs of fuzz_filter: long enough that many filters come to be."""

import os
import pathlib
import random

FILES = 72

corpus = pathlib.Path(os.environ["TMPDIR"], "corpus")
corpus.mkdir()
choose = random.Random(1)
for number in range(FILES):
    # The first bytes choose what patterns and which hashes; see fuzz_filter.c.
    head = bytes((number % 3, number // 3 % 4))
    (corpus / f"{number:02}").write_bytes(head + choose.randbytes(choose.randrange(50, 1500)))
