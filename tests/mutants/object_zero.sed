# SPDX-License-Identifier: MIT
# file: exo/end.c
# fault: an object's frames come back with the kernel's words in them
# machine: smp1
# tests: an_object_leaves_zeroes
s/^\t\tmemset(pfn_to_virt(c->lo), 0, object_frames(c) \* EXO_PAGE_SIZE);/\t\t(void)object_frames(c);/
