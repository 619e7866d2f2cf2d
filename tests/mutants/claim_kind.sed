# SPDX-License-Identifier: MIT
# file: exo/claim.h
# fault: a call takes claims of any kind
s/if ((\*out)->kind != kind)/if (0 \&\& (*out)->kind != kind)/
