/* SPDX-License-Identifier: MIT */
/*
 * vtd.c - Intel VT-d units: switching them on, and what each function reaches.
 *
 * Invariant: with translation on, a context entry is present for a function that the kernel drives
 * (pass-through) and for one with a domain bound, for no other.  Tables of a domain are SPACE
 * objects: their entries are in the processor's format, whose bits P, W and PS mean read, write
 * and large page to the unit (specification 3.0, 9.8) and whose other bits it ignores.
 */
#include "dev/vtd.h"

#include "dev/iommu.h"
#include "dev/pci.h"
#include "dev/pci_function.h"
#include "kernel.h"
#include "tlb.h"
#include "x86/insn.h"

enum {
	CAP_RWBF = 1 << 4,
	CAP_CACHING = 1 << 7,
	ECAP_QUEUE = 1 << 1,
	ECAP_REMAP = 1 << 3,
	ECAP_PASS = 1 << 6,
	PRESENT = 1,
	NO_FAULTS = 1 << 1,             /* of a context entry */
	PASS_THROUGH = 2 << 2,
	LEVELS_4 = 2,                   /* address width of a context entry */
	REGS_BYTES = 4096,
	STATE_PART = 10,                /* of a second: limit for a command */
};
#define CAP_SAGAW_4 (1ul << 10)         /* tables of 4 levels */
#define CAP_LARGE   (3ul << 34)         /* large pages of 2 MiB and 1 GiB */

struct vtd_unit vtd_units[VTD_MAX_UNITS];
uint32_t vtd_count;
static bool present;                    /* [I] */

bool vtd_command(struct vtd_unit *u, uint32_t bit, bool on)
{
	uint32_t state = vtd_read32(u, VTD_GSTS) & VTD_KEPT;
	uint64_t begin = read_tsc();

	vtd_write32(u, VTD_GCMD, on ? state | bit : state & ~bit);
	while (!(vtd_read32(u, VTD_GSTS) & bit) == on) {
		if (read_tsc() - begin > machine->tsc_hz / STATE_PART)
			return false;
		cpu_pause();
	}
	return true;
}

/* Why a unit cannot be used, or NULL. */
static const char *unit_wrong(const struct vtd_unit *u)
{
	if (u->cap == ~0ul || !u->cap)
		return "nothing answers";
	if (!(u->ecap & ECAP_QUEUE) || !(u->ecap & ECAP_REMAP))
		return "no interrupt remapping";
	if (!(u->ecap & ECAP_PASS))
		return "no pass-through";
	if (!(u->cap & CAP_SAGAW_4))
		return "no tables of 4 levels";
	if ((u->cap & CAP_LARGE) != CAP_LARGE)
		return "no large pages";
	if (u->cap & CAP_RWBF)
		return "it wants its write buffer flushed";
	return NULL;
}

/* What the firmware left on goes off: remapping last, its queue before. */
static bool unit_clear(struct vtd_unit *u)
{
	static const uint32_t bits[] = { VTD_TRANSLATE, VTD_REMAP, VTD_QUEUE };

	for (unsigned i = 0; i < ARRAY_LEN(bits); i++)
		if ((vtd_read32(u, VTD_GSTS) & bits[i]) && !vtd_command(u, bits[i], false))
			return false;
	return true;
}

static bool unit_start(struct vtd_unit *u)
{
	if (!unit_clear(u))
		return false;
	u->root = boot_frames(1);
	u->queue = boot_frames(1);
	u->done = boot_frames(1);
	vtd_write64(u, VTD_RTADDR, virt_to_phys(u->root));
	if (!vtd_command(u, VTD_SET_ROOT, true))
		return false;
	vtd_write64(u, VTD_IQT, 0);
	vtd_write64(u, VTD_IQA, virt_to_phys(u->queue));
	if (!vtd_command(u, VTD_QUEUE, true))
		return false;
	u->works = true;
	vtd_forget(u, VTD_CONTEXTS | VTD_PAGES | VTD_INTERRUPTS);
	return u->works && vtd_fault_start(u);
}

