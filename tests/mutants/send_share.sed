# SPDX-License-Identifier: MIT
# file: exo/dev/nic_send.c
# fault: who has a share of packets sends them
# machine: smp1
# tests: nic_shares_are_only_shared nic_packets_that_lie_are_refused nic_shares_see_what_is_sent_and_received
s/if (!(r->rights & EXO_R_WRITE) || r->share)/if (!(r->rights \& EXO_R_WRITE))/
