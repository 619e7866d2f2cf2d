# SPDX-License-Identifier: MIT
# file: exo/pieces.c
# fault: siblings of blocks may overlap
# machine: smp1
# tests: two_block_ranges_do_not_meet evil_blocks_are_divided
s/return !c || c->hi <= lo;/return !c || c->hi <= lo || hi > lo;/
