// The broker that a license server brings along: plain on loopback by default, with TLS and users when it is told so.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connect } from 'nats';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, lsysOk, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

/// A folder with a CA, a certificate for this machine, a users file and the server's password.
async function prepare(t) {
  const folder = temporaryFolder(t);
  const site = { folder, ca: path.join(folder, 'pki', 'ca.pem'), cert: path.join(folder, 'server.pem'),
    key: path.join(folder, 'server.key.pem'), users: path.join(folder, 'users.json'), password: path.join(folder, 'password') };
  await lsysOk(['ca', 'init', '--out', path.join(folder, 'pki')]);
  await lsysOk(['ca', 'issue', '--ca', path.join(folder, 'pki'), '--name', 'localhost', '--san', 'IP:127.0.0.1',
    '--out', path.join(folder, 'server')]);
  writeFileSync(site.password, 'a password of the server', { mode: 0o600 });
  site.writeUsers = (...more) => writeFileSync(site.users, JSON.stringify({ users: [
    { user: 'server', password: 'a password of the server' }, ...more] }), { mode: 0o600 });
  site.writeUsers({ user: 'shop', password: 'a password of a shop',
    permissions: { publish: ['license.status.get'], subscribe: ['license.status', '_INBOX.>'] } });
  site.flags = ['--tls-cert', site.cert, '--tls-key', site.key, '--nats-listen-tls', '--nats-listen-users-file', site.users,
    '--nats-ca', site.ca, '--nats-user', 'server', '--nats-password-file', site.password];
  return site;
}

const start = (t, folder, flags) => startLsys(t, ['license-server', '--http', '127.0.0.1:0', '--data-dir', path.join(folder, 'data'),
  '--heartbeat-interval', '200ms', ...flags]);

const enter = (port, site, options) => connect({ servers: `127.0.0.1:${port}`, reconnect: false, timeout: 5000,
  tls: { caFile: site.ca }, ...options });

test('with TLS and users it serves the network, and nobody who does not belong', async (t) => {
  const site = await prepare(t);
  const port = await freePort();
  const server = start(t, site.folder, [...site.flags, '--nats-listen', `0.0.0.0:${port}`]);
  await server.untilOutput(new RegExp(`url=tls://0\\.0\\.0\\.0:${port}`));
  await server.untilOutput(/connected to NATS/);
  const shop = await enter(port, site, { user: 'shop', pass: 'a password of a shop' });
  t.after(() => shop.close());
  const heard = [];
  shop.subscribe('license.status', { callback: (_, message) => heard.push(message.json().type) });
  await until('the status', () => heard.length > 0);
  assert.equal((await shop.request('license.status.get', '{}', { timeout: 3000 })).json().type, 'status');
  const errors = [];
  (async () => { for await (const event of shop.status()) if (event.type === 'error') errors.push(event.permissionContext); })();
  shop.publish('license.status', 'forged');
  await until('it to be refused', () => errors.some((context) => context?.subject === 'license.status'));
  await assert.rejects(enter(port, site), /authorization violation/i);
  await assert.rejects(enter(port, site, { user: 'shop', pass: 'wrong' }), /authorization violation/i);
  await assert.rejects(enter(port, site, { user: 'shop', pass: 'a password of a shop', tls: {} }));
});

test('its users are read again at SIGHUP', async (t) => {
  const site = await prepare(t);
  const port = await freePort();
  const server = start(t, site.folder, [...site.flags, '--nats-listen', `127.0.0.1:${port}`]);
  await server.untilOutput(/connected to NATS/);
  const shop = await enter(port, site, { user: 'shop', pass: 'a password of a shop' });
  t.after(() => shop.close());
  site.writeUsers({ user: 'other', password: 'a password of another' });
  server.signal('SIGHUP');
  await until('the user that is gone to be shown out', () => shop.isClosed());
  const other = await enter(port, site, { user: 'other', pass: 'a password of another' });
  await other.close();
  writeFileSync(site.users, '{}x', { mode: 0o600 });
  server.signal('SIGHUP');
  await server.untilOutput(/level=(error|warning)[^\n]*users\.json/);
  await (await enter(port, site, { user: 'other', pass: 'a password of another' })).close();
});

