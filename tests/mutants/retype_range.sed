# SPDX-License-Identifier: MIT
# file: exo/retype.c
# fault: objects of frames outside the claim
# tests: evil_numbers_that_lie
s/if (lo < src->lo || !range_fits(lo - src->lo, p->frames, src->hi - src->lo))/if (0)/
