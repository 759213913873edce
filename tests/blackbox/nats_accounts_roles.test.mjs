// The roles of lsys with the least permissions that `lsys nats user add --template` gives them.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Deployment, trustingServers } from './lib/accounts.mjs';
import { Client } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { LicenseServer } from './lib/license_server.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

for (const { name, start } of trustingServers()) {
  describe(name, () => {
    test('license servers and a client need no more than their templates', async (t) => {
      const deployment = await Deployment.create(t);
      const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
      const license = await vendor.issue('site.lic', ['--valid-for', '90d']);
      const server = await start(t, deployment);
      const creds = async (user, template) =>
        ['--nats-creds', await deployment.addUser('SITE', user, '--template', template)];
      const startServer = async (user, file) => LicenseServer.start(t, vendor, { license: file, nats: server.url,
        flags: await creds(user, 'license-server') });
      const first = await startServer('first', license);
      const second = await startServer('second'); // has no file: hears of the license from the other
      const client = await Client.start(t, vendor, server.url, { flags: await creds('shop', 'license-client') });
      await client.untilEdition('enterprise');
      await second.untilStatus('valid');
      const observer = await server.connect(await deployment.addUser('SITE', 'o', '--template', 'observer'));
      const seen = await observer.collect('license.status');
      await until('heartbeats', () => seen.length > 3);
      for (const { process } of [first, second, client]) assert.doesNotMatch(process.output, /permission|violation/i);
    });

    test('a client\'s credentials do not make a license server', async (t) => {
      const deployment = await Deployment.create(t);
      const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
      const license = await vendor.issue('site.lic');
      const server = await start(t, deployment);
      const creds = await deployment.addUser('SITE', 'shop', '--template', 'license-client');
      const observer = await server.connect(await deployment.addUser('SITE', 'o', '--template', 'observer'));
      const seen = await observer.collect('license.status');
      const rogue = await LicenseServer.start(t, vendor, { license, nats: server.url, flags: ['--nats-creds', creds] });
      await until('its heartbeats to be refused', async () => /permission/i.test(rogue.process.output) ||
        await rogue.metric('lsys_server_messages_total', 'heartbeat') > 3);
      await observer.nc.flush();
      assert.deepEqual(seen, []);
    });
  });
}
