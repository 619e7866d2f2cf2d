# SPDX-License-Identifier: MIT
# file: exo/turns.c
# fault: who posts with a wait that is over at once keeps the slot of whom it woke
# machine: smp1
# tests: an_owner_woken_by_who_need_not_wait_takes_its_slot_back
/^static int64_t wait_posted/,/^}/s/sched_soon(this_cpu());/(void)sched_soon;/
