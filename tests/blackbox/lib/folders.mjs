// Temporary folders that go away with the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

/// Makes a folder that is removed when the test `t` (node:test's context) ends. For a whole suite: call it in the body of
/// describe() as temporaryFolder({ after }), with `after` of node:test.
export function temporaryFolder(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'lsys-test-'));
  t.after(() => remove(folder));
  return folder;
}

/// A process of the test may still write into it: its own hook, which stops it, comes later. (maxRetries of rmSync does
/// not help: Node 18 then tries only the folder itself again, not what has come into it.)
async function remove(folder) {
  for (let tries = 1; ; tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if (tries === 100) throw error;
    }
    await setTimeout(20);
  }
}
