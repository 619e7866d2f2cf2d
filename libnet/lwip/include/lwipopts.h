/* SPDX-License-Identifier: MIT */
/*
 * lwipopts.h - how lwIP is built here: one build serves netcfg and applications.
 *
 * What differs between the two (link addresses, timers) is decided at run time in libnet.  Works
 * with lwIP 2.1.3 and 2.2.1.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* --- no operating system below: one thread, callbacks, time by sys_now --- */
#define NO_SYS                  1
#define SYS_LIGHTWEIGHT_PROT    0
#define LWIP_NETCONN            0
#define LWIP_SOCKET             0
#define LWIP_TIMERS             1
#define LWIP_TIMERS_CUSTOM      1       /* libnet/lwip/timers.c: idle programs sleep */

/* --- one interface; loop-back is not a network matter here --- */
#define LWIP_SINGLE_NETIF       1
#define LWIP_NETIF_LOOPBACK     0
#define LWIP_NETIF_HOSTNAME     1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LINK_CALLBACK 1

/* --- protocols --- */
#define LWIP_ETHERNET           1
#define LWIP_ARP                1
#define LWIP_IPV4               1
#define LWIP_IPV6               1
#define LWIP_ICMP               1
#define LWIP_ICMP6              1
#define LWIP_IPV6_MLD           1
#define LWIP_RAW                1       /* echo requests */
#define LWIP_UDP                1
#define LWIP_TCP                1
#define LWIP_DHCP               1
#define LWIP_DNS                1       /* keeps what DHCP says; queries: libnet/name.c */
#define DNS_MAX_SERVERS         4
#define LWIP_DHCP_MAX_DNS_SERVERS 4
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 2
/* The address is used as soon as it is leased: the prompt does not wait for probes. */
#define DHCP_DOES_ARP_CHECK     0       /* lwIP 2.1 */
#define LWIP_DHCP_DOES_ACD_CHECK 0      /* lwIP 2.2 */
#define IP_REASSEMBLY           1
#define IP_REASS_MAX_PBUFS      64      /* a datagram of 64 KiB, and some smaller ones */
#define MEMP_NUM_REASSDATA      16
#define IP_FRAG                 1
#define LWIP_IPV6_FRAG          1
#define LWIP_IPV6_REASS         1
#define IPV6_FRAG_COPYHEADER    1       /* its notes, with 64-bit pointers, overlap the header */
#define LWIP_IPV6_NUM_ADDRESSES 4
#define ARP_TABLE_SIZE          64
#define ARP_QUEUEING            1
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define LWIP_ND6_NUM_NEIGHBORS  32
#define LWIP_ND6_NUM_DESTINATIONS 32
#define IP_DEFAULT_TTL          64

/*
 * --- TCP: what one connection may have under way finds room in a server's ring of 256 buffers:
 * the largest window is that of a ring whose buffers are filled to the end (stack_ring_window);
 * sockets have a smaller one where they are not ---
 */
#define TCP_MSS                 1460    /* 1,500 - 20 - 20 */
#define LWIP_WND_SCALE          1
#define TCP_RCV_SCALE           3
#define TCP_WND                 (314 * TCP_MSS)         /* 458,440 bytes */
/* Among a connection's TF_*: libnet's stack_in.c says when they are set. */
#define NET_TF_OWED             0x8000U
#define NET_TF_DENSE            0x4000U
/* What was read is told at once from here on, in tcp_recved(pcb, ...). */
#define TCP_WND_UPDATE_THRESHOLD \
	((pcb->flags & NET_TF_DENSE) ? TCP_WND_MAX(pcb) / 4u : 4u * TCP_MSS)
#define TCP_SND_BUF             (256 * 1024)
#define TCP_SND_QUEUELEN        ((4 * TCP_SND_BUF + TCP_MSS - 1) / TCP_MSS)
#define TCP_SNDLOWAT            (48 * 1024)     /* tcp_sndbuf says 65,535 at most */
#define TCP_LISTEN_BACKLOG      1
#define LWIP_TCP_SACK_OUT       1
#define TCP_OOSEQ_MAX_BYTES     TCP_WND
#define LWIP_TCP_KEEPALIVE      1
#define SO_REUSE                1       /* a port with connections in TIME_WAIT can be bound */
#define TCP_MSL                 10000ul /* ms; TIME_WAIT lasts twice that */
#define LWIP_TCP_RTO_TIME       1000    /* ms, first retransmission (RFC 6298 section 2) */

/*
 * --- memory: fixed pools for what strangers can make us allocate, the heap for the rest ---
 * When MEMP_NUM_TCP_PCB connections exist, a new one replaces the oldest in TIME_WAIT.
 */
#define MEM_ALIGNMENT           8
#define MEM_LIBC_MALLOC         1
#define MEMP_NUM_TCP_PCB        640
#define MEMP_NUM_TCP_PCB_LISTEN 32
#define MEMP_NUM_TCP_SEG        8192
#define MEMP_NUM_PBUF           8192    /* descriptors of data that is sent in place */
#define MEMP_NUM_UDP_PCB        64
#define MEMP_NUM_RAW_PCB        16
#define MEMP_NUM_ARP_QUEUE      64
#define MEMP_NUM_ND6_QUEUE      64
#define MEMP_NUM_MLD6_GROUP     16
#define PBUF_POOL_SIZE          4       /* unused: packets come in ring buffers or from the heap */
#define MEMP_NUM_SYS_TIMEOUT    16
/* The pools above are right for this; lwIP's rules of thumb assume PBUF_POOL for receiving. */
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1

/* --- checksums: the port switches them by packet and by what the NIC does --- */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

#define LWIP_STATS              1
#define LINK_STATS              0
#define ETHARP_STATS            0
#define IP_STATS                0
#define IPFRAG_STATS            0
#define ICMP_STATS              0
#define UDP_STATS               0
#define TCP_STATS               0
#define IP6_STATS               0
#define ICMP6_STATS             0
#define IP6_FRAG_STATS          0
#define MLD6_STATS              0
#define ND6_STATS               0
#define MEM_STATS               0
#define MEMP_STATS              1       /* what is in use shows leaks */

/* Initial sequence numbers: RFC 6528. */
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) \
	net_lwip_isn(local, local_port, remote, remote_port)
/* Several segments that went up as one are acknowledged in the next turn. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, optlen, opt1len, opt2, p) net_lwip_segment(pcb)
#define LWIP_HOOK_FILENAME      "arch/hooks.h"

#endif
