// Several license servers on one NATS: they agree on the newest license, and any one may die.
import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { LicenseServer, Listener } from './lib/license_server.mjs';
import { lsysOk } from './lib/lsys.mjs';
import { NatsServer } from './lib/nats_server.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const nodes = (count) => (license) => license.features.nodes === count;

async function site(t) {
  const vendor = await Vendor.create(temporaryFolder(t));
  const issue = (file, count, flags = []) => vendor.issue(file, ['--valid-for', '60d', '--feature', `nodes=${count}`, ...flags]);
  return { vendor, issue, nats: (await NatsServer.start(t)).url };
}

describe('two license servers', () => {
  test('the one with the older license takes over the newer one, whichever starts first', async (t) => {
    const { vendor, issue, nats } = await site(t);
    const old = await issue('old.lic', 1);
    const next = await issue('next.lic', 2);
    const a = await LicenseServer.start(t, vendor, { license: old, nats });
    await a.untilLicense(nodes(1));
    const b = await LicenseServer.start(t, vendor, { license: next, nats });
    await b.untilLicense(nodes(2));
    assert.equal((await a.untilLicense(nodes(2))).source, 'peer');
    const c = await LicenseServer.start(t, vendor, { license: old, nats });
    assert.equal((await c.untilLicense(nodes(2))).source, 'peer');
    assert.equal((await b.license()).source, 'file');
  });

  test('a server without a file takes over what it hears, and keeps it when the other dies', async (t) => {
    const { vendor, issue, nats } = await site(t);
    const a = await LicenseServer.start(t, vendor, { license: await issue('acme.lic', 3), nats });
    await a.untilLicense(nodes(3));
    const b = await LicenseServer.start(t, vendor, { nats });
    await b.untilLicense(nodes(3));
    await a.stop('SIGKILL');
    await b.stop('SIGKILL');
    const again = await LicenseServer.start(t, vendor, { nats, dataDir: b.dataDir });
    assert.equal((await again.untilLicense(nodes(3))).source, 'saved');
  });

  test('killing one changes nothing for who listens', async (t) => {
    const { vendor, issue, nats } = await site(t);
    const license = await issue('acme.lic', 1);
    const a = await LicenseServer.start(t, vendor, { license, nats, flags: ['--server-id', 'a'] });
    const b = await LicenseServer.start(t, vendor, { license, nats, flags: ['--server-id', 'b'] });
    const listener = await Listener.start(t, nats);
    await until('both are heard', () => new Set(listener.messages.map((message) => message.server_id)).size === 2);
    await a.stop('SIGKILL');
    const from = listener.messages.length;
    await until('the other goes on', () => listener.messages.slice(from).filter((message) => message.server_id === 'b').length >= 3);
    assert.ok(listener.messages.every((message) => message.license.status === 'valid'));
    const answers = await listener.askAll('n', 1);
    assert.deepEqual(answers.map((answer) => answer.server_id), ['b']);
    assert.ok(b.process.exit === undefined);
  });

  test('both answer a request, each by its own key', async (t) => {
    const { vendor, issue, nats } = await site(t);
    const license = await issue('acme.lic', 1);
    const servers = [await LicenseServer.start(t, vendor, { license, nats }), await LicenseServer.start(t, vendor, { license, nats })];
    for (const server of servers) await server.process.untilOutput(/connected to NATS/);
    const listener = await Listener.start(t, nats);
    const answers = await listener.askAll('both', 2);
    assert.equal(new Set(answers.map((answer) => answer.server_id)).size, 2);
    assert.equal(new Set((await Promise.all(servers.map((server) => server.license()))).map((shown) => shown.server_key)).size, 2);
  });

  test('a revocation list reaches the other server', async (t) => {
    const { vendor, issue, nats } = await site(t);
    const license = await issue('acme.lic', 1);
    const list = path.join(vendor.folder, 'revocations.jwt');
    const a = await LicenseServer.start(t, vendor, { license, nats, flags: ['--revocations', list] });
    const b = await LicenseServer.start(t, vendor, { license, nats });
    const { license_id: id } = await b.untilStatus('valid');
    await a.untilStatus('valid');
    await lsysOk(['revoke', 'add', id, '--key', vendor.key, '--list', list]);
    await a.untilStatus('revoked');
    await b.untilStatus('revoked');
  });

  test("another customer's license is not taken over", async (t) => {
    const { vendor, issue, nats } = await site(t);
    const ours = await LicenseServer.start(t, vendor, { license: await issue('ours.lic', 1), nats });
    const other = await issue('other.lic', 9, ['--customer', 'Other', '--serial', '99']);
    await ours.untilLicense(nodes(1));
    await LicenseServer.start(t, vendor, { license: other, nats });
    await ours.process.untilOutput(/refused what another server sent.*wrong_deployment/);
    assert.equal((await ours.license()).customer, 'ACME');
  });

  test('what is not signed by the vendor is refused, and a flood of it changes nothing', async (t) => {
    const { vendor, issue, nats } = await site(t);
    const server = await LicenseServer.start(t, vendor, { license: await issue('acme.lic', 1), nats });
    const rogue = await Vendor.create(temporaryFolder(t));
    const forged = bareToken(await rogue.issue('forged.lic', ['--serial', '1000', '--feature', 'nodes=1000']));
    const listener = await Listener.start(t, nats);
    const message = { v: 1, type: 'status', server_id: 'rogue', seq: 2 ** 33, license: { status: 'valid', serial: 1000 }, token: forged };
    for (const odd of [message, { ...message, token: 7 }, { ...message, token: 'a.b.c' }, { ...message, server_id: null },
      { ...message, keyring: forged, revocations: forged }, [], 'x', { server_id: 'x', token: {} }]) {
      await listener.publish('license.status', odd);
    }
    for (let i = 0; i < 2000; i += 1) listener.connection.publish('license.status', JSON.stringify({ ...message, seq: i }));
    await listener.connection.flush();
    await server.process.untilOutput(/refused what another server sent.*unknown_key/);
    assert.equal((await server.license()).features.nodes, 1);
    const lines = server.process.output.split('\n').filter((line) => line.includes('refused what another server sent'));
    assert.ok(lines.length < 5, 'the log is not flooded');
  });

  test('the older license of a peer does not come back when the newer file is gone', async (t) => {
    const { vendor, issue, nats } = await site(t);
    const old = await issue('old.lic', 1);
    const license = path.join(vendor.folder, 'acme.lic');
    copyFileSync(await issue('next.lic', 2), license);
    const a = await LicenseServer.start(t, vendor, { license, nats });
    await a.untilLicense(nodes(2));
    await a.stop();
    rmSync(license);
    const b = await LicenseServer.start(t, vendor, { license: old, nats });
    await b.untilLicense(nodes(1));
    const again = await LicenseServer.start(t, vendor, { license, nats, dataDir: a.dataDir });
    await again.untilLicense(nodes(2));
    await b.untilLicense(nodes(2));
  });
});
