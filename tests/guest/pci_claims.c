/* SPDX-License-Identifier: MIT */
/*
 * pci_claims.c - PCI claims: what their holder may map, write, bind and give, and what never.
 */
#include <base/util.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>

#include "card.h"
#include "edu.h"
#include "peer.h"

#define SECOND 1000000000ull

static struct edu edu;
static struct exos_pci card;

/* Map one page of registers by the claim, and unmap it: the call's answer. */
static int64_t map_try(exo_slot claim, uint64_t pfn, uint32_t prot)
{
	int err = 0;
	void *at = exos_space_window(claim, pfn, 1, prot, &err);

	if (at)
		exos_space_window_end(at, 1);
	return err;
}

EXO_TEST(pci_registers_are_mapped_and_no_other_page, PCI)
{
	const struct exo_pci_bar *bar;
	uint64_t lo, hi;

	must(edu_open(&edu, false));
	bar = &edu.pci.info->bar[0];
	lo = bar->pa >> EXO_PAGE_SHIFT;
	hi = (bar->pa + bar->bytes) >> EXO_PAGE_SHIFT;
	expect_eq(edu.regs[0] & 0xff, 0xed);
	expect_eq(map_try(edu.pci.claim, lo, GUEST_RW), 0);
	expect_eq(map_try(edu.pci.claim, hi - 1, EXO_R_READ), 0);
	expect_error(map_try(edu.pci.claim, lo - 1, EXO_R_READ), RANGE);
	expect_error(map_try(edu.pci.claim, hi, EXO_R_READ), RANGE);
	expect_error(map_try(edu.pci.claim, 0xfee00, EXO_R_READ), RANGE);
	expect_error(map_try(edu.pci.claim, 0xfec00, EXO_R_READ), RANGE);
	expect_error(map_try(edu.pci.claim, 0xfed90, EXO_R_READ), RANGE);
	expect_error(map_try(edu.pci.claim, 0x100, EXO_R_READ), RANGE);
	expect_error(map_try(edu.pci.claim, ~0ull >> 12, EXO_R_READ), RANGE);
	expect_error(map_try(edu.pci.claim, lo, EXO_R_READ | EXO_R_EXEC), RIGHTS);
	expect_refused(map_try(edu.pci.claim, lo & ~511ull, EXO_R_READ | EXO_SIZE_2M));
	edu_close(&edu);
}

/* Every other field of configuration space, in every size. */
EXO_TEST(pci_configuration_is_written_by_a_list_of_fields, PCI)
{
	uint32_t before[64];
	int64_t got;

	must(edu_open(&edu, false));
	for (unsigned i = 0; i < ARRAY_LEN(before); i++)
		before[i] = exos_pci_read(&edu.pci, 4 * i, 4);
	expect_eq(before[0], 0x11e81234);
	expect_eq(exos_pci_read(&edu.pci, 2, 2), 0x11e8);
	expect_eq(exos_pci_read(&edu.pci, 1, 1), 0x12);
	for (unsigned size = 1; size <= 4; size *= 2)
		for (unsigned off = 0; off < 4096; off += size) {
			if (size == 2 && (off == 4 || off == 6))
				continue;
			got = exo_pci_config(edu.pci.claim, off, size | EXO_PCI_WRITE, ~0u);
			if (got != -EXO_E_RIGHTS)
				guest_fail("%u bytes at 0x%x: %ld", size, off, got);
		}
	for (unsigned i = 0; i < ARRAY_LEN(before); i++)
		expect_eq(exos_pci_read(&edu.pci, 4 * i, 4), before[i]);
	expect_error(exo_pci_config(edu.pci.claim, 4096, 1, 0), RANGE);
	expect_error(exo_pci_config(edu.pci.claim, ~0ull - 3, 4, 0), RANGE);
	expect_error(exo_pci_config(edu.pci.claim, 1, 2, 0), ARG);
	expect_error(exo_pci_config(edu.pci.claim, 0, 3, 0), ARG);
	expect_error(exo_pci_config(edu.pci.claim, 0, 8, 0), ARG);
	/* INTx stays off, special cycles and the like are not on the list. */
	for (unsigned bit = 3; bit < 16; bit++)
		expect_error(exos_pci_command(&edu.pci, 1u << bit), ARG);
	expect_eq(exos_pci_command(&edu.pci, EXO_PCI_COMMAND_MEMORY), 0);
	expect_eq(exos_pci_read(&edu.pci, 4, 2) & 0x407, 0x402);
	expect_eq(exo_pci_config(edu.pci.claim, 6, 2 | EXO_PCI_WRITE, 0xffff), 0);
	edu_close(&edu);
}

