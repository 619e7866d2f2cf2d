/* SPDX-License-Identifier: MIT */
/*
 * nic_send.c - one packet at a time: gathered, compared with the claim's pattern, sent, done.
 *
 * Invariant: the first EXO_NIC_HEADER bytes are in the driver's buffer before they are compared,
 * and go to the device from there, so that nobody changes them in between.  What a refused packet
 * contains goes nowhere.  Parts are done in the order they were taken.  The NIC's lock is held.
 */
#include "dev/nic_send.h"

#include "charge.h"
#include "frame.h"
#include "kernel.h"
#include "x86/insn.h"

#define COOKIE_RING  16         /* pfn, first part, number of parts */
#define COOKIE_FIRST 8

static struct packets_part *part_at(struct packets *r, uint32_t n)
{
	return &r->part[n % EXO_PACKETS];
}

/* The part's frames are nobody's to wait for any more: how many they are. */
static uint32_t part_unpin(const struct packets_part *p)
{
	uint32_t count = (uint32_t)part_frames(p->pa, p->bytes);

	if (!p->claim)
		return 0;
	frame_unpin(p->claim, p->pa >> EXO_PAGE_SHIFT, count);
	return count;
}

/* Parts [first, first + count) are done; so are those before them that wait only to be shown. */
static void parts_done(struct nic *n, struct packets *r, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i != first + count; i++) {
		n->unpinned += part_unpin(part_at(r, i));
		part_at(r, i)->done = 1;
	}
	while (r->tx_done != r->tx_next && part_at(r, r->tx_done)->done)
		part_at(r, r->tx_done++)->done = 0;
	packets_show(r, tx_done);
	if (__atomic_load_n(&packets_page(r)->tx_wake, __ATOMIC_RELAXED))
		packets_tell(n, r);
}

/* The next `count` parts, a packet or what there is of one, are not sent. */
static void packet_refuse(struct nic *n, struct packets *r, uint32_t count, int err)
{
	uint32_t first = r->tx_next;

	r->tx_next += count;
	r->refused++;
	filter_at(r->filter)->pub.refused++;
	n->info->refused++;
	packets_show(r, refused);
	__atomic_store_n(&packets_page(r)->error, err, __ATOMIC_RELAXED);
	parts_done(n, r, first, count);
}

/* The first waiting packet: how many parts; 0: not all are there; above the limit: too many. */
static uint32_t packet_parts(struct packets *r)
{
	uint32_t n = 0;

	while (r->tx_next + n != r->tx_taken) {
		bool more = part_at(r, r->tx_next + n++)->flags & EXO_TX_MORE;

		if (!more || n > EXO_PACKET_PARTS)
			return n;
	}
	return 0;
}

/* Does anybody wait for the end of one of these parts? */
static bool packet_is_lent(struct packets *r, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (part_at(r, r->tx_next + i)->claim)
			return true;
	return false;
}

/*
 * The beginning of a packet, whose end has not come.  Frames are not pinned for that: it may never
 * come, and who wants them back would wait for ever.
 */
static enum packet_end packet_unfinished(struct nic *n, struct packets *r)
{
	uint32_t count = r->tx_taken - r->tx_next;

	if (!packet_is_lent(r, count))
		return PACKET_NONE;
	r->skipping = true;
	packet_refuse(n, r, count, -EXO_E_ARG);
	return PACKET_REFUSED;
}

/* What is left of a packet that was refused before its end came, as many parts as a packet has. */
static void packet_skip(struct nic *n, struct packets *r)
{
	uint32_t first = r->tx_next;

	while (r->skipping && r->tx_next != r->tx_taken && r->tx_next - first < EXO_PACKET_PARTS)
		r->skipping = part_at(r, r->tx_next++)->flags & EXO_TX_MORE;
	if (r->tx_next != first)
		parts_done(n, r, first, r->tx_next - first);
}

