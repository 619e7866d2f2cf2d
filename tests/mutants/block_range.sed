# SPDX-License-Identifier: MIT
# file: exo/dev/disk_request.c
# fault: blocks outside the claim are read and written
s/if (q->block < r->lo || !range_fits(q->block - r->lo, q->count, r->hi - r->lo))/if (0)/
