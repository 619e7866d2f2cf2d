/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what the kernel exports about the machine, read-only.
 *
 * All of it lies in one run of frames, the export area, which the first program holds as a
 * read-only FRAME share; offsets are bytes from its start, where struct exo_machine stands.
 */
#ifndef EXO_MACHINE_H
#define EXO_MACHINE_H

#include <exo/cap.h>
#include <exo/nic.h>
#include <exo/pci.h>
#include <exo/types.h>

#define EXO_MACHINE_MAGIC 0x656e696863616d78ul  /* "xmachine" */

enum exo_run_kind {
	EXO_RUN_RAM = 1,        /* free when boot ended: the first program's memory */
	EXO_RUN_ARCHIVE,        /* the boot archive, read-only share */
	EXO_RUN_ACPI,           /* ACPI tables, read-only share */
	EXO_RUN_DEVICE,         /* device frames on the allow list */
	EXO_RUN_EXPORT,         /* the export area itself */
	EXO_RUN_KERNEL,         /* kept by the kernel */
};

/* A run of frames and the root claim made for it (0: none). */
struct exo_run {
	uint64_t lo, hi;        /* pfn */
	uint32_t kind;          /* enum exo_run_kind */
	exo_sid  root;
};

struct exo_cpu_info {
	uint32_t apic_id;
	exo_sid  root;          /* SLOT claim of its whole vector */
};

struct exo_disk_info {
	uint64_t blocks;
	uint32_t block_bytes;
	uint32_t flags;         /* EXO_DISK_RO */
	uint16_t queue;         /* requests that the device takes at a time */
	uint16_t pieces;        /* of one request, at most: 1 to EXO_DISK_PIECES */
	uint32_t pci;           /* bus << 8 | device << 3 | function */
	exo_sid  root;          /* BLOCK claim of all of it */
	uint32_t discard;       /* blocks of one discard, at most; 0: the disk takes none */
};
#define EXO_DISK_RO 1

struct exo_irq_info {
	uint32_t gsi;
	exo_sid  root;
	uint64_t count;         /* interrupts taken */
	uint64_t bound_env;     /* pfn of the environment that receives it, or 0 */
};

struct exo_port_info {
	uint16_t lo;
	uint16_t count;
	exo_sid  root;
	char     name[24];
};

struct exo_screen_info {
	uint64_t base;          /* physical address; 0: no screen */
	uint64_t bytes;
	uint32_t width, height, stride;  /* pixels */
	uint32_t format;        /* 0: RGB, 1: BGR, 32 bits a pixel */
};

/* Counters of one CPU.  Each CPU writes its own page. */
struct exo_cpu_stats {
	uint64_t entries;       /* kernel entries of all kinds */
	uint64_t calls;         /* of these: system calls */
	uint64_t faults;        /* faults of programs */
	uint64_t interrupts;
	uint64_t switches;      /* another environment was put on the CPU */
	uint64_t space_loads;   /* page-table root loaded */
	uint64_t tlb_pages;     /* single-page invalidations */
	uint64_t tlb_all;       /* whole invalidations */
	uint64_t ipis;          /* sent */
	uint64_t vector_saves;  /* vector state saved */
	uint64_t vector_loads;
	uint64_t copied;        /* bytes copied between user memory and kernel */
	uint64_t idle_tsc;      /* time without anything to run */
	uint64_t lends;         /* slots lent because their owner could not run */
	uint64_t steps;         /* of the work that drops and revokes did, as EXO_MORE bounds it */
	uint64_t strays;        /* of the interrupts: that nothing the kernel knows of sends */
};
_Static_assert(sizeof(struct exo_cpu_stats) == 128, "ABI: exo_cpu_stats");

/*
 * The longest times, in time stamps, that interrupts were off on a CPU, by what was done then:
 * at EXO_LATENCY_OFF of its page of counters.  All 0 unless the boot line has the word `latency`;
 * only counts of instructions say much (-icount: tsc_hz 1e9, 2^shift time stamps an instruction).
 */
#define EXO_LATENCY_OFF     1024u
#define EXO_LATENCY_CALL    0x100u      /* below: the vector of a fault or interrupt */
#define EXO_LATENCY_FOREIGN 0x1ffu      /* no call of exo's; below: call - 0x4000 + 0x100 */
#define EXO_LATENCY_IDLE    0x200u      /* choosing what runs after the CPU slept */
#define EXO_LATENCY_CAUSES  0x201u
struct exo_latency {
	uint32_t longest[EXO_LATENCY_CAUSES];
};

/* The slice vector of one CPU, as exported: [k]. */
#define EXO_VECTOR_SLOTS 64u
struct exo_vector_slot {
	uint64_t env;           /* pfn of the environment, 0: nobody */
	exo_sid  claim;         /* the SLOT claim that named it */
	uint32_t next, prev;    /* the environment's other slots: (cpu << 8 | slot) + 1, 0: none */
	uint32_t spare;
};
struct exo_vector {
	struct exo_vector_slot slot[EXO_VECTOR_SLOTS];
	uint64_t current;       /* slot that is running */
	uint64_t running;       /* pfn of the environment on the CPU, 0: none */
	uint64_t charged;       /* pfn of the environment whose slice it is, 0: none */
};

