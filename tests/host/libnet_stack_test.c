/* SPDX-License-Identifier: MIT */
/*
 * libnet_stack_test.c - two stacks, each in a process, on a cable that loses and exchanges packets.
 */
// sources: libnet/address.c libnet/claim.c libnet/dns_message.c libnet/echo.c libnet/error.c
// sources: libnet/memory.c libnet/name.c libnet/neighbour.c libnet/page.c libnet/pattern.c
// sources: libnet/ring.c libnet/socket.c libnet/socket_listen.c libnet/socket_tcp.c
// sources: libnet/socket_udp.c libnet/stack.c libnet/stack_head.c libnet/stack_in.c
// sources: libnet/stack_join.c libnet/stack_merge.c libnet/stack_out.c libnet/stack_packet.c
// sources: libnet/stack_page.c libnet/stack_reopen.c libnet/stack_ring.c libnet/lwip/convert.c
// sources: libnet/lwip/stdlib.c libnet/lwip/system.c libnet/lwip/timers.c exo/base/format.c
// sources: build/src/lwip/src/core/def.c build/src/lwip/src/core/dns.c
// sources: build/src/lwip/src/core/inet_chksum.c build/src/lwip/src/core/init.c
// sources: build/src/lwip/src/core/ip.c build/src/lwip/src/core/mem.c
// sources: build/src/lwip/src/core/memp.c build/src/lwip/src/core/netif.c
// sources: build/src/lwip/src/core/pbuf.c build/src/lwip/src/core/raw.c
// sources: build/src/lwip/src/core/stats.c build/src/lwip/src/core/tcp.c
// sources: build/src/lwip/src/core/tcp_in.c build/src/lwip/src/core/tcp_out.c
// sources: build/src/lwip/src/core/udp.c
// sources: build/src/lwip/src/core/ipv4/dhcp.c build/src/lwip/src/core/ipv4/etharp.c
// sources: build/src/lwip/src/core/ipv4/icmp.c build/src/lwip/src/core/ipv4/ip4.c
// sources: build/src/lwip/src/core/ipv4/ip4_addr.c build/src/lwip/src/core/ipv4/ip4_frag.c
// sources: build/src/lwip/src/core/ipv6/ethip6.c build/src/lwip/src/core/ipv6/icmp6.c
// sources: build/src/lwip/src/core/ipv6/inet6.c build/src/lwip/src/core/ipv6/ip6.c
// sources: build/src/lwip/src/core/ipv6/ip6_addr.c build/src/lwip/src/core/ipv6/ip6_frag.c
// sources: build/src/lwip/src/core/ipv6/mld6.c build/src/lwip/src/core/ipv6/nd6.c
// sources: build/src/lwip/src/netif/ethernet.c
// includes: libexos/include libnet/include build/src/lwip/src/include libnet/lwip/include
// timeout: 240
#include "test.h"

#include "libnet_fake.h"

#include <exos/time.h>
#include <lwip/priv/tcp_priv.h>
#include <net/lwip.h>
#include <net/socket.h>
#include <net/stack.h>

#include "../../libnet/stack_parts.h"

#define SECOND_NS 1000000000ul
#define PORT      80u

/* How the two machines of a test are set up. */
struct cable {
	unsigned lose, swap;
	bool checksum, unknown;         /* offload; link addresses must be asked for */
	bool segment, vouch;            /* more offload: cutting, checksums of what comes in */
	bool join;                      /* and joining */
	bool full;                      /* no netcfg: ARP and neighbour discovery in the stack */
	unsigned frames;                /* of the wide ring, 0: none */
};

static struct net_stack *stack;
static struct net_socket *listener;     /* of a server; closed when its connections are over */
static unsigned side_failed;
static bool many;                       /* connections by one ring */

#define SIDE_CHECK(condition) \
	do { \
		if (!(condition)) { \
			if (!side_failed++) \
				fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
		} \
	} while (0)

static struct net_addr address(uint32_t family, unsigned n)
{
	if (family == 4)
		return net_addr_v4(10, 0, 0, (uint8_t)n);
	return (struct net_addr){ 6, { 0xfd, [15] = (uint8_t)n } };
}

