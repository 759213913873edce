// A role whose user was revoked by mistake comes back by itself once that is undone.
import { copyFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Deployment, startTrustingBroker } from './lib/accounts.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { LicenseServer } from './lib/license_server.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

test('a license server that was revoked while connected speaks again when that is undone', async (t) => {
  const deployment = await Deployment.create(t);
  const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
  const license = await vendor.issue('site.lic', ['--valid-for', '90d']);
  const broker = await startTrustingBroker(t, deployment);
  const creds = await deployment.addUser('SITE', 'server', '--template', 'license-server');
  const observer = await broker.connect(await deployment.addUser('SITE', 'observer', '--template', 'observer'));
  const heard = await observer.collect('license.status');
  const server = await LicenseServer.start(t, vendor, { license, nats: broker.url, flags: ['--nats-creds', creds] });
  await until('heartbeats', () => heard.length > 2);

  const account = path.join(deployment.dir, 'accounts', 'SITE.jwt');
  const before = path.join(deployment.folder, 'before.jwt');
  copyFileSync(account, before);
  await deployment.run('revoke', 'SITE', 'server');
  await broker.process.untilOutput(/User Authentication Revoked/);
  await server.process.untilOutput(/NATS.*(lost|refused|not connected|[Rr]evoked|[Aa]uthorization)/);
  const count = heard.length;
  renameSync(before, account);
  await until('heartbeats again', () => heard.length > count + 2, 30_000);
});
