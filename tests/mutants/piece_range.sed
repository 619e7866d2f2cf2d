# SPDX-License-Identifier: MIT
# file: exo/dev/disk_request.c
# fault: further pieces of a disk request reach beyond the claim
# machine: smp1
# tests: evil_pieces_and_discards_stay_inside
/^static int blocks_check/,/^}/{
s/if (!q->count || q->block < r->lo ||/if (!q->count || (!t->pieces \&\& q->block < r->lo) ||/
s/!range_fits(q->block - r->lo, q->count, r->hi - r->lo))/(!t->pieces \&\& !range_fits(q->block - r->lo, q->count, r->hi - r->lo)))/
}
