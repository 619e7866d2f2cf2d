# SPDX-License-Identifier: MIT
# file: exo/event.c
# fault: an ended doorbell keeps its event entry
s/if (s->kind == SOURCE_DOORBELL && !--s->id)/if (0)/