/* What netcfg does: addresses by hand, IPv6 ones tried for uniqueness. */
static void full_start(unsigned n)
{
	struct netif *netif = net_stack_netif(stack);
	struct net_addr own = address(6, n);
	ip4_addr_t addr, mask, gateway = { 0 };
	ip_addr_t six;

	IP4_ADDR(&addr, 10, 0, 0, n);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	netif_set_addr(netif, &addr, &mask, &gateway);
	net_addr_to_lwip(&own, &six);
	netif_ip6_addr_set(netif, 0, ip_2_ip6(&six));
	netif_ip6_addr_set_state(netif, 0, IP6_ADDR_TENTATIVE);
	netif_set_up(netif);
	netif_set_link_up(netif);
}

static void machine_start(const struct cable *cable, int fd, unsigned n)
{
	struct net_stack_config config = { .page = &fake.page, .gate = 1 };
	struct net_addr four = address(4, 3 - n), six = address(6, 3 - n);
	int err;

	fake_init(fd, n);
	fake.lose = cable->lose;
	fake.swap = cable->swap;
	fake.checksum = cable->checksum;
	fake.segment = cable->segment;
	fake.vouch = cable->vouch;
	fake.join = cable->join;
	net_stack_offload(&config, (cable->checksum ? EXO_NIC_CHECKSUM : 0) |
			  (cable->segment ? EXO_NIC_SEGMENT4 | EXO_NIC_SEGMENT6 : 0));
	fake.resolve_after = 2;
	if (!cable->unknown) {
		fake_neighbour(&four);
		fake_neighbour(&six);
	}
	if (cable->full) {
		config = (struct net_stack_config){ .full = true, .mtu = 1500 };
		memcpy(config.mac, fake.page.mac, 6);
	}
	err = net_stack_create(&config, &stack);
	if (err < 0)
		fake_die(net_error_text(err));
	if (cable->full)
		full_start(n);
	if (cable->frames && net_stack_add(stack, fake_claim_make(NULL, NULL), NULL, cable->frames,
					   NULL) < 0)
		fake_die("no wide ring");
}

/* Nothing may be left once the last connection is closed and TIME_WAIT is over. */
static void machine_end(void)
{
	struct net_stack_stats s;
	uint64_t end = exos_deadline(60 * SECOND_NS);

	do {
		net_stack_run(stack, exos_deadline(SECOND_NS / 10));
		net_stack_stats(stack, &s);
	} while ((s.connections || s.time_wait) && exos_tsc() < end);
	SIDE_CHECK(s.connections == 0);
	SIDE_CHECK(s.time_wait == 0);
	SIDE_CHECK(s.segments == 0);
	SIDE_CHECK(s.held == 0);
	SIDE_CHECK(fake.wrong == 0);
	/* One connection never has more under way than there are buffers. */
	SIDE_CHECK(fake.dropped == 0 || many);
	if (listener)
		net_close(listener);
	net_stack_end(stack);
	for (unsigned i = 0; i < FAKE_CLAIMS; i++)
		SIDE_CHECK(!fake.rings[i]);
}

typedef void side(void);

