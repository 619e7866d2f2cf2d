/* SPDX-License-Identifier: MIT */
/*
 * pci_attack.c - devices told to do what their holder may not: each act is stopped, and shown to
 * work where it is allowed, so that the test would see it.
 */
#include <base/util.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>

#include "edu.h"
#include "peer.h"

#define OURS   0x1111111111111111ull    /* what the device writes */
#define THEIRS 0x2222222222222222ull
#define SECOND 1000000000ull

static struct edu edu;

/* A device with OURS in its buffer, which it has read from a page of the test's own. */
static bool armed(struct edu_page *own)
{
	uint64_t at;

	if (!edu_open(&edu, true) || !edu_page_make(own, OURS))
		return false;
	if (!expect_eq(exos_pci_dma_map(&edu.pci, own->frames.slot, own->frames.lo, 1, GUEST_RW,
					&at), 0))
		return false;
	edu_read(&edu, at, EDU_BYTES);
	return expect_eq(edu.pci.info->domain, edu.pci.root_pfn);
}

static void disarm(struct edu_page *own)
{
	edu_close(&edu);
	edu_page_end(own);
}

/* Is the fault the kernel tells of that of this access, and whose is it said to be? */
static void expect_fault(uint64_t before, uint64_t address, uint32_t kind)
{
	const struct exo_pci_info *info = edu.pci.info;

	expect(exos_event_wait(edu.event, exos_deadline(2 * SECOND)) > 0);
	expect(info->faults > before);
	expect_eq(info->fault_iova & ~0xfffull, address & ~0xfffull);
	expect_eq(info->fault & (EXO_PCI_FAULT_READ | EXO_PCI_FAULT_IRQ), kind);
	expect_eq(info->fault_holder, exo_slot_sid(edu.pci.claim));
}

EXO_TEST(pci_dma_to_a_neighbours_page_is_stopped, PCI)
{
	struct edu_page own, other;
	uint64_t address, before;

	must(armed(&own) && edu_page_make(&other, THEIRS));
	address = other.frames.lo << EXO_PAGE_SHIFT;
	before = edu.pci.info->faults;
	edu_write(&edu, address, EDU_BYTES);
	expect_eq(edu_page_wrong(&other, THEIRS), 0);
	expect_fault(before, address, 0);
	/* Nor is it read: a device that is stopped gets nothing of what is there. */
	before = edu.pci.info->faults;
	edu_read(&edu, address, EDU_BYTES);
	expect_fault(before, address, EXO_PCI_FAULT_READ);
	edu_write(&edu, own.frames.lo << EXO_PAGE_SHIFT, EDU_BYTES);
	expect(own.words[0] != THEIRS && own.words[255] != THEIRS);
	disarm(&own);
	edu_page_end(&other);
}

EXO_TEST(pci_dma_lands_where_the_domain_says, PCI)
{
	struct edu_page own, other;
	struct exo_map_op op;
	uint64_t before;

	must(armed(&own) && edu_page_make(&other, THEIRS));
	/* Another address than the frame's own. */
	op = (struct exo_map_op){ .op = EXO_MAP, .slot = other.frames.slot, .va = 0x12345000,
				  .pfn = other.frames.lo, .pages = 1, .prot = GUEST_RW };
	must_eq(exos_space_update(&edu.pci.domain, &op, 1), 0);
	edu_write(&edu, 0x12345000, EDU_BYTES);
	expect_eq(edu_page_wrong(&other, OURS), 0);
	/* Without the right to write the same is stopped, though the entry is in use. */
	other.words[7] = THEIRS;
	op.op = EXO_PROTECT;
	op.prot = EXO_R_READ;
	must_eq(exos_space_update(&edu.pci.domain, &op, 1), 0);
	before = edu.pci.info->faults;
	edu_write(&edu, 0x12345000, EDU_BYTES);
	expect_eq(other.words[7], THEIRS);
	expect_fault(before, 0x12345000, 0);
	edu_read(&edu, 0x12345000, EDU_BYTES);
	disarm(&own);
	edu_page_end(&other);
}

/*
 * The write before the revocation leaves the translation in the IOMMU's cache: without an
 * invalidation the one after it lands as well, on QEMU too (devices_flush in exo/dev/vtd.c made
 * empty: then this test fails).
 */
EXO_TEST(pci_dma_to_a_page_just_revoked_is_stopped, PCI)
{
	struct edu_page own, other;
	exo_slot part;
	uint64_t address, before;

	must(armed(&own) && edu_page_make(&other, THEIRS));
	part = guest_narrow(other.frames.slot, other.frames.lo, other.frames.hi,
			    EXO_SHARE | GUEST_RW);
	must(part != 0);
	must_eq(exos_pci_dma_map(&edu.pci, part, other.frames.lo, 1, GUEST_RW, &address), 0);
	edu_write(&edu, address, EDU_BYTES);
	expect_eq(edu_page_wrong(&other, OURS), 0);
	must_eq(exos_cap_revoke(other.frames.slot), 0);
	expect(!exos_cap_look(part));
	for (unsigned i = 0; i < 512; i++)
		other.words[i] = THEIRS;
	before = edu.pci.info->faults;
	edu_write(&edu, address, EDU_BYTES);
	expect_eq(edu_page_wrong(&other, THEIRS), 0);
	expect_fault(before, address, 0);
	disarm(&own);
	edu_page_end(&other);
}

