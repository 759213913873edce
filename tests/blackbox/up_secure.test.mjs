// `lsys up --secure`: everything is encrypted, everybody has to prove who they are, and it all survives a restart.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { connect, credsAuthenticator } from 'nats';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, lsysOk, run, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { until } from './lib/wait.mjs';

const ROLES = ['page', 'server', 'client', 'slave']; // those that answer HTTP
const HEALTH = { page: '/v1/stack', server: '/healthz', client: '/v1/license', slave: '/api/licenses/current' };

/// A secured stack on free ports.
class SecureStack {
  static async start(t, { folder = temporaryFolder(t), flags = [], env, pageHost = '127.0.0.1' } = {}) {
    const stack = new SecureStack();
    const ports = { page: await freePort(), nats: await freePort(), server: await freePort(), client: await freePort(),
      master: await freePort(), slave: await freePort() };
    const process = startLsys(t, ['up', '--secure', '--data-dir', folder, '--http', `${pageHost}:${ports.page}`,
      '--listen', `127.0.0.1:${ports.nats}`, '--server-http', `127.0.0.1:${ports.server}`,
      '--client-http', `127.0.0.1:${ports.client}`, '--master-http', `127.0.0.1:${ports.master}`,
      '--slave-http', `127.0.0.1:${ports.slave}`, ...flags], { env });
    Object.assign(stack, { t, folder, ports, process, dir: path.join(folder, 'secure') });
    await stack.untilLicensed();
    return stack;
  }

  file(name) {
    return path.join(this.dir, name);
  }

  read(name) {
    return readFileSync(this.file(name));
  }

  /// GET as JSON, from one of ROLES. Trusts the stack's own CA unless told otherwise.
  get(role, { ca = this.read('ca.pem') } = {}) {
    return new Promise((resolve, reject) => {
      https.get({ host: '127.0.0.1', port: this.ports[role], path: HEALTH[role], ca, agent: false }, (response) => {
        let body = '';
        response.on('data', (piece) => { body += piece; });
        response.on('end', () => resolve(JSON.parse(body)));
      }).on('error', reject);
    });
  }

  untilLicensed() {
    return until('the client to be licensed', async () => {
      if (this.process.exit) throw new Error(this.process.output);
      return (await this.get('client')).edition === 'enterprise';
    });
  }

  /// Connects to the broker as a user, or with `options`.
  async connect(user, options = {}) {
    const connection = await connect({ servers: `127.0.0.1:${this.ports.nats}`, reconnect: false, timeout: 5000,
      tls: { caFile: this.file('ca.pem') }, ...(user && { authenticator: credsAuthenticator(this.read(`${user}.creds`)) }), ...options });
    const violations = [];
    (async () => { for await (const { data, permissionContext } of connection.status()) violations.push({ data, ...permissionContext }); })();
    this.t.after(() => connection.close());
    return { connection, violations };
  }
}

/// Every file below a folder, as paths.
const filesBelow = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
  const file = path.join(folder, entry.name);
  return entry.isDirectory() ? filesBelow(file) : [file];
});

test('every role answers over TLS, the client is licensed and the page follows it', async (t) => {
  const stack = await SecureStack.start(t);
  for (const role of ROLES) assert.ok(await stack.get(role), role);
  const overview = await until('the page to know the license', async () => {
    const seen = await stack.get('page');
    return seen.license.edition === 'enterprise' && seen;
  });
  assert.deepEqual(overview.roles.map((role) => role.name), ['broker', 'license-server', 'license-client',
    'cache-master', 'cache-slave']);
  assert.match(stack.process.output, /url=tls:\/\/127/);
  assert.doesNotMatch(stack.process.output, /url=(http|nats):/);
});

test('the commands that the page shows work as they stand', async (t) => {
  const stack = await SecureStack.start(t);
  const { commands } = await stack.get('page');
  assert.equal(commands.length, 4);
  const [curl, check, status, nats] = commands.map(({ line }) => line.split(' '));
  assert.match((await run('curl', ['--silent', ...curl.slice(1)])).stdout, /"edition":"enterprise"/);
  assert.equal((await lsys(check.slice(1))).code, 0);
  assert.match(await lsysOk(status.slice(1)), /enterprise/);
  assert.deepEqual(nats, ['nats', 'sub', '--tlsca', stack.file('ca.pem'), '--creds', stack.file('observer.creds'), '-s',
    `tls://127.0.0.1:${stack.ports.nats}`, 'license.status']);
});

