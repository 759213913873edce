// lsys verify and inspect: each verdict has its own code and exit code, whatever is in the file.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as jose from 'jose';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, lsysOk, run, binary } from './lib/lsys.mjs';
import { Vendor } from './lib/vendor.mjs';

const DAY_S = 86_400;
const NOW_S = Math.floor(Date.now() / 1000);

const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const bare = (file) => readFileSync(file, 'utf8').split('\n').filter((line) => !line.startsWith('-----')).join('');

/// Runs verify --json and gives {code, ...the JSON}.
async function verify(file, flags) {
  const result = await lsys(['verify', file, '--json', ...flags]);
  let verdict = {};
  try {
    verdict = JSON.parse(result.stdout);
  } catch {
    assert.fail(`no JSON: exit ${result.code}, ${result.stderr}${result.stdout}`);
  }
  return { ...verdict, exit: result.code };
}

/// Expects a verdict, also without --json.
async function expectVerdict(file, flags, code, exit) {
  const verdict = await verify(file, flags);
  assert.deepEqual([verdict.code, verdict.exit, verdict.valid], [code, exit, exit === 0], verdict.message);
  assert.ok(verdict.message.length > 5);
  const plain = await lsys(['verify', file, ...flags]);
  assert.equal(plain.code, exit);
  return verdict;
}

test('what a license does not say is null, as in /v1/license of the server', async (t) => {
  const vendor = await Vendor.create(temporaryFolder(t));
  const verdict = await verify(await vendor.issue('bare.lic', ['--valid-for', '1d']), ['--keys', vendor.keys]);
  for (const name of ['product', 'deployment_id', 'seats']) assert.equal(verdict[name], null, name);
  const full = await verify(await vendor.issue('full.lic', ['--valid-for', '1d', '--product', 'Anvil', '--seats', '7']), ['--keys', vendor.keys]);
  assert.equal(full.product, 'Anvil');
  assert.equal(full.seats, 7);
});

