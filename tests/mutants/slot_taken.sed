# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: a claim is derived over another
s/if (c->kind != EXO_KIND_NONE || c->gen == GEN_RETIRED)/if (c->gen == GEN_RETIRED)/
