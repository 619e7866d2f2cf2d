# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: frames that were given away are given once more
# machine: smp1
# tests: siblings_never_overlap evil_twice_the_same
s/if (!claim_is_whole(parent) && !frame_range_held(spec->lo, spec->hi, slot_sid(parent)))/if (0)/
