# SPDX-License-Identifier: MIT
# file: exo/event.c
# fault: two sources on one event entry
s/if (s->kind != SOURCE_NONE)/if (0)/
