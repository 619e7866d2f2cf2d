/* SPDX-License-Identifier: MIT */
/*
 * offsets.h - offsets that assembly uses; offsets.c ties each to its struct.
 */
#ifndef EXO_X86_OFFSETS_H
#define EXO_X86_OFFSETS_H

/* struct cpu */
#define CPU_KERNEL_RSP  8
#define CPU_USER_RSP    16
#define CPU_ENV         24
#define CPU_PAGE        32
#define CPU_CTX         40
#define CPU_SCRATCH     48
#define CPU_STATS       56
#define CPU_GATE_RIP    64
#define CPU_GATE_RSP    72
#define CPU_GATE_RDI    80
#define CPU_GATE_RSI    88
#define CPU_RESCHED     96
#define CPU_ENTERED     104
#define CPU_CAUSE       112
#define CPU_KEPT_RAX    120
#define CPU_KEPT_RDX    128
#define CPU_NUMBER      136     /* and slot */
#define CPU_SLOT        140
#define CPU_SLOT_END    144
#define CPU_SPACE       152
#define CPU_FANCY       160
#define CPU_VECTOR      168

/* struct env */
#define ENV_PAGE        0
#define ENV_PFN         8
#define ENV_SPACE       24
#define ENV_CTX         32
#define ENV_CTX_BYTES   80
#define ENV_NOW         192
#define ENV_STATE       200
#define ENV_DEPTH       204
#define ENV_RESUME      208
#define ENV_ATTENTION   209
#define ENV_CPU         212
#define ENV_CALLER      232
#define ENV_CALLEE      240
#define ENV_EVENT_HEAD  256
#define ENV_WAIT_SEEN   260
#define ENV_WAIT_UNTIL  272
#define ENV_CUT         296
#define ENV_WAIT_LINK   320
#define ENV_ALARM_TSC   368
#define ENV_FS_BASE     408
#define ENV_GS_BASE     416
#define ENV_RING_LOCK   460
#define ENV_KNOWN       512

/* struct known */
#define KNOWN_BYTES     144
#define KNOWN_NAME      0
#define KNOWN_GEN       32
#define KNOWN_TO        64
#define KNOWN_HI        96
#define KNOWN_BADGE     128
#define KNOWN_MASK      3

/* enum env_state, enum env_resume, gate.c */
#define STATE_BLOCKED   1
#define STATE_READY     2
#define STATE_RUNNING   3
#define STATE_CALLING   4
#define STATE_PARTING   7
#define RESUMES_CALL    1
#define RESUMES_WAIT    2
#define DEPTH_MAX       64      /* calls within calls */

/* struct exo_cpu_stats */
#define STATS_ENTRIES   0
#define STATS_CALLS     8
#define STATS_FAULTS    16
#define STATS_SWITCHES  32
#define STATS_SPACES    40
#define STATS_LENDS     104
#define STATS_LATENCY   1024

/* struct call_context */
#define CTX_RIP         0
#define CTX_RFLAGS      8
#define CTX_RSP         16
#define CTX_RBX         24
#define CTX_RBP         32
#define CTX_R12         40
#define CTX_R13         48
#define CTX_R14         56
#define CTX_R15         64
#define CTX_RESULT      72

/* struct exo_env_page */
#define PAGE_FAULT_RIP  0x00
#define PAGE_UPCALL_RSP 0x20
#define PAGE_RESUME_LO  0x30
#define PAGE_RESUME_HI  0x38
#define PAGE_OFF        0x40
#define PAGE_OWED       0x48
#define PAGE_GATE_RSP   0x50
#define PAGE_ALARM      0x70
#define PAGE_SLICE_END  0x80
#define PAGE_CPU        0x88    /* and slot */
#define PAGE_CALLS      0xa0
#define PAGE_FAULTS     0xa8
#define PAGE_SLICES     0xb0
#define PAGE_EVENT_HEAD 0xc0
#define PAGE_AREA       0x100
#define PAGE_EVENT_COUNT 0x400
#define PAGE_EVENT_RING 0x800

/* struct exo_vector */
#define VECTOR_SLOTS    64
#define VECTOR_RUNNING  0x608
#define VECTOR_CHARGED  0x610

/* struct exo_context */
#define AREA_RAX        0
#define AREA_RCX        8
#define AREA_RDX        16
#define AREA_RIP        24
#define AREA_RFLAGS     32
#define AREA_RSP        40
#define AREA_VECTOR     48
#define AREA_ERROR      56
#define AREA_CR2        64

/* struct exo_vcpu_page */
#define VCPU_RCX        0
#define VCPU_RDX        8
#define VCPU_RBX        16
#define VCPU_RBP        24
#define VCPU_RSI        32
#define VCPU_RDI        40
#define VCPU_R8         48

/* Selectors. */
#define KERNEL_CS       0x08
#define KERNEL_SS       0x10
#define USER_SS         0x1b
#define USER_CS         0x23
#define TASK_SELECTOR   0x28

#define RFLAGS_USER     0x202   /* interrupts on */

/* Call numbers. */
#define CALL_FIRST      0x4000
#define CALL_COUNT      0x1f
#define SWITCH_FIRST    0x4020
#define SWITCH_COUNT    7
#define CALL_GATE_CALL  0x4022
#define CALL_GATE_RETURN 0x4023

/* Vectors. */
#define VECTOR_FOREIGN  0x100
#define ERROR_BARE      -1      /* in place of an error code: an interrupt, no exception */
#define VECTOR_TIMER    0xf0
#define VECTOR_KICK     0xf1
#define VECTOR_TLB      0xf2
#define VECTOR_HALT     0xf3
#define VECTOR_SPURIOUS 0xff

#endif
