// System calls that fail: the shipped program under `strace -e inject=`, and which faults are tried.
import { spawnSync } from 'node:child_process';
import { binary } from './lsys.mjs';

/// Why faults cannot be injected here, or false.
export const noFaults = (() => {
  const { status, error, stderr } = spawnSync('strace', ['-D', '-qq', '-e', 'trace=none', binary, 'version']);
  if (error) return 'strace is not installed';
  return status === 0 ? false : `strace cannot trace here: ${stderr}`;
})();

/// Why none can be put into a process that runs already, or false.
export const noFaultsLater = noFaults || (process.getuid() !== 0 && 'lsys lets only root trace it');

/// The wrapper that runs a program with one fault in it: {call, error, when}, where `when` is strace's: "3" for the
/// third call, "3+" for it and all later ones, "2+4" for every fourth from the second. The process started is the
/// program itself: the tracer is its grandchild.
export function withFault({ call, error, when }) {
  return ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e',
    `inject=${call}:error=${error}:when=${when}`];
}

/// Puts a fault into a process that runs already; gives the function that takes it away.
export async function breakCalls(start, t, pid, { call, error, when }) {
  const tracer = start(t, 'strace', ['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e',
    `inject=${call}:error=${error}:when=${when}`, '-p', String(pid)]);
  await tracer.untilOutput(/attached/);
  return () => tracer.stop('SIGINT');
}

/// Calls and what they may fail with, on a broken disk or a machine at its limits; `most` is how many of the calls at
/// the start of a role are tried one by one. strace counts the calls of each thread by itself. Not here is what no
/// kernel does: a full disk or an I/O error of a pipe, an end of a connection that the other direction does not see, a
/// lock that cannot be given back.
export const FAULTS = [
  { call: 'openat', errors: ['EIO', 'EMFILE', 'ENOSPC'], most: 36 },
  { call: 'read', errors: ['EINTR'], most: 30 },
  { call: 'pread64', errors: ['EIO'], most: 14 },
  { call: 'write', errors: ['EINTR'], most: 20 },
  { call: 'pwrite64', errors: ['EIO', 'ENOSPC', 'EINTR'], most: 42 },
  { call: 'fsync', errors: ['EIO', 'ENOSPC'], most: 4 },
  { call: 'fdatasync', errors: ['EIO', 'ENOSPC'], most: 15 },
  { call: 'ftruncate', errors: ['ENOSPC'], most: 3 },
  { call: 'link', errors: ['EIO'], most: 1 },
  { call: 'unlink', errors: ['EIO'], most: 4 },
  { call: 'rename', errors: ['EIO'], most: 2 },
  { call: 'mkdir', errors: ['ENOSPC'], most: 1 },
  { call: 'newfstatat', errors: ['EIO'], most: 53 },
  { call: 'flock', errors: ['EINTR'], most: 1 },
  { call: 'mmap', errors: ['ENOMEM'], most: 14 },
  { call: 'epoll_pwait', errors: ['EINTR'], most: 20 },
  { call: 'accept4', errors: ['EMFILE', 'ECONNABORTED'], most: 2 },
  { call: 'socket', errors: ['EMFILE'], most: 3 },
  { call: 'connect', errors: ['ENOBUFS'], most: 2 },
  { call: 'clone3', errors: ['EAGAIN'], most: 7 },
  { call: 'inotify_init1', errors: ['EMFILE'], most: 1 },
  { call: 'inotify_add_watch', errors: ['ENOSPC'], most: 2 },
];

/// All single faults of the table, one call each.
export function everyFault() {
  return FAULTS.flatMap(({ call, errors, most }) => errors.flatMap((error) =>
    Array.from({ length: most }, (_, index) => ({ call, error, when: String(index + 1) }))));
}

/// A generator of numbers below `limit` that gives the same ones for the same seed (mulberry32).
export function seededRandom(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  };
}

/// `count` of the faults, chosen by the seed; only of these calls when `calls` is given.
export function chooseFaults(count, seed, calls) {
  const random = seededRandom(seed);
  const all = everyFault().filter(({ call }) => !calls || calls.includes(call));
  return Array.from({ length: Math.min(count, all.length) }, () => all.splice(random(all.length), 1)[0]);
}
