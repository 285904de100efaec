// Attempts to get out of a real sandbox: at files, at the network, at sockets, at other processes
// and at the kernel. Each must fail, and a canary that only the outside has must never be printed.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Boxed, boxed, CANARY, missing, SECRETS } from "#boundary/workspace/boxed.ts";

let box: Boxed;
const servers: Server[] = [];
let port = 0;

/** A server of the host that would tell the canary. */
function serve(where: { path: string } | { port: number }): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(CANARY);
  });
  servers.push(server);
  return new Promise((resolve) => server.listen(where, () => resolve(server)));
}

beforeAll(async () => {
  // Not in the temporary folder, which is hidden as a whole: here every secret is hidden for
  // itself.
  const parent = join(homedir(), ".cache");
  mkdirSync(parent, { recursive: true });
  box = await boxed("app", parent);
  mkdirSync(join(box.top, "outside"));
  writeFileSync(join(box.top, "outside/witness"), "witness");
  mkdirSync(join(box.home, "src/sibling"), { recursive: true });
  writeFileSync(join(box.home, "src/sibling/file"), "sibling");
  await serve({ path: join(box.top, "outside/host.sock") });
  await serve({ path: join(box.home, "src/sibling/host.sock") });
  await serve({ path: join(box.root, "dev.sock") });
  const address = (await serve({ port: 0 })).address();
  if (address && typeof address === "object") port = address.port;
});
afterAll(() => {
  for (const server of servers) server.close();
  box.close();
});
beforeEach((ctx) => {
  const reason = missing(box);
  if (reason) ctx.skip(reason);
});

const listing = () =>
  execFileSync("find", [
    box.top,
    "-path",
    box.root,
    "-prune",
    "-o",
    "-path",
    "*/scratch*",
    "-prune",
    "-o",
    "-printf",
    "%p %y %m %s %l\n",
  ]).toString();

describe("a secret", () => {
  it.each([...SECRETS])("in ~/%s cannot be read", async (path) => {
    const ran = await box.run(
      `cat ~/'${path}'; cat '${box.home}/${path}'; cat "/proc/self/root${box.home}/${path}"`,
    );
    expect(ran.text).not.toContain(CANARY);
    expect(ran.code).not.toBe(0);
  });

  it("of Aiex itself, of the environment, or anywhere near cannot be read", async () => {
    const ran = await box.run(
      `cat '${box.hidden}/keys.json'; env; cat /proc/*/environ;
      cat '${box.top}/outside/witness'; ls -R '${box.top}/quarantine' '${box.top}/scratch'
      cat '${box.root}/../../../outside/witness'; cat ~/../outside/witness
      grep -rs '${CANARY}' ~ '${box.top}' /proc/[0-9]*/cmdline`.replaceAll(
        CANARY,
        "canary-[7]f3a9c",
      ),
    );
    expect(ran.text).not.toContain(CANARY);
  });

  it("stays hidden when it is reached through a link in the workspace", async () => {
    await box.run(`ln -s ~/.ssh/id_ed25519 key; ln -s '${box.hidden}' own; ln -s / top`);
    const ran = await box.run(`cat key own/keys.json top'${box.home}'/.aws/credentials`);
    expect(ran.text).not.toContain(CANARY);
    execFileSync("rm", ["-f", join(box.root, "key"), join(box.root, "own"), join(box.root, "top")]);
  });

  it("does not hide a neighbouring project, which may be read and not written", async () => {
    const ran = await box.run("cat ../sibling/file; echo x > ../sibling/file");
    expect(ran.text).toContain("sibling");
    expect(ran).toMatchObject({ code: 1, sandboxDenied: true });
    expect(readFileSync(join(box.home, "src/sibling/file"), "utf8")).toBe("sibling");
  });
});

/**
 * Each line is tried for itself; none may change anything outside, and none may succeed. They are
 * made so that one that did succeed would do no harm to the machine that runs the tests.
 */
