# Sourced by checkpoints/run and tests/run: makes sure that this machine has what they need, and builds.
# Everything here does nothing, and takes no time, when there is nothing to do.
#
#   bootstrap_packages checkpoints|tests   asks once, installs what is missing; exits 2 when it may not
#   configure_preset NAME [CMAKE OPTION...]
#   build_targets DIRECTORY TARGET...

run_with=()

# With paths that begin at the tree's root, ccache has for one clone what another one has compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros

# --- What is needed -------------------------------------------------------------------------------
# One line a package: who needs it | must it be there | how to see that it is | package | what for.
# Without an optional one, the steps and checkpoints that use it are skipped, and say so.
package_table() {
  cat <<'TABLE'
checkpoints | required | have_compiler                  | g++                   | compiles the programs: GCC 12 or newer
checkpoints | required | have_cmake                     | cmake                 | configures the build: 3.25 or newer
checkpoints | required | command ninja                  | ninja-build           | builds
checkpoints | required | command python3                | python3               | runs the checkpoints
checkpoints | optional | command strace                 | strace                | shows a program's system calls to the checkpoints
checkpoints | optional | command perf                   | @perf                 | shows the io_uring tracepoints to you
checkpoints | optional | command valgrind               | valgrind              | finds memory errors in a program that runs
checkpoints | optional | command pkg-config             | pkg-config            | says to the build where libfuse is
checkpoints | optional | have_libfuse                   | libfuse3-dev          | a file system that answers in pieces is built on it: 3.12 or newer
checkpoints | optional | command fusermount3            | fuse3                 | mounts it for who is not root
tests       | required | file /usr/include/gtest/gtest.h | libgtest-dev         | the tests are written with GoogleTest
tests       | required | command git                    | git                   | lists the source files for tests/repo and tests/mutants
tests       | optional | command ccache                 | ccache                | spares tests/mutants from compiling the same for each workshop
tests       | optional | command clang++-19             | clang-19              | the second compiler that must not warn
tests       | optional | have_fuzzer_runtime            | libclang-rt-19-dev    | is linked into the fuzzer, in tests/fuzz
tests       | optional | command clang-format-14        | clang-format-14       | is the measure of the format, in tests/repo
tests       | optional | file /usr/src/googletest/CMakeLists.txt | googletest   | is built for aarch64, for the unit tests there
tests       | optional | command aarch64-linux-gnu-g++  | g++-aarch64-linux-gnu | compiles for a processor with weaker memory ordering
tests       | optional | command qemu-aarch64           | qemu-user             | runs what was compiled for aarch64
tests       | optional | command qemu-system-x86_64     | qemu-system-x86       | runs other kernels, for tests/old_kernels
tests       | optional | command cpio                   | cpio                  | packs the file system that they start with
tests       | optional | file /bin/busybox              | busybox-static        | is the shell in it
TABLE
}

have() {  # have command NAME | have file PATH | have FUNCTION
  case $1 in
    command) command -v "$2" >/dev/null ;;
    file) [ -e "$2" ] ;;
    *) "$1" ;;
  esac
}

# The compiler to use: the default one if it is new enough, else a newer one that is installed beside it.
find_compiler() {
  local name version
  for name in ${CXX:-} g++ g++-15 g++-14 g++-13 g++-12 clang++-21 clang++-20 clang++-19; do
    version=$("$name" -dumpversion 2>/dev/null) || continue
    case $name in
      *clang*) [ "${version%%.*}" -ge 19 ] || continue ;;
      *) [ "${version%%.*}" -ge 12 ] || continue ;;
    esac
    echo "$name"
    return 0
  done
  return 1
}
have_compiler() { find_compiler >/dev/null; }