/* Run both sides, each in a process of its own (lwIP's state is static). */
static void run(const struct cable *cable, side *first, side *second)
{
	side *const sides[2] = { first, second };
	int fd[2], size = 1 << 20, status;
	pid_t pid[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) == 0);
	for (unsigned i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	fflush(stdout);
	for (unsigned i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			close(fd[1 - i]);
			machine_start(cable, fd[i], i + 1);
			sides[i]();
			machine_end();
			_exit(side_failed ? 1 : 0);
		}
	}
	close(fd[0]);
	close(fd[1]);
	for (unsigned i = 0; i < 2; i++) {
		waitpid(pid[i], &status, 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

/* The bytes of a stream: wrong order, place or stream is noticed. */
static uint8_t stream_byte(uint32_t stream, uint64_t n)
{
	return (uint8_t)((n + stream * 7919) * 2654435761u >> 13);
}

struct flow {
	struct net_socket *s;
	uint32_t sends, receives;       /* streams */
	uint64_t bytes;                 /* each way */
	uint64_t sent, received;
	bool wrong;
};

/* Both directions at once, until all is sent and all is there. */
static bool flow_step(struct flow *f)
{
	uint8_t buffer[8192];
	uint64_t left = f->bytes - f->sent;
	size_t part = left < sizeof buffer ? (size_t)left : sizeof buffer;
	int64_t got;
	bool moved = false;

	for (size_t i = 0; i < part; i++)
		buffer[i] = stream_byte(f->sends, f->sent + i);
	got = part ? net_send(f->s, buffer, part, 1) : 0;
	if (got > 0) {
		f->sent += (uint64_t)got;
		moved = true;
		if (f->sent == f->bytes)
			SIDE_CHECK(net_shutdown(f->s) == 0);
	}
	SIDE_CHECK(got >= 0 || got == -NET_E_TIMEOUT);
	got = net_receive(f->s, buffer, sizeof buffer, 1);
	for (int64_t i = 0; i < got; i++)
		f->wrong |= buffer[i] != stream_byte(f->receives, f->received + (uint64_t)i);
	if (got > 0) {
		f->received += (uint64_t)got;
		moved = true;
	}
	SIDE_CHECK(got >= 0 || got == -NET_E_TIMEOUT);
	return moved;
}

static void flow_run(struct flow *f)
{
	while ((f->sent < f->bytes || f->received < f->bytes) && !side_failed)
		if (!flow_step(f))
			net_stack_run(stack, exos_deadline(SECOND_NS / 10));
	SIDE_CHECK(!f->wrong);
	SIDE_CHECK(net_receive(f->s, &(uint8_t){ 0 }, 1, exos_deadline(20 * SECOND_NS)) == 0);
	net_close(f->s);
}

static uint64_t bulk_bytes;
static uint32_t bulk_family;

static void bulk_server(void)
{
	struct flow f = { .sends = 1, .receives = 2, .bytes = bulk_bytes };

	SIDE_CHECK(net_listen(stack, PORT, 16, &listener) == 0);
	SIDE_CHECK(net_accept(listener, exos_deadline(60 * SECOND_NS), &f.s) == 0);
	if (side_failed)
		return;
	flow_run(&f);
}

static void bulk_client(void)
{
	struct flow f = { .sends = 2, .receives = 1, .bytes = bulk_bytes };
	struct net_addr to = address(bulk_family, 1);
	struct net_stack_stats s;
	int err;

	do {
		err = net_connect(stack, &to, PORT, exos_deadline(60 * SECOND_NS), &f.s);
	} while (err == -NET_E_REFUSED);
	SIDE_CHECK(err == 0);
	if (err < 0)
		return;
	flow_run(&f);
	net_stack_stats(stack, &s);
	SIDE_CHECK(s.lent_in > 0);
}

static void bulk(const struct cable *cable, uint32_t family, uint64_t bytes)
{
	bulk_family = family;
	bulk_bytes = bytes;
	run(cable, bulk_server, bulk_client);
}

TEST(ten_megabytes_both_ways)
{
	bulk(&(struct cable){ .lose = 0 }, 4, 10000000);
}

TEST(ten_megabytes_both_ways_with_loss_and_reordering)
{
	bulk(&(struct cable){ .lose = 100, .swap = 50 }, 4, 10000000);
}

TEST(checksums_left_to_the_device)
{
	bulk(&(struct cable){ .lose = 300, .swap = 100, .checksum = true }, 4, 2000000);
}

TEST(ipv6)
{
	bulk(&(struct cable){ .lose = 300, .swap = 100 }, 6, 2000000);
}

TEST(ipv6_checksums_left_to_the_device)
{
	bulk(&(struct cable){ .checksum = true }, 6, 1000000);
}

/* --- segments that the NIC cuts, and such as come together --- */

static void cut_server(void)
{
	struct net_stack_stats s;

	bulk_server();
	net_stack_stats(stack, &s);
	SIDE_CHECK(s.merged_out > 0 && fake.cut > s.merged_out);
}

static void cut(const struct cable *cable, uint32_t family, uint64_t bytes)
{
	bulk_family = family;
	bulk_bytes = bytes;
	run(cable, cut_server, bulk_client);
}

TEST(segments_are_cut_by_the_device)
{
	cut(&(struct cable){ .checksum = true, .segment = true }, 4, 10000000);
}

TEST(segments_are_cut_by_the_device_with_loss_and_reordering)
{
	cut(&(struct cable){ .checksum = true, .segment = true, .lose = 100, .swap = 50 }, 4,
	    4000000);
}

TEST(segments_over_ipv6_are_cut_by_the_device)
{
	cut(&(struct cable){ .checksum = true, .segment = true, .lose = 300 }, 6, 2000000);
}

static void joined_client(void)
{
	struct net_stack_stats s;

	bulk_client();
	net_stack_stats(stack, &s);
	SIDE_CHECK(s.joined_in > 0);
}

TEST(segments_that_come_together_go_up_together)
{
	bulk_family = 4;
	bulk_bytes = 10000000;
	run(&(struct cable){ .checksum = true, .segment = true, .vouch = true, .swap = 100 },
	    bulk_server, joined_client);
	bulk_family = 6;
	run(&(struct cable){ .checksum = true, .segment = true, .vouch = true, .lose = 300 },
	    bulk_server, joined_client);
}

/* --- packets that the card joined: several buffers each --- */

static void card_joined_check(void)
{
	struct net_stack_stats s;

	net_stack_stats(stack, &s);
	SIDE_CHECK(fake.joined > 0 && fake.cut_off == 0);
	SIDE_CHECK(s.card_joined_in >= fake.joined);
	SIDE_CHECK(s.lent_in > 4 * s.card_joined_in || s.copied_in > 0);
}

static void card_joined_server(void)
{
	bulk_server();
	card_joined_check();
}

static void card_joined_client(void)
{
	bulk_client();
	card_joined_check();
}

TEST(packets_that_the_card_joined)
{
	const struct cable cable = { .checksum = true, .segment = true, .vouch = true,
				     .join = true };

	bulk_family = 4;
	bulk_bytes = 20000000;
	run(&cable, card_joined_server, card_joined_client);
	bulk_family = 6;
	bulk_bytes = 4000000;
	run(&cable, card_joined_server, card_joined_client);
}

TEST(packets_that_the_card_joined_with_loss)
{
	bulk_family = 4;
	bulk_bytes = 4000000;
	run(&(struct cable){ .checksum = true, .segment = true, .vouch = true, .join = true,
			     .lose = 30 }, card_joined_server, card_joined_client);
}

TEST(link_addresses_are_asked_for_and_learned)
{
	bulk(&(struct cable){ .unknown = true }, 4, 100000);
}

/* --- many connections --- */

#define MANY        64u
#define MANY_ROUNDS 32u
#define MANY_BYTES  20000u

/* A step of each that is open; how many came to their end, and were closed. */
static unsigned flows_step(struct flow *f, unsigned count, bool *moved)
{
	unsigned ended = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!f[i].s)
			continue;
		*moved |= flow_step(&f[i]);
		if (f[i].sent < f[i].bytes || f[i].received < f[i].bytes)
			continue;
		SIDE_CHECK(!f[i].wrong);
		net_close(f[i].s);
		f[i].s = NULL;
		ended++;
	}
	return ended;
}