/* Lengths and flags, and whether all parts are what they should be. */
static int packet_measure(struct packets *r, uint32_t count, struct nic_send *s)
{
	const struct packets_part *p = part_at(r, r->tx_next);

	*s = (struct nic_send){ .flags = (uint16_t)(p->flags & ~(unsigned)EXO_TX_MORE),
		.segment = p->segment, .header = p->header, .checksum_start = p->checksum_start,
		.checksum_offset = p->checksum_offset };
	for (uint32_t i = 0; i < count; i++) {
		p = part_at(r, r->tx_next + i);
		if (p->refused)
			return -(int)p->pa;
		if (p->bytes > NIC_SEND_MAX - s->length)
			return -EXO_E_RANGE;
		s->length += p->bytes;
	}
	return 0;
}

/* The first bytes into the driver's buffer, zeros behind them; the rest as it lies. */
static void packet_gather(struct packets *r, uint32_t count, struct nic_send *s, uint8_t *header)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct packets_part *p = part_at(r, r->tx_next + i);
		uint32_t n = (uint32_t)min_u64(p->bytes, EXO_NIC_HEADER - s->copied);

		memcpy(header + s->copied, phys_to_virt(p->pa), n);
		s->copied += n;
		if (n < p->bytes)
			s->rest[s->rests++] = (struct nic_rest){ p->pa + n, p->bytes - n };
	}
	memset(header + s->copied, 0, EXO_NIC_HEADER - s->copied);
}

/* What the device is to store into the packet must lie in it, and not where it was compared. */
static int checksum_check(const struct nic *n, const struct filter *f, const struct nic_send *s)
{
	uint32_t at = (uint32_t)s->checksum_start + s->checksum_offset;

	if (!(n->info->flags & EXO_NIC_CHECKSUM))
		return -EXO_E_ABSENT;
	if (s->checksum_start >= s->length || !range_fits(at, 2, s->length))
		return -EXO_E_RANGE;
	return filter_names_send(f, at, 2) ? -EXO_E_RIGHTS : 0;
}

static int segment_check(const struct nic *n, const struct filter *f, const struct nic_send *s,
                         const uint8_t *header)
{
	bool v4 = s->flags & EXO_TX_SEGMENT4, v6 = s->flags & EXO_TX_SEGMENT6;

	if (!(s->flags & EXO_TX_CHECKSUM) || (v4 && v6))
		return -EXO_E_ARG;
	if (!(n->info->flags & (v4 ? EXO_NIC_SEGMENT4 : EXO_NIC_SEGMENT6)))
		return -EXO_E_ABSENT;
	return n->ops->segments(n, f, s, header);
}

/* May this packet be sent by the ring's claim? */
static int packet_check(const struct nic *n, const struct packets *r, const struct nic_send *s,
                        const uint8_t *header)
{
	const struct filter *f = filter_at(r->filter);
	bool cut = s->flags & (EXO_TX_SEGMENT4 | EXO_TX_SEGMENT6);
	int err = 0;

	if (!(r->rights & EXO_R_WRITE) || r->share)
		return -EXO_E_RIGHTS;
	if (!cut && s->length > n->info->bytes_max)
		return -EXO_E_RANGE;
	if (!filter_sends(f, header))
		return -EXO_E_RIGHTS;
	if (s->flags & EXO_TX_CHECKSUM)
		err = checksum_check(n, f, s);
	return err || !cut ? err : segment_check(n, f, s, header);
}

static void packet_count(struct nic *n, struct packets *r, const struct nic_send *s)
{
	struct filter *f = filter_at(r->filter);

	f->pub.sent++;
	f->pub.sent_bytes += s->length;
	n->info->sent++;
	n->info->sent_bytes += s->length;
	r->sent++;
	r->copied += s->copied;
	packets_count(r, s->copied);
	packets_show(r, sent);
	packets_show(r, copied);
	if (r->round == n->info->rounds + 1)
		return;
	r->round = n->info->rounds + 1;
	r->rounds++;
	packets_show(r, rounds);
}

