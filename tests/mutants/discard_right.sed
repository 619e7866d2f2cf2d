# SPDX-License-Identifier: MIT
# file: exo/dev/disk_request.c
# fault: who may only read discards blocks
# machine: smp1
# tests: evil_readers_write_and_discard_nothing
/^static int blocks_check/,/^}/s/if (q->op == EXO_DISK_READ)/if (q->op != EXO_DISK_WRITE)/
