# SPDX-License-Identifier: MIT
# file: exo/dev/disk_request.c
# fault: blocks outside the claim are read and written
# machine: smp1
# tests: two_block_ranges_do_not_meet evil_pieces_and_discards_stay_inside
/^static int blocks_check/,/^}/{
s/if (!q->count || q->block < r->lo ||/if (!q->count)/
/range_fits(q->block - r->lo/d
}
