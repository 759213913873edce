// license-client with the shipped license-server and broker: the whole way from a file of the vendor's to the application.
import assert from 'node:assert/strict';
import { copyFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Client, TIMEOUT_MS } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsysOk, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { NatsServer } from './lib/nats_server.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

/// Both brokers that a site may have.
const BROKERS = {
  'lsys broker': async (t) => {
    const port = await freePort();
    const broker = startLsys(t, ['broker', '--listen', `127.0.0.1:${port}`]);
    await broker.untilOutput(/listening/);
    return `nats://127.0.0.1:${port}`;
  },
  'nats-server': async (t) => (await NatsServer.start(t)).url,
};

/// A site: a vendor, a broker, and license servers on one license file.
class Site {
  static async create(t, broker, licenseFlags = []) {
    const site = new Site();
    site.t = t;
    site.natsUrl = await BROKERS[broker](t);
    site.folder = temporaryFolder(t);
    site.vendor = await Vendor.create(path.join(site.folder, 'vendor'));
    site.file = path.join(site.folder, 'site.lic');
    copyFileSync(await site.vendor.issue('first.lic', ['--valid-for', '90d', '--feature', 'sso', ...licenseFlags]), site.file);
    return site;
  }

  /// Replaces the license file as a careful operator does.
  async replace(flags) {
    const next = await this.vendor.issue('next.lic', flags);
    renameSync(next, this.file);
  }

  async startServer({ data = 'server-data', flags = [] } = {}) {
    const port = await freePort();
    const server = startLsys(this.t, ['license-server', '--license', this.file, '--keys', this.vendor.keys, '--nats',
      this.natsUrl, '--data-dir', path.join(this.folder, data), '--http', `127.0.0.1:${port}`,
      '--heartbeat-interval', '500ms', ...flags]);
    await server.untilOutput(/listening/);
    return server;
  }

  startClient(options) {
    return Client.start(this.t, this.vendor, this.natsUrl, options);
  }
}

for (const broker of Object.keys(BROKERS)) {
  describe(`over ${broker}`, () => {
    test('a license reaches the application, and a replaced file in under a second', async (t) => {
      const site = await Site.create(t, broker);
      const client = await site.startClient();
      await site.startServer();
      const state = await client.untilEdition('enterprise');
      assert.deepEqual(state.features, { sso: true });
      assert.equal(state.status, 'valid');
      await site.replace(['--valid-for', '90d', '--edition', 'professional', '--feature', 'nodes=7']);
      const started = performance.now();
      await client.untilState((now) => now.edition === 'professional' && now.features.nodes === 7, 1000);
      t.diagnostic(`from file to client: ${Math.round(performance.now() - started)} ms`);
      assert.match(client.process.output, /msg="the license changed" edition=professional status=valid cause=license_changed/);
    });

    test('killing the server leads to community within the timeout, its return back', async (t) => {
      const site = await Site.create(t, broker);
      const client = await site.startClient();
      const server = await site.startServer();
      await client.untilEdition('enterprise');
      await server.stop('SIGKILL');
      const killed = performance.now();
      assert.equal((await client.license()).edition, 'enterprise');
      await client.untilEdition('community', 2 * TIMEOUT_MS);
      const silent_ms = performance.now() - killed;
      assert.ok(silent_ms > TIMEOUT_MS - 700 && silent_ms < TIMEOUT_MS + 500, `${silent_ms} ms`);
      assert.equal((await client.license()).explain.cause, 'silence');
      await site.startServer();
      const state = await client.untilEdition('enterprise');
      assert.equal(state.explain.cause, 'returned');
      assert.equal(await client.metric('lsys_client_pinned_keys'), 1);
    });
  });
}

describe('several servers', () => {
  test('one dying changes nothing', async (t) => {
    const site = await Site.create(t, 'nats-server');
    const first = await site.startServer({ data: 'first' });
    await site.startServer({ data: 'second' });
    const client = await site.startClient();
    await until('both servers to be live', async () => await client.metric('lsys_client_live_servers') === 2);
    await first.stop('SIGKILL');
    await until('one server to be silent', async () => await client.metric('lsys_client_live_servers') === 1);
    assert.equal((await client.license()).edition, 'enterprise');
    assert.doesNotMatch(client.process.output, /edition=community/);
  });
});

describe('what the vendor takes back', () => {
  test('a revoked license ends at once, and stays revoked when the server forgets the list', async (t) => {
    const site = await Site.create(t, 'nats-server', ['--license-id', 'L-revoked']);
    const list = path.join(site.folder, 'revoked.jwt');
    const client = await site.startClient();
    const server = await site.startServer({ flags: ['--revocations', list] });
    await client.untilEdition('enterprise');
    await lsysOk(['revoke', 'add', 'L-revoked', '--key', site.vendor.key, '--list', list]);
    await client.untilState((state) => state.status === 'revoked');
    await server.stop('SIGKILL');
    await site.startServer({ data: 'another' });
    await until('the other server', async () => await client.metric('lsys_client_pinned_keys') === 2);
    assert.equal((await client.license()).edition, 'community');
    await client.stop('SIGKILL');
    const again = await site.startClient({ dataDir: client.dataDir });
    await again.untilState((state) => state.status === 'revoked');
  });
});

describe('a vendor that rotates its keys', () => {
  test('licenses of the new key count once the root has signed it, for clients that know the root', async (t) => {
    const site = await Site.create(t, 'nats-server');
    const root = await Vendor.create(path.join(site.folder, 'root'));
    const next = await Vendor.create(path.join(site.folder, 'next'));
    const ring = path.join(site.folder, 'ring.jwt');
    await lsysOk(['keyring', 'add', site.vendor.keys, next.keys, '--key', root.key, '--ring', ring]);
    const informed = await site.startClient({ flags: ['--root', root.keys] });
    const simple = await site.startClient();
    await site.startServer({ flags: ['--root', root.keys, '--keyring', ring] });
    await informed.untilEdition('enterprise');
    await simple.untilEdition('enterprise');
    assert.equal((await informed.license()).explain.inputs.keyring_serial, 1);
    const issued = await next.issue('next.lic', ['--valid-for', '90d', '--edition', 'professional', '--serial', '50']);
    renameSync(issued, site.file);
    await informed.untilEdition('professional');
    const state = await simple.untilState((now) => now.status === 'invalid');
    assert.equal(state.edition, 'community');
    assert.match(state.reason, /does not verify here/);
    assert.equal(state.explain.rule, 'license_not_verified');
  });
});

describe('a license that ends', () => {
  test('expiring, grace, expired: at the second, with the rule that says so', async (t) => {
    const expires_ms = (Math.floor(Date.now() / 1000) + 4) * 1000;
    const site = await Site.create(t, 'nats-server', []);
    await site.replace(['--expires', new Date(expires_ms).toISOString(), '--feature', 'sso', '--degrade', 'sso=readonly']);
    await site.startServer();
    const client = await site.startClient();
    const before = await client.untilEdition('enterprise');
    assert.equal(before.status, 'expiring');
    assert.deepEqual(before.explain.next_change.to, 'expired');
    assert.equal(Date.parse(before.explain.next_change.at), expires_ms);
    const after = await client.untilState((state) => state.status === 'expired');
    const late_ms = Date.now() - expires_ms;
    assert.ok(late_ms >= 0 && late_ms < 300, `${late_ms} ms late`);
    assert.deepEqual([after.edition, after.explain.rule, after.degraded], ['community', 'expired', { sso: 'readonly' }]);
    const feature = await client.feature('sso');
    assert.deepEqual([feature.status, feature.json.mode], [200, 'readonly']);
  });
});
