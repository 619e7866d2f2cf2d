# SPDX-License-Identifier: MIT
# file: exo/env.c
# fault: environments start at addresses of the kernel
# machine: smp1
# tests: control_refuses_what_makes_no_sense
/^static int64_t env_start/,/^}/s/if (rip >= EXO_USER_TOP)/if (0)/
