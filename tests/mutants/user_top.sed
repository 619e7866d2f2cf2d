# SPDX-License-Identifier: MIT
# file: exo/copy.c
# fault: arguments are read at kernel addresses
# tests: evil_memory_that_is_not_mapped
/^int copy_in/,/^}/s/if (!range_fits(user, bytes, EXO_USER_TOP))/if (0)/
