// Temporary folders that go away with the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/// Makes a folder that is removed when the test `t` (node:test's context) ends. For a whole suite: call it in the body of
/// describe() as temporaryFolder({ after }), with `after` of node:test.
export function temporaryFolder(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'lsys-test-'));
  // A process of the test may still write into it: its own hook, which stops it, comes later.
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}
