# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: frames that were given away are given once more
s/if (!frame_range_held(spec->lo, spec->hi, slot_sid(parent)))/if (0)/