static void many_server(void)
{
	struct flow f[MANY] = { { 0 } };
	unsigned done = 0, taken = 0;

	many = true;
	SIDE_CHECK(net_listen(stack, PORT, 255, &listener) == 0);
	while (done < MANY && !side_failed) {
		bool moved = false;

		if (taken < MANY && net_accept(listener, 1, &f[taken].s) == 0) {
			f[taken].sends = 1;
			f[taken].receives = 2;
			f[taken++].bytes = MANY_BYTES;
		}
		done += flows_step(f, taken, &moved);
		if (!moved)
			net_stack_run(stack, exos_deadline(SECOND_NS / 10));
	}
}

static void many_client(void)
{
	struct flow f[MANY] = { { 0 } };
	struct net_addr to = address(4, 1);
	unsigned done = 0;

	for (unsigned i = 0; i < MANY && !side_failed; i++) {
		f[i] = (struct flow){ .sends = 2, .receives = 1, .bytes = MANY_BYTES };
		SIDE_CHECK(net_connect(stack, &to, PORT, exos_deadline(60 * SECOND_NS),
				       &f[i].s) == 0);
	}
	while (done < MANY && !side_failed) {
		bool moved = false;

		done += flows_step(f, MANY, &moved);
		if (!moved)
			net_stack_run(stack, exos_deadline(SECOND_NS / 10));
	}
}

