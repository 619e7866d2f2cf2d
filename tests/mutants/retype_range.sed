# SPDX-License-Identifier: MIT
# file: exo/retype.c
# fault: objects of frames outside the claim
s/if (lo < src->lo || !range_fits(lo - src->lo, p->frames, src->hi - src->lo))/if (0)/
