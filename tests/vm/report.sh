# shellcheck shell=bash disable=SC2154
# What guests said, as counts, a table and a report of test cases. Sourced by run.sh; $cache is where guests have
# their directories, with `console` and `seconds`.

# said NAME: without the carriage returns of a serial console.
said() {
  tr -d '\r' <"$cache/$1/console"
}

# results NAME: the tests that ended, as "RESULT TEST". Their lines end with a time, those of the summary do not.
results() {
  said "$1" | sed -nE 's/^\[ +(OK|FAILED|SKIPPED) +\] ([^ ,]+).* \([0-9]+ ms\)$/\1 \2/p'
}

# number_of RESULT NAME
number_of() {
  results "$2" | grep -c "^$1 " || true
}

# came_to_end NAME: where the guest told the end of the suite, and the result of as many tests as GoogleTest counted.
came_to_end() {
  local count
  count=$(said "$1" | sed -nE 's/^\[=+\] ([0-9]+) tests? from .* ran\..*/\1/p')
  [[ -n $count && $count -eq $(results "$1" | wc -l) ]] && said "$1" | grep -q '^vm: ended with'
}

# of_test NAME TEST: what the guest said while this test ran.
of_test() {
  said "$1" | awk -v test="$2" '$1 == "[" && $2 == "RUN" { inside = $4 == test } inside' | sed '/^\[---*\]/,$d'
}

# machine_of NAME: "RELEASE | VERSION" of the guest's kernel: Debian's version of the package is in uname's.
machine_of() {
  local told
  told=$(said "$1" | sed -nE 's/^vm: kernel ([^ ]+) of .*Debian ([^ ]+).*/\1 | \2/p')
  echo "${told:-? | ?}"
}

# explain NAME: failures with what was said to them, the end of the console where there was none, reasons of skips.
explain() {
  local result test
  while read -r result test; do
    case $result in
      FAILED) printf '\n%s: ' "$1" && of_test "$1" "$test" ;;
      SKIPPED) printf '%s: skipped %s: %s\n' "$1" "$test" "$(of_test "$1" "$test" | sed -n '3p')" ;;
    esac
  done < <(results "$1")
  came_to_end "$1" ||
    printf '\n%s did not come to its end; %s has all it said, the last of it:\n%s\n%s\n' "$1" \
      "$cache/$1/console" "$(said "$1" | tail -n 30)" "$(cat "$cache/$1/qemu.log")"
}

# failures_of NAME: a guest without an end is one more.
failures_of() {
  local count
  count=$(number_of FAILED "$1")
  came_to_end "$1" || count=$((count + 1))
  echo "$count"
}

# write_table NAME...: as Markdown.
write_table() {
  local name
  printf '| kernel | version | architecture | passed | failed | skipped | seconds |\n'
  printf '| --- | --- | --- | --- | --- | --- | --- |\n'
  for name; do
    kernel_named "$name"
    printf '| %s | %s | %s | %s | %s | %s |\n' "$(machine_of "$name")" "$architecture" "$(number_of OK "$name")" \
      "$(failures_of "$name")" "$(number_of SKIPPED "$name")" "$(<"$cache/$name/seconds")"
  done
  printf '\n%s, QEMU %s, amd64: %s, arm64: %s.\n' "$(date -u +%F)" \
    "$(qemu-system-x86_64 --version | sed -nE '1s/.*version ([^ ]+).*/\1/p')" "$accelerator" "$emulated_arm64"
}

# write_report NAME...: as ctest writes reports.
write_report() {
  local name result test failed=0 skipped=0 cases
  cases=$(for name; do
    while read -r result test; do
      case $result in
        OK) printf '  <testcase name="%s" classname="vm.%s" status="run"/>\n' "$test" "$name" ;;
        FAILED) printf '  <testcase name="%s" classname="vm.%s" status="fail"/>\n' "$test" "$name" ;;
        SKIPPED) printf '  <testcase name="%s" classname="vm.%s" status="notrun"/>\n' "$test" "$name" ;;
      esac
    done < <(results "$name")
    came_to_end "$name" || printf '  <testcase name="boot" classname="vm.%s" status="fail"/>\n' "$name"
  done)
  failed=$(grep -c 'status="fail"' <<<"$cases" || true)
  skipped=$(grep -c 'status="notrun"' <<<"$cases" || true)
  printf '<?xml version="1.0" encoding="UTF-8"?>\n'
  printf '<testsuite name="vm"\n\ttests="%d"\n\tfailures="%d"\n\tskipped="%d"\n>\n' "$(wc -l <<<"$cases")" \
    "$failed" "$skipped"
  printf '%s\n</testsuite>\n' "$cases"
}
