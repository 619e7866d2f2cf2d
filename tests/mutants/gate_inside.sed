# SPDX-License-Identifier: MIT
# file: exo/gate.c
# fault: two callers at once are inside a gate
# machine: smp1
# tests: one_caller_at_a_time_is_inside
s/if (!state_move(to, ENV_BLOCKED, ENV_RUNNING))/if (!state_move(to, ENV_BLOCKED, ENV_RUNNING) \&\& !to->depth)/