/* Copies of a packet are for those who want them, what came before is for who sends it. */
static uint32_t packet_copy(struct nic *n, const struct packets *r, const struct nic_send *s,
                            const uint8_t *header, uint64_t *since)
{
	struct filter *f = filter_at(r->filter);

	if (!filter_share_first(f))
		return 0;
	charge_work(packets_env(r), since);
	return nic_copy_sent(n, f, s, header, since);
}

/* It is the device's from here on. */
static void packet_give(struct nic *n, unsigned queue, struct packets *r, uint32_t count,
                        struct nic_send *s)
{
	struct nic_queue *q = &n->queue[queue];

	s->cookie = packets_pfn(r) << COOKIE_RING |
	            (r->tx_next % EXO_PACKETS) << COOKIE_FIRST | count;
	packet_count(n, r, s);
	n->ops->send(n, queue, s);
	q->eager |= packet_is_lent(r, count);
	if (!q->flight++)
		q->life_tsc = read_tsc();
	r->flight++;
	r->tx_next += count;
}

enum packet_end packet_send(struct nic *n, unsigned queue, struct packets *r,
                            struct packet_cost *cost)
{
	struct nic_send s;
	uint32_t count;
	uint8_t *header;
	int err;

	packet_skip(n, r);
	if (r->skipping)
		return r->tx_next == r->tx_taken ? PACKET_NONE : PACKET_REFUSED;
	count = packet_parts(r);
	if (!count)
		return packet_unfinished(n, r);
	if (count > EXO_PACKET_PARTS) {
		r->skipping = part_at(r, r->tx_next + count - 1)->flags & EXO_TX_MORE;
		packet_refuse(n, r, count, -EXO_E_ARG);
		return PACKET_REFUSED;
	}
	header = n->dead ? NULL : n->ops->header(n, queue);
	if (!header && !n->dead)
		return PACKET_WAITS;
	err = n->dead ? -EXO_E_DEVICE : packet_measure(r, count, &s);
	if (!err) {
		packet_gather(r, count, &s, header);
		err = packet_check(n, r, &s, header);
	}
	if (err) {
		packet_refuse(n, r, count, err);
		return PACKET_REFUSED;
	}
	cost->bytes = s.length;
	cost->copies = packet_copy(n, r, &s, header, &cost->since);
	packet_give(n, queue, r, count, &s);
	return PACKET_SENT;
}

bool packets_refuse_rest(struct nic *n, struct packets *r)
{
	uint32_t first = n->unpinned, count;

	r->skipping = false;
	while (r->tx_next != r->tx_taken && n->unpinned - first < NIC_UNPIN_BATCH) {
		count = (uint32_t)min_u64(r->tx_taken - r->tx_next, NIC_UNPIN_BATCH / 32);
		packet_refuse(n, r, count, -EXO_E_STALE);
	}
	return r->tx_next != r->tx_taken;
}

bool nic_reap(struct nic *n, unsigned queue)
{
	struct nic_queue *q = &n->queue[queue];
	uint32_t first = n->unpinned;
	unsigned count = 0;
	uint64_t cookie;

	for (; count + (n->unpinned - first) / NIC_REAP_FRAMES < NIC_REAP_BATCH &&
	       n->ops->sent(n, queue, &cookie);
	     count++) {
		struct packets *r = packets_at(cookie >> COOKIE_RING);

		q->flight--;
		q->life_tsc = read_tsc();
		r->flight--;
		parts_done(n, r, (uint32_t)(cookie >> COOKIE_FIRST) % EXO_PACKETS,
		           (uint32_t)cookie & ((1u << COOKIE_FIRST) - 1));
	}
	return count + (n->unpinned - first) / NIC_REAP_FRAMES >= NIC_REAP_BATCH && q->flight;
}
