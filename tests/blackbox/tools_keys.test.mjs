// lsys keygen, and the ways to hold a private key: file modes, passphrases, an external signer.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as jose from 'jose';
import { temporaryFolder } from './lib/folders.mjs';
import { binary, lsys, lsysOk, run, start, startLsys } from './lib/lsys.mjs';
import { until } from './lib/wait.mjs';

const ISSUE = ['--customer', 'ACME', '--edition', 'enterprise', '--valid-for', '30d'];

const mode = (file) => statSync(file).mode & 0o777;
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

for (const [type, alg, kty] of [['p256', 'ES256', 'EC'], ['ed25519', 'EdDSA', 'OKP']]) {
  test(`keygen --type ${type} makes a key pair that jose reads`, async (t) => {
    const folder = path.join(temporaryFolder(t), 'deep', 'keys');
    await lsysOk(['keygen', '--out', folder, '--type', type]);
    const key = json(path.join(folder, 'vendor.key.jwk'));
    const set = json(path.join(folder, 'vendor.jwks'));
    assert.equal(mode(path.join(folder, 'vendor.key.jwk')), 0o600);
    assert.equal(mode(folder), 0o700);
    assert.equal(key.kty, kty);
    assert.equal(set.keys.length, 1);
    assert.equal(set.keys[0].d, undefined);
    assert.equal(set.keys[0].kid, await jose.calculateJwkThumbprint(set.keys[0], 'sha256'));
    const signed = await new jose.CompactSign(Buffer.from('x')).setProtectedHeader({ alg })
      .sign(await jose.importJWK(key, alg));
    const { payload } = await jose.compactVerify(signed, await jose.importJWK(set.keys[0], alg));
    assert.equal(Buffer.from(payload).toString(), 'x');
  });
}

test('P-256 is the default', async (t) => {
  const folder = temporaryFolder(t);
  await lsysOk(['keygen', '--out', folder]);
  assert.equal(json(path.join(folder, 'vendor.jwks')).keys[0].crv, 'P-256');
});

test('a key is never overwritten, and half a pair is not left behind', async (t) => {
  const folder = temporaryFolder(t);
  await lsysOk(['keygen', '--out', folder]);
  const before = readFileSync(path.join(folder, 'vendor.key.jwk'));
  const again = await lsys(['keygen', '--out', folder]);
  assert.equal(again.code, 75);
  assert.match(again.stderr, /vendor\.jwks is there already; keys are never overwritten/);
  assert.deepEqual(readFileSync(path.join(folder, 'vendor.key.jwk')), before);

  writeFileSync(path.join(folder, 'other.jwks'), 'mine');
  assert.equal((await lsys(['keygen', '--out', folder, '--name', 'other'])).code, 75);
  assert.equal(existsSync(path.join(folder, 'other.key.jwk')), false);

  writeFileSync(path.join(folder, 'third.key.jwk'), 'mine');
  assert.equal((await lsys(['keygen', '--out', folder, '--name', 'third'])).code, 75);
  assert.equal(readFileSync(path.join(folder, 'third.key.jwk'), 'utf8'), 'mine');
  assert.equal(existsSync(path.join(folder, 'third.jwks')), false);
});

test('names that are paths are refused', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['../x', 'a/b', '.hidden', '', 'x'.repeat(64)]) {
    const result = await lsys(['keygen', '--out', folder, '--name', name]);
    assert.equal(result.code, 64, name);
    assert.match(result.stderr, /--name/);
  }
});

test('a folder that cannot be made is an error with its path', async (t) => {
  const file = path.join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  const result = await lsys(['keygen', '--out', path.join(file, 'keys')]);
  assert.notEqual(result.code, 0);
  assert.ok(result.stderr.includes(file));
});

describe('a private key that others could read', () => {
  test('is refused with the command that mends it', async (t) => {
    const folder = temporaryFolder(t);
    await lsysOk(['keygen', '--out', folder]);
    const key = path.join(folder, 'vendor.key.jwk');
    chmodSync(key, 0o644);
    const result = await lsys(['issue', '--key', key, ...ISSUE]);
    assert.equal(result.code, 77);
    assert.match(result.stderr, /chmod/);
  });
});