TEST(sixty_four_connections_at_once)
{
	run(&(struct cable){ .lose = 500 }, many_server, many_client);
}

#define SERIAL 2000u

static void serial_server(void)
{
	struct net_socket *s;
	char word[4];

	SIDE_CHECK(net_listen(stack, PORT, 255, &listener) == 0);
	for (unsigned i = 0; i < SERIAL && !side_failed; i++) {
		SIDE_CHECK(net_accept(listener, exos_deadline(60 * SECOND_NS), &s) == 0);
		if (side_failed)
			break;
		SIDE_CHECK(net_receive(s, word, 4, exos_deadline(60 * SECOND_NS)) == 4);
		SIDE_CHECK(net_send(s, word, 4, 0) == 4);
		net_close(s);
	}
}

static void serial_client(void)
{
	struct net_addr to = address(4, 1);
	struct net_socket *s;
	char word[4] = "abc";

	for (unsigned i = 0; i < SERIAL && !side_failed; i++) {
		int err = net_connect(stack, &to, PORT, exos_deadline(60 * SECOND_NS), &s);

		SIDE_CHECK(err == 0);
		if (err < 0)
			break;
		SIDE_CHECK(net_send(s, word, 4, 0) == 4);
		SIDE_CHECK(net_receive(s, word, 4, exos_deadline(60 * SECOND_NS)) == 4);
		SIDE_CHECK(net_receive(s, word, 4, exos_deadline(60 * SECOND_NS)) == 0);
		net_close(s);
	}
	SIDE_CHECK(fake.claims == 0);
}

TEST(two_thousand_connections_opened_and_closed)
{
	run(&(struct cable){ .lose = 0 }, serial_server, serial_client);
}

/* --- a port used anew while the old connection waits out its time --- */

/* A TCP segment of the waiting connection's ports, as it would come in. */
static size_t segment_make(uint8_t *to, const struct tcp_pcb *pcb, uint32_t sequence, uint8_t flags)
{
	memset(to, 0, 54);
	to[12] = 0x08;
	to[14] = 0x45;
	to[23] = NET_TCP;
	memcpy(to + 26, &ip_2_ip4(&pcb->remote_ip)->addr, 4);
	memcpy(to + 30, &ip_2_ip4(&pcb->local_ip)->addr, 4);
	to[34] = (uint8_t)(pcb->remote_port >> 8);
	to[35] = (uint8_t)pcb->remote_port;
	to[36] = (uint8_t)(pcb->local_port >> 8);
	to[37] = (uint8_t)pcb->local_port;
	for (unsigned i = 0; i < 4; i++)
		to[38 + i] = (uint8_t)(sequence >> (24 - 8 * i));
	to[47] = flags;
	return 54;
}

