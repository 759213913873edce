// The files of a license server: replaced, bad, old, missing, in any order.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { HEARTBEAT_MS, LicenseServer, Listener } from './lib/license_server.mjs';
import { lsysOk, run } from './lib/lsys.mjs';
import { suiteContext } from './lib/suite.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

/// Files that are no license, each with the code that says why.
const BAD_FILES = [
  ['an empty file', '', 'malformed'],
  ['10 MB', Buffer.alloc(10 * 1024 * 1024, 'A'), 'too_large'],
  ['binary garbage', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197 + 13) & 255)), 'malformed'],
  ['NUL bytes', Buffer.alloc(1000), 'malformed'],
  ['invalid UTF-8', Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0x2e, 0x2e]), 'malformed'],
  ['10,000 nested arrays', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'malformed'],
  ['10,000 nested arrays as claims', `${segment({ alg: 'ES256', typ: 'license+jwt', kid: 'x' })}.${
    Buffer.from(`${'['.repeat(10_000)}${']'.repeat(10_000)}`).toString('base64url')}.${'A'.repeat(86)}`, 'unknown_key'],
  ['10,000 nested arrays as a header', `${Buffer.from('['.repeat(10_000)).toString('base64url')}.e30.${'A'.repeat(86)}`,
    'too_large'],
  ['a token without a signature', `${segment({ alg: 'none' })}.e30.`, 'wrong_algorithm'],
  ['a token of algorithm none', `${segment({ alg: 'none', typ: 'license+jwt' })}.e30.${'A'.repeat(86)}`, 'wrong_algorithm'],
  ['a token that names its own key', `${segment({ alg: 'ES256', jwk: {} })}.e30.${'A'.repeat(86)}`, 'forbidden_header'],
];