/* The device is told to copy while it may; what it copies lands before the revocation, or never. */
EXO_TEST(pci_dma_under_way_does_not_land_after_a_revoke, PCI)
{
	struct edu_page own, other;
	exo_slot part;
	uint64_t address;

	for (unsigned round = 0; round < 6 && !guest_failures(); round++) {
		must(armed(&own) && edu_page_make(&other, THEIRS));
		part = guest_narrow(other.frames.slot, other.frames.lo, other.frames.hi,
				    EXO_SHARE | GUEST_RW);
		must(part != 0);
		must_eq(exos_pci_dma_map(&edu.pci, part, other.frames.lo, 1, GUEST_RW, &address),
			0);
		if (round % 2)          /* its translation is in the IOMMU's cache */
			edu_write(&edu, address, EDU_BYTES);
		edu_write_start(&edu, address, EDU_BYTES);
		guest_pause_ms(round * 15);
		must_eq(exos_cap_revoke(other.frames.slot), 0);
		for (unsigned i = 0; i < 512; i++)
			other.words[i] = THEIRS;
		edu_write_wait(&edu);
		expect_eq(edu_page_wrong(&other, THEIRS), 0);
		disarm(&own);
		edu_page_end(&other);
	}
}

EXO_TEST(pci_dma_ends_with_domain_table_and_space, PCI)
{
	struct edu_page own;
	uint64_t address;

	must(armed(&own));
	address = own.frames.lo << EXO_PAGE_SHIFT;
	/* Unmapped: nothing lands. */
	must_eq(exos_pci_dma_unmap(&edu.pci, address, 1), 0);
	own.words[3] = THEIRS;
	edu_write(&edu, address, EDU_BYTES);
	expect_eq(own.words[3], THEIRS);
	/* A table taken out of the tree: nothing lands. */
	must_eq(exos_pci_dma_map(&edu.pci, own.frames.slot, own.frames.lo, 1, GUEST_RW, &address),
		0);
	edu_write(&edu, address, EDU_BYTES);
	expect_eq(own.words[3], OURS);
	own.words[3] = THEIRS;
	must_eq(exos_space_update(&edu.pci.domain, &(struct exo_map_op){
		.op = EXO_UNLINK, .va = address, .prot = 1 }, 1), 0);
	edu_write(&edu, address, EDU_BYTES);
	expect_eq(own.words[3], THEIRS);
	/* The space ended: the function has no domain and may not be master. */
	must_eq(exos_cap_end(edu.pci.domain.slot), 0);
	expect_eq(edu.pci.info->domain, 0);
	expect_eq(exos_pci_read(&edu.pci, 4, 2) & EXO_PCI_COMMAND_MASTER, 0);
	expect_error(exos_pci_command(&edu.pci, EXO_PCI_COMMAND_MASTER | EXO_PCI_COMMAND_MEMORY),
		     NOTABLE);
	edu_write(&edu, address, EDU_BYTES);
	expect_eq(own.words[3], THEIRS);
	must_eq(exos_pci_reset(&edu.pci), 0);
	edu_page_end(&own);
}

/* Interrupts counted so far for lines that nobody has in use: 16 and above, and a few below. */
static uint64_t quiet_lines(void)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_irq_info *irq = exos_machine_at(m->irqs_off);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < m->irqs; i++)
		if (irq[i].gsi >= 16)
			sum += irq[i].count;
	return sum;
}

#define MESSAGES       0xfee00000ull
#define VECTOR_FIRST   0x30u    /* vectors of quiet lines are among these: the kernel counts them */
#define VECTOR_LAST    0x37u
#define ENTRY_FIRST    272u     /* of the remapping table: those of quiet lines */
#define ENTRY_LAST     279u

static struct edu_page sheet;
static uint64_t sheet_at;

/* A device that may do DMA, and a page for its messages. */
static bool messenger(void)
{
	if (!edu_open(&edu, false))
		return false;
	if (!(edu.pci.info->flags & (EXO_PCI_DMA | EXO_PCI_UNSAFE)))
		guest_skip("no IOMMU, and not dma=unsafe");
	return expect_eq(exos_pci_dma_start(&edu.pci, edu.event), 0) && edu_page_make(&sheet, 0) &&
	       expect_eq(exos_pci_dma_map(&edu.pci, sheet.frames.slot, sheet.frames.lo, 1,
					  GUEST_RW, &sheet_at), 0);
}

/* Have the device write `data` to an address for interrupt messages. */
static void message_send(uint64_t address, uint32_t data)
{
	sheet.words[0] = data;
	edu_read(&edu, sheet_at, 8);
	edu_write(&edu, address, 4);
}

