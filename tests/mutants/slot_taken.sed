# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: a claim is derived over another
# machine: smp1
# tests: destinations_must_be_empty_slots_of_ours
s/if (c->kind != EXO_KIND_NONE || c->gen == GEN_RETIRED)/if (c->gen == GEN_RETIRED)/
