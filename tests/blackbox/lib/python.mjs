// A python3 that has what an example needs: the machine's own, or the one of Debian's packages.
import { run } from './lsys.mjs';

/// The first python3 that can import `module`, or undefined.
export async function findPython(module) {
  for (const program of ['python3', '/usr/bin/python3']) {
    const result = await run(program, ['-c', `import ${module}`]).catch(() => ({ code: -1 }));
    if (result.code === 0) return program;
  }
  return undefined;
}