test('plain text is refused everywhere', async (t) => {
  const stack = await SecureStack.start(t);
  for (const role of ROLES) {
    const { code, stdout } = await run('curl', ['--silent', '--max-time', '5', `http://127.0.0.1:${stack.ports[role]}/healthz`]);
    assert.notEqual(code, 0, role);
    assert.equal(stdout, '');
  }
  const raw = await RawNats.connect(t, stack.ports.nats);
  assert.equal(raw.info.tls_required, true);
  raw.send('CONNECT {"verbose":false}\r\nSUB license.status 1\r\nPING\r\n');
  await raw.untilClosed();
  assert.doesNotMatch(raw.text, /PONG|MSG/);
});

test('its CA is its own: another stack\'s, or the system\'s, opens nothing', async (t) => {
  const stack = await SecureStack.start(t);
  const other = await SecureStack.start(t);
  const foreign = other.read('ca.pem');
  assert.notDeepEqual(foreign, stack.read('ca.pem'));
  for (const role of ROLES) {
    await assert.rejects(stack.get(role, { ca: foreign }), role);
    await assert.rejects(stack.get(role, { ca: tls.rootCertificates }), role);
  }
  await assert.rejects(stack.connect('observer', { tls: { caFile: other.file('ca.pem') } }));
  // And its users: the other operator did not sign them.
  await assert.rejects(stack.connect(undefined, { authenticator: credsAuthenticator(other.read('license-server.creds')) }),
    /authorization violation/i);
  await assert.rejects(stack.connect(), /authorization violation/i);
});

test('only license-server may publish license.status', async (t) => {
  const stack = await SecureStack.start(t, { env: { LSYS_LICENSE_SERVER_HEARTBEAT_INTERVAL: '200ms' } });
  const { connection: witness } = await stack.connect('observer');
  const heard = [];
  witness.subscribe('license.status', { callback: (_, message) => heard.push(message.string()) });
  await until('heartbeats', () => heard.length >= 2);
  for (const user of ['license-client', 'observer']) {
    const { connection, violations } = await stack.connect(user);
    connection.publish('license.status', 'forged');
    await until(`${user} to be told`, () => violations.some(({ operation, subject }) =>
      operation === 'publish' && subject === 'license.status'));
  }
  const { connection: server } = await stack.connect('license-server');
  server.publish('license.status', 'said by the server\'s user');
  await until('what the server\'s user said', () => heard.includes('said by the server\'s user'));
  assert.ok(!heard.includes('forged'));
});

test('only cache-master may publish license.cache.changed, which users of an older folder get as well', async (t) => {
  const older = await SecureStack.start(t);
  await older.process.stop();
  for (const user of ['cache-master', 'cache-slave']) {
    rmSync(older.file(`${user}.creds`));
    rmSync(older.file(`nats/users/licensing/${user}.jwt`));
  }
  const stack = await SecureStack.start(t, { folder: older.folder });
  const { connection: witness } = await stack.connect('cache-slave');
  const heard = [];
  witness.subscribe('license.cache.changed', { callback: (_, message) => heard.push(message.string()) });
  await witness.flush();
  for (const user of ['cache-slave', 'license-server', 'license-client', 'observer']) {
    const { connection, violations } = await stack.connect(user);
    connection.publish('license.cache.changed', 'forged');
    await until(`${user} to be told`, () => violations.some(({ operation, subject }) =>
      operation === 'publish' && subject === 'license.cache.changed'));
  }
  const { connection: master, violations } = await stack.connect('cache-master');
  master.publish('license.cache.changed', '{}');
  await until('what the master\'s user said', () => heard.includes('{}'));
  assert.ok(!heard.includes('forged'));
  master.publish('license.status', 'forged');
  await until('the master\'s user to be told', () => violations.some(({ subject }) => subject === 'license.status'));
  const stop = performance.now();
  assert.deepEqual(await stack.process.stop(), { code: 0, signal: null });
  assert.ok(performance.now() - stop < 2000);
});

