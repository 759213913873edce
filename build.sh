#!/usr/bin/env bash
# Builds, runs and tests lsys on a Debian machine that may have nothing yet. `./build.sh help` says how.
#
# The compiling is the Makefile's, the fetching third_party/fetch's; this script brings the tools they need, in the
# order they need them, and only those that the given command needs.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'TXT'
usage: ./build.sh [--unlocked] [COMMAND]

  (no command)      build ./lsys
  up [ROLE...]      build, then run the whole stack (or these roles) until Ctrl-C
  test [STEP...]    build, then run all tests (or these steps: floors unit fetch binary
                    reproducible deploy fuzz blackbox sanitized browser)
  bundle            make lsys-VERSION-bundle.tar.gz, which builds without a network
  rootfs            make lsys-VERSION-rootfs.tar, a container's file system with lsys in it
  install PREFIX    build, then install PREFIX/bin/lsys
  clean             remove what was built; downloads stay
  help              this text

  --unlocked        take the current Debian packages instead of those in third_party/packages.lock

environment:
  LSYS_DEBIAN_MIRROR   a Debian mirror's address, for machines whose apt knows none (Ubuntu, ...)

Missing tools are installed with apt, as root or through sudo. A second run fetches and builds nothing.
TXT
}

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

# ---- tools of the host: "what shows that it is there" (a command or a file), "the Debian package" ----

tools_to_build='
gcc                     gcc
make                    make
'
tools_to_test='
/usr/include/stdlib.h   libc6-dev
/usr/include/cmocka.h   libcmocka-dev
clang                   clang
/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a  libclang-rt-dev
curl                    curl
openssl                 openssl
strace                  strace
sslscan                 sslscan
sqlite3                 sqlite3
node                    nodejs
chromium                chromium
/usr/include/nats/nats.h  libnats-dev
/usr/lib/python3/dist-packages/cryptography  python3-cryptography
'
tools_for_npm='
npm                     npm
'

# Installs those of the tools in $1 that are missing; no apt call if none is.
need_tools() {
    local probe package missing=()
    while read -r probe package; do
        case $probe in
        '') continue ;;
        /*) compgen -G "$probe" >/dev/null || missing+=("$package") ;;
        *) command -v "$probe" >/dev/null || missing+=("$package") ;;
        esac
    done <<<"$1"
    [ ${#missing[@]} -gt 0 ] || return 0

    local install=(apt-get install -y --no-install-recommends "${missing[@]}")
    command -v apt-get >/dev/null || die "these are missing and there is no apt to install them: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            as_root=(sudo)
        else
            die "some tools are missing. Run this as root, then start again:
  apt-get update && ${install[*]}"
        fi
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" -q ||
        die "apt could not install them. Without a network they have to be there before: ${missing[*]}"
}

# ---- building ----

version() { sed -n 's/^VERSION *= *//p' Makefile; }

# Brings folders of third_party. (make brings what the build needs itself; here it is for --unlocked and for tests.)
fetch() {
    if [ "$unlocked" = yes ]; then
        third_party/fetch --unlocked "$@"
    else
        third_party/fetch "$@"
    fi
}

build() {
    [ -w . ] || die "$PWD cannot be written; copy the sources to a folder of yours and build there"
    need_tools "$tools_to_build"
    [ "$unlocked" = no ] || fetch sysroot archives licenses
    make --no-print-directory -j"$(nproc)" lsys
    say "./lsys is ready: version $(version), $(stat -c %s lsys) bytes"
}

# Whether tests/node_modules is of an older tests/package-lock.json, or not there. A bundle has it already.
npm_packages_missing() {
    local installed=tests/node_modules/.package-lock.json
    [ ! -e "$installed" ] || [ tests/package-lock.json -nt "$installed" ]
}

# Brings the npm packages that tests use, exactly as tests/package-lock.json names them.
need_npm_packages() {
    npm_packages_missing || return 0
    say "installing the npm packages that the tests use"
    (cd tests && npm ci --no-progress --loglevel=error)
}

# ---- commands ----

make_bundle() {
    local tools=$tools_to_build
    ! npm_packages_missing || tools+=$tools_for_npm
    [ ! -e .git ] || tools+='git git'
    need_tools "$tools"
    build
    fetch peers peers-bookworm
    need_npm_packages
    local name bundle
    name=lsys-$(version)
    bundle=$name-bundle.tar.gz
    list_bundle_files | LC_ALL=C sort -zu |
        tar --create --owner=0 --group=0 --numeric-owner --transform="s,^,$name/," --no-recursion --null --files-from=- |
        gzip -n >"$bundle.new"
    mv "$bundle.new" "$bundle"
    say "$bundle is ready ($(stat -c %s "$bundle") bytes)."
    say "Where there is no network: tar xf $bundle && cd $name && ./build.sh"
}