EXO_TEST(pci_without_iommu_has_no_dma, PCI)
{
	exo_slot space;
	struct guest_frames f;

	must(edu_open(&edu, false));
	if (edu.pci.info->flags & (EXO_PCI_DMA | EXO_PCI_UNSAFE))
		guest_skip("this machine has an IOMMU, or dma=unsafe");
	must_eq(guest_frames_make(&f, EXO_FRAMES_PT), 0);
	must((space = guest_retype(f.slot, f.lo, EXO_KIND_SPACE, EXO_SPACE_DEVICE)) != 0);
	expect_error(exos_pci_command(&edu.pci, EXO_PCI_COMMAND_MASTER), ABSENT);
	expect_error(exo_pci_bind(edu.pci.claim, space, 0), ABSENT);
	expect_error(exos_pci_dma_start(&edu.pci, 0), ABSENT);
	expect_eq(exos_pci_read(&edu.pci, 4, 2) & EXO_PCI_COMMAND_MASTER, 0);
	edu_close(&edu);
	exos_cap_end(space);
	guest_frames_end(&f);
}

EXO_TEST(pci_dma_unsafe_reaches_memory, PCI)
{
	struct edu_page page;
	uint64_t at;

	must(edu_open(&edu, false));
	if (!(edu.pci.info->flags & EXO_PCI_UNSAFE))
		guest_skip("not dma=unsafe");
	must_eq(exos_pci_dma_start(&edu.pci, 0), 0);
	must(edu_page_make(&page, 0x77));
	must_eq(exos_pci_dma_map(&edu.pci, page.frames.slot, page.frames.lo, 1, GUEST_RW, &at), 0);
	edu_read(&edu, at, EDU_BYTES);
	page.words[0] = page.words[255] = 0;
	edu_write(&edu, at, EDU_BYTES);
	expect_eq(edu_page_wrong(&page, 0x77), 0);
	edu_close(&edu);
	edu_page_end(&page);
}

EXO_TEST(pci_domains_are_checked, PCI)
{
	struct guest_frames f;
	exo_slot guest, own = exos_space_own.slot;
	struct exo_map_op op;

	must(edu_open(&edu, true));
	must_eq(guest_frames_make(&f, EXO_FRAMES_PT), 0);
	must((guest = guest_retype(f.slot, f.lo, EXO_KIND_SPACE, EXO_SPACE_GUEST)) != 0);
	expect_error(exo_pci_bind(edu.pci.claim, edu.pci.domain.slot, 0), BUSY);
	expect_error(exo_pci_bind(edu.pci.claim, guest, 0), KIND);
	expect_error(exo_pci_bind(edu.pci.claim, own, 0), KIND);
	expect_error(exo_pci_bind(edu.pci.claim, f.slot, 0), KIND);
	expect_error(exo_pci_bind(edu.pci.claim, 0, EXO_EVENTS), RANGE);
	expect_error(exo_pci_bind(own, edu.pci.domain.slot, 0), KIND);
	expect_error(exo_pci_bind(~0ull, edu.pci.domain.slot, 0), STALE);
	/* Only frames are for devices: no registers, no page shared with the kernel. */
	op = (struct exo_map_op){ .op = EXO_MAP, .slot = edu.pci.claim, .pages = 1, .va = 0x1000,
				  .pfn = edu.pci.info->bar[0].pa >> EXO_PAGE_SHIFT,
				  .prot = GUEST_RW };
	expect_error(exos_space_update(&edu.pci.domain, &op, 1), KIND);
	op.slot = guest_claim("env");
	op.pfn = exos_cap_look(op.slot)->lo + 1;
	expect_error(exos_space_update(&edu.pci.domain, &op, 1), KIND);
	/* Detached, and bound again. */
	expect_eq(exo_pci_bind(edu.pci.claim, 0, 0), 0);
	expect_eq(exos_pci_read(&edu.pci, 4, 2) & EXO_PCI_COMMAND_MASTER, 0);
	expect_error(exos_pci_command(&edu.pci, EXO_PCI_COMMAND_MASTER), NOTABLE);
	expect_eq(exo_pci_bind(edu.pci.claim, edu.pci.domain.slot, edu.event), 0);
	expect_eq(exos_pci_command(&edu.pci, EXO_PCI_COMMAND_MASTER | EXO_PCI_COMMAND_MEMORY), 0);
	edu_close(&edu);
	exos_cap_end(guest);
	guest_frames_end(&f);
}

