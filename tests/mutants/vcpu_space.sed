# SPDX-License-Identifier: MIT
# file: exo/vcpu.c
# fault: guests run on the tables of an environment
# tests: evil_spaces_for_another_use
s/if ((\*sc)->unit != EXO_SPACE_GUEST)/if (0)/