test('the client\'s user may ask and be answered; the observer may only listen', async (t) => {
  const stack = await SecureStack.start(t);
  const { connection: client } = await stack.connect('license-client');
  const answer = await client.request('license.status.get', JSON.stringify({ nonce: 'AAECAwQFBgcICQoLDA0ODw' }), { timeout: 5000 });
  assert.equal(answer.json().type, 'status');
  const { connection: observer, violations } = await stack.connect('observer');
  observer.publish('license.status.get', '{}');
  observer.subscribe('>', { callback: () => {} });
  await until('both to be refused', () => ['publish', 'subscription'].every((operation) =>
    violations.some((violation) => violation.operation === operation)));
});

test('a restart keeps CA, certificate, keys and credentials, and makes anew what is missing', async (t) => {
  const first = await SecureStack.start(t);
  const contents = () => Object.fromEntries(filesBelow(first.dir).map((file) => [file, readFileSync(file, 'utf8')]));
  const before = contents();
  assert.deepEqual(await first.process.stop(), { code: 0, signal: null });
  const second = await SecureStack.start(t, { folder: first.folder });
  assert.deepEqual(contents(), before);
  await second.process.stop();

  unlinkSync(first.file('server.pem'));
  const third = await SecureStack.start(t, { folder: first.folder });
  const certificate = new X509Certificate(third.read('server.pem'));
  assert.ok(certificate.verify(new X509Certificate(before[first.file('ca.pem')]).publicKey));
  assert.notEqual(third.read('server.pem').toString(), before[first.file('server.pem')]);
});

test('what is secret is for the owner alone', async (t) => {
  const stack = await SecureStack.start(t);
  assert.equal(statSync(stack.dir).mode & 0o777, 0o700);
  const secrets = filesBelow(stack.dir).filter((file) => /PRIVATE KEY|SEED|^S[OAU][A-Z2-7]{56}/m.test(readFileSync(file, 'utf8')));
  for (const name of ['ca.key.pem', 'server.key.pem', 'license-server.creds', 'license-client.creds', 'observer.creds', 'nats/keys/sys.creds'])
    assert.ok(secrets.includes(stack.file(name)), name);
  assert.ok(secrets.length >= 9, `${secrets}`);
  for (const file of secrets) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  // Nor is any of it said: not in the log, not among the arguments, not on the page.
  const said = stack.process.output + JSON.stringify(await stack.get('page'));
  assert.doesNotMatch(said, /PRIVATE KEY|\bS[OAU][A-Z2-7]{56}\b|eyJ[\w-]+\.eyJ/);
});

test('the certificate is for this machine', async (t) => {
  const stack = await SecureStack.start(t);
  const { subjectAltName } = new X509Certificate(stack.read('server.pem'));
  for (const name of ['DNS:localhost', 'IP Address:127.0.0.1', 'IP Address:0:0:0:0:0:0:0:1']) assert.ok(subjectAltName.includes(name), subjectAltName);
  const socket = tls.connect({ host: '127.0.0.1', port: stack.ports.page, ca: stack.read('ca.pem'), servername: 'localhost' });
  t.after(() => socket.destroy());
  await until('the handshake', () => socket.authorized);
});

test('the certificate changes on the wire before two thirds of its life; connections live on, new ones see the new one', async (t) => {
  const stack = await SecureStack.start(t, { flags: ['--certificate-life', '12s'],
    env: { LSYS_LICENSE_SERVER_HEARTBEAT_INTERVAL: '200ms' } });
  const ca = stack.read('ca.pem');
  const peers = ['page', 'server', 'client', 'master', 'slave'];
  const show = (role) => new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: stack.ports[role], ca, session: undefined }, () => {
      resolve({ socket, certificate: socket.getPeerX509Certificate() });
    }).on('error', reject);
  });
  /// As `show`, where TLS begins after INFO.
  const showBroker = () => new Promise((resolve, reject) => {
    const plain = net.connect(stack.ports.nats, '127.0.0.1').on('error', reject).once('data', () => {
      const socket = tls.connect({ socket: plain, ca, servername: 'localhost' }, () => {
        resolve(socket.getPeerX509Certificate());
        socket.destroy();
      }).on('error', reject);
    });
  });
  const ask = (socket) => new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString().split('\r\n')[0])).once('close', () => reject(new Error('closed')));
    socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  });
  const { connection } = await stack.connect('observer');
  const heard = [];
  connection.subscribe('license.status', { callback: (_, message) => heard.push(message.string()) });
  const old = {};
  for (const role of peers) {
    old[role] = await show(role);
    t.after(() => old[role].socket.destroy());
    assert.equal(await ask(old[role].socket), 'HTTP/1.1 200 OK');
  }
  const first = old.page.certificate;
  const [begin, end] = [Date.parse(first.validFrom), Date.parse(first.validTo)];
  const renewed = {};
  await until('all ports to show another certificate', async () => {
    for (const role of peers) {
      if (renewed[role]) continue;
      const { socket, certificate } = await show(role);
      socket.destroy();
      if (certificate.serialNumber !== old[role].certificate.serialNumber) renewed[role] = certificate;
    }
    return peers.every((role) => renewed[role]) && (await showBroker()).serialNumber !== first.serialNumber;
  }, end - Date.now());
  assert.ok(Date.now() <= begin + (end - begin) * 2 / 3 + 1500, 'before two thirds of its life, and what noticing it takes');
  for (const role of peers) {
    assert.ok(renewed[role].verify(new X509Certificate(ca).publicKey));
    assert.ok(Date.parse(renewed[role].validTo) > end);
  }
  // The old connections outlive the certificate that they began with.
  await until('the first certificate to have ended', () => Date.now() > end + 1000);
  for (const role of peers) assert.equal(await ask(old[role].socket), 'HTTP/1.1 200 OK', role);
  const before = heard.length;
  await until('heartbeats on the old connection', () => heard.length > before);
  await stack.connect('observer');
  assert.equal((await stack.get('client')).edition, 'enterprise');
});

