/* SPDX-License-Identifier: MIT */
/*
 * svm.c - AMD SVM: switching it on, entering a guest, ending what guests have cached.
 *
 * Invariant: the control block that the processor reads lies in a frame that no library can write;
 * what a library asks for in its page is copied there once a run, and what would give it the
 * machine is set or taken out on the way.  A guest runs on translations that were cached only since
 * `svm_epoch` last moved.  A run itself: svm_run.h.  Which VCPU may run where: vcpu.c.
 */
#include "x86/svm.h"
#include "x86/svm_run.h"

#include "cpu.h"
#include "kernel.h"
#include "tlb.h"
#include "vcpu.h"
#include "x86/direct.h"
#include "x86/lapic.h"
#include "x86/offsets.h"
#include "x86/vmcb.h"

#define MSR_EFER       0xc0000080
#define MSR_MCG_STATUS 0x17a
#define MSR_VM_CR      0xc0010114
#define MSR_VM_HSAVE   0xc0010117
#define EFER_LME       (1ul << 8)
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
#define DR7_OFF    0x400ul

static bool present, flush_guest;
static uint64_t iopm_pa, msrpm_pa;
uint64_t svm_epoch = 1;

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

/* Copy what the library says has changed in its page since the last run: what that is. */
static uint32_t changes_take(struct vmcb *b, struct exo_vcpu_page *p)
{
	uint32_t changed = p->changed;

	p->changed = 0;
	if (changed & EXO_VCPU_CONTROLS)
		controls_take(b, p);
	if (changed & EXO_VCPU_STATE)
		state_take(b, p);
	return changed;
}

/* How much of what is cached is to be forgotten. */
static uint32_t cache_check(struct cpu *c, struct vcpu *v, uint32_t changed)
{
	if (cache_is_good(c, v) && !(changed & EXO_VCPU_FLUSH))
		return VMCB_TLB_KEEP;
	c->guest.stamp = v->stamp = ++c->guest.stamps << 8 | c->number;
	v->epoch = __atomic_load_n(&svm_epoch, __ATOMIC_SEQ_CST);
	return flush_guest ? VMCB_TLB_GUEST : VMCB_TLB_ALL;
}

int64_t svm_run_changed(struct cpu *c, struct vcpu *v)
{
	uint32_t changed = changes_take(v->vmcb, v->page);

	page_take(v->vmcb, v->page);
	if (c->vector_owner != c->env)
		vectors_load(c);
	v->vmcb->tlb_control = cache_check(c, v, changed);
	latency_guest(c);
	return svm_enter(v->vmcb_pa, c->guest.host_pa, v, v->page);
}

void svm_machine_check(void)
{
	if (read_msr(MSR_MCG_STATUS) & MCG_IN_PROGRESS)
		panic("machine check while a guest ran");
}

void guests_flush(void)
{
	struct cpu *self = this_cpu();
	bool asked[CPUS_MAX];

	__atomic_add_fetch(&svm_epoch, 1, __ATOMIC_SEQ_CST);
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
