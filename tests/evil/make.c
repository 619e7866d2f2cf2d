/* SPDX-License-Identifier: MIT */
/*
 * make.c - rightful arguments of the calls on virtual processors, device functions and programs,
 * and of asking for claims.
 *
 * Invariant: as in table.c, what is made hangs on the claims of the world, so that evil_clear ends
 * it; frames from evil.frames.lo + SPACES on are for the spaces made here.
 */
#include <base/util.h>
#include <exo/machine.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/slot.h>
#include <exos/start.h>
#include "evil.h"
#include "guest/prog.h"

#define SPACES 112u
#define DEADLINE_FAR (1ull << 62)

static const struct exo_insn yes[] = { I_MOV(0, 1), I_EXIT };
static const struct exo_insn endless[] = { I_MOV(0, 1), I_MOV(0, 2) };

static exo_slot space_for(enum exo_space_use use)
{
	return guest_retype(evil.frames.slot, evil.frames.lo + SPACES, EXO_KIND_SPACE, use);
}

/* A piece of what was derived from it is asked for. */
bool make_ask(uint64_t *a)
{
	const struct exo_cap *c;

	a[0] = evil_fresh(EXO_KIND_FRAME, GUEST_R_FRAMES);
	a[1] = DEADLINE_FAR;
	a[2] = 0;
	c = exos_cap_look(a[0]);
	return c && guest_narrow(a[0], c->lo, c->lo + 1, EXO_R_READ);
}

bool make_vcpu_bind(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_VCPU, EXO_R_CONTROL);
	if (!a[0])
		return false;
	a[1] = space_for(EXO_SPACE_GUEST);
	return a[1] != 0;
}

/* With a state that no processor enters: it says so at once. */
bool make_vcpu_run(uint64_t *a)
{
	uint64_t bind[2];

	if (!make_vcpu_bind(bind) || exo_vcpu_bind(bind[0], bind[1]))
		return false;
	a[0] = evil_fresh(EXO_KIND_VCPU, EXO_R_RUN);
	a[1] = exos_page()->event_head;
	return a[0] != 0;
}

const struct exo_pci_info *evil_function(exo_slot claim)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_cap *c = exos_cap_look(claim);
	const struct exo_pci_info *info = exos_machine_at(m->pcis_off);

	return c && c->kind == EXO_KIND_PCI && c->unit < m->pcis ? &info[c->unit] : NULL;
}

static bool function_can(uint32_t flags)
{
	const struct exo_pci_info *f = evil_function(evil.claim[EXO_KIND_PCI]);

	return f && (f->flags & flags);
}

/* Its registers are to answer: they do already. */
bool make_pci_config(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_PCI, EXO_R_CONTROL);
	a[1] = 4;
	a[2] = 2 | EXO_PCI_WRITE;
	a[3] = EXO_PCI_COMMAND_MEMORY;
	return a[0] != 0;
}

bool make_pci_bind(uint64_t *a)
{
	if (!function_can(EXO_PCI_DMA))
		return false;
	a[0] = evil_fresh(EXO_KIND_PCI, EXO_R_CONTROL);
	a[1] = space_for(EXO_SPACE_DEVICE);
	a[2] = EVIL_ENTRY;
	return a[0] && a[1];
}

bool make_pci_vector(uint64_t *a)
{
	if (!function_can(EXO_PCI_IRQ_SAFE | EXO_PCI_UNSAFE) ||
	    evil_function(evil.claim[EXO_KIND_PCI])->vectors < 2)
		return false;
	a[0] = evil_fresh(EXO_KIND_PCI, EXO_R_CONTROL);
	a[1] = 0;
	a[2] = EVIL_ENTRY;
	return a[0] != 0;
}

bool make_pci_ack(uint64_t *a)
{
	return make_pci_vector(a) && exo_pci_vector(a[0], 0, EVIL_ENTRY) == 0;
}

bool make_pci_reset(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_PCI, EXO_R_CONTROL);
	return a[0] != 0;
}

bool make_prog_load(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_PROG, EXO_R_CONTROL);
	a[1] = (uint64_t)yes;
	a[2] = ARRAY_LEN(yes);
	return a[0] != 0;
}

