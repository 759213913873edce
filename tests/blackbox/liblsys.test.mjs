// liblsys.a with its C example, and the checks in other languages that src/verifier/README.md shows: built and run on
// licenses that lsys issued, good and bad.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as jose from 'jose';
import { temporaryFolder } from './lib/folders.mjs';
import { run } from './lib/lsys.mjs';
import { findPython } from './lib/python.mjs';
import { Vendor } from './lib/vendor.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const readme = readFileSync(path.join(root, 'src/verifier/README.md'), 'utf8');
const BUILD_DEADLINE_MS = 180_000;

/// The code block of that language in the README.
function blockOf(language) {
  const match = readme.match(new RegExp('```' + language + '\\n([^]*?)```'));
  assert.ok(match, `the README has a block of ${language}`);
  return match[1];
}

/// Whether a program runs and ends well, as `go version`.
async function works(program, args) {
  const result = await run(program, args).catch(() => ({ code: -1 }));
  return result.code === 0;
}

/// Licenses of the vendor that no check may believe, whatever else is in them.
async function signHostile(folder, vendor) {
  const { d, ...publicKey } = JSON.parse(readFileSync(vendor.key, 'utf8'));
  const { kid, alg } = publicKey;
  const key = await jose.importJWK({ ...publicKey, d }, alg);
  const now = Math.floor(Date.now() / 1000);
  const claims = Buffer.from(JSON.stringify({ iss: 'vendor', sub: 'ACME', jti: 'L-1', iat: now, nbf: now,
    exp: now + 86_400, edition: 'enterprise', features: { nodes: 50 } }));
  const signed = (header) => new jose.CompactSign(claims)
    .setProtectedHeader({ alg, kid, typ: 'license+jwt', ...header }).sign(key, { crit: { later: true } });
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tokens = {
    ordinary: await signed({}),
    unsigned: `${encoded({ alg: 'none', kid, typ: 'license+jwt' })}.${claims.toString('base64url')}.`,
    otherType: await signed({ typ: 'status+jwt' }),
    critical: await signed({ crit: ['later'], later: true }),
    withSecret: await new jose.CompactSign(claims).setProtectedHeader({ alg: 'HS256', kid, typ: 'license+jwt' })
      .sign(Buffer.from(JSON.stringify(publicKey))),
  };
  return Object.fromEntries(Object.entries(tokens).map(([name, token]) => {
    const file = path.join(folder, `${name}.lic`);
    writeFileSync(file, token);
    return [name, file];
  }));
}

/// A license for each name in judgeAll.
async function issueAll(t, type) {
  const folder = temporaryFolder(t);
  const vendor = await Vendor.create(folder, ['--type', type]);
  const good = await vendor.issue('good.lic', ['--feature', 'sso', '--feature', 'nodes=50']);
  const expired = await vendor.issue('expired.lic', ['--not-before', '2020-01-01', '--expires', '2020-02-01']);
  const text = readFileSync(good, 'utf8');
  const forged = path.join(folder, 'forged.lic');
  const at = text.indexOf('.') + 20;
  writeFileSync(forged, text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1));
  const stranger = await Vendor.create(path.join(folder, 'stranger'));
  return { folder, keys: vendor.keys, good, expired, forged, foreign: await stranger.issue('foreign.lic'),
    ...await signHostile(folder, vendor) };
}

/// Runs one check on each license; `check` gives [program, args] for a license and a key set.
async function judgeAll(files, check) {
  const believed = ['good', 'ordinary'];
  const refused = ['expired', 'forged', 'foreign', 'unsigned', 'otherType', 'critical', 'withSecret'];
  for (const name of [...believed, ...refused]) {
    const [program, args] = check(files[name], files.keys);
    const result = await run(program, args, { deadline_ms: BUILD_DEADLINE_MS });
    assert.equal(result.code, believed.includes(name) ? 0 : 1, `${name}: ${result.stdout}${result.stderr}`);
    assert.match(result.stdout, believed.includes(name) ? /enterprise/ : /community/, name);
  }
}

for (const type of ['p256', 'ed25519']) {
  describe(`a license signed with ${type}`, () => {
    test('is checked in C with liblsys.a', async (t) => {
      const files = await issueAll(t, type);
      await judgeAll(files, (license, keys) => [path.join(root, 'build/embed/example'), [license, keys, 'nodes']]);
    });

    test('is checked in JavaScript with jose', async (t) => {
      const files = await issueAll(t, type);
      const program = path.join(files.folder, 'check.mjs');
      symlinkSync(path.join(root, 'tests/node_modules'), path.join(files.folder, 'node_modules'));
      writeFileSync(program, blockOf('js'));
      await judgeAll(files, (license, keys) => [process.execPath, [program, license, keys]]);
    });

    test('is checked in Python', async (t) => {
      const python = await findPython('cryptography');
      if (!python) return t.skip('python3 with cryptography is not here: apt-get install python3-cryptography');
      const files = await issueAll(t, type);
      const program = path.join(files.folder, 'check.py');
      writeFileSync(program, blockOf('python'));
      await judgeAll(files, (license, keys) => [python, [program, license, keys]]);
    });

    test('is checked in Go', async (t) => {
      if (!await works('go', ['version'])) return t.skip('go is not here: apt-get install golang-go');
      const files = await issueAll(t, type);
      const program = path.join(files.folder, 'check.go');
      writeFileSync(program, blockOf('go'));
      const binary = path.join(files.folder, 'check');
      const built = await run('go', ['build', '-o', binary, program], {
        deadline_ms: BUILD_DEADLINE_MS,
        env: { GOFLAGS: '-mod=mod', GO111MODULE: 'off', GOCACHE: path.join(files.folder, 'cache') },
      });
      assert.equal(built.code, 0, built.stderr);
      await judgeAll(files, (license, keys) => [binary, [license, keys]]);
    });
  });
}

before(async () => {
  const built = await run('make', ['liblsys.a', 'build/embed/example'], { cwd: root, deadline_ms: BUILD_DEADLINE_MS });
  assert.equal(built.code, 0, built.stdout + built.stderr);
});

test('liblsys.a shows only the names of its header', async () => {
  const header = readFileSync(path.join(root, 'src/verifier/embed/lsys.h'), 'utf8');
  const listed = await run('nm', ['--defined-only', '--extern-only', path.join(root, 'liblsys.a')]);
  const names = [...listed.stdout.matchAll(/ [A-Z] (\S+)$/gm)].map((match) => match[1]);
  assert.ok(names.length > 10);
  for (const name of names) assert.match(header, new RegExp(`\\b${name}\\(`), name);
});
