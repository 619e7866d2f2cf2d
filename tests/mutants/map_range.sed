# SPDX-License-Identifier: MIT
# file: exo/space.c
# fault: frames outside the claim are mapped
/^static int frames_check/,/^}/s/if (pfn < c->lo || !range_fits(pfn - c->lo, count, c->hi - c->lo))/if (0)/