describe('passphrases', () => {
  const PASSPHRASE = 'correct horse battery staple';

  /// A sealed key, and the files with the right and with a wrong passphrase.
  async function sealed(t) {
    const folder = temporaryFolder(t);
    const right = path.join(folder, 'right');
    const wrong = path.join(folder, 'wrong');
    writeFileSync(right, `${PASSPHRASE}\nnot read\n`, { mode: 0o600 });
    writeFileSync(wrong, 'something else\n', { mode: 0o600 });
    await lsysOk(['keygen', '--out', folder, '--passphrase-file', right]);
    return { folder, right, wrong, key: path.join(folder, 'vendor.key.jwk') };
  }

  test('seal the key', async (t) => {
    const { key, folder, right, wrong } = await sealed(t);
    const envelope = json(key);
    assert.equal(envelope.d, undefined);
    assert.equal(envelope.kdf, 'argon2id');
    const out = path.join(folder, 'a.lic');
    await lsysOk(['issue', '--key', key, '--passphrase-file', right, '--out', out, ...ISSUE]);
    await lsysOk(['verify', out, '--keys', path.join(folder, 'vendor.jwks')]);
    const refused = await lsys(['issue', '--key', key, '--passphrase-file', wrong, ...ISSUE]);
    assert.equal(refused.code, 77);
    assert.match(refused.stderr, /passphrase/);
  });

  test('must come from a file that only its owner can read', async (t) => {
    const { key, right } = await sealed(t);
    chmodSync(right, 0o640);
    const result = await lsys(['issue', '--key', key, '--passphrase-file', right, ...ISSUE]);
    assert.equal(result.code, 77);
    assert.match(result.stderr, /chmod/);
  });

  test('that are short or empty are refused for new keys', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'p');
    for (const text of ['short\n', '\n', '']) {
      writeFileSync(file, text, { mode: 0o600 });
      const result = await lsys(['keygen', '--out', path.join(folder, 'k'), '--passphrase-file', file]);
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /passphrase|empty/);
      assert.equal(existsSync(path.join(folder, 'k', 'vendor.key.jwk')), false);
    }
  });

  test('without a terminal the error names the flag', async (t) => {
    const { key } = await sealed(t);
    const result = await run('setsid', ['-w', binary, 'issue', '--key', key, ...ISSUE]);
    assert.equal(result.code, 69);
    assert.match(result.stderr, /no terminal.*--passphrase-file/);
  });

  /// Runs lsys on a terminal of its own (script(1)), answering each question when it is asked: what was typed before
  /// the question is thrown away. Gives {code, output}.
  async function onTerminal(t, args, answers) {
    const command = [binary, ...args].map((word) => `'${word}'`).join(' ');
    const terminal = start(t, 'script', ['-qec', command, '/dev/null']);
    for (const [question, answer] of answers) {
      await terminal.untilOutput(question);
      terminal.child.stdin.write(`${answer}\n`);
    }
    const { code } = await terminal.ended();
    return { code, output: terminal.output };
  }

  test('are asked for twice on the terminal, without echo', async (t) => {
    const folder = temporaryFolder(t);
    const made = await onTerminal(t, ['keygen', '--out', folder, '--passphrase'],
      [[/New passphrase: /, PASSPHRASE], [/The same again: /, PASSPHRASE]]);
    assert.equal(made.code, 0, made.output);
    assert.match(made.output, /sealed/);
    assert.ok(!made.output.includes(PASSPHRASE));
    const key = path.join(folder, 'vendor.key.jwk');
    assert.equal(json(key).kdf, 'argon2id');
    const out = path.join(folder, 'a.lic');
    const issued = await onTerminal(t, ['issue', '--key', key, '--out', out, ...ISSUE],
      [[/Passphrase of the key: /, PASSPHRASE]]);
    assert.equal(issued.code, 0, issued.output);
    assert.ok(!issued.output.includes(PASSPHRASE));
    await lsysOk(['verify', out, '--keys', path.join(folder, 'vendor.jwks')]);
  });

  test('that differ make no key', async (t) => {
    const folder = temporaryFolder(t);
    const made = await onTerminal(t, ['keygen', '--out', folder, '--passphrase'],
      [[/New passphrase: /, PASSPHRASE], [/The same again: /, 'another one']]);
    assert.equal(made.code, 64, made.output);
    assert.match(made.output, /differ/);
    assert.equal(existsSync(path.join(folder, 'vendor.key.jwk')), false);
  });

  test('can be refused with Ctrl-C', async (t) => {
    const folder = temporaryFolder(t);
    const made = await onTerminal(t, ['keygen', '--out', folder, '--passphrase'], [[/New passphrase: /, '\x03']]);
    assert.equal(made.code, 75, made.output);
    assert.equal(existsSync(path.join(folder, 'vendor.key.jwk')), false);
  });
});