EXO_TEST(pci_claims_are_used_by_one_at_a_time, PCI)
{
	exo_slot child;
	exo_sid sid = guest_sid();
	uint64_t lo;

	must(edu_open(&edu, false));
	lo = edu.pci.info->bar[0].pa >> EXO_PAGE_SHIFT;
	/* Used: it is reset before it is given. */
	expect_error(exo_cap_narrow(edu.pci.claim, sid, 0, 0, EXO_R_MAP), MAPPED);
	exos_pci_unmap(edu.regs, EXO_PAGE_SIZE);
	expect_error(exo_cap_narrow(edu.pci.claim, sid, 0, 0, EXO_R_MAP), MAPPED);
	expect_eq(exos_pci_reset(&edu.pci), 0);
	expect_error(exo_cap_narrow(edu.pci.claim, sid, 0, 0, EXO_R_MAP | EXO_SHARE), ARG);
	expect_error(exo_cap_narrow(edu.pci.claim, sid, 0, 1, EXO_R_MAP), ARG);
	expect_error(exo_cap_narrow(edu.pci.claim, sid, 0, 0, EXO_R_READ), RIGHTS);
	must_eq(exos_cap_narrow(edu.pci.claim, 0, 0, EXO_R_MAP, &child), 0);
	/* The parent can only revoke now; the child has no more than it was given. */
	expect_error(map_try(edu.pci.claim, lo, EXO_R_READ), SPLIT);
	expect_error(exos_pci_command(&edu.pci, 0), SPLIT);
	expect_error(exo_pci_reset(edu.pci.claim), SPLIT);
	expect_error(exo_pci_bind(edu.pci.claim, 0, 0), SPLIT);
	expect_error(exo_pci_vector(edu.pci.claim, 0, 0), SPLIT);
	expect_error(exo_cap_narrow(edu.pci.claim, sid, 0, 0, EXO_R_MAP), SPLIT);
	expect_eq(map_try(child, lo, EXO_R_READ), 0);
	expect_error(exo_pci_config(child, 4, 2 | EXO_PCI_WRITE, 0), RIGHTS);
	expect_error(exo_pci_reset(child), RIGHTS);
	expect_eq(exo_pci_config(child, 0, 2, 0), 0x1234);
	expect_eq(exos_cap_revoke(edu.pci.claim), 0);
	expect(!exos_cap_look(child));
	expect_eq(map_try(edu.pci.claim, lo, EXO_R_READ), 0);
	expect_eq(exos_pci_reset(&edu.pci), 0);
	exos_event_free(edu.event);
}

