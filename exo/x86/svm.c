/* SPDX-License-Identifier: MIT */
/*
 * svm.c - AMD SVM: switching it on, entering a guest, ending what guests have cached.
 *
 * Invariant: the control block that the processor reads lies in a frame that no library can write;
 * what a library asks for in its page is copied there once a run, and what would give it the
 * machine is set or taken out on the way.  A guest runs on translations that were cached only since
 * `epoch` last moved.  Which VCPU may run where: vcpu.c.
 */
#include "x86/svm.h"

#include "cpu.h"
#include "kernel.h"
#include "tlb.h"
#include "vcpu.h"
#include "vector.h"
#include "x86/direct.h"
#include "x86/lapic.h"
#include "x86/latency.h"
#include "x86/offsets.h"
#include "x86/vmcb.h"

#define MSR_EFER       0xc0000080
#define MSR_MCG_STATUS 0x17a
#define MSR_VM_CR      0xc0010114
#define MSR_VM_HSAVE   0xc0010117
#define EFER_LME       (1ul << 8)
#define EFER_SVME      (1ul << 12)
#define CR4_PAE        (1ul << 5)
#define VM_CR_SVMDIS   (1ul << 4)
#define MCG_IN_PROGRESS (1ul << 2)

#define LEAF_EXTENDED  0x80000001u      /* ecx bit 2: SVM */
#define LEAF_SVM       0x8000000au      /* edx bit 0: nested paging, bit 6: FlushByAsid */

#define IOPM_FRAMES    3                /* one bit a port */
#define MSRPM_FRAMES   2

/* What a guest's registers may hold; the rest is taken out. */
#define EFER_MAY   0xd01ul              /* SCE LME LMA NXE */
#define CR4_MAY    0x00371ffful         /* not PKE, CET: their registers would outlive the run */
#define RFLAGS_MAY 0x003f7fd5ul
#define RFLAGS_ONE 0x2ul
#define DR7_OFF    0x400ul

#define EXIT_MACHINE_CHECK 0x52u

static bool present, flush_guest;
static uint64_t iopm_pa, msrpm_pa;
static uint64_t epoch = 1;              /* [a] moves when a guest's space lost rights */

bool svm_present(void)
{
	return present;
}

static bool svm_find(void)
{
	uint32_t r[4];

	cpuid(0x80000000u, 0, r);
	if (r[0] < LEAF_SVM)
		return false;
	cpuid(LEAF_EXTENDED, 0, r);
	if (!(r[2] >> 2 & 1) || (read_msr(MSR_VM_CR) & VM_CR_SVMDIS))
		return false;
	cpuid(LEAF_SVM, 0, r);
	flush_guest = r[3] >> 6 & 1;
	return (r[3] & 1) && r[1] > VMCB_ASID;
}

/* Permission maps that permit nothing, for all guests. */
static uint64_t map_make(uint64_t frames)
{
	void *map = boot_frames(frames);

	memset(map, 0xff, frames * EXO_PAGE_SIZE);
	return virt_to_phys(map);
}

void svm_probe(void)
{
	present = svm_find();
	if (!present)
		return;
	iopm_pa = map_make(IOPM_FRAMES);
	msrpm_pa = map_make(MSRPM_FRAMES);
	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i]->guest.save_pa = virt_to_phys(boot_frames(1));
		cpus[i]->guest.host_pa = virt_to_phys(boot_frames(1));
	}
}

void svm_start(struct cpu *c)
{
	if (!present)
		return;
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SVME);
	write_msr(MSR_VM_HSAVE, c->guest.save_pa);
}

void svm_make(struct vcpu *v)
{
	struct vmcb *b = v->vmcb;

	b->iopm = iopm_pa;
	b->msrpm = msrpm_pa;
	b->asid = VMCB_ASID;
	b->nested = VMCB_NESTED;
}

static void controls_take(struct vmcb *b, const struct exo_vcpu_page *p)
{
	b->intercept_cr = p->intercept_cr | EXO_VCPU_CR_FORCED;
	b->intercept_dr = EXO_VCPU_DR_FORCED;
	b->intercept_exc = p->intercept_exc | EXO_VCPU_EXC_FORCED;
	b->intercept[0] = p->intercept[0] | EXO_VCPU_MISC1_FORCED;
	b->intercept[1] = p->intercept[1] | EXO_VCPU_MISC2_FORCED;
	b->intercept[2] = p->intercept[2] | EXO_VCPU_MISC3_FORCED;
	b->pause_threshold = p->pause_threshold;
	b->pause_count = p->pause_count;
	b->tsc_offset = p->tsc_offset;
}

