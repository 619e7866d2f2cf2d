# SPDX-License-Identifier: MIT
"""gen_claims.py - a corpus for fuzz_claims.c: random calls, long enough to build something."""

import os
import pathlib
import random

corpus = pathlib.Path(os.environ["TMPDIR"]) / "corpus"
corpus.mkdir(exist_ok=True)
for seed in range(64):
    words = random.Random(seed)
    (corpus / f"calls{seed}").write_bytes(words.randbytes(64 << seed % 7))