describe('tokens that jose signs', () => {
  const folder = temporaryFolder({ after });
  const keys = path.join(folder, 'jose.jwks');
  const signers = {};

  before(async () => {
    const set = [];
    for (const [alg, options] of [['ES256', {}], ['EdDSA', { crv: 'Ed25519' }]]) {
      const pair = await jose.generateKeyPair(alg, { extractable: true, ...options });
      const jwk = await jose.exportJWK(pair.publicKey);
      signers[alg] = { key: pair.privateKey, kid: await jose.calculateJwkThumbprint(jwk), jwk };
      set.push(jwk);
    }
    writeFileSync(keys, JSON.stringify({ keys: set }));
  });

  const CLAIMS = { iss: 'vendor', sub: 'ACME', jti: 'L-1', iat: NOW_S, nbf: NOW_S, exp: NOW_S + 30 * DAY_S,
    edition: 'enterprise', features: { sso: true, nodes: 50 }, serial: 3 };

  const bytesOf = (claims) => (Buffer.isBuffer(claims) ? claims : Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims)));

  /// Signs claims as `alg`; `header` overrides. Gives the file.
  async function signed(claims, { alg = 'ES256', header = {}, name = 'token.lic', change = (token) => token } = {}) {
    const { key, kid } = signers[alg];
    const token = await new jose.CompactSign(bytesOf(claims))
      .setProtectedHeader({ alg, typ: 'license+jwt', kid, ...header }).sign(key, { crit: { b64: true, x: true } });
    const file = path.join(folder, name);
    writeFileSync(file, change(token));
    return file;
  }

  for (const alg of ['ES256', 'EdDSA']) {
    test(`${alg} is valid`, async () => {
      const verdict = await expectVerdict(await signed(CLAIMS, { alg }), ['--keys', keys], 'ok', 0);
      assert.equal(verdict.license_id, 'L-1');
      assert.equal(verdict.customer, 'ACME');
      assert.equal(verdict.edition, 'enterprise');
      assert.deepEqual(verdict.features, { sso: true, nodes: 50 });
      assert.equal(verdict.expires_at, new Date(CLAIMS.exp * 1000).toISOString());
    });
  }

  const part = (index, edit) => (token) => token.split('.').map((text, i) => (i === index ? edit(text) : text)).join('.');
  const encode = (value) => jose.base64url.encode(typeof value === 'string' ? value : JSON.stringify(value));
  const flip = (text) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
  const without = (name) => Object.fromEntries(Object.entries(CLAIMS).filter(([claim]) => claim !== name));
  // Headers that jose would not write are put before the signature of another; they are refused before it is looked at.
  const withHeader = (header) => part(0, (text) => encode({ ...JSON.parse(Buffer.from(text, 'base64url')), ...header }));

  const verdicts = [
    ['expired', 'expired', 11, [{ ...CLAIMS, iat: NOW_S - 9 * DAY_S, nbf: NOW_S - 9 * DAY_S, exp: NOW_S - 1 }]],
    ['in grace', 'grace', 10, [{ ...CLAIMS, iat: NOW_S - 9 * DAY_S, nbf: NOW_S - 9 * DAY_S, exp: NOW_S - 1, grace_days: 1 }]],
    ['past grace', 'expired', 11, [{ ...CLAIMS, iat: NOW_S - 9 * DAY_S, nbf: NOW_S - 9 * DAY_S, exp: NOW_S - DAY_S - 1, grace_days: 1 }]],
    ['not yet valid', 'not_yet_valid', 12, [{ ...CLAIMS, nbf: NOW_S + 300 }]],
    ['not yet valid within the leeway', 'ok', 0, [{ ...CLAIMS, nbf: NOW_S + 30 }]],
    ['with a changed payload', 'bad_signature', 14, [CLAIMS, { change: part(1, () => encode({ ...CLAIMS, edition: 'more' })) }]],
    ['with a changed signature', 'bad_signature', 14, [CLAIMS, { change: part(2, flip) }]],
    ['with an unknown kid', 'unknown_key', 15, [CLAIMS, { header: { kid: 'x'.repeat(43) } }]],
    ['without kid', 'unknown_key', 15, [CLAIMS, { header: { kid: undefined } }]],
    ['with a kid that is a path', 'unknown_key', 15, [CLAIMS, { header: { kid: '../../etc/passwd' } }]],
    ['with alg none', 'wrong_algorithm', 20, [CLAIMS, { change: withHeader({ alg: 'none' }) }]],
    ['with alg HS256', 'wrong_algorithm', 20, [CLAIMS, { change: withHeader({ alg: 'HS256' }) }]],
    ['with alg es256', 'wrong_algorithm', 20, [CLAIMS, { change: withHeader({ alg: 'es256' }) }]],
    ['with the other key\'s alg', 'wrong_algorithm', 20, [CLAIMS, { change: withHeader({ alg: 'EdDSA' }) }]],
    ['with typ JWT', 'wrong_type', 21, [CLAIMS, { header: { typ: 'JWT' } }]],
    ['with typ in capitals', 'wrong_type', 21, [CLAIMS, { header: { typ: 'LICENSE+JWT' } }]],
    ['with typ of another token', 'wrong_type', 21, [CLAIMS, { header: { typ: 'status+jwt' } }]],
    ['with an embedded key', 'forbidden_header', 22, [CLAIMS, { change: withHeader({ jwk: {} }) }]],
    ['with jku', 'forbidden_header', 22, [CLAIMS, { header: { jku: 'https://example.org/keys' } }]],
    ['with x5u', 'forbidden_header', 22, [CLAIMS, { header: { x5u: 'https://example.org/cert' } }]],
    ['with crit', 'unknown_critical', 23, [CLAIMS, { header: { crit: ['x'], x: 1 } }]],
    ['without sub', 'bad_claim', 24, [without('sub')]],
    ['without exp', 'bad_claim', 24, [without('exp')]],
    ['with an exp that is text', 'bad_claim', 24, [{ ...CLAIMS, exp: 'tomorrow' }]],
    ['with a claim twice', 'duplicate_member', 26, [JSON.stringify(CLAIMS).replace('{', '{"edition":"community",')]],
    ['with a payload that is no object', 'bad_json', 18, ['"text"']],
    ['with a payload that is not UTF-8', 'bad_json', 18, [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])]],
    // The last of 86 letters carries two bits; the others must be zero (RFC 4648, section 3.5).
    ['with bits behind the last byte', 'bad_encoding', 27, [CLAIMS, { change: (token) => token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1) }]],
    ['with padding', 'malformed', 18, [CLAIMS, { change: (token) => `${token}=` }]],
    ['with a fourth part', 'trailing_bytes', 28, [CLAIMS, { change: (token) => `${token}.x` }]],
    ['with a short signature', 'bad_signature_length', 29, [CLAIMS, { change: part(2, (text) => text.slice(0, 80)) }]],
    ['with two parts', 'malformed', 18, [CLAIMS, { change: (token) => token.split('.').slice(0, 2).join('.') }]],
  ];
  for (const [what, code, exit, [claims, options]] of verdicts) {
    test(`${what}: ${code}, exit ${exit}`, async () => {
      await expectVerdict(await signed(claims, options), ['--keys', keys], code, exit);
    });
  }

  test('every bit of the signature and payload matters', async () => {
    const file = await signed(CLAIMS);
    const token = readFileSync(file, 'utf8');
    for (const at of [token.indexOf('.') + 5, token.length - 40, token.length - 1]) {
      for (const letter of 'AZaz09-_') {
        if (token[at] === letter) continue;
        writeFileSync(file, token.slice(0, at) + letter + token.slice(at + 1));
        const { valid } = await verify(file, ['--keys', keys]);
        assert.equal(valid, false);
      }
    }
  });

  test('jose and lsys agree about a token that inspect shows', async () => {
    const file = await signed(CLAIMS, { alg: 'EdDSA' });
    const shown = JSON.parse(await lsysOk(['inspect', file, '--keys', keys, '--json']));
    assert.deepEqual(shown.claims, CLAIMS);
    assert.equal(shown.alg, 'EdDSA');
    assert.equal(shown.verified, true);
    assert.equal(shown.valid, true);
  });
});

