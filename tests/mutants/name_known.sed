# SPDX-License-Identifier: MIT
# file: exo/x86/handover.h
# fault: a claim that was used once is good for ever
# machine: smp1
# tests: a_gate_that_was_called_is_gone_when_it_is_dropped yields_end_with_their_claim
s/cmp %eax, (\\tmp)/cmp %eax, %eax/
