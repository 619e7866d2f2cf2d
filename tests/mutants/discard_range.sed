# SPDX-License-Identifier: MIT
# file: exo/dev/disk_request.c
# fault: blocks outside the claim are discarded
# machine: smp1
# tests: evil_pieces_and_discards_stay_inside
/^static int entry_check/,/^}/s/if (err < 0 || q->op == EXO_DISK_FLUSH)/if (err < 0 || q->op >= EXO_DISK_FLUSH)/
