// The pages of the roles and tools agree with the options that the program has.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lsysOk } from './lib/lsys.mjs';

const roles = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../roles');

/// Flags that are explained in one place for all roles, or belong to lsys itself.
const COMMON = ['--help', '--config-dir', '--log-level', '--log-format', '--install', '--version'];

const TOOLS = {
  'cache-master': ['cache-master', 'licenses'],
  'license-server': ['license-server', 'server-key'],
  'vendor-tools': ['keygen', 'issue', 'inspect', 'verify', 'revoke', 'keyring'],
  tools: ['check', 'status', 'health', 'fingerprint', 'config', 'audit', 'version', 'help', 'completion'],
};

const flagsIn = (text) => [...text.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map((match) => match[0]);
const flags = new Map(); // of each command

before(async () => {
  const names = [...(await lsysOk(['help'])).matchAll(/^ {2}([a-z][a-z-]*) +\S/gm)].map((match) => match[1]);
  for (const name of names) {
    const help = await lsysOk([name, '--help']);
    flags.set(name, [...help.matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map((match) => match[1]));
  }
});

for (const folder of readdirSync(roles)) {
  const page = path.join(roles, folder, 'README.md');
  if (!existsSync(page)) continue;
  test(`roles/${folder}/README.md names every flag, and none that is not there`, (t) => {
    const commands = (TOOLS[folder] ?? [folder]).filter((name) => flags.has(name));
    if (commands.length === 0) return t.skip('no command of that name');
    const text = readFileSync(page, 'utf8');
    const named = new Set(flagsIn(text));
    const all = new Set([...COMMON, ...[...flags.values()].flat()]);
    for (const name of commands) {
      const missing = flags.get(name).filter((flag) => !COMMON.includes(flag) && !named.has(flag));
      assert.deepEqual(missing, [], `${name}: flags that the page does not name`);
    }
    const lines = text.split('\n').filter((line) => line.includes('lsys') || line.startsWith('|'));
    const known = (flag) => all.has(flag) || all.has(flag.replace('--no-', '--'));
    const unknown = lines.flatMap(flagsIn).filter((flag) => !known(flag));
    assert.deepEqual(unknown, [], 'flags on the page that no command has');
  });
}
