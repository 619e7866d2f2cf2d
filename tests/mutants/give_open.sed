# SPDX-License-Identifier: MIT
# file: exo/calls.c
# fault: claims are put into slots that nobody opened
# machine: smp1
# tests: give_needs_an_open_slot
s/return dst >= to->page->open_lo && dst < to->page->open_hi ?/return dst >= to->page->open_lo || dst >= 2 ?/
