#!/usr/bin/env bash
# Installs completions and man pages of the installed `sureness` into the user's own folders, or below PREFIX
# where a package is built.
#
#   install-extras.sh [SURENESS [PREFIX]]
set -euo pipefail

sureness=${1:-${CARGO_HOME:-$HOME/.cargo}/bin/sureness}
if [ $# -ge 2 ]; then
    share=$2/share
    zsh=$share/zsh/vendor-completions
    fish=$share/fish/vendor_completions.d
else
    share=${XDG_DATA_HOME:-$HOME/.local/share}
    # zsh searches no folder of the user's by default.
    zsh=$share/zsh/site-functions
    fish=${XDG_CONFIG_HOME:-$HOME/.config}/fish/completions
fi

mkdir -p "$share/bash-completion/completions" "$zsh" "$fish"
"$sureness" completions bash >"$share/bash-completion/completions/sureness"
"$sureness" completions zsh >"$zsh/_sureness"
"$sureness" completions fish >"$fish/sureness.fish"
"$sureness" man "$share/man/man1"
echo "Completions for bash, zsh and fish and man pages are under $share; for zsh, add $zsh to fpath."
