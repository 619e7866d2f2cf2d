#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh run|run-disk|image|debug|all - install the Debian packages that are missing for this.
#
# Prints the apt-get line; installs as root, or with a sudo that asks for no password.  Otherwise,
# and with NOINSTALL=1, stops with that line.  What is there already is not touched.
set -u
PATH=$PATH:/usr/sbin:/sbin
what=${1:-all}

# package, and a command or file that shows it is there
build='gcc:gcc binutils:ld make:make python3:python3 libc6-dev:/usr/include/limits.h
gnu-efi:/usr/include/efi/efi.h libxxhash-dev:/usr/include/xxhash.h dpkg-dev:dpkg-source'
boot='qemu-system-x86:qemu-system-x86_64 ovmf:/usr/share/ovmf/OVMF.fd|/usr/share/OVMF/OVMF_CODE_4M.fd
e2fsprogs:mke2fs'
image='mtools:mcopy gdisk:sgdisk xorriso:xorriso'
tests='clang:clang cppcheck:cppcheck xxhash:xxhsum curl:curl apache2-utils:ab iproute2:tc
iputils-ping:ping iputils-arping:arping xz-utils:xz'

case $what in
run)      list="$build $boot" ;;
run-disk) list="$build $boot $image" ;;
image)    list="$build $image" ;;
debug)    list="$build $boot gdb:gdb" ;;
all)      list="$build $boot $image $tests gdb:gdb" ;;
*)        echo "usage: deps.sh run|run-disk|image|debug|all" >&2; exit 2 ;;
esac

present() {
	for p in $(echo "$1" | tr '|' ' '); do
		case $p in
		/*) [ -e "$p" ] && return 0 ;;
		*)  command -v "$p" >/dev/null 2>&1 && return 0 ;;
		esac
	done
	return 1
}

missing=
for item in $list; do
	present "${item#*:}" || missing="$missing ${item%%:*}"
done
# The sanitizers' run time for clang carries the compiler's version in its name.
if [ "$what" = all ]; then
	version=$(clang -dumpversion 2>/dev/null | cut -d. -f1)
	if [ -z "$version" ]; then
		version=$(apt-cache show clang 2>/dev/null | sed -n 's/^Depends: clang-\([0-9]*\).*/\1/p' | head -n 1)
	fi
	if [ -n "$version" ] && ! ls /usr/lib/llvm-"$version"/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a >/dev/null 2>&1; then
		missing="$missing libclang-rt-$version-dev"
	fi
fi
[ -z "$missing" ] && exit 0

line="apt-get install --no-install-recommends -y$missing"
echo "missing packages:$missing"
if ! command -v apt-get >/dev/null 2>&1; then
	echo "this is not a Debian system: install what these packages hold by its own means" >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	as=
elif sudo -n true 2>/dev/null; then
	as='sudo -n env DEBIAN_FRONTEND=noninteractive'
else
	as=none
fi
if [ -n "${NOINSTALL:-}" ] || [ "$as" = none ]; then
	echo "install them as root, then try again:" >&2
	echo "    $line" >&2
	exit 1
fi
echo "  $line"
install() {
	$as $line || return 1
	# With no package lists clang's version was unknown until now.
	[ "$what" != all ] || [ -n "$version" ] || exec sh "$0" all
	exit 0
}
export DEBIAN_FRONTEND=noninteractive
install
echo 'refreshing the package lists'
$as apt-get update && install
echo "the packages could not be installed; the line was:" >&2
echo "    $line" >&2
exit 1
