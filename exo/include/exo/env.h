/* SPDX-License-Identifier: MIT */
/*
 * env.h - environments: the page that the kernel and one environment share.
 *
 * The kernel reads everything in it as hostile input and keeps nothing in it that it relies on.
 */
#ifndef EXO_ENV_H
#define EXO_ENV_H

#include <exo/types.h>

/* Why an upcall came: exo_context.vector. 0 to 31 are the processor's exceptions. */
#define EXO_TRAP_PAGE_FAULT 14
#define EXO_TRAP_INT80      0x80    /* int 0x80 */
#define EXO_TRAP_FOREIGN    0x100   /* syscall with a number that is not exo's */
#define EXO_TRAP_SLICE      0x101   /* a slice begins after an involuntary end */
#define EXO_TRAP_EVENT      0x102   /* the event ring moved */

/*
 * A saved context.  For faults and foreign calls the kernel writes the first part only: the other
 * registers are live in the processor.  For slice and event upcalls it writes all.
 */
struct exo_context {
	uint64_t rax, rcx, rdx;
	uint64_t rip, rflags, rsp;
	uint64_t vector;        /* EXO_TRAP_* or exception number */
	uint64_t error;         /* the processor's error code, or 0 */
	uint64_t cr2;           /* faulting address of a page fault */
	uint64_t rbx, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t spare[3];
};
_Static_assert(sizeof(struct exo_context) == 192, "ABI: exo_context");

#define EXO_EVENTS 256u         /* entries of an environment's event ring; entry 0 is the alarm's */

/* Saved contexts in the environment page. */
enum exo_area {
	EXO_AREA_UPCALL,        /* of an upcall */
	EXO_AREA_DOUBLE,        /* of a fault while upcalls were off */
	EXO_AREA_FROZEN,        /* of a slice end while upcalls were off: resumed unchanged */
	EXO_AREAS
};

/* Why an environment does not run: stop_reason. */
#define EXO_STOP_NEW     0      /* never started */
#define EXO_STOP_RUNS    1      /* it was started and may run */
#define EXO_STOP_EXIT    2      /* it stopped itself: exit_code is its word */
#define EXO_STOP_HOLDER  3      /* a holder of its ENV claim stopped it */
#define EXO_STOP_FAULT   4      /* a fault that could not be delivered: registers in area DOUBLE */
#define EXO_STOP_SPACE   5      /* its space ended */

/* [u] environment writes, kernel reads; [k] kernel writes, environment reads; [ku] both */
struct exo_env_page {
	uint64_t fault_rip;     /* [u] entry of faults and foreign calls; 0: stop instead */
	uint64_t slice_rip;     /* [u] entry of slice begin; 0: resume unchanged */
	uint64_t event_rip;     /* [u] entry of events while running; 0: only the ring */
	uint64_t double_rip;    /* [u] entry of a fault while upcalls are off; 0: stop instead */
	uint64_t upcall_rsp;    /* [u] stack pointer at the three upper entries */
	uint64_t double_rsp;    /* [u] stack pointer at the double entry */
	uint64_t resume_lo;     /* [u] resume window [lo, hi): rip in it counts as upcalls off */
	uint64_t resume_hi;     /* [u] */
	uint32_t upcalls_off;   /* [ku] set by the kernel when it makes an upcall */
	uint32_t critical;      /* [u] not 0: put off the slice end (at most 50 us, once a slot) */
	uint32_t owed;          /* [ku] a slice end was put off: please yield */
	uint32_t stop_reason;   /* [k] EXO_STOP_* */
	uint64_t gate_rsp;      /* [u] stack pointer at a gate entry */
	uint64_t gate_open;     /* [u] sid of the empty slot a gate call or return may fill */
	uint64_t open_lo;       /* [u] slots (sid) [lo, hi) that others may give claims into */
	uint64_t open_hi;       /* [u] */
	uint64_t alarm_tsc;     /* [u] time stamp at which event 0 is posted; 0: none; read by */
	                        /*     exo_env_alarm, waits, gate calls and at slice begin */
	uint64_t exit_code;     /* [u] by convention; not read by the kernel */
	uint64_t slice_end_tsc; /* [k] end of the present slot */
	uint32_t cpu;           /* [k] where it runs or ran last */
	uint32_t slot;          /* [k] in which slot */
	uint64_t env_pfn;       /* [k] its name */
	uint64_t space_pfn;     /* [k] its space, 0 if none */
	uint64_t calls;         /* [k] system calls made (kernel entries) */
	uint64_t faults;        /* [k] faults and foreign calls delivered (kernel entries) */
	uint64_t slices;        /* [k] times it got a CPU (switches to it) */
	uint64_t preempted;     /* [k] slices that ended against its will */
	uint32_t event_head;    /* [k] events ever put on the ring */
	uint32_t event_tail;    /* [u] events taken; not read by the kernel */
	uint64_t upcalls;       /* [k] slice begins and events delivered as upcalls */
	uint64_t slots;         /* [k] slots that began with it on the CPU */
	uint64_t packets;       /* [k] received into its rings, and sent from them */
	uint64_t blocks;        /* [k] of disks, moved by requests of its rings */
	uint64_t invalidations; /* [k] translations that its calls took out of its CPU's TLB */
	uint64_t vector_saves;  /* [k] times its vector state was saved */
	uint64_t copied;        /* [k] bytes copied between it and the kernel, packets too */
	struct exo_context area[EXO_AREAS];
	uint32_t ask_entry;     /* [u] event entry posted when claims are asked for or taken */
	uint32_t taken;         /* [k] claims taken by force so far (EXO_CAP_TAKEN) */
	uint64_t ask_tsc;       /* [k] of claims asked for: the earliest deadline not passed */
	uint64_t spare2[22];
	uint32_t event_count[EXO_EVENTS];  /* [ku] posts since it was taken: exchange with 0 */
	uint16_t event_ring[EXO_EVENTS];   /* [k] entries; the n-th stands at n % EXO_EVENTS */
	uint8_t  user[0x600];   /* [u] the library's own; the first program's: struct exo_first */
};
_Static_assert(sizeof(struct exo_env_page) == EXO_PAGE_SIZE, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, upcalls_off) == 0x40, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, gate_rsp) == 0x50, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, calls) == 0xa0, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, upcalls) == 0xc8, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, copied) == 0xf8, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, area) == 0x100, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, ask_entry) == 0x340, "ABI: exo_env_page");
_Static_assert(offsetof(struct exo_env_page, event_count) == 0x400, "ABI: exo_env_page");

/* Operations of exo_env_control. */
enum exo_env_op {
	EXO_ENV_SPACE = 1,  /* arg: SPACE claim (EXO_R_RUN) to run in; only while it is stopped */
	EXO_ENV_START,      /* arg: its first instruction, with arg2 in rdi and upcalls off */
	EXO_ENV_STOP,       /* off its CPU; EXO_MORE while another CPU still runs it */
	EXO_ENV_WATCH,      /* arg: the caller's event entry, posted when it stops; 0: no more */
	EXO_ENV_FSBASE,     /* arg: FS base it starts with; only while it is stopped */
	EXO_ENV_PREDICATE,  /* arg: PROG claim (EXO_R_CALL) by which exo_env_wait_until wakes it, */
	                    /* bound to nothing yet, of at most EXO_PROG_WAKE_MAX instructions; */
	                    /* 0: none */
};

#endif
