/* SPDX-License-Identifier: MIT */
/*
 * svm_run.h - one run of a guest: from its page into the processor and back.
 *
 * In line, because an exit and the entry that follows are little more than this.  What has changed
 * since the last run, and what is cold, is in svm.c.
 */
#ifndef EXO_X86_SVM_RUN_H
#define EXO_X86_SVM_RUN_H

#include "cpu.h"
#include "switch.h"
#include "vcpu.h"
#include "vector.h"
#include "x86/direct.h"
#include "x86/latency.h"
#include "x86/svm.h"
#include "x86/vmcb.h"

#define EFER_SVME  (1ul << 12)
#define RFLAGS_MAY 0x003f7fd5ul
#define RFLAGS_ONE 0x2ul
#define EXIT_MACHINE_CHECK 0x52u

/* Copy what the library asks for from its page, which it may be changing meanwhile. */
static inline void page_take(struct vmcb *b, const struct exo_vcpu_page *p)
{
	b->state.rip = p->state.rip;
	b->state.rsp = p->state.rsp;
	b->state.rax = p->state.rax;
	b->state.cr2 = p->state.cr2;
	b->state.rflags = (p->state.rflags & RFLAGS_MAY) | RFLAGS_ONE;
	b->interrupt = (p->interrupt & VMCB_INTERRUPT_MAY) | VMCB_INTERRUPT_MASK;
	b->shadow = p->shadow & 1;
	b->event_inject = p->event_inject;
}

/*
 * What a guest can change: its segments and control registers, and of the model-specific registers
 * those that it reaches without an exit.
 */
static inline void state_tell(const struct exo_vcpu_state *s, struct exo_vcpu_state *to)
{
	copy_words(to, s, offsetof(struct exo_vcpu_state, spare0) / sizeof(uint64_t));
	to->cpl = s->cpl;
	to->efer = s->efer & ~EFER_SVME;
	copy_words(&to->cr4, &s->cr4, 7);       /* to rip */
	to->rsp = s->rsp;
	to->rax = s->rax;
	to->kernel_gs_base = s->kernel_gs_base;
	to->cr2 = s->cr2;
}

static inline uint32_t page_tell(const struct vmcb *b, struct exo_vcpu_page *p)
{
	uint32_t code = (uint32_t)b->exit_code;

	p->exit_code = code;
	p->exit_info1 = b->exit_info1;
	p->exit_info2 = b->exit_info2;
	p->exit_event = b->exit_event;
	p->next_rip = b->next_rip;
	if (code == EXO_EXIT_NPF)
		copy_words(&p->code_bytes, &b->code_bytes, 2);
	p->event_inject = 0;
	p->interrupt = b->interrupt;
	p->shadow = b->shadow;
	p->runs++;
	state_tell(&b->state, &p->state);
	return code;
}

/*
 * Before anything is cached for this run.  Everybody who takes rights away moves the epoch and then
 * looks who is inside; we say that we are inside and then look at the epoch.  The CPU and the VCPU
 * have the same stamp if the VCPU ran last here, and nothing else did since.
 */
static inline bool cache_is_good(struct cpu *c, const struct vcpu *v)
{
	__atomic_store_n(&c->guest.inside, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&svm_epoch, __ATOMIC_SEQ_CST) == v->epoch &&
	       c->guest.stamp == v->stamp;
}

/*
 * Enter the guest of a VCPU that is ours, for e, by what its page says, in the nested tables that
 * it is bound to, and come back at its next exit, by way of vcpu_left, whose result it is.
 * Interrupts of the machine end the run and stay pending until the caller's way to user mode.
 */
static inline int64_t svm_run(struct cpu *c, const struct env *e, struct vcpu *v)
{
	struct vmcb *b = v->vmcb;
	struct exo_vcpu_page *p = v->page;

	if (UNLIKELY(p->changed || latency_on || c->vector_owner != e))
		return svm_run_changed(c, v);
	page_take(b, p);
	if (UNLIKELY(!cache_is_good(c, v)))
		return svm_run_changed(c, v);
	b->tlb_control = VMCB_TLB_KEEP;
	return svm_enter(v->vmcb_pa, c->guest.host_pa, v, p);
}

/* What is left of the run: the exit code. */
static inline uint32_t svm_left(struct cpu *c, struct vcpu *v)
{
	struct vmcb *b = v->vmcb;

	latency_host(c);
	__atomic_store_n(&c->guest.inside, 0, __ATOMIC_RELEASE);
	vectors_restore();              /* QEMU 7.2 does not intercept XSETBV */
	return page_tell(b, v->page);
}

#endif
