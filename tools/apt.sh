#!/bin/sh
# SPDX-License-Identifier: MIT
# apt.sh - what source.sh and linux.sh share; read by them with `.`, not run.
#
# apt with a configuration and state of its own under $src/$1, derived from the machine's, which is
# only read: any user may fetch from Debian's repositories.  apt checks signatures and checksums.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

accepted() {    # accepted VERSION: is this upstream version one that was tried, of $versions?
	for v in $versions; do
		case $1 in "$v"|"$v"[.+~-]*) return 0 ;; esac
	done
	return 1
}

need_tools() {  # need_tools COMMAND:PACKAGE...: stop with the way out if one is missing
	for tool in "$@"; do
		command -v "${tool%%:*}" > /dev/null 2>&1 ||
			fail "${tool%%:*} is missing; as root: apt-get install --no-install-recommends ${tool#*:}"
	done
	[ -e "$keyring" ] || fail "$keyring is missing; as root: apt-get install debian-archive-keyring"
}

apt_config() {  # apt_config FILE SOURCELIST SOURCEPARTS: an apt configuration with state of its own
	cat > "$1" << END
Dir::State "$root";
Dir::State::Lists "$root/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$root/cache";
Dir::Etc::SourceList "$2";
Dir::Etc::SourceParts "$3";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
END
	[ "$(id -u)" != 0 ] || echo 'APT::Sandbox::User "root";' >> "$1"
}

apt_targets() { # apt_targets [CONFIG]: address, release and component of each Debian repository in use
	APT_CONFIG=${1:-} apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' 2> /dev/null | sort -u
}

apt_prepare() { # apt_prepare FOLDER deb|deb-src: fetch the lists, and let apt-get use them from now on
	apt=$src/$1
	log=$src/$1.log
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" || fail "cannot write to $src"
	root=$(cd "$apt" && pwd)
	list=$(apt_targets)
	if [ -z "$list" ]; then
		# The system has no package lists (a container deletes them): fetch them for ourselves.
		apt_config "$apt/system.conf" /etc/apt/sources.list /etc/apt/sources.list.d
		APT_CONFIG=$apt/system.conf apt-get update > "$log" 2>&1 ||
			fail "the package lists could not be fetched (is there a network?): $(tail -n 1 "$log")"
		list=$(apt_targets "$apt/system.conf")
	fi
	[ -n "$list" ] || fail "apt knows no Debian repository: $name comes as a Debian package"
	echo "$list" | while IFS='|' read -r uri release component; do
		printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n\n' \
			"$2" "$uri" "$release" "$component" "$keyring"
	done > "$apt/exo.sources"
	apt_config "$apt/source.conf" "$root/exo.sources" /dev/null
	export APT_CONFIG="$root/source.conf"
	apt-get update > "$log" 2>&1 ||
		fail "the package lists could not be fetched: $(grep -m 1 '^[EW]:' "$log" || tail -n 1 "$log")"
}
