# SPDX-License-Identifier: MIT
# file: exo/vcpu.c
# fault: guests run on the tables of an environment
s/if ((\*sc)->unit != EXO_SPACE_GUEST)/if (0)/