function segment(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function newServer(t, flags = []) {
  const vendor = await Vendor.create(temporaryFolder(t));
  const license = await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=1', ...flags]);
  return { vendor, license, server: await LicenseServer.start(t, vendor, { license }) };
}

const nodes = (count) => (license) => license.features.nodes === count;

describe('a replaced license file', () => {
  test('takes over within a second, is told as an update, and no heartbeat is missed', async (t) => {
    const { vendor, license, server } = await newServer(t);
    const listener = await Listener.start(t, server.nats);
    await until('a heartbeat', () => listener.messages.length > 0);
    const replaced = performance.now();
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=2']);
    const update = await listener.untilMessage('update', (message) => message.type === 'update');
    assert.ok(performance.now() - replaced < 1000, 'within a second');
    assert.equal(update.license.features.nodes, 2);
    assert.equal(update.token, bareToken(license));
    const count = listener.messages.length;
    await until('more heartbeats', () => listener.messages.length > count + 3);
    const beats = listener.messages.filter((message) => message.type === 'heartbeat').map((beat) => Date.parse(beat.sent_at));
    for (let i = 1; i < beats.length; i += 1) assert.ok(beats[i] - beats[i - 1] < 3 * HEARTBEAT_MS, 'no heartbeat is missed');
    assert.ok(listener.messages.every((message, i) => i === 0 || message.seq > listener.messages[i - 1].seq));
  });

  test('is noticed however it is replaced: rename, remove and create, link, append', async (t) => {
    const { vendor, license, server } = await newServer(t);
    const issue = (file, count) => vendor.issue(file, ['--valid-for', '60d', '--feature', `nodes=${count}`]);
    renameSync(await issue('next.lic', 2), license);
    await server.untilLicense(nodes(2));
    const third = await issue('third.lic', 3);
    rmSync(license);
    copyFileSync(third, license);
    await server.untilLicense(nodes(3));
    rmSync(license);
    symlinkSync(await issue('fourth.lic', 4), license);
    await server.untilLicense(nodes(4));
    await issue('fourth.lic', 5);
    await server.untilLicense(nodes(5));
    assert.equal((await server.license()).problem, null);
  });

  test('may be the bare token', async (t) => {
    const { vendor, license, server } = await newServer(t);
    const next = await vendor.issue('next.lic', ['--valid-for', '60d', '--feature', 'nodes=2']);
    writeFileSync(license, bareToken(next));
    await server.untilLicense(nodes(2));
  });
});

describe('a bad license file', () => {
  const t = suiteContext();
  let vendor;
  let license;
  let server;
  let listener;

  before(async () => {
    ({ vendor, license, server } = await newServer(t));
    listener = await Listener.start(t, server.nats);
  });

  async function refused(write, code) {
    const alerts = listener.alerts.length;
    const counted = await server.metric('lsys_license_refused_total', 'from="file"');
    write();
    const shown = await server.untilLicense((answer) => answer.problem?.code === code);
    assert.ok(shown.problem.message.includes(license), shown.problem.message);
    assert.equal(shown.status, 'valid');
    assert.equal(shown.features.nodes, 1);
    await until('an alert', () => listener.alerts.slice(alerts).some((alert) => alert.code === 'license_refused'));
    if (code !== 'not_found') assert.ok(await server.metric('lsys_license_refused_total', 'from="file"') > counted);
  }

  /// Puts the good license back and waits until the server has seen it.
  async function heal() {
    rmSync(license, { recursive: true, force: true });
    copyFileSync(path.join(vendor.folder, 'good.lic'), license);
    await server.untilLicense((answer) => answer.problem === null);
  }

  before(() => copyFileSync(license, path.join(vendor.folder, 'good.lic')));

  for (const [what, content, code] of BAD_FILES) {
    test(`${what}: refused as ${code}, the old one stays`, async () => {
      await refused(() => writeFileSync(license, content), code);
      await heal();
    });
  }

  test('a folder in its place: refused, the old one stays', async () => {
    await refused(() => {
      rmSync(license);
      mkdirSync(license);
    }, 'io_error');
    await heal();
  });

  test('a FIFO in its place does not block', async () => {
    rmSync(license);
    await run('mkfifo', [license]);
    await server.untilLicense((answer) => answer.problem?.code === 'io_error');
    await heal();
  });

  test('a file that may not be read: refused, the old one stays', async (t2) => {
    if (process.getuid() === 0) return t2.skip('root reads everything');
    await run('chmod', ['0', license]);
    await server.untilLicense((answer) => answer.problem?.code === 'permission_denied');
    await heal();
  });

  test('a removed file: the old one stays, and everyone is told', async () => {
    await refused(() => rmSync(license), 'not_found');
    await heal();
  });

  test('signed by another vendor: unknown key', async () => {
    const other = await Vendor.create(temporaryFolder(t));
    const foreign = await other.issue('foreign.lic');
    await refused(() => copyFileSync(foreign, license), 'unknown_key');
    await heal();
  });

  test('every part of it altered: refused', async () => {
    const token = bareToken(path.join(vendor.folder, 'good.lic')).split('.');
    for (const part of [0, 1, 2]) {
      const altered = [...token];
      const at = Math.floor(altered[part].length / 2);
      altered[part] = altered[part].slice(0, at) + (altered[part][at] === 'A' ? 'B' : 'A') + altered[part].slice(at + 1);
      writeFileSync(license, altered.join('.'));
      const shown = await server.untilLicense((answer) => answer.problem !== null);
      assert.equal(shown.features.nodes, 1);
      await heal();
    }
  });
});

describe('a bad license file at the start', () => {
  for (const [what, content, code] of BAD_FILES) {
    test(`${what}: status invalid, edition community`, async (t) => {
      const vendor = await Vendor.create(temporaryFolder(t));
      const license = path.join(vendor.folder, 'bad.lic');
      writeFileSync(license, content);
      const server = await LicenseServer.start(t, vendor, { license });
      const shown = await server.untilStatus('invalid');
      assert.equal(shown.problem.code, code);
      assert.equal(shown.edition, 'community');
      assert.deepEqual(shown.features, {});
      const token = await get(`${server.url}/v1/license/token`);
      assert.equal(token.status, 404);
      assert.equal(token.json.code, 'no_license');
    });
  }
});

describe('serials', () => {
  test('an older license is refused, also after a restart and when the file is gone meanwhile', async (t) => {
    const { vendor, license, server } = await newServer(t);
    const old = path.join(vendor.folder, 'old.lic');
    copyFileSync(license, old);
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=2']);
    await server.untilLicense(nodes(2));

    copyFileSync(old, license);
    const live = await server.untilLicense((answer) => answer.problem?.code === 'old_serial');
    assert.equal(live.features.nodes, 2);
    await server.stop();

    const again = await LicenseServer.start(t, vendor, { license, dataDir: server.dataDir });
    const restarted = await again.untilLicense((answer) => answer.problem?.code === 'old_serial');
    assert.equal(restarted.features.nodes, 2);
    assert.equal(restarted.source, 'saved');
    await again.stop('SIGKILL');

    rmSync(license);
    const third = await LicenseServer.start(t, vendor, { license, dataDir: server.dataDir });
    assert.equal((await third.untilLicense(nodes(2))).source, 'saved');
    copyFileSync(old, license);
    await third.untilLicense((answer) => answer.problem?.code === 'old_serial' && answer.features.nodes === 2);
  });

  test('a file for another customer begins a line of its own; going back does not bring an older one', async (t) => {
    const { vendor, license, server } = await newServer(t);
    const old = path.join(vendor.folder, 'old.lic');
    copyFileSync(license, old);
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=2']);
    await server.untilLicense(nodes(2));
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=3', '--customer', 'Other', '--serial', '1']);
    assert.equal((await server.untilLicense(nodes(3))).customer, 'Other');
    copyFileSync(old, license);
    const shown = await server.untilLicense((answer) => answer.problem?.code === 'old_serial');
    assert.equal(shown.customer, 'Other');
  });

  test('a license that begins later waits and takes over by itself', async (t) => {
    const { vendor, server } = await newServer(t);
    const begins = Math.ceil(Date.now() / 1000) * 1000 + 63_000; // nbf has a leeway of 60 s
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=2', '--not-before',
      new Date(begins).toISOString()]);
    const listener = await Listener.start(t, server.nats);
    await until('heartbeats after the change', () => listener.messages.length > 2);
    const waiting = await server.license();
    assert.equal(waiting.features.nodes, 1);
    assert.equal(waiting.problem, null);
    assert.equal(Date.parse(waiting.next_license_at), begins - 60_000);
    const update = await listener.untilMessage('update', (message) => message.type === 'update');
    assert.equal(update.license.features.nodes, 2);
    assert.ok(Date.parse(update.sent_at) >= begins - 60_000);
  });

  test('an expired license does not replace one that is valid', async (t) => {
    const { vendor, server } = await newServer(t);
    await vendor.issue('acme.lic', ['--not-before', '2020-01-01', '--expires', '2020-02-01', '--feature', 'nodes=2']);
    const shown = await server.untilLicense((answer) => answer.problem?.code === 'expired');
    assert.equal(shown.features.nodes, 1);
    assert.equal(shown.status, 'valid');
  });
});