/* What a guest may not have is taken out; what is merely wrong the processor finds. */
static void state_take(struct vmcb *b, const struct exo_vcpu_page *p)
{
	struct exo_vcpu_state *s = &b->state;

	copy_words(s, &p->state, sizeof(*s) / sizeof(uint64_t));
	s->efer = (s->efer & EFER_MAY) | EFER_SVME;
	s->cr4 &= CR4_MAY;
	/* Without paging and PAE, QEMU 7.2 does not get out of a guest that has LME. */
	if (s->efer & EFER_LME)
		s->cr4 |= CR4_PAE;
	s->dr7 = DR7_OFF;
}

/* Copy what the library asks for from its page, which it may be changing meanwhile. */
static uint32_t page_take(struct vmcb *b, struct exo_vcpu_page *p)
{
	uint32_t changed = p->changed;

	if (changed) {
		p->changed = 0;
		if (changed & EXO_VCPU_CONTROLS)
			controls_take(b, p);
		if (changed & EXO_VCPU_STATE)
			state_take(b, p);
	}
	b->state.rip = p->state.rip;
	b->state.rsp = p->state.rsp;
	b->state.rax = p->state.rax;
	b->state.cr2 = p->state.cr2;
	b->state.rflags = (p->state.rflags & RFLAGS_MAY) | RFLAGS_ONE;
	b->interrupt = (p->interrupt & VMCB_INTERRUPT_MAY) | VMCB_INTERRUPT_MASK;
	b->shadow = p->shadow & 1;
	b->event_inject = p->event_inject;
	return changed;
}

/*
 * What a guest can change: its segments and control registers, and of the model-specific registers
 * those that it reaches without an exit.
 */
static void state_tell(const struct exo_vcpu_state *s, struct exo_vcpu_state *to)
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

static uint32_t page_tell(const struct vmcb *b, struct exo_vcpu_page *p)
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
 * looks who is inside; we say that we are inside and then look at the epoch.
 */
static void cache_check(struct cpu *c, struct vcpu *v, uint32_t changed)
{
	uint64_t now;

	__atomic_store_n(&c->guest.inside, 1, __ATOMIC_SEQ_CST);
	now = __atomic_load_n(&epoch, __ATOMIC_SEQ_CST);
	if (c->guest.last == v->id && v->last_cpu == c->number && v->epoch == now &&
	    !(changed & EXO_VCPU_FLUSH)) {
		v->vmcb->tlb_control = VMCB_TLB_KEEP;
		return;
	}
	c->guest.last = v->id;
	v->last_cpu = c->number;
	v->epoch = now;
	v->vmcb->tlb_control = flush_guest ? VMCB_TLB_GUEST : VMCB_TLB_ALL;
}

/* A machine check that was on its way while the guest ran is the machine's. */
static void machine_check(uint32_t code)
{
	if (code == EXIT_MACHINE_CHECK && (read_msr(MSR_MCG_STATUS) & MCG_IN_PROGRESS))
		panic("machine check while a guest ran");
}

uint32_t svm_run(struct cpu *c, struct vcpu *v, uint64_t space)
{
	struct vmcb *b = v->vmcb;
	struct exo_vcpu_page *p = v->page;
	uint32_t changed = page_take(b, p);

	b->nested_cr3 = space << EXO_PAGE_SHIFT;
	if (c->vector_owner != c->env)
		vectors_load(c);
	cache_check(c, v, changed);
	latency_guest(c);
	svm_enter(virt_to_phys(b), c->guest.host_pa, p);
	latency_host(c);
	__atomic_store_n(&c->guest.inside, 0, __ATOMIC_RELEASE);
	vectors_restore();              /* QEMU 7.2 does not intercept XSETBV */
	machine_check((uint32_t)b->exit_code);
	return page_tell(b, p);
}

void guests_flush(void)
{
	struct cpu *self = this_cpu();
	bool asked[CPUS_MAX];

	__atomic_add_fetch(&epoch, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu *c = cpus[i];

		asked[i] = c != self && __atomic_load_n(&c->guest.inside, __ATOMIC_SEQ_CST);
		if (!asked[i])
			continue;
		tlb_ask(c);
	}
	for (unsigned i = 0; i < cpu_count; i++)
		if (asked[i])
			tlb_await(cpus[i]);
}
