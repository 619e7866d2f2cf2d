/* SPDX-License-Identifier: MIT */
/*
 * main.c - the kernel's start, from the loader's hands to the first program.
 *
 * When it is over the kernel takes no more memory: all that was not kept is the first program's.
 */
#include "cpu.h"
#include "dev/acpi.h"
#include "dev/disk.h"
#include "dev/nic.h"
#include "dev/iommu.h"
#include "dev/pci_function.h"
#include "dev/serial.h"
#include "first.h"
#include "frame.h"
#include "dev/irq.h"
#include "kernel.h"
#include "memory.h"
#include "prog.h"
#include "x86/port.h"
#include "vector.h"
#include "x86/ioapic.h"
#include "x86/lapic.h"
#include "x86/latency.h"
#include "x86/pte.h"
#include "x86/setup.h"
#include "x86/svm.h"
#include "x86/trap.h"

#include <base/format.h>

#define SLICE_MS 10
#define VERSION "0.1"

struct exo_boot *boot_info;
struct exo_machine *machine;
uint64_t *kernel_pml4;

static char notices[sizeof(((struct exo_machine *)0)->notice)];

_Noreturn void kernel_main(struct exo_boot *boot);

bool boot_word(const char *word)
{
	return boot_info && string_has_word(boot_info->cmdline, boot_info->cmdline_bytes, word);
}

void machine_notice(const char *format, ...)
{
	size_t used = strlen(notices);
	va_list args;

	va_start(args, format);
	format_buffer_v(notices + used, sizeof(notices) - used, format, args);
	va_end(args);
	used = strlen(notices);
	if (used + 1 < sizeof(notices))
		notices[used] = '\n';
}

/* The loader's tables map the machine one to one below; nothing of that may stay. */
static void boot_check(struct exo_boot *boot)
{
	boot_info = boot;
	if (boot->magic != EXO_BOOT_MAGIC || boot->version != EXO_BOOT_VERSION)
		panic("the loader is of another version");
	kernel_pml4 = phys_to_virt(boot->pml4_pa);
	memset(kernel_pml4, 0, 256 * sizeof(uint64_t));
	write_cr3(boot->pml4_pa);
}

/* CPUs of the ACPI list, the one we run on first. */
static void cpus_make(void)
{
	uint32_t self = lapic_id();

	cpu_make(cpu_count++, self);
	for (uint32_t i = 0; i < acpi.cpus && cpu_count < CPUS_MAX; i++)
		if (acpi.apic_ids[i] != self)
			cpu_make(cpu_count++, acpi.apic_ids[i]);
}

static void cpus_export(void)
{
	char *vectors = boot_export(cpu_count * EXO_PAGE_SIZE);
	char *stats = boot_export(cpu_count * EXO_PAGE_SIZE);
	struct exo_trace *trace = boot_export(cpu_count * sizeof(*trace));

	machine->vectors_off = export_offset(vectors);
	machine->stats_off = export_offset(stats);
	machine->trace_off = export_offset(trace);
	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i]->vector = (void *)(vectors + i * EXO_PAGE_SIZE);
		cpus[i]->stats = (void *)(stats + i * EXO_PAGE_SIZE);
		cpus[i]->trace = &trace[i];
		cpus[i]->trace_at = trace[i].record;
		cpus[i]->trace_end = trace[i].record + EXO_TRACE_RECORDS;
	}
}

static void machine_fill(void)
{
	struct exo_machine *m = machine;
	char *line = boot_export(boot_info->cmdline_bytes + 1);

	m->magic = EXO_MACHINE_MAGIC;
	m->abi_major = EXO_ABI_MAJOR;
	m->abi_minor = EXO_ABI_MINOR;
	string_copy(m->version, VERSION, sizeof(m->version));
	m->tsc_hz = tsc_hz;
	m->boot_tsc = boot_info->boot_tsc;
	m->slice_tsc = tsc_hz / 1000 * SLICE_MS;
	m->rsdp = boot_info->rsdp;
	m->archive_bytes = boot_info->archive_bytes;
	m->volume = boot_info->volume;
	m->screen = (struct exo_screen_info){
		boot_info->screen_base, boot_info->screen_bytes, boot_info->screen_width,
		boot_info->screen_height, boot_info->screen_stride, boot_info->screen_format };
	memcpy(line, boot_info->cmdline, boot_info->cmdline_bytes);
	m->cmdline_off = export_offset(line);
	m->cmdline_bytes = boot_info->cmdline_bytes;
}

static void lists_fill(void)
{
	struct exo_machine *m = machine;

	m->cpus = cpu_count;
	m->cpus_off = export_offset(boot_export(cpu_count * sizeof(struct exo_cpu_info)));
	m->pcis = pci.count;
	m->pcis_off = export_offset(pci.info);
	m->irqs = irqs.count;
	m->irqs_off = export_offset(irqs.info);
	m->ports = ports.count;
	m->ports_off = export_offset(ports.info);
	m->disks = disks.count;
	m->disks_off = export_offset(disks.info);
	m->nics = nics.count;
	m->nics_off = export_offset(nics.info);
}

static void memory_count(void)
{
	const struct exo_boot_range *r = phys_to_virt(boot_info->ranges_pa);

	for (uint32_t i = 0; i < boot_info->ranges; i++)
		if (r[i].kind != EXO_BOOT_FIRMWARE && r[i].kind != EXO_BOOT_ACPI)
			machine->ram_frames += r[i].hi - r[i].lo;
	machine->kept_frames = machine->ram_frames - machine->free_frames;
}

void kernel_main(struct exo_boot *boot)
{
	serial_start();
	boot_check(boot);
	memory_start();
	acpi_start(boot->rsdp);
	lapic_map(acpi.present ? acpi.lapic_pa : ACPI_LAPIC_PA);
	cpus_make();
	export_start();
	cpus_export();
	idt_start();
	latency_start(boot_word("latency"), boot->kernel_pa);
	vectors_probe();
	svm_probe();
	cpu_start(cpus[0]);             /* from here on this_cpu() works */
	clock_calibrate(acpi.pm_timer);
	machine_fill();
	pci_start();
	iommu_start();
	ioapic_start();
	irqs_start(cpus[0]->apic_id);
	ports_start(boot_word("debug-exit"));
	cpus_start();
	disks_start();
	nics_start();
	pci_functions_start();
	lists_fill();
	prog_window_start();
	first_make();                   /* takes the last frames */
	memory_count();
	string_copy(machine->notice, notices, sizeof(machine->notice));
	if (boot_word("panic=boot"))
		panic("asked for by the boot line (panic=boot)");
	machine->slice_base_tsc = read_tsc();
	cpus_release();
	cpu_start_scheduling();
}
