/* SPDX-License-Identifier: MIT */
/*
 * cap.h - claims: what a table slot holds, and the owner map.
 *
 * A claim is a node of the derivation tree and lies in a table frame that an application gave.
 * Tables and owner map are read by mapping them; only the kernel writes them.
 */
#ifndef EXO_CAP_H
#define EXO_CAP_H

#include <exo/types.h>

/*
 * Kinds.  lo, hi and unit mean:
 *   FRAME  page frame numbers [lo, hi); `unit`: how many it holds still
 *   SLOT   slots [lo, hi) of the slice vector of CPU `unit`
 *   BLOCK  blocks [lo, hi) of disk `unit`, in that disk's block size
 *   IRQ    interrupt source lo (an IOAPIC global interrupt number), hi = lo + 1
 *   PORT   x86 I/O ports [lo, hi)
 *   ENV    lo = first frame of the environment; hi = event entry + 1 for a doorbell, else 0 (in
 *          the node that holds the object: hi = end of its frames)
 *   SPACE  lo = frame of the top-level table; `unit`: enum exo_space_use
 *   PT     lo = frame of a page table of level `unit` (1 to 3)
 *   TABLE  lo = a capability table frame
 *   RING   lo = first frame of a disk ring
 *   GATE   lo = first frame of the environment behind it, hi = entry address, badge = its mark
 *   NIC    lo = frame of its filter, which holds its patterns; `unit` = NIC
 *   FILTER lo = a filter: the patterns of a NIC claim
 *   PACKETS lo = first frame of packet rings
 *   VCPU   lo = first frame of a virtual processor
 *   PCI    function lo = segment << 16 | bus << 8 | device << 3 | function, hi = lo + 1; `unit`:
 *          its place in the list of struct exo_pci_info
 *   PROG   lo = first frame of a program (exo/prog.h)
 *   TRACE  lo = hi = 0: read kernel objects (see EXO_KIND_TRACE in space.h)
 */
#define EXO_KINDS(X)                                                        \
	X(NONE, 0) X(FRAME, 1) X(SLOT, 2) X(BLOCK, 3) X(IRQ, 4) X(PORT, 5)  \
	X(ENV, 6) X(SPACE, 7) X(GATE, 8) X(TRACE, 9) X(PT, 10) X(TABLE, 11) \
	X(RING, 12) X(NIC, 13) X(FILTER, 14) X(PACKETS, 15) X(VCPU, 16) X(PCI, 17) \
	X(PROG, 18)
#define EXO_KIND_ENUM(name, number) EXO_KIND_##name = number,
enum exo_kind { EXO_KINDS(EXO_KIND_ENUM) EXO_KIND_COUNT };
#undef EXO_KIND_ENUM

/* Rights.  Deriving can only clear them. */
#define EXO_R_READ    0x0001    /* FRAME, BLOCK, TRACE: read; NIC: receive */
#define EXO_R_WRITE   0x0002    /* FRAME, BLOCK: write; NIC: send */
#define EXO_R_EXEC    0x0004    /* FRAME: execute (never together with WRITE in one mapping) */
#define EXO_R_RETYPE  0x0008    /* FRAME: make objects of it; a share never has it */
#define EXO_R_CONTROL 0x0010    /* ENV: start, stop, watch; SPACE, PT: change; others: use */
#define EXO_R_NOTIFY  0x0020    /* ENV: post an event */
#define EXO_R_RUN     0x0040    /* ENV: name it in a slot, yield to it; SPACE, VCPU: run */
#define EXO_R_MAP     0x0080    /* ENV, rings, VCPU, PCI: map their pages; TABLE: read-only */
#define EXO_R_GIVE    0x0100    /* ENV: put claims into slots it opened; make gates to it */
#define EXO_R_CALL    0x0200    /* GATE: call it; PROG: bind it */
#define EXO_R_ALL     0x03ff

/* Flags of a derivation, or'ed into the rights argument. */
#define EXO_SHARE     0x10000   /* the child is a share: the parent keeps using the range */

/* Flags of a slot. */
#define EXO_CAP_SHARE  0x01     /* a share */
#define EXO_CAP_FROZEN 0x02     /* being revoked: nothing new is derived or bound */
#define EXO_CAP_OBJECT 0x04     /* it holds an object's frames: when it goes, the object ends */
#define EXO_CAP_ENDING 0x08     /* it is being ended */
#define EXO_CAP_REVOKING 0x10   /* all that was derived from it is being ended */
#define EXO_CAP_ASKED  0x20     /* asked for by who gave it (exo_cap_ask): it may be taken */
#define EXO_CAP_TAKEN  0x40     /* the slot is empty: what was in it was taken by force */

