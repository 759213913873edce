// 1,000 license clients on one license server and one broker: how long from a replaced license file to the last client's
// change, and what a client costs. Real processes, all on this machine.
//
//   node tests/bench/clients.mjs [CLIENTS] [ROUNDS]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Background, binary } from '../blackbox/lib/lsys.mjs';
import { freePort } from '../blackbox/lib/ports.mjs';
import { Vendor } from '../blackbox/lib/vendor.mjs';
import { until } from '../blackbox/lib/wait.mjs';

const CLIENTS = Number(process.argv[2] ?? 1000);
const ROUNDS = Number(process.argv[3] ?? 5);
/// Started together: enough to be quick, few enough that none times out on two cores.
const BATCH = 25;
const DEADLINE_MS = 120_000;

class BenchClient {
  constructor(folder, number, vendor, natsUrl) {
    this.changes = 0;
    this.changedAt_ms = 0;
    this.child = spawn(binary, ['license-client', '--keys', vendor.keys, '--nats', natsUrl, '--data-dir',
      path.join(folder, `client-${number}`), '--http', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    createInterface({ input: this.child.stderr }).on('line', (line) => this.read(line));
  }

  /// The client's own log says when it changed; it does not matter when we get to read it.
  read(line) {
    const change = line.match(/^time=(\S+) .*msg="the license changed" edition=enterprise/);
    if (!change) return;
    this.changes += 1;
    this.changedAt_ms = Date.parse(change[1]);
  }
}

/// Proportional set size: the memory that would be free if the process ended, shared pages divided among their users.
function pss_kib(pid) {
  return Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss: +(\d+)/m)[1]);
}

function cpu_ms(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const median = (numbers) => percentile([...numbers].sort((a, b) => a - b), 0.5);

async function startStack(folder) {
  const [natsPort, httpPort] = [await freePort(), await freePort()];
  const vendor = await Vendor.create(path.join(folder, 'vendor'));
  const license = path.join(folder, 'site.lic');
  renameSync(await vendor.issue('first.lic', ['--valid-for', '90d', '--feature', 'sso']), license);
  const broker = new Background(binary, ['broker', '--listen', `127.0.0.1:${natsPort}`]);
  await broker.untilOutput(/listening/);
  const natsUrl = `nats://127.0.0.1:${natsPort}`;
  const server = new Background(binary, ['license-server', '--license', license, '--keys', vendor.keys, '--nats', natsUrl,
    '--data-dir', path.join(folder, 'server'), '--http', `127.0.0.1:${httpPort}`]);
  await server.untilOutput(/listening/);
  return { vendor, license, broker, server, natsUrl };
}

async function startClients(folder, stack) {
  const clients = [];
  const started = performance.now();
  while (clients.length < CLIENTS) {
    const batch = Array.from({ length: Math.min(BATCH, CLIENTS - clients.length) }, (_, i) =>
      new BenchClient(folder, clients.length + i, stack.vendor, stack.natsUrl));
    clients.push(...batch);
    await until('a batch to be licensed', () => batch.every((client) => client.changes > 0), DEADLINE_MS);
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(`${clients.length} clients licensed in ${seconds.toFixed(1)} s (${BATCH} started at a time)`);
  return clients;
}

/// Replaces the license file once and gives when the clients changed, in milliseconds after that, sorted.
async function replaceLicense(stack, clients) {
  const next = await stack.vendor.issue('next.lic', ['--valid-for', '90d', '--feature', 'sso']);
  const before = clients.map((client) => client.changes);
  const replacedAt_ms = Date.now();
  renameSync(next, stack.license);
  await until('every client to change', () => clients.every((client, i) => client.changes > before[i]), DEADLINE_MS);
  return clients.map((client) => client.changedAt_ms - replacedAt_ms).sort((a, b) => a - b);
}

async function measure(folder) {
  const stack = await startStack(folder);
  const clients = await startClients(folder, stack);
  const lasts = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const times = await replaceLicense(stack, clients);
    lasts.push(times.at(-1));
    console.log(`file to client: first ${times[0]} ms, median ${percentile(times, 0.5)} ms, 99% ${percentile(times, 0.99)} ms, last ${times.at(-1)} ms`);
  }
  const memory = clients.map((client) => pss_kib(client.child.pid));
  const total_mib = memory.reduce((sum, kib) => sum + kib, 0) / 1024;
  console.log(`median of ${ROUNDS} rounds: the last of ${clients.length} clients changed ${median(lasts)} ms after the file`);
  console.log(`memory: ${(median(memory) / 1024).toFixed(2)} MiB a client (PSS), ${total_mib.toFixed(0)} MiB for all; `
    + `broker ${(pss_kib(stack.broker.pid) / 1024).toFixed(1)} MiB, license server ${(pss_kib(stack.server.pid) / 1024).toFixed(1)} MiB`);
  const idleFrom = clients.map((client) => cpu_ms(client.child.pid));
  const from = performance.now();
  await until('ten idle seconds', () => performance.now() - from > 10_000, 20_000);
  const idle_ms = clients.reduce((sum, client, i) => sum + cpu_ms(client.child.pid) - idleFrom[i], 0);
  console.log(`idle: ${(idle_ms / 10 / clients.length).toFixed(2)} ms of processor time a client and second`);
  return { stack, clients };
}

const folder = mkdtempSync(path.join(tmpdir(), 'lsys-bench-'));
let running;
try {
  running = await measure(folder);
} finally {
  if (running) {
    for (const client of running.clients) client.child.kill('SIGTERM');
    await until('all clients to end', () => running.clients.every((client) => client.child.exitCode !== null), DEADLINE_MS);
    await Promise.all([running.stack.server.stop(), running.stack.broker.stop()]);
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