describe('the circumstances of a license', () => {
  const folder = temporaryFolder({ after });
  let vendor, root;

  before(async () => {
    vendor = await Vendor.create(folder);
    await lsysOk(['keygen', '--out', vendor.folder, '--name', 'root', '--type', 'ed25519']);
    root = { key: path.join(vendor.folder, 'root.key.jwk'), keys: path.join(vendor.folder, 'root.jwks') };
  });

  test('time is judged --at a date, to the second', async () => {
    const file = await vendor.issue('time.lic', ['--not-before', '2030-01-01', '--expires', '2030-02-01', '--grace-days', '2']);
    const at = (time) => ['--keys', vendor.keys, '--at', time];
    await expectVerdict(file, at('2029-12-31T23:58:59Z'), 'not_yet_valid', 12);
    await expectVerdict(file, at('2029-12-31T23:59:00Z'), 'ok', 0);
    await expectVerdict(file, at('2030-01-31T23:59:59.999Z'), 'ok', 0);
    await expectVerdict(file, at('2030-02-01'), 'grace', 10);
    await expectVerdict(file, at('2030-02-02T23:59:59.999Z'), 'grace', 10);
    await expectVerdict(file, at('2030-02-03T00:00:00Z'), 'expired', 11);
  });

  test('a deployment is judged when one is given', async () => {
    const file = await vendor.issue('deployment.lic', ['--deployment-id', 'plant-7']);
    const silent = await expectVerdict(file, ['--keys', vendor.keys], 'ok', 0);
    assert.deepEqual(silent.not_judged, ['deployment']);
    await expectVerdict(file, ['--keys', vendor.keys, '--deployment-id', 'plant-7'], 'ok', 0);
    await expectVerdict(file, ['--keys', vendor.keys, '--deployment-id', 'plant-8'], 'wrong_deployment', 16);
  });

  test('a machine is judged by k of its n components', async () => {
    const machine = path.join(vendor.folder, 'machine.json');
    const component = (name) => ({ name, digest: jose.base64url.encode(Buffer.alloc(32, name)) });
    const become = (...names) => writeFileSync(machine, JSON.stringify({ components: names.map(component) }));
    become('a', 'b', 'c');
    const file = await vendor.issue('machine.lic', ['--fingerprint-file', machine, '--fingerprint-match', '2']);
    const flags = ['--keys', vendor.keys, '--fingerprint-file', machine];
    assert.deepEqual((await verify(file, ['--keys', vendor.keys])).not_judged, ['fingerprint']);
    await expectVerdict(file, flags, 'ok', 0);
    become('a', 'x', 'c');
    await expectVerdict(file, flags, 'ok', 0);
    const shown = await lsys(['fingerprint', '--fingerprint-file', machine, '--license', file]);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /3 components and asks for 2 of them; 2 are here: enough/);
    become('a', 'x', 'y');
    await expectVerdict(file, flags, 'wrong_fingerprint', 17);
    assert.equal((await lsys(['fingerprint', '--fingerprint-file', machine, '--license', file])).code, 17);
  });

  test('this machine is judged by what lsys fingerprint shows', async () => {
    const printed = await lsys(['fingerprint', '--json']);
    if (printed.code === 69) return; // a container without anything to read; the tool says so
    assert.equal(printed.code, 0, printed.stderr);
    const { components } = JSON.parse(printed.stdout);
    assert.ok(components.length > 0);
    const flags = components.flatMap(({ digest }) => ['--fingerprint', digest]);
    const file = await vendor.issue('here.lic', flags);
    await expectVerdict(file, ['--keys', vendor.keys, '--this-machine'], 'ok', 0);
  });

  test('revocations: the list grows, and a license on it is refused', async () => {
    const list = path.join(vendor.folder, 'revocations.jwt');
    const file = await vendor.issue('revoked.lic', ['--license-id', 'L-revoked']);
    const other = await vendor.issue('other.lic', ['--license-id', 'L-other']);
    const revoke = (...args) => lsysOk(['revoke', ...args, '--list', list, '--key', vendor.key]);
    const flags = ['--keys', vendor.keys, '--revocations', list];
    assert.match(await revoke('add', 'L-revoked', '--reason', 'refunded'), /1 revoked, serial 1/);
    const verdict = await expectVerdict(file, flags, 'revoked', 13);
    assert.match(verdict.message, /refunded/);
    await expectVerdict(other, flags, 'ok', 0);
    assert.match(await revoke('add', 'L-other', 'L-third'), /3 revoked, serial 2/);
    await expectVerdict(other, flags, 'revoked', 13);
    assert.match(await revoke('remove', 'L-other', '--serial', '10'), /2 revoked, serial 10/);
    await expectVerdict(other, flags, 'ok', 0);

    const shown = JSON.parse(await lsysOk(['revoke', 'list', '--list', list, '--keys', vendor.keys, '--json']));
    assert.equal(shown.serial, 10);
    assert.deepEqual(shown.revoked.map((entry) => entry.license_id), ['L-revoked', 'L-third']);
    const { protectedHeader } = await jose.jwtVerify(bare(list), jose.createLocalJWKSet(json(vendor.keys)));
    assert.equal(protectedHeader.typ, 'revocations+jwt');

    const back = await lsys(['revoke', 'add', 'x', '--list', list, '--key', vendor.key, '--serial', '10']);
    assert.equal(back.code, 64);
    assert.match(back.stderr, /not higher/);
    const absent = await lsys(['revoke', 'remove', 'nobody', '--list', list, '--key', vendor.key]);
    assert.equal(absent.code, 66);
    const nameless = await lsys(['revoke', 'add', '--list', list, '--key', vendor.key]);
    assert.equal(nameless.code, 64);
  });

  test('a revocation list that somebody else signed is refused', async (t) => {
    const stranger = await Vendor.create(temporaryFolder(t));
    const list = path.join(stranger.folder, 'revocations.jwt');
    await lsysOk(['revoke', 'add', 'L-1', '--list', list, '--key', stranger.key]);
    const file = await vendor.issue('good.lic');
    const verdict = await verify(file, ['--keys', vendor.keys, '--revocations', list]);
    assert.deepEqual([verdict.valid, verdict.code, verdict.exit], [false, 'unknown_key', 65]);
    assert.match(verdict.message, /revocations\.jwt/);
    const extend = await lsys(['revoke', 'add', 'L-2', '--list', list, '--key', vendor.key]);
    assert.equal(extend.code, 15);
  });

  test('key rings: rotation with overlap, retirement, removal', async (t) => {
    const ring = path.join(vendor.folder, 'keyring.jwt');
    const next = await Vendor.create(temporaryFolder(t), ['--type', 'ed25519']);
    const keyring = (...args) => lsysOk(['keyring', ...args, '--ring', ring, '--key', root.key]);
    const flags = ['--keyring', ring, '--root', root.keys];
    const kid = json(vendor.keys).keys[0].kid;
    const old = await vendor.issue('old.lic', ['--valid-for', '1y']);

    await keyring('add', vendor.keys, '--not-before', '2020-01-01');
    await expectVerdict(old, flags, 'ok', 0);
    const fresh = await next.issue('fresh.lic');
    await expectVerdict(fresh, flags, 'unknown_key', 15);

    assert.match(await keyring('rotate', next.keys, '--overlap', '7d', '--not-before', '2026-01-01'), /2 keys, serial 2/);
    const { keys } = JSON.parse(await lsysOk(['keyring', 'list', '--ring', ring, '--root', root.keys, '--json']));
    assert.equal(keys.find(({ key }) => key.kid === kid).not_after, '2026-01-08T00:00:00.000Z');
    assert.equal(keys.find(({ key }) => key.kid !== kid).not_after, null);
    await expectVerdict(fresh, flags, 'ok', 0);
    await expectVerdict(old, flags, 'key_not_valid', 19);

    await keyring('retire', kid, '--not-after', '2099-01-01');
    await expectVerdict(old, flags, 'ok', 0);
    await keyring('remove', kid);
    await expectVerdict(old, flags, 'unknown_key', 15);
    // The ring replaces the configured keys.
    await expectVerdict(old, [...flags, '--keys', vendor.keys], 'unknown_key', 15);

    const { protectedHeader } = await jose.compactVerify(bare(ring), jose.createLocalJWKSet(json(root.keys)));
    assert.equal(protectedHeader.typ, 'keyring+jwt');
    const shown = JSON.parse(await lsysOk(['inspect', ring, '--root', root.keys, '--json']));
    assert.equal(shown.verified, true);
    const strange = await verify(fresh, ['--keyring', ring, '--root', vendor.keys]);
    assert.deepEqual([strange.valid, strange.code, strange.exit], [false, 'unknown_key', 65]);
    const use = await lsys(['keyring', 'add', vendor.keys, '--use', 'keyring', '--ring', ring, '--key', root.key]);
    assert.equal(use.code, 64);
  });

  test('without keys nothing is believed', async () => {
    const file = await vendor.issue('plain.lic');
    const result = await lsys(['verify', file]);
    assert.equal(result.code, 64);
    assert.match(result.stderr, /--keys is missing/);
    const shown = JSON.parse(await lsysOk(['inspect', file, '--json']));
    assert.deepEqual([shown.verified, shown.valid, shown.code], [false, false, 'not_judged']);
    assert.match(await lsysOk(['inspect', file]), /NOT verified/);
  });
});

