/* SPDX-License-Identifier: MIT */
/*
 * http_wire.h - a web server over a fake disk and fake wires, for tests of httpd.
 *
 * The wire keeps the contract of httpd/wire.h and aborts when the server does not: more written
 * than there was room for, anything after an end, lent bytes that changed before they were
 * acknowledged or, after a cut, within the time the NIC may still read them.
 */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include <httpd/server.h>

#include "libfs_fake.h"

#define WIRE_PIECES 8192u

struct wire_piece {
	const char *data;
	size_t at, bytes;       /* where it stands in what was sent */
};

struct fake_wire {
	struct wire wire;
	struct server_conn *conn;
	const char *in;         /* what the client sends; [in_at, in_bytes) is unread */
	size_t in_at, in_bytes;
	size_t chunk;           /* most bytes of one read; 0: any */
	bool in_end;            /* the client has ended its side */
	char *out;
	size_t out_bytes, out_room;
	size_t window;          /* most bytes sent and not acknowledged */
	size_t acked;
	unsigned fail;          /* every fail-th write finds no memory; 0: none */
	unsigned writes, lends;
	bool finished, closed, cut;
	struct wire_piece piece[WIRE_PIECES];
	size_t pieces;
};

struct web {
	struct fake_disk disk;
	struct fake_memory memory;
	struct fs_mount mount;
	struct site site;
	struct server server;
	uint64_t now;
};