const ATTEMPTS = {
  "writing outside": `
    echo x > "$TOP/outside/made"
    echo x >> "$TOP/outside/witness" && grep -q x "$TOP/outside/witness"
    : >> /etc/hosts
    : >> /etc/passwd
    : > /etc/aiex-pwned
    : > /usr/local/bin/aiex-pwned
    : > /var/lib/aiex-pwned
    : > /opt/aiex-pwned
    : > /aiex-pwned
    test -w /etc
    test -w /
    test -w /usr/bin
    chmod u+r /etc
    chmod u+r /etc/passwd
    chown -h 0 /etc/passwd
    touch -c -r /etc/passwd /etc/passwd
    ln /etc/passwd hard
    ln "$HOME/src/sibling/file" hard
    truncate -s 0 ../sibling/file
    rm -f ../sibling/file
    mv ../sibling/file .
    mv ../sibling ../moved
    mkdir ../made
    mv ../app ../elsewhere
    mv "$PWD" ../elsewhere
    rmdir "$PWD"
    test -b /dev/vda || test -b /dev/sda || test -b /dev/nvme0n1 || test -b /dev/dm-0
    mknod disk b 254 0 && head -c 1 disk
    mknod mem c 1 1 && head -c 1 mem
    test "$(head -c 1 /dev/mem | wc -c)" = 1
    test "$(head -c 1 /proc/kcore | wc -c)" = 1
    test "$(head -c 1 /dev/kmsg | wc -c)" = 1
    : >> /proc/sys/kernel/core_pattern
    : >> /proc/sys/kernel/modprobe
    : >> /proc/sys/vm/drop_caches
    : >> /proc/sys/kernel/hostname
    : >> /proc/sysrq-trigger
    : >> /proc/self/oom_score_adj
    : >> /sys/kernel/uevent_helper
    : >> /sys/power/state
    mkdir /sys/fs/cgroup/aiex
    echo $$ > /sys/fs/cgroup/cgroup.procs`,
  "new mounts, namespaces and powers": `
    mkdir -p m && mount -t tmpfs none m
    mkdir -p m && mount --bind /etc m
    mkdir -p m && mount -t proc none m
    mkdir -p m && mount -t overlay none -o lowerdir=/etc m
    mount -o remount,rw /
    mount -o remount,rw,bind /
    mount -o remount,rw /proc
    umount "$HOME"
    umount -l "$HOME"
    umount "$PWD"
    umount -l "$PWD"
    unshare -U true
    unshare -r true
    unshare -m true
    unshare -rm true
    unshare -n true
    unshare -p true
    setpriv --inh-caps +all true && grep -q 'CapEff:.*[1-9a-f]' /proc/self/status
    grep -E 'Cap(Eff|Prm|Bnd):.*[1-9a-f]' /proc/self/status
    grep 'NoNewPrivs:.0' /proc/self/status
    chroot . /bin/true
    sudo -n true
    su -c true nobody
    hostname aiex-pwned
    date -s "@$(date +%s)"
    bwrap --ro-bind / / true
    python3 -c 'import os; os.setuid(12345)'
    python3 -c 'import ctypes,sys; sys.exit(ctypes.CDLL(None).open_by_handle_at(3, 0, 0) == -1)'
    python3 -c 'import ctypes,sys; sys.exit(ctypes.CDLL(None).bpf(0, 0, 0) == -1)'`,
  "the network": `
    exec 3<>/dev/tcp/127.0.0.1/$PORT
    exec 3<>/dev/tcp/::1/$PORT
    exec 3<>/dev/tcp/1.1.1.1/53
    exec 3<>/dev/udp/1.1.1.1/53
    curl -sS --max-time 2 http://127.0.0.1:$PORT
    curl -sS --max-time 2 http://localhost:$PORT
    curl -sS --max-time 2 http://example.com
    curl -sS --max-time 2 http://169.254.169.254/latest/meta-data
    wget -q -T 2 -t 1 http://127.0.0.1:$PORT
    getent hosts example.com
    git ls-remote https://example.com/x.git
    git ls-remote git://127.0.0.1:$PORT/x
    ping -c 1 -W 1 127.0.0.2 && ping -c 1 -W 1 1.1.1.1
    ip addr add 10.9.9.9/32 dev lo
    nc -w 1 127.0.0.1 $PORT </dev/null | grep -q canary
    python3 -c 'import socket,os; socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), 2)'`,
  "sockets and programs of the host": `
    connect "$TOP/outside/host.sock"
    connect "$HOME/src/sibling/host.sock"
    connect "$PWD/dev.sock"
    connect /run/docker.sock
    connect /var/run/docker.sock
    connect /run/dbus/system_bus_socket
    connect /run/systemd/private
    connect /run/user/0/bus
    connect /tmp/.X11-unix/X0
    connect /run/mysqld/mysqld.sock
    connect /run/postgresql/.s.PGSQL.5432
    connect /proc/1/root/run/docker.sock
    connect abstract:aiex-test
    test -n "$SSH_AUTH_SOCK"
    test -n "$DBUS_SESSION_BUS_ADDRESS"
    docker ps
    systemctl --user status
    systemd-run --user true
    crontab -l
    echo true | at now
    tmux -S /tmp/tmux-0/default ls`,
  "processes of the host": `
    kill -0 $HOST_PID
    test -d /proc/$HOST_PID/fd
    cat /proc/$HOST_PID/environ
    ls /proc/$HOST_PID/root
    test "$(ls -d /proc/[0-9]* | wc -l)" -gt 12
    cat /proc/1/environ | grep -q canary
    ls -l /proc/1/fd | grep -e / | grep -v -e /dev/null -e /out- -e /proc`,
};

