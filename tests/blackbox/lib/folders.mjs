// Temporary folders that go away with the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/// Makes a folder that is removed when the test (or suite) `t` ends. `t` is node:test's context, or anything with
/// `after(function)`.
export function temporaryFolder(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'lsys-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
