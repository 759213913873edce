// What the benches that compare servers under wrk share.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));

/// Those of the programs that are not installed.
export const missing = (programs) => programs.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);

// One processor each for server and load, where there are two: otherwise the measurement is of the scheduler.
const pinned = cpus().length >= 2 && missing(['taskset']).length === 0;
const pin = (cpu, argv) => (pinned ? ['taskset', '-c', `${cpu}`, ...argv] : argv);
export const asServer = (argv) => pin(1, argv);
export const asLoad = (argv) => pin(0, argv);

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/// What follows the name of the program in /proc/PID/stat: field 3 and the rest.
const statFields = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');

function parentOf(pid) {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    return 0; // it has ended meanwhile
  }
}

/// A process and its children, which is how nginx and Varnish work.
function family(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  return [pid, ...all.filter((other) => parentOf(other) === pid)];
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/// Seconds of processor time that a process and its children have used.
export const cpuSeconds = (pid) => sum(family(pid).map((member) => {
  const fields = statFields(member);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}));

/// Their memory; what several share counts once.
export const memoryMiB = (pid) => sum(family(pid).map((member) =>
  Number(readFileSync(`/proc/${member}/smaps_rollup`, 'utf8').match(/Pss: +(\d+)/)[1]) / 1024));

/// The time that wrk prints, in microseconds.
function microseconds(text) {
  const [, number, unit] = text.match(/([\d.]+)(us|ms|s)/);
  return Number(number) * { us: 1, ms: 1e3, s: 1e6 }[unit];
}

/// Load on kept connections; gives how many requests there were, the processor time of the server for one of them, and how
/// long they took (us).
export function underWrk(url, pid, { connections, seconds }) {
  const before = cpuSeconds(pid);
  const [program, ...args] = asLoad(['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url]);
  const text = execFileSync(program, args, { encoding: 'utf8' });
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${url}: ${text}`);
  const requests = Number(text.match(/(\d+) requests in/)[1]);
  return {
    requests,
    cost: (1e6 * (cpuSeconds(pid) - before)) / requests,
    p50: microseconds(text.match(/50% +(\S+)/)[1]),
    p99: microseconds(text.match(/99% +(\S+)/)[1]),
  };
}
