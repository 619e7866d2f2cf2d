/* SPDX-License-Identifier: MIT */
/*
 * nic_receive.c - from the device's buffers, or a sender's, into those that rings' owners posted.
 *
 * Invariant: which buffer is next, and where it lies, is compared with the kernel's own numbers on
 * each packet; what the owner writes meanwhile reaches nothing outside its data area.  A packet is
 * copied once for its holder and once for each share that sees it; all of that counts as work, and
 * its time is charged to who is told of the rings that it is done for.
 */
#include "dev/nic.h"

#include "charge.h"
#include "claim.h"
#include "kernel.h"
#include "prog.h"

/* A packet in pieces. */
struct pieces {
	const uint8_t *head;
	uint32_t head_bytes;
	const struct nic_rest *rest;
	uint32_t rests;
	uint32_t length;        /* of all */
	uint16_t flags;         /* EXO_RX_* */
	uint16_t segment;       /* see struct exo_rx */
	uint32_t verdict;       /* EXO_VERDICT_*: of the holder's program */
	uint16_t right;         /* EXO_R_READ or EXO_R_WRITE: what a claim that sees it carries */
	uint64_t since;         /* tsc: what was done before it is charged already */
};

static void pieces_copy(uint8_t *to, const struct pieces *p, uint32_t bytes)
{
	uint32_t done = (uint32_t)min_u64(bytes, p->head_bytes);

	memcpy(to, p->head, done);
	for (uint32_t i = 0; i < p->rests && done < bytes; i++) {
		uint32_t n = (uint32_t)min_u64(p->rest[i].bytes, bytes - done);

		memcpy(to + done, phys_to_virt(p->rest[i].pa), n);
		done += n;
	}
}

/* Buffers that a packet takes of these rings; several: one for each piece. */
static uint32_t ring_needs(const struct packets *r, const struct pieces *p)
{
	return r->joined && !r->share ? 1 + p->rests : 1;
}

/* Are enough posted for a packet?  An index that the owner cannot have reached counts as none. */
static bool ring_has_room(const struct packets *r, const struct pieces *p)
{
	uint32_t posted = __atomic_load_n(&packets_page(r)->rx_posted, __ATOMIC_ACQUIRE);
	uint32_t room = posted - r->rx_done;

	return room <= EXO_PACKETS && room >= ring_needs(r, p) && !r->ending;
}

/* The first of the claim's rings that has room, else its first ring, or NULL. */
static struct packets *ring_choose(exo_sid holder, const struct pieces *p)
{
	struct packets *first = holder ? packets_at(slot_at(holder)->bind) : NULL, *r = first;

	if (!holder || !slot_at(holder)->bind || !(first->rights & p->right))
		return NULL;
	while (!ring_has_room(r, p)) {
		if (!r->bind_next)
			return first;
		r = packets_at(r->bind_next);
	}
	return r;
}

/* The ring that the holder's program named, or NULL. */
static struct packets *ring_named(exo_sid holder, const struct pieces *p)
{
	uint32_t n = p->verdict & EXO_VERDICT_RING;
	uint64_t pfn;

	if (n == EXO_VERDICT_ANY)
		return ring_choose(holder, p);
	if (!n || !holder)
		return NULL;
	for (pfn = slot_at(holder)->bind; pfn && --n;)
		pfn = packets_at(pfn)->bind_next;
	return pfn && (packets_at(pfn)->rights & p->right) ? packets_at(pfn) : NULL;
}

static void ring_drop(struct packets *r)
{
	r->dropped++;
	packets_show(r, dropped);
}

/* Where the next buffer is; NULL: it does not lie in the data area, and gets nothing. */
static uint8_t *buffer_next(const struct packets *r)
{
	const struct exo_rx *e = &packets_rx(r)[r->rx_done % EXO_PACKETS];
	uint32_t offset = __atomic_load_n(&e->offset, __ATOMIC_RELAXED);

	if (!range_fits(offset, EXO_PACKET_BYTES, r->data_frames * EXO_PAGE_SIZE))
		return NULL;
	return phys_to_virt(packets_data(r) + offset);
}

static void buffer_done(struct packets *r, const struct pieces *p, uint32_t bytes, bool more)
{
	struct exo_rx *e = &packets_rx(r)[r->rx_done % EXO_PACKETS];

	e->bytes = (uint16_t)bytes;
	e->flags = (uint16_t)(p->flags | (more ? EXO_RX_MORE : 0));
	e->length = p->length;
	e->segment = p->segment;
	r->rx_done++;
}

/* The pieces behind the first into a buffer each, while there is place: bytes copied. */
static uint32_t rests_fill(struct packets *r, const struct pieces *p, bool *fits)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < p->rests; i++) {
		uint8_t *to = *fits ? buffer_next(r) : NULL;
		uint32_t bytes = to ? p->rest[i].bytes : 0;

		*fits = to;
		if (to)
			memcpy(to, phys_to_virt(p->rest[i].pa), bytes);
		buffer_done(r, p, bytes, i + 1 < p->rests);
		done += bytes;
	}
	return done;
}