/* One that cannot be used makes all useless: a device behind it would be out of control. */
static bool units_start(void)
{
	for (uint32_t i = 0; i < vtd_count; i++) {
		struct vtd_unit *u = &vtd_units[i];
		const char *wrong;

		u->regs = boot_map_device(u->pa, REGS_BYTES);
		u->cap = vtd_read64(u, VTD_CAP);
		u->ecap = vtd_read64(u, VTD_ECAP);
		wrong = unit_wrong(u);
		if (!wrong && !unit_start(u))
			wrong = "it does not do as told";
		if (wrong) {
			machine_notice("IOMMU at 0x%lx not used: %s", u->pa, wrong);
			return false;
		}
	}
	return vtd_count;
}

void iommu_start(void)
{
	present = pci.count && vtd_units_find() && units_start() && vtd_irq_start();
	if (!present)
		vtd_count = 0;
}

bool iommu_present(void)
{
	return present;
}

/* Where a requester's context entry stands; the table of its bus is made at boot only. */
static struct vtd_entry *context_of(const struct vtd_unit *u, uint32_t requester, bool make)
{
	struct vtd_entry *root = &u->root[requester >> 8 & 0xff], *contexts;

	if (!(root->lo & PRESENT)) {
		if (!make)
			return NULL;
		vtd_entry_set(root, virt_to_phys(boot_frames(1)) | PRESENT, 0);
	}
	contexts = phys_to_virt(round_down(root->lo, EXO_PAGE_SIZE));
	return &contexts[requester & 0xff];
}

/* Every function has a domain number of its own; 0 is nobody's. */
static uint64_t domain_number(const struct pci_function *f)
{
	return (uint64_t)(f->info - pci.info) + 1;
}

static bool number_fits(const struct vtd_unit *u, const struct pci_function *f)
{
	return domain_number(f) < 1ul << (4 + 2 * (u->cap & 7));
}

void iommu_guard(void)
{
	for (uint32_t i = 0; i < pci.count && present; i++) {
		const struct pci_function *f = pci_function_at(i);
		struct vtd_unit *u = vtd_unit_of(f->info->where);
		struct vtd_entry *e = u ? context_of(u, f->requester, true) : NULL;

		if (e && (f->info->used || vtd_reserved(f->info->where)))
			vtd_entry_set(e, PASS_THROUGH | PRESENT,
			              LEVELS_4 | domain_number(f) << 8);
	}
	for (uint32_t i = 0; i < vtd_count; i++) {
		vtd_forget(&vtd_units[i], VTD_CONTEXTS | VTD_PAGES);
		if (!vtd_command(&vtd_units[i], VTD_TRANSLATE, true))
			vtd_units[i].works = false;
	}
}

bool iommu_covers(const struct pci_function *f)
{
	struct vtd_unit *u = present ? vtd_unit_of(f->info->where) : NULL;

	return u && u->works && f->alone && number_fits(u, f) && !vtd_reserved(f->info->where);
}

int iommu_attach(const struct pci_function *f, uint64_t root)
{
	struct vtd_unit *u = vtd_unit_of(f->info->where);

	if (!u || !u->works)
		return -EXO_E_DEVICE;
	vtd_entry_set(context_of(u, f->requester, false), root << EXO_PAGE_SHIFT | PRESENT,
	              LEVELS_4 | domain_number(f) << 8);
	vtd_forget(u, VTD_CONTEXTS);
	return 0;
}

void iommu_detach(const struct pci_function *f)
{
	struct vtd_unit *u = vtd_unit_of(f->info->where);

	if (!u)
		return;
	vtd_entry_set(context_of(u, f->requester, false), 0, 0);
	vtd_forget(u, VTD_CONTEXTS);
}

void iommu_hush(const struct pci_function *f)
{
	struct vtd_unit *u = vtd_unit_of(f->info->where);
	struct vtd_entry *e = u ? context_of(u, f->requester, false) : NULL;

	if (!e)
		return;
	__atomic_or_fetch(&e->lo, NO_FAULTS, __ATOMIC_SEQ_CST);
	vtd_forget(u, VTD_CONTEXTS);
}

/*
 * A revoked entry is in no unit's cache when this returns, and what a device had under way
 * through it is finished.  (QEMU shows the difference: without it a write through an entry just
 * removed lands.)
 */
void devices_flush(void)
{
	vtd_forget_all(VTD_PAGES);
}
