// `lsys up`: the whole stack in one process, seen from outside with clients that nobody here wrote.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { connect, StringCodec } from 'nats';
import { temporaryFolder } from './lib/folders.mjs';
import { get, untilAnswer } from './lib/http.mjs';
import { lsys, lsysOk, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { until } from './lib/wait.mjs';

const text = StringCodec();

/// Starts the stack on free ports; gives the process and its addresses.
async function up(t, dataDir, flags = [], options = {}) {
  const ports = { page: await freePort(), nats: await freePort(), server: await freePort(), client: await freePort(),
    master: await freePort(), slave: await freePort() };
  const background = startLsys(t, ['up', '--data-dir', dataDir, '--http', `127.0.0.1:${ports.page}`,
    '--listen', `127.0.0.1:${ports.nats}`, '--server-http', `127.0.0.1:${ports.server}`,
    '--client-http', `127.0.0.1:${ports.client}`, '--master-http', `127.0.0.1:${ports.master}`,
    '--slave-http', `127.0.0.1:${ports.slave}`, ...flags], options);
  const url = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `http://127.0.0.1:${port}`]));
  return { background, ports, url, nats: `nats://127.0.0.1:${ports.nats}` };
}

/// Collects what is published on a subject until the test ends.
async function listen(t, server, subject) {
  const connection = await connect({ servers: server });
  t.after(() => connection.close());
  const messages = [];
  const subscription = connection.subscribe(subject);
  (async () => { for await (const message of subscription) messages.push(JSON.parse(text.decode(message.data))); })();
  await connection.flush();
  return { connection, messages };
}

/// Checks a message as an application in any language would: proof and license with an ordinary JOSE library.
async function verifyMessage(message, jwks) {
  const claims = JSON.parse(Buffer.from(message.proof.split('.')[1], 'base64url'));
  const proof = await jwtVerify(message.proof, await importJWK(claims.cnf.jwk, 'EdDSA'), { typ: 'status+jwt' });
  assert.equal(proof.payload.status, message.license.status);
  assert.equal(proof.payload.seq, message.seq);
  if (!message.token) return { proof };
  assert.equal(decodeProtectedHeader(message.token).typ, 'license+jwt');
  return { proof, license: await jwtVerify(message.token, createLocalJWKSet(jwks), { typ: 'license+jwt' }) };
}

test('a first start makes a demo license that the client believes', async (t) => {
  const folder = temporaryFolder(t);
  const { url } = await up(t, folder);
  const license = await untilAnswer(`${url.client}/v1/license`, (answer) => answer.edition === 'enterprise');
  assert.equal(license.status, 'valid');
  assert.equal(license.customer, 'This machine');
  assert.equal(license.features.nodes, 50);
  assert.equal(license.features.sso, true);
  assert.equal(statSync(path.join(folder, 'demo/vendor.key.jwk')).mode & 0o777, 0o600);
  assert.equal((await lsys(['check', 'sso', '--client', url.client])).code, 0);
  assert.notEqual((await lsys(['check', 'no-such-feature', '--client', url.client])).code, 0);
});

test('the demo license goes through the caches', async (t) => {
  const { url } = await up(t, temporaryFolder(t));
  const current = await untilAnswer(`${url.slave}/api/licenses/current`, (answer) => answer.licensed);
  assert.equal(current.edition, 'enterprise');
  assert.equal(current.rests_on, 'master');
  await untilAnswer(`${url.page}/v1/stack`, (stack) => stack.roles.every((role) => role.ready));
});

test('a stock NATS client receives a status and heartbeats that jose verifies', async (t) => {
  const folder = temporaryFolder(t);
  const { url, nats } = await up(t, folder, [], { env: { LSYS_LICENSE_SERVER_HEARTBEAT_INTERVAL: '200ms' } });
  await untilAnswer(`${url.client}/v1/license`, (answer) => answer.status === 'valid');
  const { connection, messages } = await listen(t, nats, 'license.status');
  const jwks = JSON.parse(readFileSync(path.join(folder, 'demo/vendor.jwks')));

  const nonce = 'AAECAwQFBgcICQoLDA0ODw';
  const answer = await connection.request('license.status.get', text.encode(JSON.stringify({ nonce })), { timeout: 2000 });
  const status = JSON.parse(text.decode(answer.data));
  const { proof, license } = await verifyMessage(status, jwks);
  assert.equal(status.type, 'status');
  assert.equal(proof.payload.nonce, nonce);
  assert.equal(license.payload.edition, 'enterprise');

  const heartbeat = await until('a heartbeat', () => messages.find((message) => message.type === 'heartbeat'));
  await verifyMessage(heartbeat, jwks);
  assert.equal(heartbeat.v, 1);
});

