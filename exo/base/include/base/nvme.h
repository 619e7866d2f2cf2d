/* SPDX-License-Identifier: MIT */
/*
 * nvme.h - NVM Express controllers: queues, requests cut into commands, bringing one up.
 *
 * The same code drives a disk that the kernel shares and one that a program has for itself: it
 * touches nothing but the registers and the memory that it is given, and names memory to the
 * controller by the addresses that its user says the controller sees.  What the controller writes
 * is hostile: a completion counts only if it names a command that is with the controller, and
 * counts once.  Section numbers: NVM Express Base Specification 1.4.  One thread at a time.
 */
#ifndef BASE_NVME_H
#define BASE_NVME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NVME_CLASS      0x010802u       /* PCI class, subclass, programming interface */
#define NVME_PAGE       4096u           /* memory page size that we set */
#define NVME_ENTRIES    64u             /* most entries of the I/O queues: one page of commands */
#define NVME_SLOTS      (NVME_ENTRIES - 1)
#define NVME_ADMIN      8u              /* entries of the admin queues */
#define NVME_PART_MAX   (256u * 1024u)  /* bytes of one command at most */
#define NVME_PRPS       64u             /* entries of a slot's list: PART_MAX, not aligned, - 1 */

/* Memory that the controller shares, pages in this order: see struct nvme. */
enum {
	NVME_ADMIN_SQ, NVME_ADMIN_CQ, NVME_IO_SQ, NVME_IO_CQ, NVME_IDENTIFY, NVME_LISTS,
	NVME_PAGES = NVME_LISTS + NVME_ENTRIES * NVME_PRPS * 8 / NVME_PAGE
};

/* 4.2: a submission queue entry. */
struct nvme_command {
	uint8_t  opcode, flags;
	uint16_t id;
	uint32_t nsid;
	uint32_t word2, word3;
	uint64_t metadata;
	uint64_t prp1, prp2;
	uint32_t word10, word11, word12, word13, word14, word15;
};
_Static_assert(sizeof(struct nvme_command) == 64, "NVMe 4.2");

/* 4.6: a completion queue entry. */
struct nvme_completion {
	uint32_t result, spare;
	uint16_t sq_head, sq_id;
	uint16_t id;
	uint16_t status;        /* bit 0: phase; the rest is 0 for success */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "NVMe 4.6");

/* A submission queue and its completion queue; as many entries in both. */
struct nvme_queue {
	struct nvme_command *sq;
	volatile struct nvme_completion *cq;
	volatile uint32_t *sq_bell, *cq_bell;
	uint16_t entries;       /* 2 to 4096 */
	uint16_t sq_tail;       /* where the next command goes */
	uint16_t sq_told;       /* tail that the controller knows */
	uint16_t cq_head;       /* the next completion */
	uint16_t cq_told;       /* head that the controller knows */
	uint16_t phase;         /* of a new completion: 0 or 1 */
};

/* Empty a queue pair; the memory is zeroed. */
void nvme_queue_init(struct nvme_queue *q, void *sq, void *cq, uint16_t entries);
/* Copy a command behind the last one.  At most entries - 1 may be with the controller. */
void nvme_queue_put(struct nvme_queue *q, const struct nvme_command *command);
/* Tell the controller of new commands, if there are any. */
void nvme_queue_kick(struct nvme_queue *q);
/* The next completion; false, and the controller is told what was taken, if there is none. */
bool nvme_queue_take(struct nvme_queue *q, struct nvme_completion *out);

enum nvme_op { NVME_READ, NVME_WRITE, NVME_FLUSH, NVME_DISCARD };

/* Part of a buffer, contiguous as the controller sees it. */
struct nvme_piece {
	uint64_t dma;           /* a multiple of 4 */
	uint32_t bytes;         /* a multiple of the block size */
};

struct nvme_request {
	enum nvme_op op;
	bool     fua;           /* WRITE: complete when it is on the medium (6.15) */
	uint32_t count;         /* DISCARD: blocks */
	uint64_t block;
	uint64_t cookie;        /* comes back with the completion */
	const struct nvme_piece *piece;         /* [pieces]; READ and WRITE only */
	uint32_t pieces;
};

#define NVME_LOST 0xffffu       /* status of a request that a reset took */

struct nvme_done {
	uint64_t cookie;
	uint32_t status;        /* 0, a status field (4.6.1) without its phase, or NVME_LOST */
};