describe('what cannot work is refused at start', () => {
  const rows = [
    { what: 'a CA for a broker in plain text', args: ({ ca }) => ['--nats-ca', ca], text: /--nats-ca: the embedded broker speaks plain text.*--nats-listen-tls/ },
    { what: 'a certificate for a broker in plain text', args: ({ cert, key }) => ['--nats-cert', cert, '--nats-key', key], text: /--nats-cert: the embedded broker speaks plain text/ },
    { what: 'TLS without a certificate', args: () => ['--nats-listen-tls'], text: /--nats-listen-tls needs --tls-cert and --tls-key/ },
    { what: 'credentials that nobody asks for', args: ({ password }) => ['--nats-token-file', password], text: /--nats-token-file: the embedded broker asks nobody who they are.*--nats-listen-users-file/ },
    { what: 'credentials of an operator', args: ({ password }) => ['--nats-creds', password], text: /--nats-creds: the embedded broker has no operator.*lsys broker --operator/ },
    { what: 'users without the server among them', args: ({ users }) => ['--nats-listen-users-file', users], text: /this server has to sign in to its broker as well/ },
    { what: 'a user without a password', args: ({ users }) => ['--nats-listen-users-file', users, '--nats-user', 'server'], text: /--nats-user needs the user's password/ },
    { what: 'a password without a user', args: ({ password }) => ['--nats', 'nats://127.0.0.1:1', '--nats-password-file', password], text: /--nats-password-file: a password needs its user/ },
    { what: 'two kinds of credentials', args: ({ password }) => ['--nats', 'nats://127.0.0.1:1', '--nats-token-file', password, '--nats-creds', password], text: /are both set/ },
    { what: 'a key without its certificate', args: ({ key }) => ['--nats', 'tls://127.0.0.1:1', '--nats-key', key], text: /certificate for NATS needs its key, and a key its certificate/ },
    { what: 'the embedded broker as one of several', args: () => ['--nats', 'embedded', '--nats', 'nats://127.0.0.1:1'], text: /--nats embedded cannot be one of several/ },
    { what: 'an address for a broker that there is not', args: () => ['--nats', 'nats://127.0.0.1:1', '--nats-listen', '127.0.0.1:0'], text: /--nats-listen is about the embedded broker, and --nats names another server/ },
    { what: 'users for a broker that there is not', args: ({ users }) => ['--nats', 'nats://127.0.0.1:1', '--nats-listen-users-file', users], text: /--nats-listen-users-file is about the embedded broker/ },
    { what: 'the network in plain text', args: () => ['--nats-listen', '0.0.0.0:0'], text: /--nats-listen.*TLS/ },
    { what: 'the network with TLS and without users', args: ({ cert, key, ca }) => ['--nats-listen', '0.0.0.0:0', '--nats-listen-tls', '--tls-cert', cert, '--tls-key', key, '--nats-ca', ca], text: /--nats-listen.*(credential|users|--insecure-listen)/ },
    { what: 'a users file that is none', args: ({ cert, password }) => ['--nats-listen-users-file', cert, '--nats-user', 'server', '--nats-password-file', password], text: /--nats-listen-users-file/ },
    { what: 'an address that is no URL of NATS', args: () => ['--nats', 'http://127.0.0.1:4222'], text: /begins with nats:\/\/ or tls:\/\// },
  ];
  for (const { what, args, text } of rows) {
    test(what, async (t) => {
      const site = await prepare(t);
      const result = await lsys(['license-server', '--http', '127.0.0.1:0', '--data-dir', path.join(site.folder, 'data'), ...args(site)]);
      assert.ok(result.code > 0, `exit ${result.code}: ${result.stderr}`);
      assert.match(result.stderr, text);
    });
  }

  test('by a license client as well', async (t) => {
    const site = await prepare(t);
    const { keys } = await Vendor.create(site.folder);
    for (const [args, text] of [
      [['--nats', 'embedded'], /there is no broker in this process/],
      [['--nats', 'nats://127.0.0.1:1', '--nats-password-file', site.password], /a password needs its user/],
      [['--nats', 'tls://127.0.0.1:1', '--nats-cert', site.cert], /needs its key/],
    ]) {
      const result = await lsys(['license-client', '--keys', keys, '--http', '127.0.0.1:0', '--data-dir', path.join(site.folder, 'client'), ...args]);
      assert.ok(result.code > 0, result.stderr);
      assert.match(result.stderr, text);
    }
  });
});
