/* SPDX-License-Identifier: MIT */
/*
 * trap.c - what to do about exceptions and interrupts that entry.S did not settle itself.
 *
 * A fault of a program becomes an upcall, a second one goes to its `double` entry, a third stops
 * it. A fault of the kernel is the end, unless it happened while copying from or to user memory.
 *
 * A device that writes interrupt messages which no IOMMU stops can send any number: what looks like
 * an exception, the kernel's own, what nobody uses.  Such an interrupt is counted, ended and passed
 * over; those that CPUs send each other are looked at anew wherever they come from.
 */
#include <exo/space.h>

#include "cpu.h"
#include "kernel.h"
#include "run.h"
#include "sched.h"
#include "trace.h"
#include "vector.h"
#include "x86/enter.h"
#include "x86/lapic.h"
#include "x86/latency.h"
#include "x86/trap.h"

#define VECTOR_DEVICE_FIRST 0x20
#define VECTOR_DEVICE_LAST  0xef
#define VECTOR_NO_DEVICE    7
#define VECTOR_SENT_FIRST   16  /* interrupt controllers send none below (SDM volume 3, 11.5.2) */
#define AGAIN_PART 50000        /* of a second */

static struct {
	interrupt_handler *handler;
	void *context;
} handlers[256];

unsigned vector_take(interrupt_handler *handler, void *context)
{
	for (unsigned v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++) {
		if (v == EXO_TRAP_INT80 || handlers[v].handler)
			continue;
		handlers[v].context = context;
		handlers[v].handler = handler;
		return v;
	}
	return 0;
}

void vector_context(unsigned vector, void *context)
{
	handlers[vector].context = context;
}

uint64_t msi_address(unsigned cpu)
{
	return 0xfee00000 | (uint64_t)cpus[cpu]->apic_id << 12;
}

void context_save(struct exo_context *a, const struct regs *r, uint64_t vector)
{
	a->rax = r->rax;
	a->rcx = r->rcx;
	a->rdx = r->rdx;
	a->rip = r->rip;
	a->rflags = r->rflags;
	a->rsp = r->rsp;
	a->vector = vector;
	a->error = vector < 32 ? r->error : 0;
	a->cr2 = vector == EXO_TRAP_PAGE_FAULT ? read_cr2() : 0;
	a->rbx = r->rbx;
	a->rbp = r->rbp;
	a->rsi = r->rsi;
	a->rdi = r->rdi;
	a->r8 = r->r8;
	a->r9 = r->r9;
	a->r10 = r->r10;
	a->r11 = r->r11;
	a->r12 = r->r12;
	a->r13 = r->r13;
	a->r14 = r->r14;
	a->r15 = r->r15;
}

/* Flags that user mode may choose: arithmetic, direction, trap, alignment check, nested, resume,
 * ID. */
#define RFLAGS_MAY 0x00254dd5ul

void enter_context(const struct exo_context *a)
{
	struct regs r = {
		.r15 = a->r15,
		.r14 = a->r14,
		.r13 = a->r13,
		.r12 = a->r12,
		.r11 = a->r11,
		.r10 = a->r10,
		.r9 = a->r9,
		.r8 = a->r8,
		.rbp = a->rbp,
		.rdi = a->rdi,
		.rsi = a->rsi,
		.rdx = a->rdx,
		.rcx = a->rcx,
		.rbx = a->rbx,
		.rax = a->rax,
		.rip = a->rip,
		.cs = USER_CS,
		.rflags = (a->rflags & RFLAGS_MAY) | RFLAGS_USER,
		.rsp = a->rsp,
		.ss = USER_SS,
	};

	if (r.rip >= EXO_USER_TOP)
		env_stop_self(EXO_STOP_FAULT);
	enter_regs(&r);
}

static void upcall(struct regs *r, uint64_t rip, uint64_t rsp)
{
	r->rip = rip;
	r->rsp = rsp;
	r->rflags = RFLAGS_USER;
	r->rax = r->rcx = r->rdx = 0;
}

/* Deliver a fault, or stop the environment with its registers readable. */
static void fault_deliver(struct regs *r)
{
	struct cpu *c = this_cpu();
	struct exo_env_page *p = c->page;
	uint64_t fault = user_entry(&p->fault_rip), twice = user_entry(&p->double_rip);

	c->stats->faults++;
	p->faults++;
	if (upcalls_on(p, r->rip) && fault) {
		context_save(&p->area[EXO_AREA_UPCALL], r, r->vector);
		p->upcalls_off = 1;
		upcall(r, fault, p->upcall_rsp);
		return;
	}
	context_save(&p->area[EXO_AREA_DOUBLE], r, r->vector);
	if (p->upcalls_off > 1 || !twice)
		env_stop_self(EXO_STOP_FAULT);
	p->upcalls_off = 2;
	upcall(r, twice, p->double_rsp);
}

