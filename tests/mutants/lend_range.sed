# SPDX-License-Identifier: MIT
# file: exo/lend.c
# fault: frames outside the claim are lent to a device
# machine: smp1
# tests: evil_frames_are_lent_by_their_holder
s/if (pfn < c->lo || !range_fits(pfn - c->lo, count, c->hi - c->lo))/if (0)/
