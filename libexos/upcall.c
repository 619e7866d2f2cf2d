/* SPDX-License-Identifier: MIT */
/*
 * upcall.c - what happens behind the entries of upcall_entry.S: one handler a vector.
 *
 * Invariant: a context is resumed only after its handler said so; a fault that nobody handles
 * ends the program with words that name it.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/lock.h>
#include <exos/pager.h>
#include <exos/upcall.h>

extern char exos_entry_fault[], exos_entry_slice[], exos_entry_event[], exos_entry_double[];
extern char exos_window_lo[], exos_window_hi[];
extern char exos_upcall_stack_end[], exos_double_stack_end[];

void exos_upcall_fault(struct exo_context *context);
void exos_upcall_slice_begin(struct exo_context *context);
void exos_upcall_event_came(struct exo_context *context);
_Noreturn void exos_upcall_double(struct exo_context *context);
_Noreturn void exos_context_load(uint64_t rsp);

#define VECTORS 34u     /* 32 exceptions, int 0x80, foreign calls */
static struct {
	exos_fault_handler *handler;
	void *argument;
} handlers[VECTORS];
static exos_slice_handler *slice_handler, *event_handler;

static unsigned vector_index(uint64_t vector)
{
	if (vector < 32)
		return (unsigned)vector;
	if (vector == EXO_TRAP_INT80)
		return 32;
	return vector == EXO_TRAP_FOREIGN ? 33 : VECTORS;
}

int exos_upcall_handle(uint64_t vector, exos_fault_handler *handler, void *argument)
{
	unsigned i = vector_index(vector);

	if (i == VECTORS)
		return -EXO_E_ARG;
	exos_switch_off();
	handlers[i].handler = handler;
	handlers[i].argument = argument;
	exos_switch_on();
	return 0;
}

static const char *vector_text(uint64_t vector)
{
	static const char *const text[] = {
		[0] = "divide error", [1] = "debug trap", [3] = "breakpoint", [4] = "overflow",
		[5] = "bound exceeded", [6] = "invalid instruction", [7] = "no FPU",
		[11] = "segment not present", [12] = "stack fault", [13] = "protection fault",
		[14] = "page fault", [16] = "FPU error", [17] = "misaligned access",
		[19] = "SIMD error",
	};

	if (vector == EXO_TRAP_INT80)
		return "int 0x80";
	if (vector == EXO_TRAP_FOREIGN)
		return "call with a number that is not exo's";
	return vector < ARRAY_LEN(text) && text[vector] ? text[vector] : "fault";
}

/* What lies at an address, in words. */
static const char *address_text(uint64_t va, uint64_t error)
{
	const struct exos_region *r = exos_region_find(va);

	if (r)
		return r->name ? r->name : "a region without a name";
	if (error & EXOS_FAULT_PRESENT)
		return "a page whose rights forbid it";
	return "in no region";
}

static void fault_address(const struct exo_context *c)
{
	const char *act = c->error & EXOS_FAULT_FETCH ? "execute" :
			  c->error & EXOS_FAULT_WRITE ? "write" : "read";

	printf("  cannot %s 0x%lx: %s\n", act, (unsigned long)c->cr2,
	       address_text(c->cr2, c->error));
}

_Noreturn void exos_fault_end(const char *what, const struct exo_context *c, int error)
{
	printf("%s: %s at rip 0x%lx", what, vector_text(c->vector), (unsigned long)c->rip);
	if (error)
		printf(": %s", exo_error_text(error));
	printf("\n");
	if (c->vector == EXO_TRAP_PAGE_FAULT)
		fault_address(c);
	printf("  rax %016lx rcx %016lx rdx %016lx rsp %016lx\n", (unsigned long)c->rax,
	       (unsigned long)c->rcx, (unsigned long)c->rdx, (unsigned long)c->rsp);
	exos_exit(EXOS_EXIT_FAULT);
}

void exos_upcall_fault(struct exo_context *c)
{
	unsigned i;
	int err = -EXO_E_ABSENT;

	if (c->vector == EXO_TRAP_PAGE_FAULT && !handlers[EXO_TRAP_PAGE_FAULT].handler &&
	    core_fault_quick(c))
		return;
	i = vector_index(c->vector);
	if (i < VECTORS && handlers[i].handler)
		err = handlers[i].handler(c, handlers[i].argument);
	else if (c->vector == EXO_TRAP_PAGE_FAULT && !exos_local()->worker)
		err = exos_pager_handle(c, NULL);
	if (err < 0)
		exos_fault_end("fault", c, err == -EXO_E_ABSENT ? 0 : err);
}

void exos_upcall_slice_begin(struct exo_context *c)
{
	if (slice_handler)
		slice_handler(c);
}

void exos_upcall_event_came(struct exo_context *c)
{
	if (event_handler)
		event_handler(c);
}

/* The page is already full of another fault's state: say what is known and end. */
_Noreturn void exos_upcall_double(struct exo_context *c)
{
	static int again;

	if (__atomic_exchange_n(&again, 1, __ATOMIC_ACQ_REL))
		exos_exit(EXOS_EXIT_FAULT);
	exos_fault_end("fault within a fault handler", c, 0);
}

void exos_upcall_slice(exos_slice_handler *handler)
{
	slice_handler = handler;
	exos_page()->slice_rip = handler ? (uintptr_t)exos_entry_slice : 0;
}

void exos_upcall_event(exos_slice_handler *handler)
{
	event_handler = handler;
	exos_page()->event_rip = handler ? (uintptr_t)exos_entry_event : 0;
}

_Noreturn void exos_context_resume(const struct exo_context *context)
{
	struct exo_env_page *page = exos_page();

	/* From here on nothing but a fault writes the area. */
	*(volatile uint32_t *)&page->upcalls_off = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	page->area[EXO_AREA_UPCALL] = *context;
	exos_context_load(page->upcall_rsp);
}

void exos_upcall_setup(struct exo_env_page *page)
{
	page->fault_rip = (uintptr_t)exos_entry_fault;
	page->double_rip = (uintptr_t)exos_entry_double;
	page->slice_rip = 0;
	page->event_rip = 0;
	page->upcall_rsp = (uintptr_t)exos_upcall_stack_end;
	page->double_rsp = (uintptr_t)exos_double_stack_end;
	page->resume_lo = (uintptr_t)exos_window_lo;
	page->resume_hi = (uintptr_t)exos_window_hi;
}
