#!/bin/sh
# SPDX-License-Identifier: MIT
# doctor.sh - what is installed, which versions, which QEMU features work, what to do about the rest.
# 1 if something that building or booting needs is missing.
set -u
PATH=$PATH:/usr/sbin:/sbin
bad=0

version() {     # version COMMAND ARGUMENT: the first line of what it says
	"$1" "$2" 2>&1 < /dev/null | grep -m 1 '[0-9]' | cut -c 1-80
}
tool() {        # tool NEEDED-FOR PACKAGE COMMAND ARGUMENT
	if command -v "$3" > /dev/null 2>&1; then
		printf '  ok       %-20s %s\n' "$3" "$(version "$3" "$4")"
	else
		printf '  MISSING  %-20s apt-get install %s   (needed to %s)\n' "$3" "$2" "$1"
		case $1 in build|boot) bad=1 ;; esac
	fi
}
file() {        # file NEEDED-FOR PACKAGE PATH...
	need=$1 package=$2
	shift 2
	for f in "$@"; do
		if [ -e "$f" ]; then
			printf '  ok       %-20s %s\n' "$package" "$f"
			return
		fi
	done
	printf '  MISSING  %-20s apt-get install %s   (needed to %s)\n' "$1" "$package" "$need"
	case $need in build|boot) bad=1 ;; esac
}
feature() {     # feature NAME WHAT-IT-IS-FOR QEMU-ARGUMENTS...
	name=$1 why=$2
	shift 2
	if echo '{"execute":"qmp_capabilities"}{"execute":"quit"}' | timeout 20 qemu-system-x86_64 \
		-M q35 -nodefaults -display none -S -qmp stdio "$@" > /dev/null 2>&1; then
		printf '  ok       %-20s %s\n' "$name" "$why"
	else
		printf '  no       %-20s %s: left out\n' "$name" "$why"
	fi
}

echo 'system'
printf '  %s, %s CPUs, Linux %s\n' "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release 2>/dev/null)" \
	"$(nproc)" "$(uname -r)"
echo 'build'
tool build gcc gcc --version
tool check clang clang --version
tool build binutils ld --version
tool build make make --version
tool build python3 python3 --version
file build gnu-efi /usr/include/efi/efi.h
file build libxxhash-dev /usr/include/xxhash.h
tool build dpkg-dev dpkg-source --version
echo 'boot'
tool boot qemu-system-x86 qemu-system-x86_64 --version
file boot ovmf /usr/share/ovmf/OVMF.fd /usr/share/OVMF/OVMF_CODE_4M.fd /usr/share/OVMF/OVMF_CODE.fd
tool boot e2fsprogs mke2fs -V
echo 'images'
tool images mtools mcopy --version
tool images gdisk sgdisk --version
tool images xorriso xorriso -version
echo 'test and debug'
tool test xxhash xxhsum --version
tool test curl curl --version
tool test apache2-utils ab -V
tool test iproute2 tc -V
tool test iputils-ping ping -V
tool test iputils-arping arping -V
tool check cppcheck cppcheck --version
tool debug gdb gdb --version

if command -v qemu-system-x86_64 > /dev/null 2>&1; then
	echo 'QEMU features'
	feature tcg 'software execution, one thread a CPU' -accel tcg,thread=multi
	feature icount 'instruction counts (make bench)' -accel tcg -icount shift=7,sleep=off
	feature virtio-blk 'the disk' -device virtio-blk-pci,drive=d,disable-legacy=on \
		-drive if=none,id=d,file=null-co://,format=raw
	feature isa-debug-exit 'test verdicts' -device isa-debug-exit,iobase=0xf4,iosize=4
	feature virtio-net 'the network' -device virtio-net-pci,netdev=n -netdev user,id=n
	feature dgram 'network tests with frames of their own' \
		-netdev dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=inet,remote.host=127.0.0.1,remote.port=9
	feature filter-dump 'CAPTURE=' -netdev user,id=n -object filter-dump,id=f,netdev=n,file=/dev/null
	feature intel-iommu 'DMA protection' -device intel-iommu
	feature nvme 'NVMe disks' -device nvme,serial=x
	feature igb 'virtual functions (QEMU 8)' -device igb
	if python3 -c 'import sys; sys.path.insert(0, "tools"); import machine; sys.exit(not machine.kvm_works())'; then
		printf '  ok       %-20s %s\n' kvm 'ACCEL=kvm works'
	else
		printf '  no       %-20s %s\n' kvm 'not here: everything runs on TCG'
	fi
fi
echo 'network'
port=${PORT:-8080}
if ! command -v python3 > /dev/null 2>&1; then
	printf '  no       %-20s %s\n' "port $port" 'not tried without python3'
elif said=$(python3 -c 'import sys; sys.path.insert(0, "tools"); import nics
nics.check_ports(nics.web_forwards(sys.argv[1]))' "$port" 2>&1); then
	printf '  ok       %-20s %s\n' "port $port" 'free, the next one too'
else
	printf '  no       %-20s %s\n' "port $port" "$said"
fi
if [ -r /dev/net/tun ] && [ -w /dev/net/tun ] && unshare -n true 2> /dev/null; then
	printf '  ok       %-20s %s\n' tap 'tests with a network namespace of their own run'
else
	printf '  no       %-20s %s\n' tap 'no right to /dev/net/tun or to a network namespace (root has it): tests skipped'
fi
[ $bad = 0 ] && echo 'everything that building and booting need is there' ||
	echo 'something is missing: make deps installs it'
exit $bad
