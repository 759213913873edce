// lsys issue: licenses that any JOSE library verifies, and nonsense that is refused.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as jose from 'jose';
import { temporaryFolder } from './lib/folders.mjs';
import { binary, lsys, lsysOk, run } from './lib/lsys.mjs';
import { Vendor } from './lib/vendor.mjs';

const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const bare = (file) => readFileSync(file, 'utf8').split('\n').filter((line) => !line.startsWith('-----')).join('');
const claimsOf = (file) => jose.decodeJwt(bare(file));

/// A vendor and the flags that a license needs at least.
async function setUp(t, flags) {
  const vendor = await Vendor.create(temporaryFolder(t), flags);
  const least = ['issue', '--key', vendor.key, '--customer', 'ACME', '--edition', 'enterprise'];
  return { vendor, least, out: path.join(vendor.folder, 'out.lic') };
}

for (const type of ['p256', 'ed25519']) {
  test(`a license signed with ${type} is verified by jose`, async (t) => {
    const { vendor } = await setUp(t, ['--type', type]);
    const file = await vendor.issue('acme.lic', ['--feature', 'sso', '--feature', 'nodes=50', '--feature', 'tier=gold']);
    const keys = jose.createLocalJWKSet(json(vendor.keys));
    const { payload, protectedHeader } = await jose.jwtVerify(bare(file), keys, { typ: 'license+jwt' });
    assert.equal(protectedHeader.typ, 'license+jwt');
    assert.equal(protectedHeader.alg, type === 'p256' ? 'ES256' : 'EdDSA');
    assert.equal(protectedHeader.kid, json(vendor.keys).keys[0].kid);
    assert.equal(payload.sub, 'ACME');
    assert.deepEqual(payload.features, { sso: true, nodes: 50, tier: 'gold' });
    assert.equal(payload.serial, 1);
    assert.equal(payload.exp - payload.iat, 30 * 86400);
    await lsysOk(['verify', file, '--keys', vendor.keys]);
  });
}

test('armour has 64 columns; --bare has none; - is standard output', async (t) => {
  const { vendor, least } = await setUp(t);
  const file = await vendor.issue('acme.lic');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], '-----BEGIN LSYS LICENSE-----');
  assert.equal(lines.at(-1), '-----END LSYS LICENSE-----');
  assert.ok(lines.slice(1, -2).every((line) => line.length === 64));
  const printed = await lsysOk([...least, '--valid-for', '1d', '--bare']);
  assert.match(printed, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const verified = await lsys(['verify', '-', '--keys', vendor.keys], { input: printed });
  assert.equal(verified.code, 0, verified.stdout);
});

test('every claim can be given by a flag', async (t) => {
  const { vendor, least, out } = await setUp(t);
  const digest = 'A'.repeat(43);
  const thumbprint = json(vendor.keys).keys[0].kid;
  await lsysOk([...least, '--out', out, '--product', 'Anvil', '--issuer', 'Forge GmbH', '--seats', '25',
    '--not-before', '2026-01-01', '--expires', '2099-01-31T12:00:00Z', '--grace-days', '14',
    '--deployment-id', 'plant-7', '--fingerprint', digest, '--fingerprint', thumbprint, '--fingerprint-match', '1',
    '--server-key', thumbprint, '--serial', '42', '--license-id', 'L-1', '--feature', 'sso', '--feature', 'nodes=2.5',
    '--degrade', 'sso=readonly', '--degrade', 'nodes=advise']);
  const claims = claimsOf(out);
  assert.equal(claims.iss, 'Forge GmbH');
  assert.equal(claims.jti, 'L-1');
  assert.equal(claims.product, 'Anvil');
  assert.equal(claims.seats, 25);
  assert.equal(claims.nbf, Date.UTC(2026, 0, 1) / 1000);
  assert.equal(claims.exp, Date.UTC(2099, 0, 31, 12) / 1000);
  assert.equal(claims.grace_days, 14);
  assert.equal(claims.deployment_id, 'plant-7');
  assert.deepEqual(claims.fingerprints, [digest, thumbprint]);
  assert.equal(claims.fingerprint_match, 1);
  assert.deepEqual(claims.server_jkts, [thumbprint]);
  assert.equal(claims.serial, 42);
  assert.deepEqual(claims.features, { sso: true, nodes: 2.5 });
  assert.deepEqual(claims.degrade, { sso: 'readonly', nodes: 'advise' });
});

