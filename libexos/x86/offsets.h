/* SPDX-License-Identifier: MIT */
/*
 * offsets.h - offsets that the assembly files use; offsets.c checks them against the structs.
 */
#ifndef EXOS_X86_OFFSETS_H
#define EXOS_X86_OFFSETS_H

/* struct exo_env_page */
#define PAGE_UPCALLS_OFF 0x40
#define PAGE_AREA        0x100          /* area[EXO_AREA_UPCALL] */
#define PAGE_DOUBLE      0x1c0          /* area[EXO_AREA_DOUBLE] */
#define PAGE_USER        0xa00
#define PAGE_VA          0xa08          /* page_va in the block at `user` */

/* struct exos_local, at PAGE_LOCAL of the environment page */
#define PAGE_LOCAL       0xfc0
#define PAGE_WORKER_RSP  0xfc0

/* struct exo_context */
#define CTX_RAX    0
#define CTX_RCX    8
#define CTX_RDX    16
#define CTX_RIP    24
#define CTX_RFLAGS 32
#define CTX_RSP    40
#define CTX_RBX    72
#define CTX_RBP    80
#define CTX_RSI    88
#define CTX_RDI    96
#define CTX_R8     104
#define CTX_R9     112
#define CTX_R10    120
#define CTX_R11    128
#define CTX_R12    136
#define CTX_R13    144
#define CTX_R14    152
#define CTX_R15    160
#define CTX_BYTES  192

/* struct exos_gate_message */
#define MSG_CAP    64
#define MSG_BYTES  80                   /* rounded up to a multiple of 16 */

#endif
