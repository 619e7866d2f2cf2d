# SPDX-License-Identifier: MIT
# files.mk - sources of libnet.a: the library's own, and lwIP's from Debian's source package.
lwip     := build/src/lwip
lwip-ok  := build/src/lwip.ok
lwip-versions := 2.1.3 2.2.1
# For everything that uses lwIP's headers.
lwip-see := -I$(lwip)/src/include -Ilibnet/lwip/include -Ilibnet/lwip/stub

lwip-src := $(addprefix $(lwip)/src/, \
	$(addprefix core/, def.c dns.c inet_chksum.c init.c ip.c mem.c memp.c netif.c pbuf.c raw.c \
		stats.c tcp.c tcp_in.c tcp_out.c udp.c) \
	$(addprefix core/ipv4/, dhcp.c etharp.c icmp.c ip4.c ip4_addr.c ip4_frag.c) \
	$(addprefix core/ipv6/, ethip6.c icmp6.c inet6.c ip6.c ip6_addr.c ip6_frag.c mld6.c nd6.c) \
	netif/ethernet.c)

# Half of our window is more than a segment can be: clang calls lwIP's smaller of the two pointless.
cflags-$(lwip)/src/core/tcp.c := -Wno-tautological-constant-out-of-range-compare

libnet-own := \
	libnet/address.c libnet/claim.c libnet/dns_message.c libnet/e1000e.c libnet/e1000e_open.c libnet/echo.c libnet/error.c \
	libnet/memory.c libnet/name.c libnet/neighbour.c libnet/packets.c libnet/page.c \
	libnet/pattern.c libnet/pattern_text.c libnet/ring.c libnet/socket.c libnet/socket_listen.c \
	libnet/socket_tcp.c libnet/socket_udp.c libnet/stack.c libnet/stack_head.c libnet/stack_in.c \
	libnet/stack_join.c libnet/stack_merge.c libnet/stack_out.c libnet/stack_packet.c \
	libnet/stack_page.c libnet/stack_reopen.c libnet/stack_ring.c libnet/lwip/convert.c \
	libnet/lwip/stdlib.c libnet/lwip/system.c libnet/lwip/timers.c
libnet-src := $(libnet-own) $(lwip-src)
