/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http.c - what a client may send: the answers depend on the bytes and on nothing else.
 *
 * The first four bytes of the input are a seed.  The rest is sent twice: at once, to a client that
 * takes everything, and in random pieces, with random room, late acknowledgements and writes that
 * find no memory.  Both must get the same bytes, and afterwards nothing may be left.
 */
// prepare: tests/host/gen_http.py
// sources: services/http/text.c services/http/head.c services/http/request.c services/http/date.c
// sources: services/http/response.c services/http/url.c
// sources: services/httpd/answer.c services/httpd/body.c services/httpd/condition.c
// sources: services/httpd/conn.c services/httpd/index.c services/httpd/listing.c
// sources: services/httpd/path.c services/httpd/range.c services/httpd/reply.c
// sources: services/httpd/server.c services/httpd/text.c services/httpd/type.c
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c
// sources: exo/base/format.c exo/base/sort.c
// includes: services/include libfs/include services libexos/include
// runs: 6000
#include "http_wire.h"

#define MOST 40000u     /* bytes of an input that are sent */
#define STEPS 200000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct web web;
static struct fake_wire plain, torn;
static uint32_t seed;

static uint32_t chance(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static bool start(void)
{
	static const uint8_t *image;
	static uint64_t bytes;

	if (!image)
		image = fake_image("http.img", false, &bytes);
	if (!image)
		return false;
	wire_must(web_start(&web, image, bytes, 0, 1 << 20), "the image mounts");
	return true;
}

/* To a client that takes everything at once. */
static void run_plain(const char *in, size_t bytes)
{
	size_t before;

	wire_must(wire_open(&web, &plain, in, bytes), "a connection opens");
	do {
		before = plain.out_bytes + plain.in_at;
		web_turns(&web, &plain);
		fake_ack(&plain, SIZE_MAX / 2);
	} while (before != plain.out_bytes + plain.in_at && !plain.closed);
	plain.in_end = true;
	web_turns(&web, &plain);
	fake_ack(&plain, SIZE_MAX / 2);
	web_turns(&web, &plain);
	wire_must(plain.closed, "the connection ends when the client has");
}

/* The same bytes bit by bit. */
static void run_torn(const char *in, size_t bytes)
{
	wire_must(wire_open(&web, &torn, in, 0), "a connection opens");
	torn.chunk = 1 + chance(1 + chance(3000));
	torn.window = 1 + chance(1 + chance(100000));
	torn.fail = chance(3) ? 0 : 2 + chance(9);
	for (unsigned step = 0; !torn.closed; step++) {
		wire_must(step < STEPS, "the connection ends when the client has");
		if (torn.in_bytes < bytes && chance(2)) {
			size_t more = 1 + chance(1 + chance(2000)), left = bytes - torn.in_bytes;

			torn.in_bytes += more < left ? more : left;
		}
		torn.in_end = torn.in_bytes == bytes;
		web_turns(&web, &torn);
		if (chance(2) || torn.out_bytes == torn.acked + torn.window)
			fake_ack(&torn, 1 + chance(1 + chance(200000)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why, *in = (const char *)data + 4;
	struct http_response response;
	struct http_url url;
	int64_t date;

	if (size < 4 || !start())
		return 0;
	memcpy(&seed, data, 4);
	size = size - 4 < MOST ? size - 4 : MOST;
	http_response_parse(in, size, &response);
	http_url_parse(in, size, &url, &why);
	http_date_read((struct http_text){ in, size }, &date);
	run_plain(in, size);
	run_torn(in, size);
	wire_must(plain.out_bytes == torn.out_bytes &&
		  (plain.out_bytes == 0 || memcmp(plain.out, torn.out, plain.out_bytes) == 0),
		  "answers do not depend on how the request came");
	wire_free(&plain);
	wire_free(&torn);
	web_end(&web);
	return 0;
}
