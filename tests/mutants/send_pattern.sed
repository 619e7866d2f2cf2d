# SPDX-License-Identifier: MIT
# file: exo/dev/nic_send.c
# fault: packets are sent under another's pattern
# machine: smp1
# tests: nic_packets_that_lie_are_refused
s/if (!filter_sends(f, header))/if (0)/
