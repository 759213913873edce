// Roles that talk to NATS over TLS, with stock nats-servers of both versions and certificates of lsys ca.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Client } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { lsysOk, start, startLsys } from './lib/lsys.mjs';
import { natsServers } from './lib/peers.mjs';
import { freePort } from './lib/ports.mjs';
import { until } from './lib/wait.mjs';
import { Vendor } from './lib/vendor.mjs';

/// A deployment's CA with a server's certificate and an operator's.
async function makePki(t) {
  const folder = temporaryFolder(t);
  const at = (name) => path.join(folder, name);
  await lsysOk(['ca', 'init', '--out', at('pki')]);
  await lsysOk(['ca', 'init', '--out', at('other')]);
  await lsysOk(['ca', 'issue', '--ca', at('pki'), '--name', 'localhost', '--san', 'IP:127.0.0.1', '--out', at('server')]);
  await lsysOk(['ca', 'issue', '--ca', at('pki'), '--name', 'operator', '--out', at('operator')]);
  return { at, ca: at('pki/ca.pem'), otherCa: at('other/ca.pem') };
}

for (const { program, name } of natsServers()) {
  const startNats = async (t, pki, flags = []) => {
    const port = await freePort();
    const args = ['-a', '127.0.0.1', '-p', String(port), '--tls', '--tlscert', pki.at('server.pem'), '--tlskey',
      pki.at('server.key.pem'), ...flags];
    const process = start(t, program, args);
    await process.untilOutput(/Server is ready/);
    return { port, process };
  };

  /// A license server, which says by itself whether it is connected; gives that condition.
  const startServer = async (t, flags) => {
    const folder = temporaryFolder(t);
    const vendor = await Vendor.create(folder);
    const license = await vendor.issue('license');
    const role = startLsys(t, ['license-server', '--license', license, '--keys', vendor.keys, '--data-dir',
      path.join(folder, 'data'), '--http', '127.0.0.1:0', ...flags]);
    const [, url] = await role.untilOutput(/url=(http:\/\/\S+)/);
    const condition = async () => (await get(`${url}/readyz`)).json.conditions.find((row) => row.name === 'nats');
    return { condition, vendor };
  };

  test(`${name}: a role connects with --nats-ca, also after a restart`, async (t) => {
    const pki = await makePki(t);
    const { port, process } = await startNats(t, pki);
    const tlsFlags = ['--nats', `tls://127.0.0.1:${port}`, '--nats-ca', pki.ca];
    const { condition, vendor } = await startServer(t, tlsFlags);
    await until('the connection', async () => (await condition()).met);
    const client = await Client.start(t, vendor, `tls://127.0.0.1:${port}`, { flags: ['--nats-ca', pki.ca] });
    await client.untilEdition('enterprise');
    await process.stop('SIGKILL');
    await until('the loss to be noticed', async () => !(await condition()).met);
    const again = start(t, program, process.child.spawnargs.slice(1));
    await again.untilOutput(/Server is ready/);
    await until('the connection', async () => (await condition()).met, 20_000);
    await client.untilEdition('enterprise', 20_000);
  });

  test(`${name}: mutual TLS`, async (t) => {
    const pki = await makePki(t);
    const { port } = await startNats(t, pki, ['--tlsverify', '--tlscacert', pki.ca]);
    const { condition } = await startServer(t, ['--nats', `tls://localhost:${port}`, '--nats-ca', pki.ca, '--nats-cert',
      pki.at('operator.pem'), '--nats-key', pki.at('operator.key.pem')]);
    await until('the connection', async () => (await condition()).met);
    const stranger = await startServer(t, ['--nats', `tls://localhost:${port}`, '--nats-ca', pki.ca]);
    const { reason } = await until('the refusal', async () => {
      const found = await stranger.condition();
      return /bad_certificate/.test(found.reason) && found;
    });
    assert.match(reason, /TLS/);
  });

  test(`${name}: a server of another CA is refused, and the reason can be read`, async (t) => {
    const pki = await makePki(t);
    const { port } = await startNats(t, pki);
    const { condition } = await startServer(t, ['--nats', `tls://127.0.0.1:${port}`, '--nats-ca', pki.otherCa]);
    await until('the refusal', async () => /is not signed by that key|unknown issuer/.test((await condition()).reason));
  });
}