/* The world's program, loaded; a claim to bind it. */
static exo_slot loaded(void)
{
	if (guest_prog_load(evil.claim[EXO_KIND_PROG], yes, ARRAY_LEN(yes)))
		return 0;
	return evil_fresh(EXO_KIND_PROG, EXO_R_CALL);
}

bool make_nic_prog(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_NIC, GUEST_RW);
	if (!a[0])
		return false;
	a[1] = loaded();
	return a[1] != 0;
}

/* A predicate that always holds. */
bool make_wait_until(uint64_t *a)
{
	exo_slot prog = loaded();

	a[0] = 0;
	return prog && exo_env_control(guest_claim("env"), EXO_ENV_PREDICATE, prog, 0) == 0;
}

/* --- what is wrong with claims of the right kind --- */

/* A call by its number, counted as one of the tables'. */
static int64_t call(uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t a[EVIL_ARGS] = { a0, a1, a2, a3 };

	for (unsigned i = 0; i < evil_call_count; i++)
		if (evil_calls[i].number == number)
			return evil_call(&evil_calls[i], a);
	return -EXO_E_NOCALL;
}

/* A space is for environments, for guests or for devices. */
EXO_TEST(evil_spaces_for_another_use, ALL)
{
	exo_slot guest, vcpu, own = guest_claim("space"), pci;

	must(evil_make());
	vcpu = evil.claim[EXO_KIND_VCPU];
	pci = evil.claim[EXO_KIND_PCI];
	must((guest = space_for(EXO_SPACE_GUEST)) != 0);
	expect_error(exo_env_control(evil.claim[EXO_KIND_ENV], EXO_ENV_SPACE, guest, 0), KIND);
	if (vcpu) {
		expect_error(call(EXO_CALL_vcpu_run, vcpu, 0, 0, 0), NOTABLE);
		expect_error(call(EXO_CALL_vcpu_bind, vcpu, own, 0, 0), KIND);
		expect_eq(call(EXO_CALL_vcpu_bind, vcpu, guest, 0, 0), 0);
	} else {
		printf("evil: no VCPUs on this machine\n");
	}
	if (pci) {
		expect_error(call(EXO_CALL_pci_bind, pci, guest, 0, 0), KIND);
		expect_error(call(EXO_CALL_pci_bind, pci, own, 0, 0), KIND);
	} else {
		printf("evil: no device functions on this machine\n");
	}
	expect_eq(exos_cap_drop(guest), 0);
	if (vcpu)
		expect_error(call(EXO_CALL_vcpu_run, vcpu, 0, 0, 0), NOTABLE);
	evil_end();
}

/* Map its first register page; what is refused first is the function's state. */
static int64_t map_register(exo_slot pci)
{
	struct exo_map_op op = { .slot = pci, .op = EXO_MAP, .pages = 1, .prot = EXO_R_READ };

	op.pfn = evil_function(pci)->bar[0].pa >> EXO_PAGE_SHIFT;
	return exo_space_update(evil.claim[EXO_KIND_SPACE], (uint64_t)&op, 1);
}

/* Who gave a function on only revokes; while it is reset nobody does anything with it. */
static void given_on(exo_slot above)
{
	exo_slot pci = evil_fresh(EXO_KIND_PCI, EXO_R_ALL);
	unsigned calls = 0;

	must(pci != 0);
	expect_error(exo_cap_narrow(above, guest_sid(), 0, 0, EXO_R_CONTROL), SPLIT);
	expect_error(call(EXO_CALL_pci_config, above, 4, 2 | EXO_PCI_WRITE, 2), SPLIT);
	expect_error(call(EXO_CALL_pci_bind, above, 0, 0, 0), SPLIT);
	expect_error(call(EXO_CALL_pci_vector, above, 0, 0, 0), SPLIT);
	expect_eq(call(EXO_CALL_pci_ack, above, 0, 0, 0),
		  evil_function(above)->vectors ? -EXO_E_ARG : -EXO_E_RANGE);
	expect_error(call(EXO_CALL_pci_reset, above, 0, 0, 0), SPLIT);
	expect_eq(call(EXO_CALL_pci_config, pci, 4, 2 | EXO_PCI_WRITE, 2), 0);
	expect_error(exo_cap_narrow(pci, guest_sid(), 0, 0, EXO_R_CONTROL), MAPPED);
	expect_eq(call(EXO_CALL_pci_reset, pci, 0, 0, 0), EXO_MORE);
	expect_error(call(EXO_CALL_pci_config, pci, 4, 2 | EXO_PCI_WRITE, 2), BUSY);
	expect_error(call(EXO_CALL_pci_bind, pci, 0, 0, 0), BUSY);
	expect_error(call(EXO_CALL_pci_vector, pci, 0, 0, 0), BUSY);
	expect_error(map_register(pci), BUSY);
	for (; call(EXO_CALL_pci_reset, pci, 0, 0, 0) == EXO_MORE; calls++)
		continue;
	expect(calls > 0);
	expect_eq(call(EXO_CALL_pci_config, pci, 4, 2 | EXO_PCI_WRITE, 2), 0);
}