/* Trace: a ring of fixed records for each CPU; record n stands at n % EXO_TRACE_RECORDS. */
#define EXO_TRACE_RECORDS 1023u
enum exo_trace_kind {
	EXO_TRACE_RUN = 1,      /* a: environment put on the CPU, b: slot */
	EXO_TRACE_IDLE,         /* b: slot */
	EXO_TRACE_STOP,         /* a: environment, b: reason */
	EXO_TRACE_IRQ,          /* a: gsi or vector */
	EXO_TRACE_END,          /* a: object frame, b: use */
	EXO_TRACE_SHOOT,        /* a: space, b: CPUs asked */
};
struct exo_trace_record {
	uint64_t tsc;
	uint32_t kind;
	uint32_t b;
	uint64_t a;
	uint64_t spare;
};
struct exo_trace {
	uint64_t count;         /* records ever written */
	uint64_t spare[3];
	struct exo_trace_record record[EXO_TRACE_RECORDS];
};
_Static_assert(sizeof(struct exo_trace) == 32768, "ABI: exo_trace");

#define EXO_MAX_RUNS 128u

struct exo_machine {
	uint64_t magic;
	uint32_t abi_major, abi_minor;
	char     version[32];           /* of the kernel, text */
	uint64_t export_pfn;            /* the export area [pfn, pfn + frames) */
	uint64_t export_frames;
	uint64_t tsc_hz;
	uint64_t boot_tsc;              /* time stamp when the loader left the firmware */
	uint64_t slice_tsc;             /* length of a slot */
	uint64_t slice_base_tsc;        /* slot n of each vector began at base + n * slice_tsc */
	uint64_t ram_frames;            /* usable RAM the firmware reported */
	uint64_t kept_frames;           /* of these, kept by the kernel for good */
	uint64_t free_frames;           /* of these, the first program's at boot */
	uint64_t top_pfn;               /* the owner map covers [0, top_pfn) */
	uint64_t chunks_off;            /* struct exo_chunk[(top_pfn + 511) / 512] */
	uint64_t fine_off;              /* struct exo_frame[] */
	uint64_t vectors_off;           /* one page a CPU: struct exo_vector */
	uint64_t stats_off;             /* one page a CPU: struct exo_cpu_stats */
	uint64_t trace_off;             /* eight pages a CPU: struct exo_trace */
	uint64_t runs_off, cpus_off, disks_off, pcis_off, irqs_off, ports_off, cmdline_off;
	uint32_t runs, cpus, disks, pcis, irqs, ports;
	uint32_t cmdline_bytes;         /* without the NUL that follows */
	uint32_t volume;                /* 1: the loader had a volume to read \exo\ from */
	uint64_t rsdp;                  /* physical address of the ACPI root pointer, 0: none */
	uint64_t archive_bytes;
	struct exo_screen_info screen;
	exo_sid  trace_root;            /* TRACE claim */
	exo_sid  env_root;              /* ENV claim of the first program itself */
	exo_sid  space_root;            /* its SPACE */
	exo_sid  table_root;            /* its first TABLE */
	char     notice[512];           /* what is missing on this machine, in words, one a line */
	uint64_t nics_off;              /* struct exo_nic_info[nics] */
	uint32_t nics, spare;
};

/* What the first program finds in the `user` part of its environment page. */
#define EXO_FIRST_MAGIC 0x74737269666f7865ul    /* "exofirst" */
struct exo_first {
	uint64_t magic;
	uint64_t page_va;       /* its environment page */
	uint64_t table_va;      /* its table frames, mapped read-only, consecutive */
	uint64_t table_frames;
	uint64_t export_va;     /* the first page of the export area, mapped read-only */
	uint64_t image_lo, image_hi; /* addresses of its own image */
	exo_sid  export_root;
	exo_sid  free_sid;      /* the first of its empty slots; those above it are empty too */
	uint64_t used_lo, used_hi;  /* frames of its objects and tables, in no RAM root */
};

/* The layouts that docs/abi.md shows. */
_Static_assert(sizeof(struct exo_run) == 24, "ABI: exo_run");
_Static_assert(sizeof(struct exo_cpu_info) == 8, "ABI: exo_cpu_info");
_Static_assert(sizeof(struct exo_disk_info) == 32, "ABI: exo_disk_info");
_Static_assert(sizeof(struct exo_irq_info) == 24, "ABI: exo_irq_info");
_Static_assert(sizeof(struct exo_port_info) == 32, "ABI: exo_port_info");
_Static_assert(sizeof(struct exo_screen_info) == 32, "ABI: exo_screen_info");
_Static_assert(sizeof(struct exo_latency) == 2052, "ABI: exo_latency");
_Static_assert(sizeof(struct exo_vector_slot) == 24, "ABI: exo_vector_slot");
_Static_assert(sizeof(struct exo_vector) == 1560, "ABI: exo_vector");
_Static_assert(sizeof(struct exo_trace_record) == 32, "ABI: exo_trace_record");
_Static_assert(sizeof(struct exo_machine) == 848, "ABI: exo_machine");
_Static_assert(sizeof(struct exo_first) == 80, "ABI: exo_first");

#endif
