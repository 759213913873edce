// What time does to a license: exact edges, alerts, and clocks that are set.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './lib/folders.mjs';
import { LicenseServer, Listener } from './lib/license_server.mjs';
import { binary, start } from './lib/lsys.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

/// How late a change of status may be told: a busy machine, not a timer that is off.
const LATE_MS = 700;

const newVendor = async (t) => Vendor.create(temporaryFolder(t));

describe('the edges of a license', () => {
  test('it expires at the exact second, told at once', async (t) => {
    const vendor = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license: await vendor.issue('acme.lic', ['--valid-for', '5s']) });
    const listener = await Listener.start(t, server.nats);
    const { expires_at: end } = await server.untilStatus('expiring');
    const expired = await listener.untilMessage('expired', (message) => message.license.status === 'expired');
    const late = Date.parse(expired.sent_at) - Date.parse(end);
    assert.ok(late >= 0 && late < LATE_MS, `told ${late} ms after its end`);
    assert.equal(expired.type, 'status');
    assert.equal(expired.license.edition, 'community');
    assert.deepEqual(expired.license.features, {});
    for (const message of listener.messages)
      assert.equal(message.license.status, message.sent_at < end ? 'expiring' : 'expired');
    await listener.untilAlert('license_expired');
  });

  test('grace follows with everything granted', async (t) => {
    const vendor = await newVendor(t);
    const license = await vendor.issue('acme.lic', ['--valid-for', '2s', '--grace-days', '7', '--feature', 'sso']);
    const server = await LicenseServer.start(t, vendor, { license });
    const shown = await server.untilStatus('grace');
    assert.equal(shown.edition, 'enterprise');
    assert.deepEqual(shown.features, { sso: true });
    assert.equal(Date.parse(shown.grace_ends_at) - Date.parse(shown.expires_at), 7 * 86_400_000);
    assert.equal(shown.explain.next_change_at, shown.grace_ends_at);
    assert.equal(shown.explain.next_status, 'expired');
  });

  test('a license of another deployment is refused, and one of this deployment is not', async (t) => {
    const vendor = await newVendor(t);
    const license = await vendor.issue('acme.lic', ['--deployment-id', 'berlin']);
    const wrong = await LicenseServer.start(t, vendor, { license, flags: ['--deployment-id', 'paris'] });
    assert.equal((await wrong.untilStatus('invalid')).problem.code, 'wrong_deployment');
    const none = await LicenseServer.start(t, vendor, { license });
    assert.equal((await none.untilStatus('invalid')).problem.code, 'wrong_deployment');
    const right = await LicenseServer.start(t, vendor, { license, flags: ['--deployment-id', 'berlin'] });
    await right.untilStatus('expiring');
  });

  test('a license of another machine is refused', async (t) => {
    const vendor = await newVendor(t);
    const digest = Buffer.alloc(32, 7).toString('base64url');
    const license = await vendor.issue('acme.lic', ['--fingerprint', digest]);
    const file = path.join(vendor.folder, 'fingerprint.json');
    writeFileSync(file, JSON.stringify({ components: [{ name: 'machine-id', digest: Buffer.alloc(32, 8).toString('base64url') }] }));
    const wrong = await LicenseServer.start(t, vendor, { license, flags: ['--fingerprint-file', file] });
    assert.equal((await wrong.untilStatus('invalid')).problem.code, 'wrong_fingerprint');
    writeFileSync(file, JSON.stringify({ components: [{ name: 'machine-id', digest }] }));
    const right = await LicenseServer.start(t, vendor, { license, flags: ['--fingerprint-file', file] });
    await right.untilStatus('expiring');
  });
});

describe('alerts before the end', () => {
  test('the nearest one is given once, also across a restart', async (t) => {
    const vendor = await newVendor(t);
    const license = await vendor.issue('acme.lic', ['--valid-for', '5d']);
    const server = await LicenseServer.start(t, vendor, { license });
    const listener = await Listener.start(t, server.nats);
    await server.process.untilOutput(/code=license_expires_in_7_days/);
    assert.equal(await server.metric('lsys_alerts_total', 'code="license_expires_in_30_days"'), 0);
    await until('heartbeats', () => listener.messages.length > 2);
    await server.stop();

    const again = await LicenseServer.start(t, vendor, { license, dataDir: server.dataDir });
    await again.untilStatus('expiring');
    assert.equal(await again.metric('lsys_alerts_total', 'license_expires'), 0);
    await vendor.issue('acme.lic', ['--valid-for', '20h']);
    await again.process.untilOutput(/code=license_expires_in_1_day/);
  });

  test('alerts raised before there is a connection are told when it comes', async (t) => {
    const vendor = await newVendor(t);
    const license = path.join(vendor.folder, 'bad.lic');
    writeFileSync(license, 'nonsense');
    const server = await LicenseServer.start(t, vendor, { license });
    await until('the alert is queued or sent', () => server.metric('lsys_alerts_total', 'license_refused'));
    assert.match(server.process.output, /msg=alert code=license_refused/);
  });
});