static void anew_server(void)
{
	uint8_t segment[54];
	struct net_socket *s;
	struct tcp_pcb *pcb;
	char word[4];

	SIDE_CHECK(net_listen(stack, PORT, 4, &listener) == 0);
	SIDE_CHECK(net_accept(listener, exos_deadline(60 * SECOND_NS), &s) == 0);
	SIDE_CHECK(net_receive(s, word, 4, exos_deadline(60 * SECOND_NS)) == 4);
	net_close(s);
	while (!tcp_tw_pcbs && !side_failed)
		net_stack_run(stack, exos_deadline(SECOND_NS / 10));
	pcb = tcp_tw_pcbs;
	if (!pcb)
		return;
	stack_reopen(segment, segment_make(segment, pcb, pcb->rcv_nxt, TCP_SYN));
	stack_reopen(segment, segment_make(segment, pcb, pcb->rcv_nxt - 9, TCP_SYN));
	stack_reopen(segment, segment_make(segment, pcb, pcb->rcv_nxt + 1, TCP_SYN | TCP_ACK));
	stack_reopen(segment, segment_make(segment, pcb, pcb->rcv_nxt + 1, TCP_ACK));
	stack_reopen(segment, segment_make(segment, pcb, pcb->rcv_nxt + 1, TCP_SYN) - 1);
	segment_make(segment, pcb, pcb->rcv_nxt + 1, TCP_SYN);
	segment[35]++;
	stack_reopen(segment, sizeof segment);
	SIDE_CHECK(tcp_tw_pcbs == pcb);
	stack_reopen(segment, segment_make(segment, pcb, pcb->rcv_nxt + 1, TCP_SYN));
	SIDE_CHECK(tcp_tw_pcbs == NULL);
}

static void anew_client(void)
{
	struct net_addr to = address(4, 1);
	struct net_socket *s;
	char word[4] = "abc";

	SIDE_CHECK(net_connect(stack, &to, PORT, exos_deadline(60 * SECOND_NS), &s) == 0);
	SIDE_CHECK(net_send(s, word, 4, 0) == 4);
	SIDE_CHECK(net_receive(s, word, 4, exos_deadline(60 * SECOND_NS)) == 0);
	net_close(s);
}

TEST(a_newer_connection_ends_the_wait_of_an_old_one)
{
	run(&(struct cable){ .lose = 0 }, anew_server, anew_client);
}

/* --- sending in place --- */

#define LENT_BYTES (4u << 20)

static uint8_t *lent;
static uint64_t lent_sent, lent_acked;

static void lent_write(struct tcp_pcb *pcb)
{
	while (lent_sent < LENT_BYTES) {
		uint64_t left = LENT_BYTES - lent_sent;
		u16_t part = (u16_t)(left < 8192 ? left : 8192);

		if (tcp_sndbuf(pcb) < part ||
		    tcp_write(pcb, lent + lent_sent, part, 0) != ERR_OK)
			break;
		lent_sent += part;
	}
	tcp_output(pcb);
}

static err_t lent_on_sent(void *argument, struct tcp_pcb *pcb, u16_t bytes)
{
	(void)argument;
	lent_acked += bytes;
	lent_write(pcb);
	return ERR_OK;
}

static err_t lent_on_accept(void *argument, struct tcp_pcb *pcb, err_t error)
{
	(void)argument;
	(void)error;
	tcp_sent(pcb, lent_on_sent);
	lent_write(pcb);
	return ERR_OK;
}

static void lent_server(void)
{
	struct net_flow flow = { .protocol = NET_TCP, .family = 4, .local_port = PORT };
	struct tcp_pcb *pcb = tcp_new();
	struct net_stack_stats s;

	SIDE_CHECK(posix_memalign((void **)&lent, 4096, LENT_BYTES) == 0);
	for (uint64_t i = 0; i < LENT_BYTES; i++)
		lent[i] = stream_byte(5, i);
	SIDE_CHECK(net_stack_claim(stack, &flow, NET_STACK_FRAMES, NULL, NULL) == 0);
	SIDE_CHECK(net_memory_register(stack, lent, LENT_BYTES, 9, (uintptr_t)lent / 4096) == 0);
	SIDE_CHECK(net_memory_register(stack, lent + 4096, 4096, 9, 1) == -EXO_E_ARG);
	SIDE_CHECK(tcp_bind(pcb, IP_ANY_TYPE, PORT) == ERR_OK);
	pcb = tcp_listen(pcb);
	tcp_accept(pcb, lent_on_accept);
	while (lent_acked < LENT_BYTES && !side_failed)
		net_stack_run(stack, exos_deadline(SECOND_NS));
	net_stack_stats(stack, &s);
	/* All payload was named in place at least once; headers only were copied. */
	SIDE_CHECK(s.lent_out_bytes >= LENT_BYTES);
	SIDE_CHECK(s.copied_out_bytes < LENT_BYTES / 5);
	net_memory_unregister(stack, lent);
	tcp_close(pcb);
}

