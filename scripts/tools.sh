#!/usr/bin/env bash
# Fetches the real servers that tests scrape with: Debian's own packages, unpacked (not installed) into
# .cache/tools/<name>-<version>/. What is already there and runs is left alone.
#
#   scripts/tools.sh                       prometheus-3.5, prometheus-2.53, prometheus-2.42, victoriametrics and node-exporter
#   scripts/tools.sh prometheus-3.5        only what is named
#
# Needs a Debian machine whose apt works, and no root: apt runs on a private configuration below .cache/apt/, with the
# mirror and the keyring that the machine itself uses. Every index is verified; bookworm's keyring suffices for all the
# suites, because trixie and unstable are signed with bookworm's key too.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly cache="$PWD/.cache"

fail() {
  echo "scripts/tools.sh: $*" >&2
  exit 1
}

# The URIs of Debian's main archive in the machine's sources; apt itself reads both of their formats. A suite's name alone
# doesn't make an archive Debian's: other vendors have a "bookworm main" too.
mirrors() {
  apt-get --print-uris update |
    sed -nE "s|^'([^']*)/dists/[a-z]+/main/binary-.*|\1|p" |
    awk '/debian/ && !/debian-security/ && !seen[$0]++'
}

# The keyring that the machine's source for a URI names (`Signed-By: /path` or `[signed-by=/path]`), or else Debian's.
keyring_of() {
  local list parts named
  eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
  named=$({
    grep -hsF -e "$1" "$list" "$parts"/*.list
    awk -v RS= -v uri="$1" 'index($0, uri)' "$parts"/*.sources
  } 2>/dev/null | sed -nE 's/^[^#]*signed-by[:=] *(\/[^], ]+).*/\1/Ip' | head -n 1) || true
  echo "${named:-/usr/share/keyrings/debian-archive-keyring.gpg}"
}

# Fetches the index of one suite with a configuration of its own: update <folder> <suite> <URI> <keyring>
update() {
  mkdir -p "$1"/{lists/partial,cache/archives/partial,parts}
  : >"$1/status"
  cat >"$1/sources.list" <<END
deb [target=Packages signed-by=$4] $3 $2 main
END
  # apt's sandbox user could not write to a checkout below /root. An index past its Valid-Until is signed all the same, and
  # is all that a frozen mirror has of unstable. The machine's hooks are about its own cache.
  cat >"$1/apt.conf" <<END
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "$(dpkg --print-architecture)";
APT::Architectures { "$(dpkg --print-architecture)"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State::lists "$1/lists";
Dir::State::status "$1/status";
Dir::Cache "$1/cache";
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "$1/parts";
Dir::Etc::preferencesparts "$1/parts";
END
  apt-get -c "$1/apt.conf" -qq update
}

# The folder of a suite's private apt configuration, with its index fetched from the first mirror that has it.
suite() {
  local folder="$cache/apt/$1" uri
  while read -r uri; do
    if update "$folder" "$1" "$uri" "$(keyring_of "$uri")" >&2; then
      echo "$folder"
      return
    fi
  done < <(mirrors)
  fail "no Debian mirror in this machine's apt configuration serves $1"
}

# Whether every binary is in the folder and runs: run <folder> <binaries>
run() {
  local binary
  for binary in $2; do
    "$1/$binary" --version &>/dev/null || return 1
  done
}

# Makes sure of a tool: have <name> <suite> <pattern of the version> <packages> <binaries>. The first package is the one
# whose version counts; Debian's newer releases have promtool in a package of its own.
have() {
  local tool="$cache/tools/$1" folder staging binary version
  if [[ -s $tool/version ]] && run "$tool" "$5"; then
    echo "$1: have $(<"$tool/version")"
    return
  fi
  folder=$(suite "$2")
  staging=$(mktemp -d "$cache/staging.XXXXXX")
  # shellcheck disable=SC2064 # the folder is to be named now
  trap "rm -rf '$staging'" EXIT
  mkdir "$staging"/{packages,files,tool}
  # shellcheck disable=SC2086 # a list of words
  (cd "$staging/packages" && apt-get -c "$folder/apt.conf" -qq download $4) || fail "$1: can't be had from $2"
  version=$(dpkg-deb -f "$staging/packages/${4%% *}"_*.deb Version)
  [[ $version =~ $3 ]] || fail "$1: $2 has moved on to $version"
  find "$staging/packages" -name '*.deb' -exec dpkg-deb -x {} "$staging/files" ';'
  for binary in $5; do
    mv "$staging/files/usr/bin/$binary" "$staging/tool"
  done
  run "$staging/tool" "$5" || fail "$1: $version from $2 doesn't run on this machine"
  echo "$version" >"$staging/tool/version"
  mkdir -p "$cache/tools"
  rm -rf "$tool"
  mv "$staging/tool" "$tool"
  rm -rf "$staging"
  echo "$1: fetched $version from $2"
}

for needed in apt-get dpkg-deb; do
  command -v "$needed" >/dev/null || fail "needs a Debian machine: no $needed here"
done

[[ $# -gt 0 ]] || set -- prometheus-3.5 prometheus-2.53 prometheus-2.42 victoriametrics node-exporter
for name in "$@"; do
  case $name in
    # Unstable moves on: any later 3.x stands in for 3.5.
    prometheus-3.5) have "$name" unstable '^3\.([5-9]|[1-9][0-9])\.' 'prometheus promtool' 'prometheus promtool' ;;
    prometheus-2.53) have "$name" trixie '^2\.53\.' 'prometheus promtool' 'prometheus promtool' ;;
    prometheus-2.42) have "$name" bookworm '^2\.42\.' prometheus 'prometheus promtool' ;;
    etcd-3.5) have "$name" trixie '^3\.5\.' etcd-server etcd ;;
    victoriametrics) have victoriametrics-1.145 unstable '^1\.' victoria-metrics victoria-metrics ;;
    node-exporter) have node-exporter-1.11 unstable '^1\.' prometheus-node-exporter prometheus-node-exporter ;;
    *) fail "unknown tool $name: prometheus-3.5, prometheus-2.53, prometheus-2.42, victoriametrics, node-exporter, etcd-3.5" ;;
  esac
done
