/* SPDX-License-Identifier: MIT */
/*
 * vmcb.h - the virtual machine control block of AMD SVM (APM volume 2, appendix B).
 */
#ifndef EXO_X86_VMCB_H
#define EXO_X86_VMCB_H

#include <exo/vcpu.h>

struct vmcb {
	uint32_t intercept_cr, intercept_dr, intercept_exc, intercept[3];
	uint8_t  spare0[0x24];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm, msrpm;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t interrupt, shadow;
	uint64_t exit_code, exit_info1, exit_info2, exit_event;
	uint64_t nested;
	uint64_t spare1[2];
	uint64_t event_inject;
	uint64_t nested_cr3;
	uint64_t last_branch;
	uint64_t clean;
	uint64_t next_rip;
	uint8_t  code_bytes, code[15];
	uint8_t  spare2[0x320];
	struct exo_vcpu_state state;
	uint8_t  spare3[0x990];
};
_Static_assert(offsetof(struct vmcb, pause_threshold) == 0x3c, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, iopm) == 0x40, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, interrupt) == 0x60, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, event_inject) == 0xa8, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, next_rip) == 0xc8, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, state) == 0x400, "APM 2, appendix B");
_Static_assert(sizeof(struct vmcb) == EXO_PAGE_SIZE, "one frame");

#define VMCB_TLB_KEEP  0u
#define VMCB_TLB_ALL   1u       /* forget all translations of all guests and of the host */
#define VMCB_TLB_GUEST 3u       /* of this guest; where CPUID says so (FlushByAsid) */
#define VMCB_NESTED    1ul      /* nested paging */
#define VMCB_ASID      1u       /* all guests have the same: who ran last is compared instead */

/* Of the interrupt control word: what the library may set, and what is always set. */
#define VMCB_INTERRUPT_MAY  0x000000ff001f01fful
#define VMCB_INTERRUPT_MASK (1ul << 24) /* the guest's IF is not the machine's */

#endif