describe('files that come later', () => {
  test('the server starts without any, says what it waits for, and takes them in any order', async (t) => {
    const vendor = await Vendor.create(temporaryFolder(t));
    await vendor.issue('acme.lic');
    const folder = path.join(vendor.folder, 'later');
    const at = (name) => path.join(folder, name);
    const server = await LicenseServer.start(t, { keys: at('vendor.jwks') }, { license: at('acme.lic') });
    const empty = await server.untilStatus('missing');
    assert.equal(empty.edition, 'community');
    assert.equal(empty.license_id, null);
    await server.process.untilOutput(/connected to NATS/);
    const { status, json } = await get(`${server.url}/readyz`);
    assert.equal(status, 503);
    const waits = json.conditions.filter((condition) => !condition.met).map((condition) => condition.name);
    assert.deepEqual(waits.sort(), ['keys', 'license']);

    mkdirSync(folder);
    copyFileSync(path.join(vendor.folder, 'acme.lic'), at('acme.lic'));
    copyFileSync(vendor.keys, at('vendor.jwks'));
    await server.untilStatus('expiring');
    assert.equal((await get(`${server.url}/readyz`)).status, 200);
  });

  test('it also starts without being told of any', async (t) => {
    const server = await LicenseServer.start(t);
    assert.match((await server.untilStatus('missing')).reason, /--license/);
    const listener = await Listener.start(t, server.nats);
    const answer = await listener.ask('n');
    assert.equal(answer.license.status, 'missing');
    assert.equal(answer.license.edition, 'community');
    assert.deepEqual(answer.license.features, {});
    assert.equal(answer.token, undefined);
  });

  test('a bad key file is refused, the old keys stay', async (t) => {
    const { vendor, server } = await newServer(t);
    const keys = path.join(vendor.folder, 'vendor.jwks');
    writeFileSync(keys, '{"keys":[{"kty":"EC"');
    await server.untilLicense((answer) => answer.files.keys.problem !== null);
    assert.equal((await server.license()).status, 'valid');
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=2']);
    await server.untilLicense(nodes(2));
  });

  test('a vendor whose keys are taken away no longer counts', async (t) => {
    const { vendor, server } = await newServer(t);
    const other = await Vendor.create(temporaryFolder(t));
    copyFileSync(other.keys, path.join(vendor.folder, 'vendor.jwks'));
    const shown = await server.untilStatus('invalid');
    assert.equal(shown.edition, 'community');
    assert.equal(shown.explain.code, 'unknown_key');
  });

  test('SIGHUP takes over another interval and other files; a bad configuration changes nothing', async (t) => {
    const { vendor, license } = await newServer(t);
    const conf = temporaryFolder(t);
    const configure = (text) => writeFileSync(path.join(conf, '10-site.conf'), `[license-server]\n${text}\n`);
    configure('heartbeat_interval = 250ms');
    const dataDir = path.join(temporaryFolder(t), 'data');
    const server = await LicenseServer.start(t, undefined, { dataDir,
      flags: ['--config-dir', conf, '--license', license, '--keys', vendor.keys] });
    const next = await vendor.issue('other.lic', ['--valid-for', '60d', '--feature', 'nodes=7']);
    configure(`license = ${next}`);
    server.process.signal('SIGHUP');
    await server.process.untilOutput(/configuration reloaded/);
    assert.equal((await server.license()).features.nodes, 1, 'flags win over files');
    configure('heartbeat_interval = soon');
    server.process.signal('SIGHUP');
    await server.process.untilOutput(/the new configuration is refused/);
    assert.equal((await server.license()).status, 'valid');
  });
});