/* Interrupts of quiet lines while the device sends messages that name their vectors. */
static uint64_t vectors_try(void)
{
	uint64_t before = quiet_lines();

	for (uint32_t v = VECTOR_FIRST; v <= VECTOR_LAST; v++)
		message_send(MESSAGES, v);
	return quiet_lines() - before;
}

/*
 * Messages that name entries of the remapping table which are not the device's.  That entries name
 * their one requester is shown by tests/host/vtd_test.c and, for messages by MSI-X, by
 * pci_vectors_come_as_events; but QEMU sends what a device writes by DMA without a requester, and
 * does not compare then.
 */
EXO_TEST(pci_dma_raises_no_interrupt_of_others, PCI)
{
	uint64_t before, raised;

	must(messenger());
	if (!(edu.pci.info->flags & EXO_PCI_IRQ_SAFE))
		guest_skip("no interrupt remapping on this machine");
	before = quiet_lines();
	for (uint32_t n = ENTRY_FIRST; n <= ENTRY_LAST; n++)
		message_send(MESSAGES | n << 5 | 1 << 4 | 1 << 3, 0);
	raised = quiet_lines() - before;
	disarm(&sheet);
	if (raised)
		guest_skip("this IOMMU does not compare who sends what is written by DMA");
}

/*
 * Messages in the format of before remapping.  The kernel sees to it that the unit is told to stop
 * them (it is not used else); QEMU up to 11 lets them through all the same.  Without an IOMMU, and
 * dma=unsafe, they do interrupt: there the test shows that it would see them.
 */
EXO_TEST(pci_dma_raises_no_interrupt_by_vector, PCI)
{
	uint64_t raised;

	must(messenger());
	raised = vectors_try();
	if (edu.pci.info->flags & EXO_PCI_UNSAFE)
		expect(raised > 0);
	disarm(&sheet);
	if (raised && !(edu.pci.info->flags & EXO_PCI_UNSAFE))
		guest_skip("this IOMMU lets messages of the old format through, told not to");
}

#define NMI      (4u << 8)      /* how a message is delivered (SDM volume 3, 11.11.2) */
#define LOWEST   (1u << 8)
#define SENT_FIRST 16u          /* what the manual allows */
#define BUFFER_WORDS (EDU_BYTES / 4)

/* Messages for the first CPU, one after the other, from the device's buffer. */
static void messages_send(const uint32_t *data, unsigned count)
{
	volatile uint32_t *word = (volatile uint32_t *)sheet.words;

	for (unsigned i = 0; i < count; i++)
		word[i] = data[i];
	edu_read(&edu, sheet_at, EDU_BYTES);
	for (unsigned i = 0; i < count; i++)
		edu_write_from(&edu, 4 * i, MESSAGES, 4);
}

static uint64_t strays(void)
{
	const struct exo_cpu_stats *s = exos_machine_at(exos_machine()->stats_off);

	return s->strays;
}

/* Who runs on the first CPU meanwhile; a fault that is none of its own is noted. */
static void turn(struct peer *peer)
{
	for (;;)
		((volatile uint64_t *)peer->word)[0]++;
}

/*
 * Where a device can send interrupt messages of any kind, those that mean something to the kernel
 * or to the processor (exceptions' numbers, system calls', other CPUs' requests, a panic's halt,
 * the spurious vector, NMI) stop nothing and reach no program.  First while the CPU is idle, in the
 * kernel; then, with all other numbers, while a program runs on it.
 */
EXO_TEST(pci_forged_interrupts_disturb_nobody, PCI)
{
	static uint32_t data[BUFFER_WORDS];
	static struct peer peer;
	uint64_t before = strays(), turned;
	unsigned count = 0;

	must(messenger());
	for (uint32_t v = SENT_FIRST; v < 32; v++)
		data[count++] = v;
	data[count++] = 0x80;
	data[count++] = NMI;
	data[count++] = LOWEST | 17;
	for (uint32_t v = 0xf0; v <= 0xff; v++)
		data[count++] = v;
	messages_send(data, count);
	if (edu.pci.info->flags & EXO_PCI_UNSAFE)
		expect(strays() >= before + 16);
	must_eq(peer_make(&peer), 0);
	peer_upcalls(&peer, peer_note);
	must_eq(peer_slots(&peer, 0, 0, 8), 0);
	must_eq(peer_start(&peer, turn, 0), 0);
	for (count = 0; SENT_FIRST + count < 256; count++)
		data[count] = SENT_FIRST + count;
	data[count++] = NMI;
	before = strays();
	messages_send(data, count);
	if (edu.pci.info->flags & EXO_PCI_UNSAFE)
		expect(strays() >= before + 16);
	turned = __atomic_load_n(&peer.word[0], __ATOMIC_RELAXED);
	guest_pause_ms(200);
	expect(__atomic_load_n(&peer.word[0], __ATOMIC_RELAXED) > turned);
	expect_eq(peer.upcalls, 0);
	expect_eq(peer.page->faults, 0);
	peer_end(&peer);
	disarm(&sheet);
}