/// timewarp shifts the wall clock of a program from outside; without it these tests are left out.
function timewarp(t) {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
  const source = process.env.LSYS_TIMEWARP ?? path.join(root, '../shared/tools/timewarp.c');
  if (!existsSync(source) || process.arch !== 'x64' || process.getuid() !== 0) return undefined;
  const program = path.join(temporaryFolder(t), 'timewarp');
  execFileSync('cc', ['-O2', '-w', '-o', program, source]);
  return program;
}

class Warped {
  constructor(t, vendor, license) {
    this.t = t;
    this.arguments = [vendor.keys, license];
    this.program = timewarp(t);
    this.folder = temporaryFolder(t);
    this.offset = path.join(this.folder, 'offset');
  }

  set(seconds) {
    writeFileSync(this.offset, String(seconds));
  }

  async start() {
    const [keys, license] = this.arguments;
    const server = new LicenseServer();
    server.process = start(this.t, this.program, [this.offset, binary, 'license-server', '--keys', keys, '--license', license,
      '--data-dir', path.join(this.folder, 'data'), '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0',
      '--heartbeat-interval', '300ms']);
    server.url = (await server.process.untilOutput(/url=(http:\S+)/))[1];
    server.nats = (await server.process.untilOutput(/url=(nats:\S+)/))[1];
    return server;
  }
}

const DAY = 86_400;

describe('a clock that is set', () => {
  async function warped(t, flags) {
    const vendor = await newVendor(t);
    return new Warped(t, vendor, await vendor.issue('acme.lic', flags));
  }

  test('forward: the license expires within a second or two; right again: it is valid again', async (t) => {
    const machine = await warped(t, ['--valid-for', '60d']);
    if (!machine.program) return t.skip('timewarp is not there');
    machine.set(0);
    const server = await machine.start();
    await server.untilStatus('valid');
    machine.set(59 * DAY);
    await server.untilStatus('expiring');
    machine.set(60 * DAY + 5);
    await server.untilStatus('expired');
    await server.process.untilOutput(/code=clock_jumped_forward/);
    machine.set(0);
    await server.untilStatus('valid');
  });

  test('back, live and across a restart: nothing is extended; forward again heals', async (t) => {
    const machine = await warped(t, ['--valid-for', '3s']);
    if (!machine.program) return t.skip('timewarp is not there');
    machine.set(0);
    const server = await machine.start();
    await server.untilStatus('expired');
    machine.set(-3600);
    await server.untilLicense((license) => license.explain.clock_turned_back);
    assert.equal((await server.license()).status, 'expired');
    await server.process.untilOutput(/code=clock_turned_back/);
    await server.stop();

    const again = await machine.start();
    const shown = await again.untilLicense((license) => license.explain.clock_turned_back);
    assert.equal(shown.status, 'expired');
    machine.set(0);
    await again.untilLicense((license) => !license.explain.clock_turned_back);
    assert.equal((await again.license()).status, 'expired');
  });

  test('one second either side of each edge', async (t) => {
    const begins = Math.floor(Date.now() / 1000) + 1000;
    const ends = begins + 60 * DAY;
    const iso = (seconds) => new Date(seconds * 1000).toISOString();
    const machine = await warped(t, ['--not-before', iso(begins), '--expires', iso(ends), '--grace-days', '7']);
    if (!machine.program) return t.skip('timewarp is not there');
    /// Sets the machine's clock to `seconds` and gives the status it has then. The second goes on meanwhile, so that
    /// what is asked for lies a little before the edge and what comes is judged by its own time.
    const edges = [[begins - 60, 'invalid', 'valid'], [ends - 30 * DAY, 'valid', 'expiring'],
      [ends, 'expiring', 'grace'], [ends + 7 * DAY, 'grace', 'expired']];
    machine.set(0);
    const server = await machine.start();
    for (const [edge, before, after] of edges) {
      machine.set(edge - 2 - Math.floor(Date.now() / 1000));
      const first = await server.untilLicense((license) => Math.abs(Date.parse(license.explain.judged_at) / 1000 - edge) < 3);
      if (Date.parse(first.explain.judged_at) < edge * 1000) assert.equal(first.status, before);
      const second = await server.untilLicense((license) => Date.parse(license.explain.judged_at) >= edge * 1000, 4000);
      assert.equal(second.status, after);
    }
  });
});