/* A holder's domain, vectors, mappings and mastering go with its claim. */
EXO_TEST(pci_revocation_takes_everything, PCI)
{
	struct edu_page page;
	exo_slot child, parent;
	uint64_t at;

	must(edu_open(&edu, true));
	parent = edu.pci.claim;
	exos_pci_unmap(edu.regs, EXO_PAGE_SIZE);
	must_eq(exos_pci_reset(&edu.pci), 0);
	must_eq(exos_cap_narrow(parent, 0, 0, EXO_R_MAP | EXO_R_CONTROL, &child), 0);
	edu.pci.claim = child;
	edu.regs = exos_pci_map(&edu.pci, 0, 0, EXO_PAGE_SIZE, NULL);
	must(edu.regs != NULL && edu_page_make(&page, 0x55));
	must_eq(exos_pci_dma_start(&edu.pci, edu.event), 0);
	must_eq(exos_pci_dma_map(&edu.pci, page.frames.slot, page.frames.lo, 1, GUEST_RW, &at), 0);
	edu_write(&edu, at, EDU_BYTES);
	expect(edu_page_wrong(&page, 0x55) != 0);
	expect(exos_space_entry((uint64_t)edu.regs, NULL) != 0);
	must_eq(exos_cap_revoke(parent), 0);
	expect_eq(exos_space_entry((uint64_t)edu.regs, NULL), 0);
	expect_eq(edu.pci.info->domain, 0);
	edu.pci.claim = parent;
	expect_eq(exos_pci_read(&edu.pci, 4, 2) & EXO_PCI_COMMAND_MASTER, 0);
	edu.regs = exos_pci_map(&edu.pci, 0, 0, EXO_PAGE_SIZE, NULL);
	must(edu.regs != NULL);
	edu_close(&edu);
	edu_page_end(&page);
}

EXO_TEST(pci_msix_pages_are_never_mapped, PCI)
{
	volatile uint32_t *regs = card_open(&card, false);
	const struct exo_pci_bar *bar;
	uint64_t first, refused = 0;

	must(regs != NULL);
	bar = &card.info->bar[card.info->table_bar];
	expect_eq(card.info->vectors, 5);
	expect_eq(card.info->table_pages, 1);
	must(bar->bytes >= 2 * EXO_PAGE_SIZE);
	first = bar->pa >> EXO_PAGE_SHIFT;
	for (uint64_t i = 0; i < bar->bytes >> EXO_PAGE_SHIFT; i++)
		refused += map_try(card.claim, first + i, EXO_R_READ) == -EXO_E_RANGE;
	expect_eq(refused, 2);          /* the table's page and that of the pending bits */
	expect_error(map_try(card.claim, first + card.info->table_page, EXO_R_READ), RANGE);
	exos_pci_unmap(regs, CARD_REGS_BYTES);
	expect_eq(exos_pci_close(&card), 0);
}

static bool interrupts_reach(uint64_t count)
{
	uint64_t end = exos_deadline(2 * SECOND);

	while (card.info->interrupts < count && exos_tsc() < end)
		exo_env_yield(0);
	return card.info->interrupts >= count;
}

EXO_TEST(pci_vectors_come_as_events, PCI)
{
	volatile uint32_t *regs = card_open(&card, true);
	uint32_t event = exos_event_alloc(), second = exos_event_alloc();
	uint64_t before;

	must(regs != NULL);
	must_eq(exos_pci_dma_start(&card, 0), 0);
	expect_error(exos_pci_vector(&card, card.info->vectors, event), RANGE);
	expect_error(exos_pci_vector(&card, 1, EXO_EVENTS), RANGE);
	expect_error(exos_pci_ack(&card, 1), ARG);
	must_eq(exos_pci_vector(&card, 1, event), 0);
	expect_error(exos_pci_vector(&card, 1, second), BUSY);
	expect_error(exos_pci_vector(&card, 2, event), ROOM);
	expect_error(exos_pci_command(&card, 0), BUSY);
	card_route(regs);
	before = card.info->interrupts;
	for (unsigned i = 0; i < 5; i++) {
		card_raise(regs);
		expect(exos_event_wait(event, exos_deadline(2 * SECOND)) > 0);
		expect_eq(exos_pci_ack(&card, 1), 0);
	}
	expect(card.info->interrupts >= before + 5);
	/* The card may send one twice. */
	do {
		guest_pause_ms(20);
		expect_eq(exos_pci_ack(&card, 1), 0);
	} while (exos_event_take(event));
	/* Not acknowledged: the first posts, the second is kept and masks, no other is taken. */
	before = card.info->interrupts;
	for (unsigned i = 1; i <= 2; i++) {     /* messages under way at once are one */
		card_raise(regs);
		expect(interrupts_reach(before + i));
	}
	guest_pause_ms(20);
	before = card.info->interrupts;
	for (unsigned i = 0; i < 10; i++)
		card_raise(regs);
	guest_pause_ms(20);
	expect_eq(card.info->interrupts, before);
	expect_eq(exos_event_take(event), 1);
	expect_eq(exos_pci_ack(&card, 1), 0);
	expect(exos_event_wait(event, exos_deadline(2 * SECOND)) > 0);
	/* Masked by unbinding, and by nobody else: nothing more is posted. */
	expect_eq(exos_pci_vector(&card, 1, 0), 0);
	guest_pause_ms(20);
	exos_event_take(event);
	card_raise(regs);
	guest_pause_ms(20);
	expect_eq(exos_event_take(event), 0);
	/* Bound anew to another event. */
	must_eq(exos_pci_vector(&card, 1, second), 0);
	card_raise(regs);
	expect(exos_event_wait(second, exos_deadline(2 * SECOND)) > 0);
	exos_pci_unmap(regs, CARD_REGS_BYTES);
	expect_eq(exos_pci_close(&card), 0);
	expect_error(exos_pci_ack(&card, 1), ARG);
}

