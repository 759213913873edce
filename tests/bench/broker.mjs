// lsys broker against the real nats-server: processor time of the server for each message, memory, start.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { natsServers } from '../blackbox/lib/peers.mjs';
import { freePort } from '../blackbox/lib/ports.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const load = path.join(root, 'build/bench/nats_load');
const repeat = Number(process.env.REPEAT ?? 3);
const seconds = process.env.SECONDS_EACH ?? '2';

// As users have it: the kernel maps a program in as large pieces as the page cache holds it in, which for the file that
// the linker wrote in one go can be all of it.
const folder = mkdtempSync(path.join(tmpdir(), 'lsys-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const installed = path.join(folder, 'lsys');
execFileSync('install', ['-m', '755', path.join(root, 'lsys'), installed]);

// The first is what the others are compared with.
const servers = [
  ...natsServers().map(({ name, program }) => ({ name, argv: (port) => [program, '-a', '127.0.0.1', '-p', `${port}`] })),
  { name: 'lsys broker', argv: (port) => [installed, 'broker', '--listen', `127.0.0.1:${port}`] },
];

// `aim`: the ratio to the first server that the project wants to stay below.
const measurements = [
  { name: '1 to 1, 16 B', args: ['pubsub', '--size', '16'], unit: 'us/message', aim: 0.33 },
  { name: '1 to 1, 128 B', args: ['pubsub', '--size', '128'], unit: 'us/message', aim: 0.33 },
  { name: '1 to 1, 1 KiB', args: ['pubsub', '--size', '1024'], unit: 'us/message', aim: 0.8 },
  { name: '1 to 100, 16 B', args: ['pubsub', '--size', '16', '--receivers', '100'], unit: 'us/delivery', aim: 0.33 },
  { name: '1 to 100, 128 B', args: ['pubsub', '--size', '128', '--receivers', '100'], unit: 'us/delivery', aim: 0.33 },
  { name: 'request/reply, 64 in flight', args: ['request'], unit: 'us/round trip', aim: 0.5 },
  { name: 'paced at 10,000/s, 128 B', args: ['pubsub', '--size', '128', '--rate', '10000'], unit: 'us/message', aim: 0.1 },
];

// One processor each for server and generator, where there are two: otherwise the measurement is of the scheduler.
const pinned = cpus().length >= 2 && spawnSync('taskset', ['-V']).status === 0;
const pin = (cpu, argv) => (pinned ? ['taskset', '-c', `${cpu}`, ...argv] : argv);

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function measure(args) {
  const [program, ...rest] = pin(0, [load, ...args]);
  return JSON.parse(execFileSync(program, rest, { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 20 }));
}

const START_MS = 10_000;

/// Starts a server and waits until it answers.
async function start(server) {
  const port = await freePort();
  const [program, ...args] = pin(1, server.argv(port));
  const env = pinned ? { ...process.env, GOMAXPROCS: '1' } : process.env;
  const child = spawn(program, args, { env, stdio: 'ignore' });
  const deadline = performance.now() + START_MS; // the first start reads the file from the disk
  for (;;) {
    const probe = spawnSync(load, ['connections', '--count', '1', '--port', `${port}`], { encoding: 'utf8' });
    if (probe.status === 0) return { ...server, port, pid: child.pid, child };
    if (performance.now() > deadline) throw new Error(`${server.name} does not answer: ${probe.stderr}`);
  }
}

/// Runs `once(server)` `repeat` times for each server in turn; gives the median of each.
async function medians(list, once) {
  const values = list.map(() => []);
  for (let i = 0; i < repeat; i++) {
    for (const [index, server] of list.entries()) values[index].push(await once(server));
  }
  return values.map(median);
}

function row(name, values, unit, aim, digits = 3) {
  const ratio = values.at(-1) / values[0];
  const cells = values.map((value) => value.toFixed(digits).padStart(18));
  console.log(`${name.padEnd(30)}${cells.join('')}${ratio.toFixed(2).padStart(9)}  ${aim.padEnd(14)}${unit}`);
}

async function main() {
  const running = [];
  try {
    console.log(`${'processor time of the server'.padEnd(30)}${servers.map(({ name }) => name.padStart(18)).join('')}${'ratio'.padStart(9)}  aim`);
    for (const server of servers) running.push(await start(server));
    for (const { name, args, unit, aim } of measurements) {
      const values = await medians(running, ({ port, pid }) => {
        const result = measure([...args, '--seconds', seconds, '--port', `${port}`, '--pid', `${pid}`]);
        return result.server_us;
      });
      row(name, values, unit, `<= ${aim}`);
    }
  } finally {
    for (const { child } of running) child.kill('SIGKILL');
  }
  await memoryAndStart();
}

async function memoryAndStart() {
  const idle = [], busy = [], anonymous = [];
  for (const server of servers) {
    const { port, pid, child } = await start(server);
    const result = measure(['connections', '--port', `${port}`, '--pid', `${pid}`]);
    idle.push(result.resident_before_kb / 1024);
    busy.push(result.resident_after_kb / 1024);
    anonymous.push(Number(readFileSync(`/proc/${pid}/status`, 'latin1').match(/RssAnon:\s+(\d+)/)[1]) / 1024);
    child.kill('SIGKILL');
  }
  row('memory, idle', idle, 'MB', '3 MB', 1);
  row('memory, 1,000 connections', busy, 'MB', '6 MB', 1);
  row('  of it not file pages', anonymous, 'MB', '', 1);
  const starts = await medians(servers, async (server) => {
    const port = await freePort();
    return measure(['start', '--port', `${port}`, '--', ...server.argv(port)]).first_pong_ms;
  });
  row('start to first PONG', starts, 'ms', '3 ms', 2);
}

await main();
