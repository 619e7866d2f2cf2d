#!/bin/sh
# SPDX-License-Identifier: MIT
# linux.sh VERSION... - fetch Debian's Linux for virtual machines, which `make bench` measures exo by.
#
# Any user may run it (apt.sh); nothing is installed.  Accepted are the kernel VERSIONs named.
# build/src/linux/ gets vmlinuz, modules/NN-NAME.ko in the order in which they are to be loaded, and
# version; build/src/linux.ok says it is whole.  What is there already is not fetched.
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
. "${0%/*}/apt.sh"
versions=$*
src=${SRC:-build/src}
name=linux-image-cloud-amd64
modules='virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover
	net_failover virtio_net virtio_blk'

[ -e "$src/linux.ok" ] && [ -e "$src/linux/vmlinuz" ] && exit 0
mkdir -p "$src" || fail "cannot write to $src"
exec 9> "$src/.linux.lock" || fail "cannot write to $src"
flock 9
[ -e "$src/linux.ok" ] && [ -e "$src/linux/vmlinuz" ] && exit 0

need_tools apt-get:apt dpkg-deb:dpkg xz:xz-utils
echo "fetching the Debian package $name"
apt_prepare apt-linux deb
# The package is empty; the kernel is what it depends on.
image=$(apt-cache show --no-all-versions "$name" 2> /dev/null |
	sed -n 's/^Depends: *\(linux-image-[^ ,]*\).*/\1/p' | head -n 1)
[ -n "$image" ] || fail "Debian's archive here has no $name"
work=$src/.linux.new
rm -rf "$work"
mkdir -p "$work/tree" "$work/out/modules" || exit 1
(cd "$work" && apt-get download "$image") >> "$log" 2>&1 ||
	fail "$image could not be fetched: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
deb=$(ls "$work"/*.deb)
version=$(dpkg-deb -f "$deb" Version)
accepted "${version#*:}" ||
	fail "Linux $version is in Debian's archive here; this was tried with $versions only"
dpkg-deb -x "$deb" "$work/tree" || fail "$image could not be unpacked"

cp "$work"/tree/boot/vmlinuz-* "$work/out/vmlinuz" || exit 1
order=10
for module in $modules; do
	file=$(find "$work/tree" -name "$module.ko" -o -name "$module.ko.xz" | head -n 1)
	order=$((order + 1))
	case $file in
	*.xz) xz -dc "$file" > "$work/out/modules/$order-$module.ko" || exit 1 ;;
	*.ko) cp "$file" "$work/out/modules/$order-$module.ko" || exit 1 ;;
	'') echo "  $module is no module in $image: taken to be built in" ;;
	esac
done
echo "$version" > "$work/out/version"
rm -rf "$src/linux"
mv "$work/out" "$src/linux" || exit 1
rm -rf "$work"
echo "$version" > "$src/linux.ok"
echo "  Linux $version in $src/linux"
