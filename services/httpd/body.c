/* SPDX-License-Identifier: MIT */
/*
 * body.c - lending pieces of files and pages to the wire.
 *
 * Invariant: site->lent counts the buffers in all holds.  Five eighths of the block cache at most
 * are lent, so that reading never lacks a buffer; each connection has its share of a half.  Who may
 * not lend goes on by copies, a little at a time: nobody waits for what others hold.
 */
#include "body.h"

#include <base/string.h>
#include <base/util.h>

static const char zeros[4096];

/* Can the first piece be read?  While nothing is sent, an error can still be said. */
static int file_try(struct fs_file *file, uint64_t first)
{
	struct fs_piece piece;
	int got;

	/* Reading ahead begins with the first piece, wherever that is. */
	file->expected = first;
	got = fs_file_lend(file, first, &piece);
	file->expected = first;
	if (got > 0)
		fs_file_return(file, &piece);
	return got < 0 && got != -FS_E_NOBUF ? got : 0;
}

int body_file(struct body *b, const struct fs_node *node, uint64_t first, uint64_t end)
{
	int error = fs_file_open_node(node, &b->file);

	if (error < 0)
		return error;
	error = file_try(&b->file, first);
	if (error < 0) {
		fs_file_close(&b->file);
		return error;
	}
	b->open = true;
	b->at = first;
	b->end = end;
	return 0;
}

void body_page(struct body *b, struct page *page)
{
	b->page = page;
	b->at = 0;
	b->end = page->text.bytes;
}

void body_end(struct body *b)
{
	if (b->page != NULL)
		index_put(b->page);
	if (b->open)
		fs_file_close(&b->file);
	b->page = NULL;
	b->open = false;
	b->at = b->end = 0;
}

static bool lend_allowed(const struct site *site, const struct holds *holds)
{
	uint32_t all = site->cache->count;
	uint64_t share = max_u64(all / 2 / max_u64(site->conns, 1), 2);

	return holds->count < min_u64(share, HOLDS) && site->lent < all / 8 * 5;
}

static int next_of_file(struct body *b, struct site *site, const struct holds *holds, bool few,
			struct body_piece *out)
{
	bool copy = !lend_allowed(site, holds);
	struct fs_piece piece;
	int got;

	if (copy && !few)
		return 0;
	got = fs_file_lend(&b->file, b->at, &piece);
	if (got == -FS_E_NOBUF)
		return 0;
	if (got < 0)
		return got;
	/* The size was known when the answer began: an end before it is damage. */
	if (got == 0)
		return -FS_E_CORRUPT;
	out->bytes = min_u64(piece.bytes, b->end - b->at);
	out->data = piece.data;
	if (piece.data == NULL) {
		out->data = zeros;
		out->bytes = min_u64(out->bytes, sizeof(zeros));
	}
	out->copy = copy || out->bytes <= BODY_COPY;
	out->hold = (struct hold){ .buffer = piece.buffer };
	return 1;
}

int body_next(struct body *b, struct site *site, const struct holds *holds, size_t most,
	      bool few, struct body_piece *out)
{
	int got;

	if (b->page == NULL) {
		got = next_of_file(b, site, holds, few, out);
		if (got <= 0)
			return got;
	} else {
		if (holds->count == HOLDS)
			return 0;
		*out = (struct body_piece){ b->page->text.at + b->at, b->end - b->at, false,
					    { .page = b->page } };
		b->page->refs++;
	}
	out->bytes = min_u64(out->bytes, most);
	return 1;
}

static void hold_end(struct site *site, struct hold *hold)
{
	if (hold->buffer != NULL)
		fs_cache_put(site->cache, hold->buffer);
	if (hold->page != NULL)
		index_put(hold->page);
	*hold = (struct hold){ .end = 0 };
}

void body_keep(struct body *b, struct site *site, struct holds *holds, struct body_piece *piece,
	       unsigned long end)
{
	struct hold *hold = &holds->hold[(holds->first + holds->count) % HOLDS];

	b->at += piece->bytes;
	site->lent_bytes += piece->bytes;
	/* Zeros of a hole need no keeping. */
	if (piece->hold.buffer == NULL && piece->hold.page == NULL)
		return;
	*hold = piece->hold;
	hold->end = end;
	holds->count++;
	if (hold->buffer != NULL)
		site->lent++;
}

void body_copied(struct body *b, struct site *site, struct body_piece *piece)
{
	b->at += piece->bytes;
	site->copied_bytes += piece->bytes;
	hold_end(site, &piece->hold);
}

void body_return(struct site *site, struct body_piece *piece)
{
	hold_end(site, &piece->hold);
}

void holds_release(struct holds *holds, struct site *site, unsigned long acked)
{
	while (holds->count > 0 && holds->hold[holds->first % HOLDS].end <= acked) {
		struct hold *hold = &holds->hold[holds->first % HOLDS];

		if (hold->buffer != NULL)
			site->lent--;
		hold_end(site, hold);
		holds->first++;
		holds->count--;
	}
}