test('a user made with lsys nats, in the folder, is let in at once, and out when it is revoked', async (t) => {
  const stack = await SecureStack.start(t);
  const creds = path.join(stack.folder, 'shop.creds');
  await lsysOk(['nats', 'user', 'add', 'licensing', 'shop', '--template', 'license-client', '--creds', creds, '--dir', stack.file('nats')]);
  const { connection } = await stack.connect(undefined, { authenticator: credsAuthenticator(readFileSync(creds)) });
  await connection.flush();
  await lsysOk(['nats', 'user', 'revoke', 'licensing', 'shop', '--dir', stack.file('nats')]);
  await until('the revoked user to be shown out', () => connection.isClosed());
});

test('the folder is one of lsys nats: from a copy of it, users are added and revoked with a push over TLS', async (t) => {
  const stack = await SecureStack.start(t);
  const copy = path.join(temporaryFolder(t), 'nats');
  cpSync(stack.file('nats'), copy, { recursive: true });
  const nats = (...args) => lsysOk(['nats', ...args, '--dir', copy]);
  const push = (...flags) => nats('push', '--nats', `tls://127.0.0.1:${stack.ports.nats}`, '--nats-ca', stack.file('ca.pem'),
    '--timeout', '500ms', ...flags);
  assert.equal(statSync(path.join(copy, 'keys', 'sys.creds')).mode & 0o777, 0o600);
  const creds = path.join(stack.folder, 'shop.creds');
  await nats('user', 'add', 'licensing', 'shop', '--template', 'license-client', '--creds', creds);
  const { connection: shop } = await stack.connect(undefined, { authenticator: credsAuthenticator(readFileSync(creds)) });
  const { connection: observer } = await stack.connect('observer');
  await nats('revoke', 'licensing', 'shop');
  await shop.flush(); // the broker has not been told
  assert.match(await push(), /^licensing +\S+: 200 jwt updated$/m);
  await until('the revoked user to be shown out', () => shop.isClosed());
  await observer.flush();

  await nats('account', 'add', 'another');
  await push();
  const own = path.join(stack.folder, 'own.creds');
  await nats('user', 'add', 'another', 'own', '--creds', own);
  await stack.connect(undefined, { authenticator: credsAuthenticator(readFileSync(own)) });
});

