# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: siblings of blocks and ports may overlap
s/if (!(c->flags & EXO_CAP_SHARE) && c->lo < hi && lo < c->hi)/if (!(c->flags \& EXO_CAP_SHARE) \&\& hi < lo)/