test('claims come from a file, flags win, and the rest is filled in', async (t) => {
  const { vendor, out } = await setUp(t);
  const file = path.join(vendor.folder, 'claims.json');
  const claims = { sub: 'From file', edition: 'gold', exp: 4102444800, features: { a: true, b: 3 }, degrade: { b: 'advise' } };
  writeFileSync(file, JSON.stringify(claims));
  await lsysOk(['issue', '--key', vendor.key, '--claims', file, '--customer', 'From flag', '--feature', 'b=4', '--out', out]);
  const issued = claimsOf(out);
  assert.equal(issued.sub, 'From flag');
  assert.equal(issued.edition, 'gold');
  assert.equal(issued.exp, 4102444800);
  assert.deepEqual(issued.features, { a: true, b: 4 });
  assert.match(issued.jti, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(Math.abs(issued.serial - Date.now() / 1000) < 60);
  assert.ok(Math.abs(issued.iat - Date.now() / 1000) < 60);

  await lsysOk(['issue', '--key', vendor.key, '--claims', file, '--valid-for', '1d', '--out', out]);
  assert.equal(claimsOf(out).exp - claimsOf(out).iat, 86400);
});

test('a license issued later has the higher default serial', async (t) => {
  const { least, out } = await setUp(t);
  await lsysOk([...least, '--valid-for', '1d', '--out', out]);
  const first = claimsOf(out).serial;
  await lsysOk([...least, '--valid-for', '1d', '--out', out]);
  assert.ok(claimsOf(out).serial >= first);
});

test('a fingerprint file binds to all its components', async (t) => {
  const { vendor, least, out } = await setUp(t);
  const file = path.join(vendor.folder, 'machine.json');
  const components = ['x', 'y', 'z'].map((name) => ({ name, digest: jose.base64url.encode(Buffer.alloc(32, name)) }));
  writeFileSync(file, JSON.stringify({ components }));
  await lsysOk([...least, '--valid-for', '1d', '--out', out, '--fingerprint-file', file, '--fingerprint-match', '2']);
  assert.deepEqual(claimsOf(out).fingerprints, components.map(({ digest }) => digest));
  assert.equal(claimsOf(out).fingerprint_match, 2);
});

describe('nonsense is refused, by name, before anything is signed', () => {
  const refusals = [
    ['nothing about the end', [], /--valid-for or --expires is missing/],
    ['an end before the beginning', ['--not-before', '2030-01-02', '--expires', '2030-01-01'], /exp|end/],
    ['an end at the beginning', ['--not-before', '2030-01-01', '--expires', '2030-01-01'], /exp|end/],
    ['an end in the past', ['--expires', '2001-01-01'], /exp|end/],
    ['two ends', ['--valid-for', '1d', '--expires', '2099-01-01'], /--valid-for or --expires, not both/],
    ['a date that is none', ['--expires', '2026-02-30'], /--expires.*not a date/],
    ['a duration without unit', ['--valid-for', '30'], /--valid-for.*not a duration/],
    ['a customer that is empty', ['--valid-for', '1d', '--customer='], /given twice/],
    ['a feature that is false', ['--valid-for', '1d', '--feature', 'sso=false'], /--feature sso=false/],
    ['a feature without name', ['--valid-for', '1d', '--feature', '=5'], /--feature =5/],
    ['a feature with a line break', ['--valid-for', '1d', '--feature', 'a\nb'], /--feature a/],
    ['degradation of nothing', ['--valid-for', '1d', '--degrade', 'sso=block'], /--degrade sso=block/],
    ['unknown degradation', ['--valid-for', '1d', '--feature', 'sso', '--degrade', 'sso=explode'], /advise, readonly or block/],
    ['more matches than components', ['--valid-for', '1d', '--fingerprint', 'A'.repeat(43), '--fingerprint-match', '2'], /fingerprint/],
    ['matches without components', ['--valid-for', '1d', '--fingerprint-match', '1'], /--fingerprint-match needs/],
    ['a fingerprint that is none', ['--valid-for', '1d', '--fingerprint', 'abc'], /--fingerprint abc/],
    ['a server key that is none', ['--valid-for', '1d', '--server-key', 'abc'], /--server-key abc/],
    ['nine server keys', ['--valid-for', '1d', ...Array(9).fill(['--server-key', 'A'.repeat(43)]).flat()], /8 times --server-key/],
    ['no seats', ['--valid-for', '1d', '--seats', '0'], /--seats/],
    ['serial 0', ['--valid-for', '1d', '--serial', '0'], /--serial/],
    ['an argument', ['--valid-for', '1d', 'acme.lic'], /one argument too many/],
  ];
  for (const [what, flags, message] of refusals) {
    test(what, async (t) => {
      const { least } = await setUp(t);
      const result = await lsys([...least, ...flags]);
      assert.equal(result.code, 64, result.stderr);
      assert.match(result.stderr, message);
      assert.equal(result.stdout, '');
    });
  }

  test('a claims file with an unknown, wrong or double member', async (t) => {
    const { vendor } = await setUp(t);
    const file = path.join(vendor.folder, 'claims.json');
    const cases = [
      ['{"feature":{"sso":true}}', 24, /there is no claim "feature"/],
      ['{"sub":"a","edition":"e","exp":"soon"}', 24, /exp/],
      ['{"sub":"a","sub":"b"}', 26, /sub/],
      ['[]', 64, /missing/],
      ['{"sub":', 18, /claims\.json/],
      [`${'['.repeat(10_000)}`, 18, /claims\.json/],
    ];
    for (const [text, code, message] of cases) {
      writeFileSync(file, text);
      const result = await lsys(['issue', '--key', vendor.key, '--claims', file]);
      assert.equal(result.code, code, `${text.slice(0, 50)}: ${result.stderr}`);
      assert.match(result.stderr, message);
    }
  });
});

test('an expired license can be made on purpose, and is pointed out', async (t) => {
  const { least, out } = await setUp(t);
  const result = await lsys([...least, '--not-before', '2020-01-01', '--expires', '2021-01-01', '--out', out]);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /has expired already/);
});

