/* SPDX-License-Identifier: MIT */
/*
 * pci_reset.c - a function between two holders: silenced, reset, its registers as at boot.
 *
 * Invariant: from the first step on it reaches nothing and raises nothing; steps that must wait say
 * so (EXO_MORE) instead of waiting.  Function-level reset (PCI Express 4.0, 6.6.2); else power
 * state D3hot and back (PCI Power Management 1.2, 5.4); else only silence.
 */
#include "dev/pci_function.h"

#include "kernel.h"
#include "x86/insn.h"

enum {
	EXPRESS_CONTROL = 8,            /* device control, status << 16 */
	EXPRESS_RESET = 1 << 15,
	EXPRESS_PENDING = 1 << 21,
	POWER_STATE = 4,
	POWER_D3 = 3,
	PCI_CAP_MSI = 0x05,
	MSI_ENABLE = 1 << 16,
	QUIET_MS = 100,                 /* for accesses under way; then it is reset all the same */
	FLR_MS = 100,
	WAKE_MS = 1000,                 /* it must answer by then */
	POWER_MS = 10,
};

static bool passed_ms(const struct pci_function *f, unsigned ms)
{
	return read_tsc() - f->step_tsc >= machine->tsc_hz / 1000 * ms;
}

static int step_to(struct pci_function *f, enum pci_reset_step step)
{
	f->step = step;
	f->step_tsc = read_tsc();
	return EXO_MORE;
}

static void silence(struct pci_function *f)
{
	uint32_t where = f->info->where;
	unsigned msi = pci_capability(where, PCI_CAP_MSI, 0);

	pci_command(where, PCI_COMMAND_NO_INTX, PCI_COMMAND_MASTER);
	if (msi)
		pci_write(where, msi, pci_read(where, msi) & ~(uint32_t)MSI_ENABLE);
	pci_vectors_end(f);
	pci_domain_leave(f);
}

static int reset_begin(struct pci_function *f)
{
	uint32_t where = f->info->where, control;

	if (f->flr) {
		control = pci_read(where, f->flr + EXPRESS_CONTROL);
		if ((control & EXPRESS_PENDING) && !passed_ms(f, QUIET_MS))
			return EXO_MORE;
		pci_write(where, f->flr + EXPRESS_CONTROL, (control & 0xffff) | EXPRESS_RESET);
		return step_to(f, PCI_RESET_FLR);
	}
	if (f->power) {
		control = pci_read(where, f->power + POWER_STATE) & 0xffff;
		pci_write(where, f->power + POWER_STATE, (control & ~3u) | POWER_D3);
		return step_to(f, PCI_RESET_D3);
	}
	return step_to(f, PCI_RESET_AWAKE);
}

static int power_up(struct pci_function *f)
{
	uint32_t where = f->info->where;

	if (!passed_ms(f, POWER_MS))
		return EXO_MORE;
	pci_write(where, f->power + POWER_STATE, pci_read(where, f->power + POWER_STATE) & 0xfffc);
	return step_to(f, PCI_RESET_D0);
}

/* BARs, interrupt line and the like as the firmware set them; memory on, nothing else. */
static int restore(struct pci_function *f)
{
	uint32_t where = f->info->where;

	if ((pci_read(where, PCI_ID) & 0xffff) == 0xffff && !passed_ms(f, WAKE_MS))
		return EXO_MORE;
	for (unsigned off = PCI_BAR0; off < PCI_BAR0 + 24; off += 4)
		pci_write(where, off, f->header[off / 4]);
	pci_write(where, 0x0c, f->header[3]);
	pci_write(where, 0x30, f->header[12] & ~1u);
	pci_write(where, 0x3c, f->header[15]);
	pci_command(where, PCI_COMMAND_NO_INTX | PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER);
	f->step = PCI_RESET_NONE;
	f->started = false;
	f->user = 0;
	return 0;
}

int pci_reset_step(struct pci_function *f)
{
	switch (f->step) {
	case PCI_RESET_NONE:
		silence(f);
		return step_to(f, PCI_RESET_QUIET);
	case PCI_RESET_QUIET:
		return reset_begin(f);
	case PCI_RESET_FLR:
		return passed_ms(f, FLR_MS) ? step_to(f, PCI_RESET_AWAKE) : EXO_MORE;
	case PCI_RESET_D3:
		return power_up(f);
	case PCI_RESET_D0:
		return passed_ms(f, POWER_MS) ? step_to(f, PCI_RESET_AWAKE) : EXO_MORE;
	default:
		return restore(f);
	}
}
