// Disks that are full, read-only or failing, under a program that is not told. Each fault needs rights that a sandbox
// may not give; then the test is skipped, with the reason.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from './folders.mjs';
import { start } from './lsys.mjs';
import { until } from './wait.mjs';

/// Runs a program of the system; skips the test with what it said when it fails.
function system(t, program, ...args) {
  try {
    execFileSync(program, args, { stdio: 'pipe' });
    return true;
  } catch (error) {
    t.skip(`${program} is not to be had here: ${(error.stderr?.toString() || error.message).trim()}`);
    return false;
  }
}

/// Mounts a file system until the test ends, after what the test starts later has ended. Gives a folder on it, or
/// undefined when the test is skipped.
function mount(t, ...args) {
  let mounted;
  t.after(() => mounted && execFileSync('umount', ['-l', mounted])); // hooks run in their order: before the folder goes
  const point = temporaryFolder(t);
  if (!system(t, 'mount', ...args, point)) return undefined;
  mounted = point;
  return point;
}

/// A small disk in memory.
export function smallDisk(t, bytes = '1m') {
  return mount(t, '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs');
}

/// A disk whose file system gives up at `fail()`, as the kernel makes it after an error: read-only from then on, also
/// for files that are open.
export function failingDisk(t) {
  const image = path.join(temporaryFolder(t), 'image');
  execFileSync('truncate', ['-s', '16M', image]);
  if (!system(t, '/sbin/mke2fs', '-q', '-t', 'ext4', image)) return undefined;
  const point = mount(t, '-o', 'loop', image);
  return point && { point, fail: () => execFileSync('mount', ['-o', 'remount,abort', point]) };
}

/// From now on system calls of the running process `pid` fail: `what` is strace's, 'pwrite64,fdatasync:error=EIO'.
/// Gives a function that ends that, or undefined when the test is skipped.
export async function inject(t, pid, what) {
  const calls = what.split(':')[0];
  const strace = start(t, 'strace', ['-f', '-o', '/dev/null', '-p', String(pid), '-e', `trace=${calls}`, '-e', `inject=${what}`]);
  const tracer = () => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/TracerPid:\s+(\d+)/)[1]);
  await until('strace to be attached, or to say why not', () => strace.exit || tracer() === strace.pid);
  if (strace.exit) {
    t.skip(`strace is not to be had here: ${strace.output.trim()}`);
    return undefined;
  }
  return async () => {
    await strace.stop('SIGINT');
    await until('strace to be gone', () => !existsSync(`/proc/${pid}`) || tracer() === 0);
  };
}
