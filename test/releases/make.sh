#!/bin/sh
# Makes a home as a release of Aiex leaves it: `make.sh PATH/TO/bin/aiex NAME` writes NAME.tar.gz beside
# this file, and what that release said of it. Run once for each release, with that release.
set -eu
aiex=$1
out=$(cd "$(dirname "$0")" && pwd)/$2.tar.gz
root=/tmp/aiex-release
rm -rf "$root"
mkdir -p "$root/work" "$root/said"
export AIEX_HOME="$root/home" HOME="$root" AIEX_PROBE=never
cd "$root"
say() { printf '%s\n' "$2" > "$1.json"; }
say turn '{"answers":[
{"reasoning":"Look first.","text":"I look.","calls":[{"tool":"list","input":{}},{"tool":"read","input":{"path":"sum.js"}}]},
{"text":"I fix it.","calls":[{"tool":"edit","input":{"path":"sum.js","edits":[{"old":"a - b","new":"a + b"}]}},{"tool":"todo","input":{"items":[{"text":"fix sum","state":"done"},{"text":"run it","state":"open"}]}}]},
{"text":"I run it.","calls":[{"tool":"run","input":{"command":"seq 1 300 > made.txt; seq 1 3000"}}]},
{"text":"It adds now: sum.js:1."},
{"text":"I write another.","calls":[{"tool":"write","input":{"path":"second.txt","content":"second\n"}}]},
{"text":"Written."},
{"text":"Third answer."}]}'
say ask '{"answers":[
{"text":"I need the network.","calls":[{"tool":"run","input":{"command":"echo out > out.txt","escalate":{"kind":"network","hosts":["example.com"],"why":"to look"}}}]},
{"text":"Looked."}]}'
say long '{"answers":[
{"text":"I read.","calls":[{"tool":"read","input":{"path":"big.txt"}}]},
{"text":"I read on.","calls":[{"tool":"read","input":{"path":"big.txt","from":200}}]},
{"text":"And on.","calls":[{"tool":"read","input":{"path":"big.txt","from":400}}]},
{"text":"And on.","calls":[{"tool":"read","input":{"path":"big.txt","from":600}}]},
{"text":"Read it all."}]}'
say gone '{"answers":[{"text":"The canary is forgotten."}]}'
say cut '{"answers":[{"text":"Said at last.","delayMs":600000}]}'
model() { printf 'scripted/%s/%s.json' "$root" "$1"; }
newest() { "$aiex" session list --json | head -1 | sed 's/.*"session":"\([^"]*\)".*/\1/'; }

cd "$root/work"
echo 'export const sum = (a, b) => a - b;' > sum.js
seq 1 1200 | sed 's/$/ a line of a longer file/' > big.txt
"$aiex" ask --trust -m "$(model turn)" "fix sum"
"$aiex" ask --continue -m "$(model turn)" "write another"
"$aiex" undo
"$aiex" redo
"$aiex" checkpoint create v1
"$aiex" session fork "$(newest)"
"$aiex" ask --continue --mode plan -m "$(model turn)" "third"
AIEX_MAX_CONTEXT_TOKENS=7000 AIEX_COMPACTION_SUMMARY=session \
  "$aiex" ask --max-steps 9 -m "$(model long)" "read it all" || true
"$aiex" ask -m "$(model gone)" "forget this canary"
"$aiex" session rm --yes "$(newest)"
"$aiex" ask -m "$(model ask)" "look" < /dev/null || true
# One is killed while its model is asked.
"$aiex" ask --json -m "$(model cut)" "cut" > "$root/cut.out" &
until grep -q StepStarted "$root/cut.out"; do sleep 0.1; done
pkill -9 -f "ask --json -m $(model cut)"
wait || true

"$aiex" session list --json > "$root/said/list.jsonl"
"$aiex" usage --json > "$root/said/usage.jsonl"
for id in $(sed 's/.*"session":"\([^"]*\)".*/\1/' "$root/said/list.jsonl"); do
  "$aiex" session show "$id" --json --last 1000 > "$root/said/$id.jsonl"
done
cd "$root"
rm -rf home/leases home/scratch cut.out .cache
tar -czf "$out" --sort=name --owner=0 --group=0 .
