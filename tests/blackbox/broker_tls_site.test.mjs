// A site put together by hand: a CA, a NATS operator, the broker, a license server and a client as processes of their
// own, with TLS and credentials between them.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Deployment } from './lib/accounts.mjs';
import { Client } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { LicenseServer } from './lib/license_server.mjs';
import { lsysOk, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';

/// Certificates, users and a vendor; `broker()` starts the broker, always on the same port.
class Site {
  static async create(t) {
    const site = new Site();
    const folder = temporaryFolder(t);
    const at = (name) => path.join(folder, name);
    const issue = (name, ...flags) => lsysOk(['ca', 'issue', '--ca', at('ca'), '--name', name, '--out', at(name), ...flags]);
    await lsysOk(['ca', 'init', '--out', at('ca')]);
    await lsysOk(['ca', 'init', '--out', at('other')]);
    await issue('localhost', '--san', 'IP:127.0.0.1');
    await issue('app', '--client');
    const nats = await Deployment.create(t);
    Object.assign(site, { t, at, ca: at('ca/ca.pem'), nats, port: await freePort(), vendor: await Vendor.create(at('vendor')),
      server: await nats.addUser('SITE', 'server', '--template', 'license-server'),
      client: await nats.addUser('SITE', 'client', '--template', 'license-client') });
    site.url = `tls://localhost:${site.port}`;
    site.license = await site.vendor.issue('acme.lic');
    return site;
  }

  async broker(...flags) {
    const process = startLsys(this.t, ['broker', '--listen', `127.0.0.1:${this.port}`, '--tls-cert', this.at('localhost.pem'),
      '--tls-key', this.at('localhost.key.pem'), '--operator', path.join(this.nats.dir, 'operator.jwt'),
      '--resolver-dir', path.join(this.nats.dir, 'accounts'), ...flags]);
    await process.untilOutput(/url=tls:/);
    return process;
  }

  startServer(...flags) {
    return LicenseServer.start(this.t, this.vendor, { license: this.license, nats: this.url,
      flags: ['--nats-ca', this.ca, '--nats-creds', this.server, ...flags] });
  }

  startClient({ ca = this.ca, flags = [] } = {}) {
    return Client.start(this.t, this.vendor, this.url,
      { flags: ['--nats-ca', ca, '--nats-creds', this.client, ...flags] });
  }
}

test('the client is licensed over TLS, and again after the broker was away', async (t) => {
  const site = await Site.create(t);
  const broker = await site.broker();
  await site.startServer();
  const client = await site.startClient();
  await client.untilEdition('enterprise');
  await broker.stop();
  await client.untilEdition('community');
  await site.broker();
  await client.untilEdition('enterprise', 20_000);
});

test('with --tls-client-ca, those with a certificate of the CA are let in', async (t) => {
  const site = await Site.create(t);
  const broker = await site.broker('--tls-client-ca', site.ca);
  const certificate = ['--nats-cert', site.at('app.pem'), '--nats-key', site.at('app.key.pem')];
  await site.startServer(...certificate);
  const client = await site.startClient({ flags: certificate });
  await client.untilEdition('enterprise');
  await site.startClient();
  await broker.untilOutput(/client disconnected/);
});

test('a client that trusts another CA connects to nobody and says why', async (t) => {
  const site = await Site.create(t);
  await site.broker();
  await site.startServer();
  const client = await site.startClient({ ca: site.at('other/ca.pem') });
  await client.process.untilOutput(/unknown issuer/i);
  assert.equal((await client.license()).edition, 'community');
});

test('a private key that others can read is refused', async (t) => {
  const site = await Site.create(t);
  chmodSync(site.at('localhost.key.pem'), 0o644);
  await assert.rejects(site.broker(), /--tls-key: .*chmod/);
});
