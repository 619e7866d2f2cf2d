# SPDX-License-Identifier: MIT
# file: exo/frame.c
# fault: flags from before a large page are believed again
# machine: smp1
# tests: frames_of_large_pages_are_not_known_to_be_zero
s/^\t\tf\[i\]\.flags = 0;$/\t\t(void)f[i].flags;/