test('a key that is no key is refused', async (t) => {
  const { vendor, least } = await setUp(t);
  for (const [text, code] of [['', 18], ['{}', 18], ['\0\0', 18], [readFileSync(vendor.keys), 18]]) {
    const key = path.join(vendor.folder, 'bad.jwk');
    writeFileSync(key, text, { mode: 0o600 });
    const args = [...least, '--valid-for', '1d'];
    args[args.indexOf('--key') + 1] = key;
    const result = await lsys(args);
    assert.equal(result.code, code, result.stderr);
    assert.ok(result.stderr.includes('bad.jwk'));
  }
});

test('a place that cannot be written to is named', async (t) => {
  const { least } = await setUp(t);
  const result = await lsys([...least, '--valid-for', '1d', '--out', '/proc/no.lic']);
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /\/proc\/no\.lic/);
});

test('no grace, the default, can be said', async (t) => {
  const { least, out } = await setUp(t);
  const result = await lsys([...least, '--valid-for', '1d', '--grace-days', '0', '--out', out]);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(JSON.parse(await lsysOk(['inspect', out, '--json'])).claims.grace_days ?? 0, 0);
});

test('a device given as --out stays a device', async (t) => {
  const { vendor, least } = await setUp(t);
  const fifo = path.join(vendor.folder, 'fifo');
  assert.equal((await run('mkfifo', [fifo])).code, 0);
  const result = await lsys([...least, '--valid-for', '1d', '--out', fifo]);
  assert.equal(result.code, 74, result.stderr);
  assert.match(result.stderr, /fifo is not a regular file and is not replaced/);
  assert.ok(statSync(fifo).isFIFO());
});

test('a feature that is given twice is refused', async (t) => {
  const { least, out } = await setUp(t);
  const result = await lsys([...least, '--valid-for', '1d', '--feature', 'nodes=5', '--feature', 'nodes=50', '--out', out]);
  assert.equal(result.code, 64, result.stderr);
  assert.match(result.stderr, /--feature nodes=5 and --feature nodes=50: give one/);
});

test('a feature that could not be asked for over HTTP is refused', async (t) => {
  const { least, out } = await setUp(t);
  for (const name of ['a/b', '.', '..', '../x']) {
    const result = await lsys([...least, '--valid-for', '1d', '--feature', name, '--out', out]);
    assert.equal(result.code, 64, name);
    assert.match(result.stderr, /could not be asked for over HTTP/);
  }
});

test('a full disk leaves the old license as it was, and says so', async (t) => {
  const { vendor } = await setUp(t);
  const old = await vendor.issue('old.lic');
  // A small disk in a mount namespace of its own: full but for less than a license.
  const script = `mount -t tmpfs -o size=64k none "$1" || exit 99
cp "$2" "$1/acme.lic"; head -c 100000 /dev/zero >"$1/filler" 2>/dev/null
"$3" issue --key "$4" --customer ACME --edition enterprise --valid-for 1d --out "$1/acme.lic"; code=$?
cmp "$2" "$1/acme.lic" || exit 98
ls "$1"; exit $code`;
  const disk = temporaryFolder(t);
  const result = await run('unshare', ['--mount', 'sh', '-c', script, 'sh', disk, old, binary, vendor.key]);
  if (result.code === 99 || /^unshare: /m.test(result.stderr)) return t.skip('a disk cannot be mounted here');
  assert.equal(result.code, 74, result.stderr);
  assert.match(result.stderr, /No space left/);
  assert.deepEqual(result.stdout.trim().split('\n'), ['acme.lic', 'filler']);
});