EXO_TEST(evil_functions_given_on_or_reset, ALL)
{
	const struct exo_pci_info *f;
	exo_slot pci, gone;

	must(evil_make());
	pci = evil.claim[EXO_KIND_PCI];
	f = evil_function(pci);
	if (!f) {
		evil_end();
		guest_skip("no device functions on this machine");
	}
	if (!(f->flags & EXO_PCI_UNSAFE))
		expect_eq(call(EXO_CALL_pci_config, pci, 4, 2 | EXO_PCI_WRITE, 6),
			  f->flags & EXO_PCI_DMA ? -EXO_E_NOTABLE : -EXO_E_ABSENT);
	given_on(pci);
	evil_clear();
	must((gone = evil_fresh(EXO_KIND_PCI, EXO_R_CONTROL)) != 0);
	expect_eq(exos_cap_revoke(pci), 0);
	expect_error(call(EXO_CALL_pci_reset, gone, 0, 0, 0), STALE);
	expect_eq(f->holder, 0);
	expect_eq(f->domain, 0);
	evil_end();
}

EXO_TEST(evil_programs_that_are_none, ALL)
{
	exo_slot prog, nic, env = guest_claim("env");
	int64_t n;

	must(evil_make());
	must((prog = evil.claim[EXO_KIND_PROG]) != 0);
	nic = evil.claim[EXO_KIND_NIC];
	do
		n = call(EXO_CALL_prog_load, prog, (uint64_t)endless, ARRAY_LEN(endless), 0);
	while (n == EXO_MORE);
	expect_error(n, PROGRAM);
	expect_error(call(EXO_CALL_env_wait_until, 1, 0, 0, 0), ABSENT);
	expect_error(call(EXO_CALL_env_control, env, EXO_ENV_PREDICATE, prog, 0), USE);
	if (nic)
		expect_error(call(EXO_CALL_nic_prog, nic, prog, 0, 0), USE);
	else
		printf("evil: no NIC on this machine\n");
	must_eq(guest_prog_load(prog, yes, ARRAY_LEN(yes)), 0);
	expect_error(call(EXO_CALL_prog_load, prog, (uint64_t)yes, ARRAY_LEN(yes), 0), BUSY);
	expect_eq(call(EXO_CALL_env_control, env, EXO_ENV_PREDICATE, prog, 0), 0);
	expect_error(call(EXO_CALL_env_control, env, EXO_ENV_PREDICATE, prog, 0), BUSY);
	if (nic) {
		exo_slot part = evil_fresh(EXO_KIND_NIC, GUEST_RW);

		expect_error(call(EXO_CALL_nic_prog, part, prog, 0, 0), BUSY);
		expect_error(call(EXO_CALL_nic_prog, nic, 0, 0, 0), SPLIT);
		expect_eq(call(EXO_CALL_nic_prog, part, 0, 0, 0), 0);
	}
	expect(call(EXO_CALL_env_wait_until, 1, 0, 0, 0) >= 0);
	expect_eq(call(EXO_CALL_env_control, env, EXO_ENV_PREDICATE, 0, 0), 0);
	expect_error(call(EXO_CALL_env_wait_until, 1, 0, 0, 0), ABSENT);
	evil_end();
}