/*
 * Requests of one namespace over one queue pair.  A request is one command or, where it is larger
 * than the controller takes or its pieces do not join at page boundaries, several: its slot is the
 * one of its first command, and is kept until all of them are complete.
 */
struct nvme_io {
	struct nvme_queue queue;
	uint64_t *lists;        /* NVME_PRPS entries a slot */
	uint64_t lists_dma;
	uint32_t nsid;
	uint32_t block_shift;   /* 9 to 12 */
	uint32_t part_bytes;    /* most of one command; a multiple of the block size */
	uint32_t slots;         /* commands at a time, at most NVME_SLOTS */
	uint64_t used;          /* bit n: slot n belongs to a request */
	uint64_t flying;        /* bit n: the command of slot n is with the controller */
	uint64_t lost;          /* bit n: a reset took the command of slot n */
	uint64_t cookie[NVME_SLOTS];    /* the rest by the request's slot, but `request` */
	uint32_t status[NVME_SLOTS];    /* the first that was not 0 */
	uint8_t  left[NVME_SLOTS];      /* commands not complete */
	uint8_t  request[NVME_SLOTS];   /* of a command's slot: the slot of its request */
};

/*
 * Put a request into the queue.  0: it will be reaped once.  NVME_FULL: no room until something was
 * reaped; at least one is with the controller then.  NVME_SHAPE: no commands can say it (pieces
 * that are empty, end within a block or do not begin at a multiple of 4; more commands than slots).
 */
enum { NVME_FULL = 1, NVME_SHAPE = -1 };
int nvme_io_submit(struct nvme_io *io, const struct nvme_request *request);
static inline void nvme_io_kick(struct nvme_io *io) { nvme_queue_kick(&io->queue); }
/* One completed request.  false: none now.  Looks at a bounded number of completions. */
bool nvme_io_reap(struct nvme_io *io, struct nvme_done *done);

/* What a controller and a namespace say of themselves (5.15.2). */
struct nvme_identity {
	char     serial[21], model[41];         /* printable, without the blanks at the end */
	uint32_t namespaces;    /* highest number of one */
	uint32_t nsid;          /* of the one that is used: the first active one */
	uint32_t others;        /* active ones beside it, as far as one page of numbers tells */
	uint64_t blocks;
	uint32_t block_bytes;   /* 512 to 4096 */
	uint64_t transfer_max;  /* bytes of a command; UINT64_MAX: no limit */
	bool     cache;         /* it has a volatile write cache: flushes matter */
	bool     discard;       /* it takes dataset management */
	bool     read_only;
};

/* Take over what a page of Identify says; why the device cannot be used, or NULL. */
const char *nvme_identity_controller(struct nvme_identity *id, const uint8_t page[NVME_PAGE]);
const char *nvme_identity_list(struct nvme_identity *id, const uint8_t page[NVME_PAGE]);
const char *nvme_identity_namespace(struct nvme_identity *id, const uint8_t page[NVME_PAGE]);

/*
 * A controller.  The user fills the first part and zeroes the rest; `memory` is NVME_PAGES
 * consecutive pages, at `dma` as the controller sees them.  `clock_ns` is called in each turn of a
 * wait.
 */
struct nvme {
	volatile uint8_t *registers;
	uint64_t registers_bytes;
	uint8_t *memory;
	uint64_t dma;
	uint64_t wait_ns;       /* longest wait for it in one step, 0: what it asks for */
	uint64_t (*clock_ns)(void *context);
	void *context;
	uint16_t vector;        /* MSI-X entry of I/O completions, if `interrupts` */
	bool interrupts;        /* else they are polled for */

	uint32_t stride;        /* bytes from one doorbell to the next */
	uint64_t timeout_ns;    /* the controller's own limit for getting ready */
	struct nvme_queue admin;
	struct nvme_identity identity;
	struct nvme_io io;
};

/*
 * Stop the controller, set up its queues, ask it what it is, choose the first active namespace.
 * Why it cannot be used, or NULL: then io takes requests.
 */
const char *nvme_start(struct nvme *n);
/*
 * The same for one that has been started and does not answer, without the questions.  What was with
 * it is then reaped as NVME_LOST, also when it did not come back.
 */
const char *nvme_restart(struct nvme *n);
/* Stop it: when this returns true it makes no access to memory any more. */
bool nvme_stop(struct nvme *n);

#endif
