# SPDX-License-Identifier: MIT
# file: exo/frame.c
# fault: frames that a device writes stay known to be zero
# machine: smp1
# tests: frames_a_disk_wrote_are_not_known_to_be_zero
s/^\t\tframe_entry(pfn)->flags = 0;$//