static void lent_client(void)
{
	struct net_addr to = address(4, 1);
	struct net_socket *s;
	uint8_t buffer[8192];
	uint64_t at = 0;
	bool wrong = false;
	int64_t got;

	SIDE_CHECK(net_connect(stack, &to, PORT, exos_deadline(60 * SECOND_NS), &s) == 0);
	while (at < LENT_BYTES && !side_failed) {
		got = net_receive(s, buffer, sizeof buffer, exos_deadline(60 * SECOND_NS));
		SIDE_CHECK(got > 0);
		for (int64_t i = 0; i < got; i++)
			wrong |= buffer[i] != stream_byte(5, at + (uint64_t)i);
		at += got > 0 ? (uint64_t)got : 0;
	}
	SIDE_CHECK(!wrong);
	net_abort(s);
}

TEST(payload_sent_in_place)
{
	run(&(struct cable){ .lose = 300, .swap = 100 }, lent_server, lent_client);
}

TEST(payload_sent_in_place_with_checksums_left_to_the_device)
{
	run(&(struct cable){ .checksum = true }, lent_server, lent_client);
}

/* --- datagrams, echo, refusals --- */

static void datagram_server(void)
{
	struct net_socket *s;
	struct net_addr from;
	uint16_t port;
	uint8_t buffer[1500];

	SIDE_CHECK(net_udp(stack, 4, 7, &s) == 0);
	for (unsigned i = 0; i < 50 && !side_failed; i++) {
		int64_t got = net_receive_from(s, buffer, sizeof buffer, &from, &port,
					       exos_deadline(60 * SECOND_NS));

		SIDE_CHECK(got == (int64_t)(i * 29));
		SIDE_CHECK(net_send_to(s, buffer, (size_t)got, &from, port) == got);
	}
	net_close(s);
}

static void datagram_client(void)
{
	struct net_addr to = address(4, 1), from;
	struct net_socket *s;
	uint8_t buffer[1600], back[1600];
	uint16_t port;

	SIDE_CHECK(net_udp(stack, 4, 0, &s) == 0);
	SIDE_CHECK(net_send_to(s, buffer, 1473, &to, 7) == -NET_E_TOO_LONG);
	for (unsigned i = 0; i < 50 && !side_failed; i++) {
		for (unsigned k = 0; k < i * 29; k++)
			buffer[k] = stream_byte(i, k);
		SIDE_CHECK(net_send_to(s, buffer, i * 29, &to, 7) == (int64_t)(i * 29));
		SIDE_CHECK(net_receive_from(s, back, sizeof back, &from, &port,
					    exos_deadline(20 * SECOND_NS)) == (int64_t)(i * 29));
		SIDE_CHECK(memcmp(buffer, back, i * 29) == 0 && port == 7);
		SIDE_CHECK(net_addr_equal(&from, &to));
	}
	SIDE_CHECK(net_receive_from(s, back, 1, NULL, NULL, 1) == -NET_E_TIMEOUT);
	net_close(s);
}

TEST(datagrams)
{
	run(&(struct cable){ .lose = 0 }, datagram_server, datagram_client);
}

static void quiet_side(void)
{
	uint64_t end = exos_deadline(20 * SECOND_NS);

	while (exos_tsc() < end)
		net_stack_run(stack, end);
}

