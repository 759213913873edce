// Following license.status without the sidecar, with the code that the client's README shows.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { ForeignServer } from './lib/foreign_server.mjs';
import { run } from './lib/lsys.mjs';
import { NatsServer } from './lib/nats_server.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const readme = readFileSync(path.join(root, 'roles/license-client/README.md'), 'utf8');
const blockOf = (language) => readme.match(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``))[1];

test('in JavaScript: licensed, changed, and community after silence', async (t) => {
  const folder = temporaryFolder(t);
  const module = path.join(folder, 'follow.mjs');
  symlinkSync(path.join(root, 'tests/node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(module, blockOf('js'));
  const { followLicense } = await import(module);
  const nats = await NatsServer.start(t);
  const vendor = await Vendor.create(path.join(folder, 'vendor'));
  const server = await ForeignServer.create(t, nats.url, bareToken(await vendor.issue('acme.lic', ['--feature', 'sso'])));
  const states = [];
  const connection = await followLicense(nats.url, (state) => states.push(state), 1500);
  t.after(() => connection.close());
  await server.start();
  await until('the license', () => states.at(-1)?.edition === 'enterprise');
  assert.deepEqual(states.at(-1), { status: 'valid', edition: 'enterprise', features: { sso: true } });
  await server.stop();
  await until('community', () => states.at(-1).edition === 'community');
});

test('in C, Python and Go: the code is valid', async (t) => {
  const folder = temporaryFolder(t);
  const checks = [
    ['c', 'follow.c', ['cc', '-Wall', '-Werror', '-isystem', path.join(root, 'third_party/archives/usr/include'), '-fsyntax-only']],
    ['python', 'follow.py', ['python3', '-m', 'py_compile']],
    ['go', 'follow.go', ['gofmt', '-e', '-d']],
  ];
  for (const [language, name, [program, ...args]] of checks) {
    const file = path.join(folder, name);
    writeFileSync(file, blockOf(language));
    const result = await run(program, [...args, file]).catch((error) => error);
    if (result.code === 'ENOENT') {
      t.diagnostic(`${program} is not here: ${language} was not looked at`);
      continue;
    }
    assert.equal(result.code, 0, `${language}: ${result.stdout}${result.stderr}`);
    if (language === 'go') assert.equal(result.stdout, '', 'as gofmt writes it');
  }
});