static inline void wire_must(bool promise, const char *what)
{
	if (promise)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static inline struct fake_wire *fake_of(const struct wire *w)
{
	return (struct fake_wire *)(uintptr_t)w;
}

static inline size_t fake_read(struct wire *wire, void *out, size_t bytes)
{
	struct fake_wire *w = fake_of(wire);
	size_t n = w->in_bytes - w->in_at;

	wire_must(!w->closed && !w->cut, "no use of a wire after its end");
	n = n < bytes ? n : bytes;
	n = w->chunk && n > w->chunk ? w->chunk : n;
	memcpy(out, w->in + w->in_at, n);
	w->in_at += n;
	return n;
}

static inline bool fake_ended(const struct wire *wire)
{
	struct fake_wire *w = fake_of(wire);

	return w->in_end && w->in_at == w->in_bytes;
}

static inline size_t fake_room(const struct wire *wire)
{
	struct fake_wire *w = fake_of(wire);

	wire_must(!w->closed && !w->cut, "no use of a wire after its end");
	return w->window - (w->out_bytes - w->acked);
}

/* Is what was lent from byte `from` to byte `to` as it was? */
static inline void fake_compare(const struct fake_wire *w, size_t from, size_t to)
{
	for (size_t i = 0; i < w->pieces; i++) {
		const struct wire_piece *p = &w->piece[i];

		if (p->at + p->bytes > from && p->at < to)
			wire_must(memcmp(p->data, w->out + p->at, p->bytes) == 0,
				  "lent bytes stay as they are");
	}
}

static inline bool fake_write(struct wire *wire, const void *data, size_t bytes, bool lent,
			      bool more)
{
	struct fake_wire *w = fake_of(wire);

	(void)more;
	wire_must(!w->finished, "nothing is written behind the end");
	wire_must(bytes > 0 && bytes <= fake_room(wire), "only what there is room for is written");
	if (w->fail && ++w->writes % w->fail == 0)
		return false;
	while (w->out_room - w->out_bytes < bytes) {
		w->out_room = w->out_room ? w->out_room * 2 : 4096;
		w->out = realloc(w->out, w->out_room);
	}
	memcpy(w->out + w->out_bytes, data, bytes);
	if (lent) {
		wire_must(w->pieces < WIRE_PIECES, "the test's list of pieces is long enough");
		w->piece[w->pieces++] = (struct wire_piece){ data, w->out_bytes, bytes };
		w->lends++;
	}
	w->out_bytes += bytes;
	return true;
}

static inline unsigned long fake_acked(const struct wire *wire)
{
	return fake_of(wire)->acked;
}

static inline void fake_flush(struct wire *wire)
{
	(void)wire;
}

static inline bool fake_half_close(struct wire *wire)
{
	struct fake_wire *w = fake_of(wire);

	wire_must(!w->finished, "a side is ended once");
	if (w->fail && ++w->writes % w->fail == 0)
		return false;
	w->finished = true;
	return true;
}

static inline void fake_close(struct wire *wire)
{
	struct fake_wire *w = fake_of(wire);

	wire_must(!w->closed && !w->cut && w->finished, "closed once, after the own end");
	wire_must(w->acked == w->out_bytes, "closed when all is acknowledged");
	wire_must(w->in_at == w->in_bytes, "closed when all that came was read");
	w->closed = true;
}

static inline void fake_abort(struct wire *wire)
{
	struct fake_wire *w = fake_of(wire);

	wire_must(!w->closed && !w->cut, "cut once");
	w->cut = true;
}

static const struct wire_ops fake_wire_ops = {
	.read = fake_read, .ended = fake_ended, .room = fake_room, .write = fake_write,
	.acked = fake_acked, .flush = fake_flush, .finish = fake_half_close, .close = fake_close,
	.abort = fake_abort,
};

/* The client acknowledges up to `bytes` more. */
static inline void fake_ack(struct fake_wire *w, size_t bytes)
{
	size_t to = w->acked + bytes < w->out_bytes ? w->acked + bytes : w->out_bytes, kept = 0;

	fake_compare(w, w->acked, to);
	w->acked = to;
	for (size_t i = 0; i < w->pieces; i++)
		if (w->piece[i].at + w->piece[i].bytes > to)
			w->piece[kept++] = w->piece[i];
	w->pieces = kept;
}

static inline bool web_start(struct web *web, const uint8_t *image, uint64_t bytes, uint32_t conns,
			     uint64_t cache_bytes)
{
	struct fs_mount_options options = { .cache_bytes = cache_bytes };

	memset(web, 0, sizeof(*web));
	web->now = SECOND;
	fs_mount_table_init(&web->site.table);
	web->site.page_most = 256 << 10;
	server_init(&web->server, &web->site, conns);
	snprintf(web->site.why, sizeof(web->site.why), "There is no disk.");
	if (!image)
		return true;
	fake_disk_init(&web->disk, image, bytes, 512, true);
	fake_memory_init(&web->memory, -1);
	options.device = &web->disk.device;
	options.memory = &web->memory.memory;
	if (fs_mount_add(&web->site.table, &web->mount, "/", &options) < 0)
		return false;
	web->site.mounted = true;
	web->site.cache = &web->mount.fs.cache;
	return true;
}

static inline bool wire_open(struct web *web, struct fake_wire *w, const char *in, size_t bytes)
{
	memset(w, 0, offsetof(struct fake_wire, piece));
	w->pieces = 0;
	w->wire.ops = &fake_wire_ops;
	w->in = in;
	w->in_bytes = bytes;
	w->window = 128 << 10;
	w->conn = server_open(&web->server, &w->wire, web->now);
	return w->conn != NULL;
}

/* Let the server do all it can now for this wire (and whoever else is awake). */
static inline void web_turns(struct web *web, struct fake_wire *w)
{
	if (!w->closed && !w->cut)
		server_wake(&web->server, w->conn);
	for (unsigned rounds = 0; server_round(&web->server, web->now); rounds++)
		wire_must(rounds < 100000, "the server comes to an end");
}

/* Time passes, in steps as main.c would look at it. */
static inline void web_pass(struct web *web, uint64_t ns)
{
	uint64_t end = web->now + ns;

	while (web->now < end) {
		web->now += SERVER_TICK_NS;
		while (server_round(&web->server, web->now))
			;
	}
}

static inline void wire_free(struct fake_wire *w)
{
	free(w->out);
	w->out = NULL;
}

/* Let all connections go by their times, forget all pages, and insist that nothing is left. */
static inline void web_end(struct web *web)
{
	struct page *page;

	web_pass(web, 70 * SECOND);
	wire_must(web->server.count == 0 && web->server.all == NULL, "no connection is left");
	wire_must(web->site.lent == 0, "no buffer is lent");
	while ((page = web->site.pages) != NULL) {
		wire_must(page->refs == 0, "no page has readers");
		web->site.pages = page->next;
		text_clear(&page->text, 0);
		free(page);
	}
	if (!web->site.mounted)
		return;
	wire_must(fs_mount_remove(&web->site.table, "/") == 0, "no file is open");
	wire_must(web->memory.out == 0, "all memory came back");
}

#endif