static void echo_client(void)
{
	struct net_socket *s;
	struct net_addr port_owner = address(4, 1);

	for (uint32_t family = 4; family <= 6; family += 2) {
		struct net_addr to = address(family, 1), nobody = address(family, 99);
		struct net_echo reply;

		SIDE_CHECK(net_echo_open(stack, family, &s) == 0);
		for (uint16_t i = 0; i < 20 && !side_failed; i++) {
			SIDE_CHECK(net_echo(s, &to, i, i * 70u, exos_deadline(9 * SECOND_NS),
					    &reply) == 0);
			SIDE_CHECK(reply.bytes == i * 70u && (family == 6 || reply.ttl == 64));
		}
		SIDE_CHECK(net_echo(s, &nobody, 1, 8, exos_deadline(SECOND_NS / 2), &reply) ==
			   -NET_E_TIMEOUT);
		net_close(s);
	}
	/* Nobody listens: refused, and said so. */
	SIDE_CHECK(net_connect(stack, &port_owner, 81, exos_deadline(9 * SECOND_NS), &s) ==
		   -NET_E_REFUSED);
}

TEST(echo_and_refusal_by_a_wide_ring)
{
	run(&(struct cable){ .frames = 64 }, quiet_side, echo_client);
}

static void silent_client(void)
{
	struct net_addr to = address(4, 1);
	struct net_socket *s;
	uint64_t start = exos_ns();

	SIDE_CHECK(net_connect(stack, &to, PORT, exos_deadline(3 * SECOND_NS), &s) ==
		   -NET_E_TIMEOUT);
	SIDE_CHECK(exos_ns() - start >= 3 * SECOND_NS);
	SIDE_CHECK(fake.claims == 0);
	SIDE_CHECK(net_lookup(stack, "a.example", 0, &to) == -NET_E_NO_DNS);
	SIDE_CHECK(net_lookup(stack, "not a name", 0, &to) == -NET_E_BAD_NAME);
	SIDE_CHECK(net_lookup(stack, "10.1.2.3", 0, &to) == 0 && to.byte[3] == 3);
}

TEST(nobody_answers)
{
	run(&(struct cable){ .lose = 1 }, quiet_side, silent_client);
}

/* --- netcfg's way: link addresses resolved here, fragments --- */

#define BIG_BYTES 9000u

static uint64_t big_seen;

static void on_big(void *argument, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
		   u16_t port)
{
	bool same = p->tot_len == BIG_BYTES;

	(void)argument;
	for (u16_t i = 0; same && i < BIG_BYTES; i++)
		same = pbuf_get_at(p, i) == stream_byte(3, i);
	SIDE_CHECK(same);
	big_seen++;
	if (port == 9)
		udp_sendto(pcb, p, from, port);
	pbuf_free(p);
}

/* A datagram of seven fragments there and back, over each family. */
static void full_side(unsigned n)
{
	uint64_t end = exos_deadline(60 * SECOND_NS), again = 0;
	struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
	struct net_addr peer = address(4, 3 - n);
	struct pbuf *p;
	ip_addr_t to;

	SIDE_CHECK(udp_bind(pcb, IP_ANY_TYPE, n == 1 ? 7 : 9) == ERR_OK);
	udp_recv(pcb, on_big, NULL);
	while (big_seen < 2 && exos_tsc() < end && n == 2) {
		if (exos_tsc() >= again) {
			peer = address(big_seen ? 6 : 4, 1);
			net_addr_to_lwip(&peer, &to);
			p = pbuf_alloc(PBUF_TRANSPORT, BIG_BYTES, PBUF_RAM);
			for (u16_t i = 0; i < BIG_BYTES; i++)
				pbuf_put_at(p, i, stream_byte(3, i));
			udp_sendto(pcb, p, &to, 7);
			pbuf_free(p);
			again = exos_deadline(5 * SECOND_NS);
		}
		net_stack_run(stack, exos_deadline(SECOND_NS / 10));
	}
	end = exos_deadline(30 * SECOND_NS);
	while (n == 1 && exos_tsc() < end)
		net_stack_run(stack, exos_deadline(SECOND_NS / 10));
	SIDE_CHECK(big_seen >= 2);
	udp_remove(pcb);
}

static void full_server(void) { full_side(1); }
static void full_client(void) { full_side(2); }

TEST(addresses_resolved_and_fragments_joined_in_full_mode)
{
	run(&(struct cable){ .full = true, .frames = 128 }, full_server, full_client);
}

TEST_MAIN