/*
 * One slot: 64 bytes.  [k] all: written by the kernel only.
 *
 * When a claim is taken from an environment by another's revoke, its slot is empty (kind NONE, the
 * name stale) and keeps, until it is used anew, what the claim was: EXO_CAP_TAKEN in flags, its
 * kind in `badge`, its number among those of the environment (exo_env_page.taken then) in `held`,
 * and unit, lo and hi.  These slots are the repossession list: as long as the
 * table, so that it cannot overflow, and read by loads.
 */
struct exo_cap {
	uint32_t gen;           /* generation of the claim in it, or of the next one */
	uint8_t  kind;          /* enum exo_kind */
	uint8_t  flags;         /* EXO_CAP_* */
	uint16_t rights;        /* EXO_R_* */
	exo_sid  parent;        /* derivation tree; parent 0 for a root */
	exo_sid  child;         /* first child; shares come before the others */
	exo_sid  next, prev;    /* siblings */
	uint64_t lo, hi;        /* half-open, see EXO_KINDS */
	uint64_t bind;          /* head of its bindings: physical names, by kind */
	uint32_t unit;          /* CPU, disk or level, see EXO_KINDS */
	uint32_t badge;         /* GATE: told to the callee; BLOCK: its pieces; TAKEN: the kind */
	uint64_t held;          /* FRAME: its requests in flight; objects: TRACE mapping's entry;
	                           BLOCK: two pieces of the same parent below this one */
};
_Static_assert(sizeof(struct exo_cap) == 64, "ABI: exo_cap");
_Static_assert(offsetof(struct exo_cap, lo) == 24, "ABI: exo_cap");
_Static_assert(offsetof(struct exo_cap, bind) == 40, "ABI: exo_cap");

/* What a frame is used for. */
#define EXO_USES(X)                                                          \
	X(NONE, 0, "no frame") X(MEMORY, 1, "memory") X(DEVICE, 2, "device") \
	X(KERNEL, 3, "kernel") X(EXPORT, 4, "kernel, readable")              \
	X(TABLE, 5, "claims") X(PT, 6, "page table") X(SHADOW, 7, "shadow")  \
	X(ENV, 8, "environment") X(ENVPAGE, 9, "environment page")           \
	X(RING, 10, "ring") X(RINGPAGE, 11, "ring page")                  \
	X(FILTER, 12, "filter") X(VCPU, 13, "virtual processor")          \
	X(VCPUPAGE, 14, "virtual processor page") X(PROG, 15, "program")
#define EXO_USE_ENUM(name, number, text) EXO_USE_##name = number,
enum exo_use { EXO_USES(EXO_USE_ENUM) EXO_USE_COUNT };
#undef EXO_USE_ENUM

/*
 * The owner map, one entry a frame.  holder and use count only where the chunk is mixed;
 * the other half always counts.
 */
struct exo_frame {
	exo_sid  holder;        /* the slot whose range it is in and who has not given it away */
	uint8_t  use;           /* enum exo_use */
	uint8_t  flags;         /* EXO_FRAME_* */
	uint16_t spare;
	union {
		struct {
			uint32_t maps;  /* page-table entries that name it */
			uint32_t pins;  /* requests in flight that name it */
		};
		uint64_t object;        /* object frames: a link of the object, by physical name */
	};
};
_Static_assert(sizeof(struct exo_frame) == 16, "ABI: exo_frame");

/*
 * Memory: all its bytes are zero, for it is as an object left it: it was neither mapped nor pinned
 * since.  Frames of objects: it was so when it became one.  Known of some frames only.
 */
#define EXO_FRAME_ZERO 1u

/* One entry for 2 MiB of frames.  fine 0: there are no frames here. */
struct exo_chunk {
	exo_sid  holder;        /* of all 512 frames, if not mixed */
	uint8_t  use;           /* of all 512 frames, if not mixed */
	uint8_t  mixed;         /* holder and use stand in the frames' own entries */
	uint16_t odd;           /* mixed: a frame that was found unlike the first */
	uint32_t fine;          /* its entries are fine[fine * 512 ...); 0 is never used */
	uint32_t large;         /* large page-table entries that cover it */
	uint64_t busy;          /* small ones, and pins, of all its frames together */
	uint64_t zeros;         /* 0: its frames' EXO_FRAME_ZERO tells nothing */
};
_Static_assert(sizeof(struct exo_chunk) == 32, "ABI: exo_chunk");

/* Frames that an object takes: consecutive, the first is the object's name. */
#define EXO_FRAMES_PT    4      /* the table and three shadow frames */
#define EXO_FRAMES_TABLE 1
#define EXO_FRAMES_ENV   3      /* kernel part, environment page, vector state */
#define EXO_FRAMES_RING  3      /* kernel's part, requests, completions */
#define EXO_FRAMES_FILTER 1
#define EXO_FRAMES_VCPU  3      /* kernel part, shared page, control block of the hardware */
#define EXO_FRAMES_PACKETS 6    /* and those of the data area (exo/nic.h) */

#endif