# Prints, ended by NUL, what goes into a bundle: the sources (what git knows or, in an unpacked bundle, what is not
# made by building), the downloaded packages and the npm packages.
list_bundle_files() {
    if [ -e .git ]; then
        git ls-files -z
    else
        find . -type f -not -path './build/*' -not -path './third_party/*/*' -not -path './tests/node_modules/*' \
            -not -path './lsys*' -not -path './liblsys.a' -printf '%P\0'
    fi
    find third_party/apt/archives -name '*.deb' -print0
    find tests/node_modules/ -type f -print0
}

make_rootfs() {
    build
    local rootfs
    rootfs=lsys-$(version)-rootfs.tar
    roles/up/deploy/make_rootfs ./lsys "$rootfs"
    say "$rootfs is ready ($(stat -c %s "$rootfs") bytes). roles/up/deploy/Containerfile says how to use it."
}

# Runs the node tests of a folder that match a pattern against a binary; none at all is a failure, not a success.
node_tests() {
    local folder=$1 pattern=$2 binary=$3 files
    mapfile -t files < <(find "tests/$folder" -name "$pattern" | sort)
    LSYS_BINARY=$PWD/$binary tests/run_node "${files[@]}"
}

step_floors() { tests/check_floors; }
step_unit() { make --no-print-directory -j"$(nproc)" check; }
step_fetch() { tests/check_fetch; }
step_binary() { tests/check_binary && tests/check_openssl_symbols; }
step_reproducible() { tests/check_reproducible; }
step_deploy() { tests/check_deploy; }
step_fuzz() { make --no-print-directory -j"$(nproc)" fuzz && make --no-print-directory fuzz-run SECONDS=check; }
step_blackbox() { node_tests blackbox '*.test.mjs' lsys; }
# What meets hostile input runs once more with every out-of-bounds access made visible.
step_sanitized() {
    make --no-print-directory -j"$(nproc)" asan &&
        node_tests blackbox '*_hostile.test.mjs' build/asan/lsys &&
        node_tests blackbox '*_files.test.mjs' build/asan/lsys &&
        node_tests blackbox 'nats_accounts_broker.test.mjs' build/asan/lsys &&
        node_tests blackbox 'tools_verify.test.mjs' build/asan/lsys
}
step_browser() { node_tests browser '*.test.mjs' lsys; }

# Runs every step, also after one failed, and sums them up.
run_tests() {
    local steps=("$@") step started failed=0 summary=
    [ $# -gt 0 ] || steps=(floors unit fetch binary reproducible deploy fuzz blackbox sanitized browser)
    for step in "${steps[@]}"; do
        declare -F "step_$step" >/dev/null || die "there is no test step $step (./build.sh help names them)"
    done
    local tools=$tools_to_build$tools_to_test
    ! npm_packages_missing || tools+=$tools_for_npm
    need_tools "$tools"
    build
    fetch peers peers-bookworm
    need_npm_packages
    # Both versions of nats-server are run from where they were unpacked: installing one would start a service.
    export PATH=$PATH:/usr/sbin:$PWD/third_party/peers-bookworm/usr/sbin
    for step in "${steps[@]}"; do
        say "test: $step"
        started=$SECONDS
        if "step_$step"; then
            summary+=$(printf 'ok      %-13s %4d s' "$step" $((SECONDS - started)))$'\n'
        else
            summary+=$(printf 'FAILED  %-13s %4d s' "$step" $((SECONDS - started)))$'\n'
            failed=$((failed + 1))
        fi
    done
    printf '\n%s%d passed, %d failed\n' "$summary" $((${#steps[@]} - failed)) "$failed"
    [ "$failed" -eq 0 ]
}

unlocked=no
if [ "${1:-}" = --unlocked ]; then
    unlocked=yes
    shift
fi
command=${1:-build}
[ $# -eq 0 ] || shift

case $command in
build | bundle | rootfs | clean | help | --help | -h)
    [ $# -eq 0 ] || die "$command takes no arguments: $*"
    ;;
esac
case $command in
build) build ;;
up)
    build
    exec ./lsys up "$@"
    ;;
test) run_tests "$@" ;;
bundle) make_bundle ;;
rootfs) make_rootfs ;;
install)
    [ $# -eq 1 ] || die "install wants one PREFIX, as in: ./build.sh install /usr/local"
    prefix=$1
    [ "${prefix#/}" != "$prefix" ] || prefix=$called_from/$prefix
    build
    make --no-print-directory install PREFIX="$prefix"
    ;;
clean) rm -rf build lsys liblsys.a ;;
help | --help | -h) usage ;;
*)
    usage >&2
    die "there is no command $command"
    ;;
esac