/// The status of a request to a port, or the error's code; `options` are those of https.request.
function status(port, { body, ...options }) {
  return new Promise((resolve) => {
    const request = https.request({ host: '127.0.0.1', servername: 'localhost', port, agent: false, ...options }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', (error) => resolve(error.code));
    request.end(body);
  });
}

test('reading is open to programs on this machine; changing anything needs a key, and pages of others get nothing', async (t) => {
  const stack = await SecureStack.start(t);
  const ca = stack.read('ca.pem');
  const key = readFileSync(path.join(stack.folder, 'cache-api-key'), 'utf8').trim();
  const reads = { page: ['/', '/v1/stack', '/metrics'], server: ['/v1/license', '/metrics'], client: ['/v1/license', '/metrics'],
    master: ['/healthz', '/metrics'], slave: ['/api/licenses/current', '/metrics'] };
  for (const [role, paths] of Object.entries(reads)) {
    for (const file of paths) {
      const ask = (headers) => status(stack.ports[role], { ca, path: file, headers });
      assert.equal(await ask({}), 200, `${role} ${file}`);
      assert.equal(await ask({ Origin: 'https://evil.example' }), 403, `${role} ${file}`);
      assert.equal(await ask({ Host: 'evil.example' }), 421, `${role} ${file}`);
    }
    for (const method of ['POST', 'PUT', 'DELETE'])
      assert.equal(await status(stack.ports[role], { ca, path: paths[0], method }), 405, `${role} ${method}`);
  }
  const post = (role, file, headers = {}) => status(stack.ports[role], { ca, path: file, method: 'POST', body: '{}', headers });
  assert.equal(await status(stack.ports.master, { ca, path: '/api/licenses' }), 401);
  assert.equal(await status(stack.ports.slave, { ca, path: '/api/licenses' }), 401);
  for (const [role, file] of [['master', '/api/sessions'], ['master', '/api/admin/keys']]) {
    assert.equal(await post(role, file), 401, file);
    assert.equal(await post(role, file, { 'X-API-Key': `${key}x` }), 401, file);
    assert.equal(await post(role, file, { Origin: 'https://evil.example', 'X-API-Key': key }), 403, file);
    assert.ok([201, 422].includes(await post(role, file, { 'X-API-Key': key })), file);
  }
  // The one exception: a sync may be begun by a program on this machine, but not by a page.
  assert.equal(await post('slave', '/api/licenses/manual-sync'), 200);
  assert.equal(await post('slave', '/api/licenses/manual-sync', { Origin: `https://127.0.0.1:${stack.ports.slave}` }), 401);
  assert.equal(await post('slave', '/api/licenses/manual-sync', { Origin: 'https://evil.example' }), 403);
});

test('off loopback the HTTP ports need client certificates, and the page then lets in nobody without', async (t) => {
  const folder = temporaryFolder(t);
  const pki = path.join(folder, 'pki');
  await lsysOk(['ca', 'init', '--out', pki]);
  const issue = async (name, from = pki) => {
    const prefix = path.join(folder, name);
    await lsysOk(['ca', 'issue', '--ca', from, '--name', name, '--out', prefix]);
    return { cert: readFileSync(`${prefix}.pem`), key: readFileSync(`${prefix}.key.pem`) };
  };
  const clientCa = path.join(pki, 'ca.pem');
  const master = `127.0.0.1:${await freePort()}`;
  for (const flag of ['--http', '--server-http', '--client-http']) {
    const flags = ['--http', '--listen', '--server-http', '--client-http', '--master-http', '--slave-http']
      .flatMap((name) => [name, name === flag ? '0.0.0.0:0' : name === '--master-http' ? master : '127.0.0.1:0']);
    const { code, stderr } = await lsys(['up', '--secure', '--data-dir', temporaryFolder(t), ...flags]);
    assert.notEqual(code, 0, flag);
    assert.match(stderr, /--tls-client-ca|--insecure-listen/, flag);
  }
  const stack = await SecureStack.start(t, { folder: path.join(folder, 'data'), pageHost: '0.0.0.0', flags: ['--tls-client-ca', clientCa] });
  const ask = (certificate = {}) => status(stack.ports.page, { ca: stack.read('ca.pem'), path: '/v1/stack', ...certificate });
  assert.equal(await ask(await issue('admin')), 200);
  assert.match(String(await ask()), /^(E|ERR)/);
  const other = path.join(folder, 'other');
  await lsysOk(['ca', 'init', '--out', other]);
  assert.match(String(await ask(await issue('stranger', other))), /^(E|ERR)/);
});

test('roles that it cannot secure are refused by name, and the broker has to be there', async (t) => {
  const start = async (...roles) => lsys(['up', ...roles, '--secure', '--data-dir', temporaryFolder(t),
    '--http', `127.0.0.1:${await freePort()}`]);
  const without = await start('license-server', 'license-client');
  assert.equal(without.code, 64);
  assert.match(without.stderr, /--secure needs the broker/);
  const stranger = await start('broker', 'chat-node');
  assert.equal(stranger.code, 64);
  assert.match(stranger.stderr, /"chat-node" is (to be run by itself|not a role)/);
});