describe('revocation lists and key rings', () => {
  test('a revoked license is revoked at once, told as an update, and stays so without the list', async (t) => {
    const { vendor, license, server } = await newServer(t);
    await server.stop();
    const list = path.join(vendor.folder, 'revocations.jwt');
    const dataDir = server.dataDir;
    const with_list = await LicenseServer.start(t, vendor, { license, dataDir, flags: ['--revocations', list] });
    const { license_id: id } = await with_list.untilStatus('valid');
    const listener = await Listener.start(t, with_list.nats);
    await lsysOk(['revoke', 'add', id, '--key', vendor.key, '--list', list, '--reason', 'refunded']);
    const update = await listener.untilMessage('update', (message) => message.type === 'update');
    assert.equal(update.license.status, 'revoked');
    assert.equal(update.license.edition, 'community');
    assert.deepEqual(update.license.features, {});
    assert.equal(update.revocations, bareToken(list));
    await listener.untilAlert('license_revoked');
    await with_list.stop();

    const without = await LicenseServer.start(t, vendor, { license, dataDir });
    assert.equal((await without.untilStatus('revoked')).revocations.count, 1);
  });

  test('an older list is refused', async (t) => {
    const { vendor, license, server } = await newServer(t);
    await server.stop();
    const list = path.join(vendor.folder, 'revocations.jwt');
    const old = path.join(vendor.folder, 'old.jwt');
    await lsysOk(['revoke', 'add', 'nobody', '--key', vendor.key, '--list', list]);
    copyFileSync(list, old);
    await lsysOk(['revoke', 'add', 'somebody', '--key', vendor.key, '--list', list]);
    const again = await LicenseServer.start(t, vendor, { license, dataDir: server.dataDir,
      flags: ['--revocations', list] });
    assert.equal((await again.untilStatus('valid')).revocations.count, 2);
    copyFileSync(old, list);
    const shown = await again.untilLicense((answer) => answer.files.revocations.problem?.code === 'old_serial');
    assert.equal(shown.revocations.count, 2);
  });

  test('a key ring signed by the root replaces the keys, and travels with the status', async (t) => {
    const vendor = await Vendor.create(temporaryFolder(t));
    const root = await Vendor.create(temporaryFolder(t), ['--name', 'root']);
    const rootKey = path.join(root.folder, 'root.key.jwk');
    const license = await vendor.issue('acme.lic', ['--valid-for', '60d']);
    const ring = path.join(vendor.folder, 'keyring.jwt');
    const server = await LicenseServer.start(t, undefined, { license,
      flags: ['--root', path.join(root.folder, 'root.jwks'), '--keyring', ring] });
    await server.untilStatus('invalid');
    await lsysOk(['keyring', 'add', vendor.keys, '--key', rootKey, '--ring', ring, '--not-before', '2020-01-01']);
    const shown = await server.untilStatus('valid');
    assert.equal(shown.keyring.serial > 0, true);
    const listener = await Listener.start(t, server.nats);
    assert.equal((await listener.ask()).keyring, bareToken(ring));
  });
});