/* Into the next buffers; behind one that does not lie in the data area nothing is written. */
static bool ring_fill(struct nic *n, struct packets *r, const struct pieces *p)
{
	bool several = ring_needs(r, p) > 1;
	uint8_t *to = buffer_next(r);
	uint32_t bytes = several ? p->head_bytes : (uint32_t)min_u64(p->length, EXO_PACKET_BYTES);
	bool fits = to;

	if (!to)
		bytes = 0;
	else
		pieces_copy(to, p, bytes);
	buffer_done(r, p, bytes, several);
	if (several)
		bytes += rests_fill(r, p, &fits);
	r->copied += bytes;
	if (fits)
		r->received++;
	else
		ring_drop(r);
	packets_count(r, bytes);
	packets_show(r, copied);
	packets_show(r, received);
	packets_show(r, rx_done);
	if (!(p->verdict & EXO_VERDICT_QUIET) &&
	    !__atomic_load_n(&packets_page(r)->rx_quiet, __ATOMIC_RELAXED))
		packets_tell(n, r);
	return fits;
}

static bool ring_offer(struct nic *n, struct packets *r, const struct pieces *p)
{
	if (ring_has_room(r, p))
		return ring_fill(n, r, p);
	ring_drop(r);
	return false;
}

/* Who is told of these rings or, if it is none of them, of the first that the holder has bound. */
static struct env *work_owner(exo_sid holder, const struct packets *r)
{
	uint64_t first = holder ? slot_at(holder)->bind : 0;

	if (!r && first)
		r = packets_at(first);
	return r ? packets_env(r) : NULL;
}

/* To the rings of the filter's holder: false if it got into no buffer. */
static bool filter_deliver(struct nic *n, struct filter *f, struct pieces *p)
{
	struct packets *r = ring_named(f->pub.holder, p);
	bool delivered = r && ring_offer(n, r, p);

	charge_work(work_owner(f->pub.holder, r), &p->since);
	f->pub.packets++;
	f->pub.bytes += p->length;
	f->pub.dropped += !delivered;
	return delivered;
}

/* Copies for the shares that see the packet; how many. */
static unsigned shares_deliver(struct nic *n, struct filter *f, struct pieces *p)
{
	unsigned copies = 0;

	p->flags |= EXO_RX_COPY;
	p->verdict = EXO_VERDICT_ANY;
	for (struct filter *s = filter_share_first(f); s; s = filter_share_next(s)) {
		if (!(s->pub.rights & p->right))
			continue;
		if (!(p->right == EXO_R_READ ? filter_receives(s, p->head) :
		                               filter_sends(s, p->head)))
			continue;
		filter_deliver(n, s, p);
		copies++;
	}
	return copies;
}

/* What finding a filter cost: up to 64 probes a level; four levels count as a packet. */
static unsigned find_work(const struct filter *f)
{
	unsigned levels = 0;

	for (; f->pub.parent; f = filter_at(f->pub.parent))
		levels++;
	return levels / 4;
}

/* One packet, to whom it belongs: how much work that was, all of it since *since. */
static unsigned packet_deliver(struct nic *n, const struct nic_packet *got, uint64_t *since)
{
	struct pieces p = { .head = got->data, .head_bytes = got->bytes, .length = got->length,
	                    .rest = got->rest, .rests = got->rests, .segment = got->segment,
	                    .flags = got->checked ? EXO_RX_CHECKED : 0, .right = EXO_R_READ,
	                    .verdict = EXO_VERDICT_ANY, .since = *since };
	unsigned work = 1 + got->rests;
	struct filter *f;

	if (got->length < EXO_NIC_HEADER)
		memset(got->data + got->length, 0, EXO_NIC_HEADER - got->length);
	n->info->received++;
	n->info->received_bytes += got->length;
	f = filter_find(filter_at(n->filter), got->data);
	if (f->prog) {
		p.verdict = (uint32_t)prog_run(f->prog, got->data, got->length);
		work += prog_at(f->prog)->pub.cost / NIC_PACKET_INSNS;
	}
	if (!filter_deliver(n, f, &p))
		n->info->dropped++;
	work += find_work(f) + shares_deliver(n, f, &p);
	*since = p.since;
	return work;
}

bool nic_receive(struct nic *n, unsigned queue, unsigned *work)
{
	uint64_t since = charge_begin();
	enum nic_got got = NIC_GOT_PACKET;
	struct nic_packet p;

	while (*work < NIC_RECEIVE_BATCH) {
		unsigned room = *work ? NIC_RECEIVE_BATCH - *work : EXO_PACKET_BUFFERS;

		got = n->ops->receive(n, queue, room, &p);
		if (got != NIC_GOT_PACKET)
			break;
		*work += packet_deliver(n, &p, &since);
		n->ops->recycle(n, queue, &p);
	}
	n->queue[queue].large = got == NIC_GOT_LARGE;
	if (*work >= NIC_RECEIVE_BATCH)         /* a look, which takes nothing */
		got = n->ops->receive(n, queue, 0, &p);
	n->ops->refill(n, queue);
	return got != NIC_GOT_NOTHING;
}

unsigned nic_copy_sent(struct nic *n, struct filter *f, const struct nic_send *s,
                       const uint8_t *header, uint64_t *since)
{
	struct pieces p = { .since = *since, .head = header, .head_bytes = s->copied,
	                    .rest = s->rest, .rests = s->rests, .length = s->length,
	                    .right = EXO_R_WRITE,
	                    .flags = EXO_RX_SENT |
	                             (s->flags & EXO_TX_CHECKSUM ? EXO_RX_CHECKED : 0) };

	unsigned copies = shares_deliver(n, f, &p);

	*since = p.since;
	return copies;
}