describe('an external signer', () => {
  /// A vendor whose private key is used by openssl or node, not by lsys.
  async function vendor(t, type) {
    const folder = temporaryFolder(t);
    await lsysOk(['keygen', '--out', folder, '--type', type]);
    return folder;
  }

  function script(folder, name, text) {
    const file = path.join(folder, name);
    writeFileSync(file, text, { mode: 0o755 });
    return file;
  }

  const signWith = (options) => `#!/usr/bin/env node
const crypto = require('node:crypto'), fs = require('node:fs');
const [keyFile] = process.argv.slice(2);
const key = crypto.createPrivateKey({ key: JSON.parse(fs.readFileSync(keyFile)), format: 'jwk' });
process.stdout.write(crypto.sign(${options.hash}, fs.readFileSync(0), ${options.key}));
`;

  const cases = [
    ['p256', 'raw', { hash: "'sha256'", key: "{ key, dsaEncoding: 'ieee-p1363' }" }],
    ['p256', 'DER', { hash: "'sha256'", key: "{ key, dsaEncoding: 'der' }" }],
    ['ed25519', 'raw', { hash: 'null', key: 'key' }],
  ];
  for (const [type, form, options] of cases) {
    test(`signs with ${type}, ${form}`, async (t) => {
      const folder = await vendor(t, type);
      const signer = script(folder, 'sign with', signWith(options));
      const out = path.join(folder, 'a.lic');
      await lsysOk(['issue', '--signer', `'${signer}' "${path.join(folder, 'vendor.key.jwk')}"`,
        '--public-key', path.join(folder, 'vendor.jwks'), '--out', out, ...ISSUE]);
      await lsysOk(['verify', out, '--keys', path.join(folder, 'vendor.jwks')]);
    });
  }

  test('can be openssl', async (t) => {
    const folder = await vendor(t, 'p256');
    const pem = path.join(folder, 'vendor.pem');
    const key = createPrivateKey({ key: json(path.join(folder, 'vendor.key.jwk')), format: 'jwk' });
    writeFileSync(pem, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const out = path.join(folder, 'a.lic');
    await lsysOk(['issue', '--signer', `openssl dgst -sha256 -sign ${pem}`, '--public-key',
      path.join(folder, 'vendor.jwks'), '--out', out, ...ISSUE]);
    await lsysOk(['verify', out, '--keys', path.join(folder, 'vendor.jwks')]);
  });

  const failures = [
    ['fails', '#!/bin/sh\nexit 3\n', /exit code 3/],
    ['is killed', '#!/bin/sh\nkill -9 $$\n', /signal 9/],
    ['prints nothing', '#!/bin/sh\ncat >/dev/null\n', /signature/],
    ['prints too much', '#!/bin/sh\nhead -c 100000 /dev/zero\n', /more than/],
    ['prints a wrong signature', '#!/bin/sh\nhead -c 64 /dev/urandom\n', /signature/],
  ];
  for (const [what, text, message] of failures) {
    test(`that ${what} is an error, and no license is written`, async (t) => {
      const folder = await vendor(t, 'p256');
      const out = path.join(folder, 'a.lic');
      const result = await lsys(['issue', '--signer', script(folder, 'signer', text), '--public-key',
        path.join(folder, 'vendor.jwks'), '--out', out, ...ISSUE]);
      assert.equal(result.code, 69, result.stderr);
      assert.match(result.stderr, message);
      assert.equal(existsSync(out), false);
    });
  }

  test('that is not there is named', async (t) => {
    const folder = await vendor(t, 'p256');
    const result = await lsys(['issue', '--signer', '/nowhere/signer', '--public-key',
      path.join(folder, 'vendor.jwks'), ...ISSUE]);
    assert.equal(result.code, 66);
    assert.match(result.stderr, /\/nowhere\/signer/);
  });

  test('is run without a shell', async (t) => {
    const folder = await vendor(t, 'p256');
    const trap = path.join(folder, 'trap');
    await lsys(['issue', '--signer', `/bin/true; touch ${trap}`, '--public-key',
      path.join(folder, 'vendor.jwks'), ...ISSUE]);
    assert.equal(existsSync(trap), false);
  });

  test('needs its public key, and excludes --key', async (t) => {
    const folder = await vendor(t, 'p256');
    const alone = await lsys(['issue', '--signer', 'true', ...ISSUE]);
    assert.equal(alone.code, 64);
    assert.match(alone.stderr, /--public-key/);
    const both = await lsys(['issue', '--signer', 'true', '--key', path.join(folder, 'vendor.key.jwk'), ...ISSUE]);
    assert.equal(both.code, 64);
    const neither = await lsys(['issue', ...ISSUE]);
    assert.match(neither.stderr, /either --key FILE or --signer CMD/);
  });
});

test('a process that signs leaves no core', async (t) => {
  const folder = temporaryFolder(t);
  await lsysOk(['keygen', '--out', folder]);
  // A signer that waits keeps the process for us to look at, until its gate goes.
  const gate = path.join(folder, 'gate');
  const signer = path.join(folder, 'signer');
  writeFileSync(signer, `#!/bin/sh\ntouch ${gate}\nwhile [ -e ${gate} ]; do sleep 0.1; done\n`, { mode: 0o755 });
  const child = startLsys(t, ['issue', '--signer', signer, '--public-key', path.join(folder, 'vendor.jwks'), ...ISSUE]);
  await until('the signer to run', () => existsSync(gate));
  assert.match(readFileSync(`/proc/${child.pid}/limits`, 'utf8'), /Max core file size\s+0\s+0/);
  unlinkSync(gate);
  await child.ended();
});
