// The wall clock of a program, moved from outside: timewarp.c is built from where it lies beside the repository, or
// from LSYS_TIMEWARP.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './folders.mjs';

const source = process.env.LSYS_TIMEWARP ??
  path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../shared/tools/timewarp.c');

/// Why clocks cannot be moved here, or false: for the option `skip` of a test.
export function whyNoTimewarp() {
  if (!existsSync(source)) return 'shared/tools/timewarp.c is not there; LSYS_TIMEWARP can name it';
  if (process.getuid() !== 0) return 'moving the clock of a program that is not dumpable needs root';
  return process.arch !== 'x64' && 'timewarp.c is for x86-64';
}

/// A clock for programs started with `wrapper`: `set(seconds)` moves it that far from the true time, also while they
/// run.
export function warpedClock(t) {
  const folder = temporaryFolder(t);
  const program = path.join(folder, 'timewarp');
  const offset = path.join(folder, 'offset');
  execFileSync('cc', ['-O2', '-w', '-o', program, source]);
  const set = (seconds) => writeFileSync(offset, String(seconds));
  set(0);
  return { set, wrapper: [program, offset] };
}
