#!/usr/bin/env bash
# Builds everything and measures it: one table. `run.sh --help` says more.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}
bin=$CARGO_TARGET_DIR/release

build() {
    cargo build --release --quiet --manifest-path "$here/Cargo.toml"
    cargo build --release --quiet --manifest-path "$here/agentmesh/Cargo.toml"
}

# Callgrind counts within the batches alone (`scene::timing::batch`), so that loading does not matter.
count() {
    local name=$1 n=$2 decisions=$3 program=$bin/peers out total
    case $name in agentmesh*) program=$bin/peers-agentmesh ;; esac
    out=$(mktemp)
    valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect='*timing*batch*' \
        "$program" --peer "$name" --n "$n" --iterations "$decisions" > /dev/null 2>&1 || true
    total=$(sed -n 's/^summary: *//p' "$out")
    rm -f "$out"
    if [ "${total:-0}" -gt 0 ]; then
        echo $(((total + decisions / 2) / decisions)) | sed -E ':a; s/([0-9])([0-9]{3})( |$)/\1 \2\3/; ta'
    else
        echo –
    fi
}

instructions() {
    command -v valgrind > /dev/null || { echo "run.sh --instructions needs valgrind" >&2; exit 1; }
    local names=${1:-$("$bin/peers" --list)} name
    printf 'instructions per decision, by number of policies (%s, callgrind)\n\n' "$(valgrind --version)"
    printf '| %-16s | %12s | %12s |\n' '' 10 '1 000' ---------------- -----------: -----------:
    for name in ${names//,/ }; do
        printf '| %-16s | %12s | %12s |\n' "$name" "$(count "$name" 10 800)" "$(count "$name" 1000 80)"
    done
}

# Writes both tables into the README, in place of those below its mark.
update() {
    local text
    text=$(sed '/^<!-- figures -->$/q' "$here/README.md" && printf '\n```text\n' && "$bin/peers" && printf '\n' &&
        instructions && printf '```\n')
    printf '%s\n' "$text" > "$here/README.md"
}

case ${1:-} in
    --help | -h)
        cat << 'EOF'
benches/peers/run.sh                         build, measure, print the table (minutes, after the build)
benches/peers/run.sh --quick                 fewer batches, up to 1 000 policies
benches/peers/run.sh --only NAMES            these rows alone, with commas between them, as --list prints them
benches/peers/run.sh --sizes NUMBERS         these numbers of policies
benches/peers/run.sh --instructions [NAMES]  instructions per decision; needs valgrind
benches/peers/run.sh --update                both tables, into the README

CARGO_TARGET_DIR says where to build; else benches/peers/target.
EOF
        ;;
    --instructions)
        build
        instructions "${2:-}"
        ;;
    --update)
        build
        update
        ;;
    *)
        build
        exec "$bin/peers" "$@"
        ;;
esac
