/* SPDX-License-Identifier: MIT */
/*
 * body.h - what an answer consists of behind its head, and what of it is out on the wire.
 *
 * File bytes are lent from the block cache, page bytes from the page: they stay where they are
 * until the client has acknowledged them (struct holds).
 */
#ifndef HTTPD_BODY_H
#define HTTPD_BODY_H

#include <libfs/file.h>

#include "index.h"
#include "site.h"

#define HOLDS 128u              /* pieces of one connection on the wire */
#define BODY_COPY 512u          /* pieces up to this size are copied: cheaper than lending */
#define BODY_FEW  2048u         /* with fewer on the wire, what cannot be lent is copied */

struct body {
	uint64_t at, end;       /* what is left: [at, end) of the file or page */
	struct page *page;      /* not NULL: of a page */
	bool     open;          /* of a file */
	struct fs_file file;
};

/* Something that is out until the `end`-th byte of the connection is acknowledged. */
struct hold {
	unsigned long end;
	struct fs_buffer *buffer;       /* or NULL */
	struct page *page;              /* or NULL */
};

struct holds {
	uint32_t first, count;          /* hold[first % HOLDS] is the oldest */
	struct hold hold[HOLDS];
};

/* Answer with bytes [first, end) of a file, or all of a page, which the body gives back. */
int body_file(struct body *body, const struct fs_node *node, uint64_t first, uint64_t end);
void body_page(struct body *body, struct page *page);

/* Nothing (left) to send; gives back file or page. */
void body_end(struct body *body);

struct body_piece {
	const void *data;
	size_t bytes;           /* > 0 */
	bool   copy;            /* to be copied, not lent */
	struct hold hold;       /* what keeps data in place; `end` is the caller's to fill */
};

/*
 * The next piece, at most `most` bytes (> 0); the body moves on behind it when it is kept or
 * copied.  few: less than BODY_FEW bytes of this connection are on the wire.  1; 0: not now, too
 * much is out on the wire; or libfs' error.
 */
int body_next(struct body *body, struct site *site, const struct holds *holds, size_t most,
	      bool few, struct body_piece *out);

/* The piece is on the wire: hold it until byte `end` is acknowledged. */
void body_keep(struct body *body, struct site *site, struct holds *holds,
	       struct body_piece *piece, unsigned long end);
/* The piece was copied. */
void body_copied(struct body *body, struct site *site, struct body_piece *piece);
/* The piece was not sent: it comes again. */
void body_return(struct site *site, struct body_piece *piece);

/* Let go of what has been acknowledged; of everything with `acked` = ULONG_MAX. */
void holds_release(struct holds *holds, struct site *site, unsigned long acked);

#endif