/*
 * Is it an interrupt with an exception's number?  Below 16 none comes but by machines that take
 * what the manual forbids; there only what has no error code, or is about to be the kernel's end,
 * is looked at.
 */
static bool is_stray(const struct regs *r)
{
	return r->vector < 256 &&
	       (r->error == (uint64_t)ERROR_BARE || lapic_in_service((unsigned)r->vector));
}

static void stray_end(void)
{
	struct cpu *c = this_cpu();

	c->stats->interrupts++;
	c->stats->strays++;
	lapic_eoi();
}

static _Noreturn void kernel_fault(const struct regs *r)
{
	panic_regs(r, "exception %lu in the kernel, error 0x%lx, address 0x%lx", r->vector,
		   r->error, read_cr2());
}

static void kernel_exception(struct regs *r)
{
	uint64_t begin = (uint64_t)copy_begin, end = (uint64_t)copy_end;

	if ((r->vector == EXO_TRAP_PAGE_FAULT || r->vector == 13) && r->rip >= begin &&
	    r->rip < end) {
		r->rip = (uint64_t)copy_failed;
		return;
	}
	if (!is_stray(r))
		kernel_fault(r);
	stray_end();
}

void interrupt_again(void)
{
	struct cpu *c = this_cpu();

	lapic_send(c->apic_id, c->vector_now);
}

static void interrupt(struct cpu *c, const struct regs *r)
{
	c->stats->interrupts++;
	c->vector_now = (unsigned)r->vector;
	switch (r->vector) {
	case VECTOR_SPURIOUS:           /* it has no end, unless it was sent by that number */
		c->stats->strays++;
		if (!lapic_in_service(VECTOR_SPURIOUS))
			return;
		break;
	case VECTOR_HALT:
		if (lapic_halt_wanted())
			halt_forever();
		c->stats->strays++;
		break;
	case VECTOR_TLB:
		tlb_answer();
		break;
	case VECTOR_KICK:
		c->resched = true;
		break;
	case VECTOR_TIMER:
		c->armed = 0;
		if (c->env)
			sched_timer(c);
		break;
	default:
		if (handlers[r->vector].handler)
			handlers[r->vector].handler(handlers[r->vector].context);
		else
			c->stats->strays++;
	}
	lapic_eoi();
}

/*
 * An interrupt of the idle loop, or of a long call that lets them in.  The end of a slot is seen to
 * when the call returns; where it does not, the timer, which was that, comes again.
 */
static void interrupt_kernel(struct cpu *c, const struct regs *r)
{
	latency_begin(c, r->vector);
	__atomic_store_n(&c->idle, false, __ATOMIC_SEQ_CST);
	interrupt(c, r);
	if (r->vector == VECTOR_TIMER && c->env && read_tsc() >= c->slot_end)
		c->resched = c->again = true;
	latency_end(c);
}

/*
 * The timer is set anew only when interrupts are off again: on a machine where one takes longer
 * than the timer waits, the next would be there before the call has gone one step further.
 */
void interrupts_window(void)
{
	struct cpu *c = this_cpu();
	uint64_t cause = c->cause;

	if (!c->open)
		return;
	latency_end(c);
	let_interrupts();
	latency_begin(c, cause);
	if (c->again) {
		c->again = false;
		lapic_arm(read_tsc() + machine->tsc_hz / AGAIN_PART);
	}
}

void trap(struct regs *r)
{
	bool user = r->cs & 3;

	if (r->vector >= VECTOR_DEVICE_FIRST && r->vector < 256 && r->vector != EXO_TRAP_INT80) {
		if (!user) {
			interrupt_kernel(this_cpu(), r);
			return;
		}
		interrupt(this_cpu(), r);
		sched_interrupt(r);
		return;
	}
	if (r->error == (uint64_t)ERROR_BARE ||
	    (user && r->vector >= VECTOR_SENT_FIRST && is_stray(r)))
		stray_end();
	else if (!user)
		kernel_exception(r);
	else if (r->vector == VECTOR_NO_DEVICE)
		vectors_load(this_cpu());
	else
		fault_deliver(r);
}

void trap_alone(struct regs *r)
{
	if (r->vector == 2 || r->vector == 1)
		return;
	if (!is_stray(r))
		kernel_fault(r);
	lapic_eoi();
}