/** Connects to a Unix socket and prints what it says; the sandbox has no program for that. */
const CONNECT = `
const path = process.argv[2].replace(/^abstract:/, "\\0");
const socket = require("node:net").connect(path);
socket.on("data", (data) => process.stdout.write(data));
socket.on("error", () => process.exit(1));
`;

describe.each(Object.entries(ATTEMPTS))("%s", (_, attempts) => {
  const lines = attempts
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

  it.each(lines)("is refused: %s", async (line) => {
    const before = listing();
    box.put("connect.cjs", CONNECT);
    const ran = await box.run(
      `connect() { '${process.execPath}' connect.cjs "$1"; }\n( ${line} ) && echo ESCAPED`,
      {
        env: { PORT: String(port), TOP: box.top, HOST_PID: String(process.pid) },
        timeoutMs: 8_000,
      },
    );
    expect(ran.text).not.toContain("ESCAPED");
    expect(ran.text).not.toContain(CANARY);
    expect(listing()).toBe(before);
    expect(readdirSync("/etc")).not.toContain("aiex-pwned");
  });
});

describe("what was opened", () => {
  it("is one folder, to be written, and nothing beside it", async () => {
    const open = join(box.top, "outside/open");
    mkdirSync(open);
    const opened = { write: [open] };
    const ran = await box.run(`echo x > '${open}/made' && cat '${open}/made'`, { opened });
    expect(ran).toMatchObject({ text: "x\n", code: 0 });
    await box.run(`echo x > '${box.top}/outside/witness'`, { opened });
    expect(readFileSync(join(box.top, "outside/witness"), "utf8")).toBe("witness");
  });

  it.each(["/", "@top", "@home", "@hidden", "@hidden/keys.json", "relative", "/no/such/path"])(
    "cannot be %j",
    async (path) => {
      const write = [
        path.replace("@top", box.top).replace("@home", box.home).replace("@hidden", box.hidden),
      ];
      const spec = { command: "true", cwd: ".", timeoutMs: 5_000, opened: { write } };
      expect(await box.sandbox.start(spec, AbortSignal.timeout(5_000))).toMatchObject({
        ok: false,
      });
    },
  );

  it("may be the network, and then the host's servers are reached", async () => {
    const ran = await box.run(`exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`, {
      opened: { network: true },
    });
    expect(ran.text).toContain(CANARY);
  });

  it("may be everything, for a command that the user allowed so", async () => {
    const ran = await box.run(`cat '${box.top}/outside/witness'; (setsid sleep 98771 &)`, {
      opened: { unsandboxed: true },
    });
    expect(ran.text).toBe("witness");
    const left = execFileSync("sh", ["-c", "pgrep -f '[s]leep 98771' || true"]).toString();
    expect(left).toBe("");
  });
});
