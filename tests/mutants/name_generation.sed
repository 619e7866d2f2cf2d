# SPDX-License-Identifier: MIT
# file: exo/claim.h
# fault: a stale name finds the slot's next claim
# tests: evil_stale_names
s/if (c->gen != exo_slot_gen(name) || c->kind == EXO_KIND_NONE)/if (c->kind == EXO_KIND_NONE)/
