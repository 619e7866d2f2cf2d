# SPDX-License-Identifier: MIT
# file: exo/sched.c
# fault: an idle CPU keeps the space that it left a program in, though that ends
# machine: smp2
# tests: ending_what_runs_on_every_cpu environments_end_cleanly_at_any_instant
s/^\t\tspace_leave(c);$/\t\t(void)space_leave;/