EXO_TEST(pci_functions_reset_themselves, PCI)
{
	const struct exo_pci_info *info = exos_machine_at(exos_machine()->pcis_off);
	const struct exos_grant *g;
	uint32_t bar;
	uint64_t begin;

	for (unsigned n = 0; (g = exos_grant("pci", n)); n++)
		if (info[g->unit].flags & EXO_PCI_RESET_FLR)
			break;
	if (!g)
		guest_skip("no function with a reset of its own");
	must_eq(exos_pci_open(&card, g->slot), 0);
	bar = exos_pci_read(&card, 0x10, 4);
	must_eq(exos_pci_command(&card, EXO_PCI_COMMAND_MEMORY), 0);
	begin = exos_tsc();
	expect_eq(exo_pci_reset(card.claim), EXO_MORE);
	expect_error(exos_pci_command(&card, EXO_PCI_COMMAND_MEMORY), BUSY);
	expect_eq(exos_pci_reset(&card), 0);
	expect(exos_tsc_to_ns(exos_tsc() - begin) >= SECOND / 10);
	expect_eq(exos_pci_read(&card, 0x10, 4), bar);
	expect_eq(exos_pci_read(&card, 4, 2) & 0x407, 0x402);
}

/* The device is as it was for the next: nobody has it, and it works. */
EXO_TEST(pci_functions_of_the_ended_are_free, PCI)
{
	volatile uint32_t *regs = card_open(&card, true);
	uint32_t event = exos_event_alloc();

	must(regs != NULL);
	expect_eq(card.info->domain, 0);
	expect_eq(card.info->holder, 0);
	expect_eq(exos_pci_read(&card, 4, 2) & EXO_PCI_COMMAND_MASTER, 0);
	must(card_start(&card, regs, event));
	card_raise(regs);
	expect(exos_event_wait(event, exos_deadline(2 * SECOND)) > 0);
	exos_pci_unmap(regs, CARD_REGS_BYTES);
	expect_eq(exos_pci_close(&card), 0);
}

/* Ends with registers mapped, a domain, mastering and a vector: the suite sees what is left. */
EXO_TEST(pci_holders_may_end_at_any_time, PCI)
{
	static struct edu_page page;
	volatile uint32_t *regs = card_open(&card, true);
	uint64_t at;

	must(regs != NULL);
	must_eq(exos_pci_dma_start(&card, exos_event_alloc()), 0);
	must_eq(exos_pci_vector(&card, 1, exos_event_alloc()), 0);
	card_route(regs);
	card_raise(regs);
	must(edu_page_make(&page, 1));
	expect_eq(exos_pci_dma_map(&card, page.frames.slot, page.frames.lo, 1, GUEST_RW, &at), 0);
	card_raise(regs);
}