describe('files that hold something else', () => {
  const folder = temporaryFolder({ after });
  let vendor, license;

  before(async () => {
    vendor = await Vendor.create(folder);
    license = readFileSync(await vendor.issue('good.lic'), 'utf8');
  });

  const token = () => license.split('\n').filter((line) => !line.startsWith('-----')).join('');
  const contents = {
    empty: () => '',
    'ten megabytes': () => Buffer.alloc(10_000_000, 'a'),
    'ten megabytes in armour': () => `-----BEGIN LSYS LICENSE-----\n${'a'.repeat(10_000_000)}\n-----END LSYS LICENSE-----\n`,
    'binary garbage': () => Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)),
    'NUL bytes': () => Buffer.alloc(300),
    'a license with a NUL': () => license.replace('\n', '\0\n'),
    'invalid UTF-8': () => Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
    '10,000 nested arrays': () => '['.repeat(10_000),
    'a token of 10,000 nested arrays': () => `${token().split('.')[0]}.${Buffer.from('['.repeat(10_000)).toString('base64url')}.${token().split('.')[2]}`,
    'the private key': () => readFileSync(vendor.key),
    'the key set': () => readFileSync(vendor.keys),
    'half a license': () => license.slice(0, license.length / 2),
    'two licenses': () => license + license,
    'a license with text before': () => `Dear customer,\n${license}`,
    'other armour': () => license.replaceAll('LICENSE', 'KEYRING'),
  };
  for (const [what, make] of Object.entries(contents)) {
    test(`${what} is refused by verify, and nothing crashes`, async () => {
      const file = path.join(folder, 'strange.lic');
      writeFileSync(file, make());
      const verdict = await verify(file, ['--keys', vendor.keys]);
      assert.equal(verdict.valid, false);
      assert.ok(verdict.exit >= 10 && verdict.exit < 80, `exit ${verdict.exit}`);
      assert.ok(verdict.message.length > 10);
      const shown = await lsys(['inspect', file]);
      assert.ok(shown.code !== null && shown.code < 80);
      const keys = await lsys(['verify', path.join(folder, 'good.lic'), '--keys', file]);
      assert.ok(keys.code !== null && (keys.code !== 0 || what === 'the key set'), `${keys.code} ${keys.stderr}`);
    });
  }

  test('none of it is taken for any other input either', async () => {
    const good = path.join(folder, 'good.lic');
    const file = path.join(folder, 'strange');
    const verifying = ['verify', good, '--keys', vendor.keys];
    const issuing = ['issue', '--customer', 'A', '--edition', 'e', '--valid-for', '1d'];
    const inputs = {
      'a revocation list': [...verifying, '--revocations', file],
      'a key ring': [...verifying, '--root', vendor.keys, '--keyring', file],
      'a fingerprint': [...verifying, '--fingerprint-file', file],
      'a list to extend': ['revoke', 'add', 'x', '--key', vendor.key, '--list', file],
      'a ring to extend': ['keyring', 'add', vendor.keys, '--key', vendor.key, '--ring', file],
      'claims': [...issuing, '--key', vendor.key, '--claims', file],
      'a private key': [...issuing, '--key', file],
      'a public key': [...issuing, '--signer', 'true', '--public-key', file],
    };
    const fits = new Set(['the private key as a private key', 'the key set as a public key']);
    for (const [what, make] of Object.entries(contents)) {
      writeFileSync(file, make(), { mode: 0o600 });
      for (const [use, args] of Object.entries(inputs)) {
        if (fits.has(`${what} as ${use}`)) continue;
        const before = readFileSync(file);
        const result = await lsys(args);
        assert.ok(result.code > 0 && result.code < 80, `${what} as ${use}: ${result.code ?? result.signal} ${result.stderr}`);
        assert.match(result.stderr, /strange/, `${what} as ${use}`);
        if (args[0] === 'verify') assert.ok(result.code >= 64, `${what} as ${use}: ${result.code} is a license's verdict`);
        assert.deepEqual(readFileSync(file), before);
      }
    }
  });

  test('a directory, a missing file and a FIFO are named', async () => {
    mkdirSync(path.join(folder, 'dir'));
    await run('mkfifo', [path.join(folder, 'fifo')]);
    for (const [name, exit] of [['dir', 74], ['missing', 66], ['fifo', 74]]) {
      const file = path.join(folder, name);
      const verdict = await verify(file, ['--keys', vendor.keys]);
      assert.deepEqual([verdict.valid, verdict.exit], [false, exit], verdict.message);
      assert.ok(verdict.message.includes(file));
      const keys = await lsys(['verify', path.join(folder, 'good.lic'), '--keys', file]);
      assert.equal(keys.code, exit, keys.stderr);
    }
  });

  test('an unreadable file is named', async (t) => {
    const file = path.join(folder, 'unreadable.lic');
    writeFileSync(file, license);
    chmodSync(file, 0);
    chmodSync(folder, 0o755);
    if (process.getuid() !== 0) return assert.equal((await verify(file, ['--keys', vendor.keys])).exit, 77);
    const result = await run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', binary, 'verify', file,
      '--keys', vendor.keys]);
    if (/execve|failed to execute/.test(result.stderr)) return t.skip('another user cannot run the program here');
    assert.equal(result.code, 77, result.stderr);
    assert.ok(result.stderr.includes(file));
  });

  test('line ends, blanks and a byte order mark of mail programs do no harm', async () => {
    const file = path.join(folder, 'mailed.lic');
    for (const text of [license.replaceAll('\n', '\r\n'), `\ufeff${license}`, `\n\n${license}\n\n`, ` ${token()} \n`]) {
      writeFileSync(file, text);
      await expectVerdict(file, ['--keys', vendor.keys], 'ok', 0);
    }
  });

  test('a full device as standard output is an error', async () => {
    const result = await run('sh', ['-c', `"${binary}" verify "${path.join(folder, 'good.lic')}" --keys "${vendor.keys}" >/dev/full`]);
    assert.equal(result.code, 74);
    assert.match(result.stderr, /standard output/);
  });
});