test('a replaced license file changes the client in under a second, and events tell it', async (t) => {
  const folder = temporaryFolder(t);
  const { url } = await up(t, folder);
  await untilAnswer(`${url.client}/v1/license`, (answer) => answer.edition === 'enterprise');
  const demo = path.join(folder, 'demo');
  await lsysOk(['issue', '--key', path.join(demo, 'vendor.key.jwk'), '--issuer', 'lsys demo vendor', '--product', 'demo',
    '--customer', 'This machine', '--edition', 'professional', '--valid-for', '30d', '--serial', '8',
    '--out', path.join(folder, 'mine.lic')]);
  const renamed = performance.now();
  renameSync(path.join(folder, 'mine.lic'), path.join(demo, 'demo.lic'));
  await untilAnswer(`${url.client}/v1/license`, (answer) => answer.edition === 'professional', 5000);
  assert.ok(performance.now() - renamed < 1000, `${performance.now() - renamed} ms`);
  await untilAnswer(`${url.page}/v1/stack`, (stack) => stack.license.edition === 'professional');
});

test('the audit log tells of each license, and of alerts', async (t) => {
  const folder = temporaryFolder(t);
  const { url, background } = await up(t, folder);
  await untilAnswer(`${url.client}/v1/license`, (answer) => answer.status === 'valid');
  writeFileSync(path.join(folder, 'demo/demo.lic'), 'garbage');
  await untilAnswer(`${url.page}/v1/stack`, (stack) => stack.events.some((event) => event.text.includes('refused')));
  await background.stop();
  const entries = (await lsysOk(['audit', '--data-dir', folder, '--json'])).trim().split('\n').map((line) => JSON.parse(line));
  const taken = entries.find((entry) => entry.action === 'license_changed');
  assert.equal(taken.actor, 'license-server');
  assert.equal(taken.detail.status, 'valid');
  assert.equal(taken.detail.customer, 'This machine');
  assert.ok(entries.some((entry) => entry.action === 'alert' && entry.detail.code === 'license_refused'));
  assert.match(await lsysOk(['audit', '--data-dir', folder, '--verify']), /unbroken/);
});

test('restarting keeps the vendor, the license and the server\'s key', async (t) => {
  const folder = temporaryFolder(t);
  const first = await up(t, folder);
  const before = await untilAnswer(`${first.url.client}/v1/license`, (answer) => answer.status === 'valid');
  assert.deepEqual(await first.background.stop(), { code: 0, signal: null });
  const second = await up(t, folder);
  const after = await untilAnswer(`${second.url.client}/v1/license`, (answer) => answer.status === 'valid');
  assert.equal(after.license_id, before.license_id);
});

test('the overview, the page and its assets are served with a strict policy', async (t) => {
  const { url } = await up(t, temporaryFolder(t));
  const stack = await untilAnswer(`${url.page}/v1/stack`, (answer) => answer.license.status === 'valid');
  assert.deepEqual(stack.roles.map((role) => role.name), ['broker', 'license-server', 'license-client',
    'cache-master', 'cache-slave']);
  assert.ok(stack.heartbeat.timeout_ms > 0);
  for (const [asset, type] of [['/', 'text/html'], ['/style.css', 'text/css'], ['/page.js', 'text/javascript'], ['/icon.svg', 'image/svg+xml']]) {
    const answer = await get(url.page + asset);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type'), new RegExp(`^${type.replace('+', '\\+')}`));
    assert.match(answer.headers.get('content-security-policy'), /default-src 'none'|default-src 'self'/);
    assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe/);
    const again = await get(url.page + asset, { headers: { 'If-None-Match': answer.headers.get('etag') } });
    assert.equal(again.status, 304);
  }
  assert.equal((await get(`${url.page}/../../etc/passwd`)).status, 404);
  assert.equal((await untilAnswer(`${url.page}/healthz`)).status, 'ok');
});

test('a taken port is answered with the flag to change', async (t) => {
  const taken = net.createServer();
  await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const address = `127.0.0.1:${taken.address().port}`;
  const free = async () => `127.0.0.1:${await freePort()}`;
  for (const flag of ['--http', '--listen', '--server-http', '--client-http', '--master-http', '--slave-http']) {
    const flags = { '--http': await free(), '--listen': await free(), '--server-http': await free(), '--client-http': await free(),
      '--master-http': await free(), '--slave-http': await free(), [flag]: address };
    const result = await lsys(['up', '--data-dir', temporaryFolder(t), ...Object.entries(flags).flat()]);
    assert.notEqual(result.code, 0, flag);
    assert.match(result.stderr, new RegExp(`${flag}\\b`), `${flag}: ${result.stderr}`);
    assert.match(result.stderr, /another program already listens|in use/, result.stderr);
  }
});

