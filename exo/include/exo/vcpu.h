/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h - virtual processors: the page that the kernel and a library monitor share.
 *
 * A VCPU runs on AMD SVM with nested paging; names and layouts of the hardware are used unchanged
 * (AMD64 Architecture Programmer's Manual volume 2, chapter 15 and appendices B and C).  The kernel
 * reads everything in the page as hostile input, once a run.
 *
 * What is not in the page: x87, SSE and AVX registers are the running environment's own while the
 * guest runs (a monitor built without vector instructions has nothing to save; one that switches
 * between guests uses XSAVE); debug registers 0 to 3 and 7 are the monitor's to emulate.
 */
#ifndef EXO_VCPU_H
#define EXO_VCPU_H

#include <exo/types.h>

/* Exit codes that the kernel makes or that every monitor meets (APM 2, appendix C). */
#define EXO_EXIT_INTR     0x060u        /* go on: an interrupt of the machine, or an event came */
#define EXO_EXIT_NMI      0x061u
#define EXO_EXIT_VINTR    0x064u        /* the guest can take an interrupt now */
#define EXO_EXIT_CPUID    0x072u
#define EXO_EXIT_HLT      0x078u
#define EXO_EXIT_IO       0x07bu
#define EXO_EXIT_MSR      0x07cu
#define EXO_EXIT_SHUTDOWN 0x07fu
#define EXO_EXIT_VMMCALL  0x081u
#define EXO_EXIT_NPF      0x400u        /* exit_info1: error code, exit_info2: guest address */
#define EXO_EXIT_INVALID  0xffffffffu   /* the processor refuses this state */

/* exo_vcpu_page.changed: what the kernel shall take from the page besides what it always takes. */
#define EXO_VCPU_STATE    0x1u          /* all of `state` */
#define EXO_VCPU_CONTROLS 0x2u          /* intercepts, pause filter, time stamp offset */
#define EXO_VCPU_FLUSH    0x4u          /* forget the guest's own cached translations */

/* Intercepts that the kernel sets whatever the page says. */
#define EXO_VCPU_CR_FORCED    0x00100000u  /* writes of CR4 */
#define EXO_VCPU_DR_FORCED    0xffffffffu
#define EXO_VCPU_EXC_FORCED   0x00040000u  /* machine check */
/* INTR NMI SMI INIT RDPMC INVD INVLPGA I/O MSR FERR SHUTDOWN */
#define EXO_VCPU_MISC1_FORCED 0xdc40800fu
/* SVM instructions but VMMCALL; WBINVD XSETBV RDPRU */
#define EXO_VCPU_MISC2_FORCED 0x0000627du
#define EXO_VCPU_MISC3_FORCED 0x0000001bu  /* INVLPGB MCOMMIT TLBSYNC */

struct exo_vcpu_segment {
	uint16_t selector;
	uint16_t attributes;    /* as in the VMCB: descriptor bits 40 to 47 and 52 to 55 */
	uint32_t limit;
	uint64_t base;
};

/* The state save area of the VMCB (APM 2, table B-2) up to the guest's PAT. */
struct exo_vcpu_state {
	struct exo_vcpu_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t  spare0[43];
	uint8_t  cpl;
	uint32_t spare1;
	uint64_t efer;          /* SCE LME LMA NXE; the kernel adds SVME */
	uint8_t  spare2[112];
	uint64_t cr4;           /* without PKE and CET; the kernel sets PAE where LME is set */
	uint64_t cr3, cr0;
	uint64_t dr7, dr6;
	uint64_t rflags, rip;
	uint8_t  spare3[88];
	uint64_t rsp;
	uint8_t  spare4[24];
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t  spare5[32];
	uint64_t pat;
};
_Static_assert(offsetof(struct exo_vcpu_state, cpl) == 0xcb, "APM 2, table B-2");
_Static_assert(offsetof(struct exo_vcpu_state, efer) == 0xd0, "APM 2, table B-2");
_Static_assert(offsetof(struct exo_vcpu_state, cr4) == 0x148, "APM 2, table B-2");
_Static_assert(offsetof(struct exo_vcpu_state, rip) == 0x178, "APM 2, table B-2");
_Static_assert(offsetof(struct exo_vcpu_state, rsp) == 0x1d8, "APM 2, table B-2");
_Static_assert(offsetof(struct exo_vcpu_state, rax) == 0x1f8, "APM 2, table B-2");
_Static_assert(offsetof(struct exo_vcpu_state, cr2) == 0x240, "APM 2, table B-2");
_Static_assert(offsetof(struct exo_vcpu_state, pat) == 0x268, "APM 2, table B-2");
_Static_assert(sizeof(struct exo_vcpu_state) == 0x270, "ABI: exo_vcpu_state");

/* [u] library writes, kernel reads; [k] kernel writes, library reads; [ku] both */
struct exo_vcpu_page {
	uint64_t rcx, rdx, rbx, rbp, rsi, rdi;          /* [ku] rax and rsp are in `state` */
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;  /* [ku] */
	uint64_t event_inject;  /* [ku] EVENTINJ; 0 when it was taken */
	uint64_t interrupt;     /* [ku] V_TPR, V_IRQ and its priority, V_IGN_TPR, vector (60h) */
	uint64_t shadow;        /* [ku] bit 0: the guest is in an interrupt shadow (68h) */
	uint32_t changed;       /* [ku] EXO_VCPU_*; 0 when taken.  All of it the first time */
	uint32_t intercept_cr;  /* [u] bits 0-15 reads of CRn, 16-31 writes */
	uint32_t intercept_dr;  /* [u] not read: all are intercepted */
	uint32_t intercept_exc; /* [u] exceptions by vector */
	uint32_t intercept[3];  /* [u] VMCB offsets 0ch, 10h, 14h */
	uint16_t pause_threshold, pause_count;  /* [u] VMCB offsets 3ch, 3eh */
	uint64_t tsc_offset;    /* [u] added to the time stamp that the guest reads */
	uint64_t spare[10];
	uint64_t exit_code;     /* [k] low 32 bits of the processor's; the call's result too */
	uint64_t exit_info1;    /* [k] */
	uint64_t exit_info2;    /* [k] */
	uint64_t exit_event;    /* [k] EXITINTINFO: the event whose delivery was cut by the exit */
	uint64_t next_rip;      /* [k] 0 where the processor does not say */
	uint8_t  code_bytes;    /* [k] bytes in `code`; 0 where the processor does not say */
	uint8_t  code[15];      /* [k] at a nested page fault */
	uint64_t runs;          /* [k] times the guest was entered */
	uint64_t spare2[88];
	struct exo_vcpu_state state;    /* [ku] rip, rsp, rax, rflags and cr2 are always taken */
	uint8_t  user[0x990];   /* [u] the library's own */
};
_Static_assert(offsetof(struct exo_vcpu_page, changed) == 0x88, "ABI: exo_vcpu_page");
_Static_assert(offsetof(struct exo_vcpu_page, exit_code) == 0x100, "ABI: exo_vcpu_page");
_Static_assert(offsetof(struct exo_vcpu_page, state) == 0x400, "ABI: exo_vcpu_page");
_Static_assert(sizeof(struct exo_vcpu_page) == EXO_PAGE_SIZE, "ABI: exo_vcpu_page");

#endif
