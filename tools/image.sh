#!/bin/sh
# SPDX-License-Identifier: MIT
# image.sh EXO.EFI OUT.img OUT.iso [boot line] - make the disk and the CD image.
#
# The disk: GPT with one EFI System Partition (FAT32) that holds \EFI\BOOT\BOOTX64.EFI and the folder
# \exo\.  The CD: the same partition as El Torito boot image.  No root, no loop devices; equal bytes
# for equal sources, whatever the time, folder, user or umask.
set -eu
PATH=$PATH:/usr/sbin:/sbin
efi=$1 img=$2 iso=$3 line=${4:-}
umask 022
export SOURCE_DATE_EPOCH=1700000000 TZ=UTC LC_ALL=C MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null

work=$(mktemp -d "${TMPDIR:-/tmp}/exo-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

mib=48                                  # FAT32 needs more than 65,525 clusters of one sector
total=64
size=$(( ($(wc -c < "$efi") + 1048575) / 1048576 ))
if [ "$size" -gt 40 ]; then
	mib=$((size + 16))
	total=$((mib + 16))
fi
sectors=$((mib * 2048))

cp "$efi" "$work/BOOTX64.EFI"
{
	echo '# The boot line of exo: the first line that does not begin with #.'
	[ -z "$line" ] || echo "$line"
} > "$work/boot.txt"
touch -d "@$SOURCE_DATE_EPOCH" "$work/BOOTX64.EFI" "$work/boot.txt"

# One partition, $1 = image@@offset, $2 = sectors hidden before it
fill() {
	mformat -i "$1" -F -T "$sectors" -h 255 -s 63 -H "$2" -c 1 -N 65786f00 -v EXO ::
	mmd -i "$1" ::/EFI ::/EFI/BOOT ::/exo
	mcopy -m -i "$1" "$work/BOOTX64.EFI" ::/EFI/BOOT/BOOTX64.EFI
	mcopy -m -i "$1" "$work/boot.txt" ::/exo/boot.txt
}

truncate -s "${total}M" "$work/disk"
sgdisk -a 2048 -U 65786F00-0000-4000-8000-0000000000D1 -n "1:2048:+${mib}M" -t 1:EF00 \
	-u 1:65786F00-0000-4000-8000-0000000000E5 -c '1:exo ESP' "$work/disk" > "$work/sgdisk.log" || {
	cat "$work/sgdisk.log" >&2
	exit 1
}
fill "$work/disk@@1M" 2048

mkdir "$work/cd"
truncate -s "${mib}M" "$work/cd/esp.img"
fill "$work/cd/esp.img" 0
touch -d "@$SOURCE_DATE_EPOCH" "$work/cd/esp.img" "$work/cd"
(cd "$work/cd" && xorriso -as mkisofs -quiet -r -uid 0 -gid 0 -V EXO -e esp.img -no-emul-boot -o ../iso .) \
	> "$work/xorriso.log" 2>&1 || {
	cat "$work/xorriso.log" >&2
	exit 1
}
mv "$work/disk" "$img"
mv "$work/iso" "$iso"