test('unknown and repeated roles are refused by name', async (t) => {
  const folder = temporaryFolder(t);
  const unknown = await lsys(['up', 'no-such-role', '--data-dir', folder]);
  assert.equal(unknown.code, 64);
  assert.match(unknown.stderr, /no-such-role/);
  assert.ok(!existsSync(path.join(folder, 'demo')), 'no vendor is made for a typing error');
  const repeated = await lsys(['up', 'broker', 'broker', '--data-dir', temporaryFolder(t), '--http', `127.0.0.1:${await freePort()}`]);
  assert.equal(repeated.code, 64);
  const nested = await lsys(['up', 'up', '--data-dir', temporaryFolder(t), '--http', `127.0.0.1:${await freePort()}`]);
  assert.equal(nested.code, 64);
});

test('a data folder in use is refused, naming who has it', async (t) => {
  const folder = temporaryFolder(t);
  const { background, url } = await up(t, folder);
  await untilAnswer(`${url.page}/v1/stack`);
  const second = await lsys(['up', '--data-dir', folder, '--http', `127.0.0.1:${await freePort()}`]);
  assert.notEqual(second.code, 0);
  assert.match(second.stderr, new RegExp(String(background.pid)));
});

test('SIGINT stops everything within two seconds, also while a page follows', async (t) => {
  const { background, url } = await up(t, temporaryFolder(t));
  await untilAnswer(`${url.page}/v1/stack`);
  const follower = await fetch(`${url.page}/v1/events`);
  const reader = follower.body.getReader();
  await reader.read();
  const before = performance.now();
  assert.deepEqual(await background.stop('SIGINT'), { code: 0, signal: null });
  assert.ok(performance.now() - before < 2000);
  await reader.cancel().catch(() => {});
});

test('killing it at any moment loses nothing: it starts again and is valid', async (t) => {
  const folder = mkdtempSync('/tmp/lsys-kill-');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (let round = 0; round < 12; round++) {
    const { background } = await up(t, folder);
    // A different moment each round, from before the first line of main to long after the first heartbeat.
    await new Promise((resolve) => setTimeout(resolve, round * 17));
    background.signal('SIGKILL');
    await background.ended();
  }
  const { url } = await up(t, folder);
  await untilAnswer(`${url.client}/v1/license`, (answer) => answer.status === 'valid');
});

test('a missing license file is waited for, and said', async (t) => {
  const folder = temporaryFolder(t);
  const first = await up(t, folder);
  await untilAnswer(`${first.url.client}/v1/license`, (answer) => answer.status === 'valid');
  await first.background.stop();
  const license = path.join(folder, 'demo/demo.lic');
  const content = readFileSync(license);
  unlinkSync(license);
  const { url } = await up(t, folder, ['--license', path.join(folder, 'absent.lic'), '--keys', path.join(folder, 'demo/vendor.jwks')]);
  const stack = await untilAnswer(`${url.page}/v1/stack`, (answer) => answer.roles.length === 5);
  assert.ok(stack.roles.find((role) => role.name === 'license-server'));
  writeFileSync(path.join(folder, 'absent.lic'), content);
  await untilAnswer(`${url.client}/v1/license`, (answer) => answer.status === 'valid');
});

test('the master may have any free port, which the slave is told, and hints at changes on the broker', async (t) => {
  const folder = temporaryFolder(t);
  const any = ['http', 'listen', 'server-http', 'client-http', 'master-http', 'slave-http'].flatMap((flag) => [`--${flag}`, '127.0.0.1:0']);
  const background = startLsys(t, ['up', '--data-dir', folder, ...any]);
  const url = async (role) => (await background.untilOutput(new RegExp(`${role} .*url=((http|nats)\\S+)`)))[1];
  const slave = await url('cache-slave');
  assert.ok(!(await url('cache-master')).endsWith(':0'));
  await untilAnswer(`${slave}/api/licenses/current`, (answer) => answer.licensed);
  const status = await untilAnswer(`${slave}/api/licenses/sync-status`, (answer) => answer.nats && answer.push);
  assert.equal(status.master, await url('cache-master'));
  const { messages } = await listen(t, await url('broker'), 'license.cache.changed');
  const renewed = path.join(folder, 'renewed.lic');
  await lsysOk(['issue', '--key', path.join(folder, 'demo/vendor.key.jwk'), '--customer', 'Port zero', '--edition', 'other',
    '--valid-for', '30d', '--out', renewed]);
  await lsysOk(['licenses', 'add', renewed, '--data-dir', folder]);
  await until('the hint', () => messages.length > 0);
  await untilAnswer(`${slave}/api/licenses/current`, (answer) => answer.license.customer === 'Port zero');
});