have_cmake() {
  local version major minor
  version=$(cmake --version 2>/dev/null) || return 1
  version=${version#cmake version }
  IFS=. read -r major minor _ <<<"$version"
  [ "$major" -gt 3 ] || { [ "$major" -eq 3 ] && [ "$minor" -ge 25 ]; }
}

have_libfuse() { pkg-config --exists 'fuse3 >= 3.12' >/dev/null 2>&1; }

have_fuzzer_runtime() {  # its folder and name depend on how clang was packaged
  compgen -G '/usr/lib/llvm-19/lib/clang/19/lib/*/libclang_rt.fuzzer*.a' >/dev/null
}

perf_packages() {  # perf belongs to the kernel's version on Ubuntu, and is one package on Debian
  if grep -qs '^ID=ubuntu' /etc/os-release; then
    echo "linux-tools-generic linux-tools-$(uname -r)"
  else
    echo linux-perf
  fi
}

# --- Installing -----------------------------------------------------------------------------------
# Optional packages that were asked for once are noted here, so that no later run asks apt for them again.
# Delete the file to have them tried again.
tried_file() { echo "${root:?}/build/.optional-packages-tried"; }

missing_packages() {  # missing_packages required|optional WHO...
  local kind=$1 who must test package purpose
  shift
  while IFS='|' read -r who must test package purpose; do
    [[ " $* " == *" ${who// /} "* && ${must// /} == "$kind" ]] || continue
    read -r -a test <<<"$test"
    have "${test[@]}" && continue
    package=${package// /}
    [ "$package" != @perf ] || package=$(perf_packages)
    case $package in
      *aarch64* | qemu-* | googletest | cpio | busybox-static) [ "$(uname -m)" = x86_64 ] || continue ;;
    esac
    if [ "$kind" = optional ] && grep -qsxF "$package" "$(tried_file)"; then continue; fi
    echo "$package"
  done < <(package_table)
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt_lists_are_stale() {  # none at all, or none younger than a week
  [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -7 -print -quit 2>/dev/null)" ]
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" </dev/null
}

bootstrap_packages() {
  local groups=(checkpoints) required optional line package
  [ "$1" = checkpoints ] || groups+=(tests)
  mapfile -t required < <(missing_packages required "${groups[@]}")
  mapfile -t optional < <(missing_packages optional "${groups[@]}")
  [ $((${#required[@]} + ${#optional[@]})) -gt 0 ] || return 0

  line="apt-get update && apt-get install -y ${required[*]} ${optional[*]}"
  [ "$(id -u)" -eq 0 ] || line="sudo sh -c '$line'"
  echo "Missing here: ${required[*]} ${optional[*]}"
  if ! may_install "$line"; then
    [ ${#required[@]} -gt 0 ] || return 0
    echo "Needed first: ${required[*]}. This installs all that is missing:" >&2
    echo "  $line" >&2
    exit 2
  fi

  if apt_lists_are_stale; then as_root apt-get update || true; fi
  if [ ${#required[@]} -gt 0 ] && ! apt_install "${required[@]}"; then
    # A list can be too old for the packages that the server still holds.
    as_root apt-get update || true
    if ! apt_install "${required[@]}"; then
      echo "The packages could not be installed. Try this, and see what apt says:" >&2
      echo "  $line" >&2
      exit 2
    fi
  fi
  # One by one: perf on Ubuntu is two packages, of which an odd kernel has none, or only the first.
  for package in ${optional[*]}; do
    apt_install "$package" || echo "$package is not to be had here: what needs it will be skipped."
  done
  note_tried "${optional[@]}"
}

# May we install? On a terminal we ask, once. Without one: root may, and so may CI.
may_install() {
  local answer
  command -v apt-get >/dev/null || return 1
  if [ "${CI:-}" = true ]; then
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
    return
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then return 1; fi
  if [ -t 0 ] && [ -t 1 ]; then
    read -r -p "Install with: $1   Now? [Y/n] " answer
    if [[ $answer == "" || $answer == [yY]* ]]; then return 0; fi
    note_tried "${optional[@]}" # who said no to these is not asked again
    return 1
  fi
  [ "$(id -u)" -eq 0 ]
}

note_tried() {
  [ $# -gt 0 ] || return 0
  mkdir -p "$(dirname "$(tried_file)")"
  printf '%s\n' "$@" >>"$(tried_file)"
}

# --- Building -------------------------------------------------------------------------------------
# Configures build/NAME when it is new, or when the presets or the options have changed. Ninja itself sees
# to a changed CMakeLists.txt.
configure_preset() {
  local preset=$1 directory=$root/build/$1 options=()
  shift
  options=("$@")
  case $preset in
    clang | aarch64) ;;  # these presets name their compiler
    *) options+=("-DCMAKE_CXX_COMPILER=$(find_compiler)") ;;
  esac
  if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  if [ -f "$directory/build.ninja" ] && [ "$root/CMakePresets.json" -ot "$directory/.configured" ] &&
    [ "$(cat "$directory/.configured")" = "${options[*]}" ]; then
    return 0
  fi
  mkdir -p "$directory"
  echo "Configuring build/$preset"
  quietly "$directory/configure.log" cmake -S "$root" -B "$directory" --preset "$preset" "${options[@]}" || return 1
  echo "${options[*]}" >"$directory/.configured"
}

# `run_with` is a command to put before, such as setarch -R; most callers have none.
build_targets() {
  local directory=$1
  shift
  [ $# -gt 0 ] || return 0
  echo "Building ${directory#"$root/"}"
  if [ -t 1 ]; then
    "${run_with[@]}" ninja -C "$directory" "$@"
  else
    quietly "$directory/build.log" "${run_with[@]}" ninja -C "$directory" "$@"
  fi
}

# The end of what a command said, only if it failed.
quietly() {
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    return 1
  fi
}

# The programs that checkpoints start, as Ninja names everything in a folder: m1_sq_cq/all
program_targets() {
  local directory=$1 folder
  for folder in "$root"/m[0-9]_*/ "$root"/docs/epoll_reference/ "$root"/checkpoints/load_client/ \
    "$root"/tests/hostile_fs/; do
    folder=${folder#"$root/"}
    if grep -qs "^build ${folder%/}/all:" "$directory/build.ninja"; then echo "${folder%/}/all"; fi
  done
}
