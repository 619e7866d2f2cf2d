# SPDX-License-Identifier: MIT
# dns.s - the same as dns.c, for tools/bpfasm.py: r1 is the packet's address, r2 its length.
	mov	r0, 0			# drop
	jlt	r2, 42, exit		# no Ethernet, IPv4 and UDP header in it
	ldxh	r3, [r1+12]
	jne	r3, 0x0008, exit	# ethertype 0x0800, as it lies in memory
	ldxb	r3, [r1+14]
	jne	r3, 0x45, exit		# IPv4 without options
	ldxb	r3, [r1+23]
	jne	r3, 17, exit		# UDP
	mov	r0, 1			# the first ring
	ldxh	r3, [r1+34]
	be16	r3
	jne	r3, 53, exit		# from port 53:
	mov	r0, 2			# the second
	exit
