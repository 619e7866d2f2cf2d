# SPDX-License-Identifier: MIT
# file: exo/calls.c
# fault: gates lead to addresses of the kernel
# tests: evil_numbers_that_lie
s/if (entry >= EXO_USER_TOP || badge >> 32)/if (badge >> 32)/
