// A client of ours resumes TLS sessions, as servers by others see it and as anybody on the line does; and does not when
// what it once verified holds no longer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fastTimes, page, Slave } from './lib/cache.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { binary, run, start, startLsys } from './lib/lsys.mjs';
import { makeCertificate } from './lib/openssl.mjs';
import { freePort } from './lib/ports.mjs';
import { TlsWatch } from './lib/tls_watch.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const NAMES = 'subjectAltName = DNS:localhost, IP:127.0.0.1';
const LEAF = ['basicConstraints = critical, CA:FALSE', 'extendedKeyUsage = serverAuth', NAMES];
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

const pki = {};
let folder;
let vendor;

async function makeEverything() {
  const ca = (name) => makeCertificate(folder, name, { extensions: ['basicConstraints = critical, CA:TRUE',
    'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'] });
  pki.ca = await ca('ca');
  pki.stranger = await ca('stranger');
  pki.server = await makeCertificate(folder, 'server', { issuer: pki.ca, extensions: LEAF });
  pki.rsa = await makeCertificate(folder, 'rsa', { issuer: pki.ca, extensions: LEAF, kind: 'rsa2048' });
  for (const { key } of Object.values(pki)) chmodSync(key, 0o600);
  vendor = await Vendor.create(folder);
  await vendor.issue('license');
}

// ---- peers ----

/// A server's certificate that is over in `seconds`.
async function makeShort(t, seconds) {
  const stamp = (ms) => new Date(ms).toISOString().replace(/^..|[-:T]|\.\d+/g, '');
  return makeCertificate(temporaryFolder(t), 'short', { issuer: pki.ca, extensions: LEAF,
    start: stamp(Date.now() - 3_600_000), end: stamp(Date.now() + seconds * 1000) });
}

/// A broker with TLS, and a watch on the line to it.
async function startBroker(t, certificate) {
  const port = await freePort();
  const broker = startLsys(t, ['broker', '--listen', `127.0.0.1:${port}`, '--tls-cert', certificate.pem,
    '--tls-key', certificate.key]);
  await broker.untilOutput(/url=(nats|tls):/);
  return TlsWatch.start(t, port);
}

/// A license server that uses that broker: {process, condition()}, where the condition is what it says of NATS itself.
async function startServer(t, watch, flags, { wrapper = [] } = {}) {
  const [program, ...args] = [...wrapper, binary, 'license-server', '--license', path.join(folder, 'license'),
    '--keys', vendor.keys, '--data-dir', path.join(temporaryFolder(t), 'data'), '--http', '127.0.0.1:0',
    '--nats', `tls://localhost:${watch.port}`, ...flags];
  const process = start(t, program, args);
  const [, url] = await process.untilOutput(/url=(http:\/\/\S+)/);
  const condition = async () => (await get(`${url}/readyz`)).json.conditions.find((row) => row.name === 'nats');
  return { process, condition };
}

/// Tears the connection and waits for the next handshake.
async function reconnect(watch) {
  const count = watch.handshakes.length;
  watch.cut();
  await until('another handshake', () => watch.handshakes.length > count);
  return watch.handshakes.at(-1);
}

const untilConnected = (server) => until('the connection', async () => (await server.condition()).met);
const untilRefused = (server, pattern) => until(`the refusal: ${pattern}`, async () => {
  const { reason } = await server.condition();
  if (!pattern.test(reason)) throw new Error(reason);
  return reason;
}, 20_000);

describe('a client\'s TLS sessions', () => {
  folder = temporaryFolder({ after });
  before(makeEverything);

  // ---- HTTPS ----

  test('Node\'s https sees calls of one role resume', async (t) => {
    const sessions = new Map();
    const reused = [];
    const identity = { cert: readFileSync(pki.server.pem), key: readFileSync(pki.server.key) };
    const master = https.createServer({ ...identity, maxVersion: 'TLSv1.2' }, (request, response) => {
      reused.push(request.socket.isSessionReused());
      if (request.url.endsWith('/stream')) return response.writeHead(404).end(); // no push: it polls
      return response.writeHead(200, { 'Content-Type': 'application/json', Connection: 'close' })
        .end(JSON.stringify(page([path.join(folder, 'license')])));
    });
    master.on('newSession', (id, data, done) => {
      sessions.set(id.toString('hex'), data);
      done();
    });
    master.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) ?? null));
    t.after(() => master.close());
    master.listen(0, '127.0.0.1');
    await once(master, 'listening');
    const slave = await Slave.start(t, vendor, `https://localhost:${master.address().port}`,
      { flags: ['--https-ca', pki.ca.pem] });
    await slave.untilCurrent((current) => current.licensed);
    await until('several calls', () => reused.length >= 4);
    assert.equal(reused[0], false);
    assert.ok(reused.slice(1).some((is) => is), `reused: ${reused}`);
  });

  for (const name of ['server', 'rsa']) {
    test(`openssl s_server sees them resume: ${name === 'rsa' ? 'RSA' : 'P-256'}`, async (t) => {
      const port = await freePort();
      const server = start(t, 'openssl', ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', pki[name].pem,
        '-key', pki[name].key, '-tls1_2', '-no_ticket', '-www', '-msg']);
      await server.untilOutput(/ACCEPT/);
      await Slave.start(t, vendor, `https://localhost:${port}`, { flags: ['--https-ca', pki.ca.pem], times: fastTimes() });
      const pattern = (message) => new RegExp(`^(<<<|>>>) TLS 1\\.\\d, Handshake .*, ${message}$`, 'gm');
      const count = (message) => server.output.match(pattern(message))?.length ?? 0;
      await until('four handshakes', () => count('ClientHello') >= 4 && count('Finished') >= 8);
      // A call and the push may both begin before there is a session.
      assert.ok(count('Certificate') <= 2, `${count('Certificate')} certificates in ${count('ClientHello')} handshakes`);
    });
  }

  // ---- NATS ----

  test('a NATS client that comes back resumes, whatever the server\'s key is', async (t) => {
    for (const name of ['server', 'rsa']) {
      const watch = await startBroker(t, pki[name]);
      const server = await startServer(t, watch, ['--nats-ca', pki.ca.pem]);
      await untilConnected(server);
      assert.deepEqual(watch.handshakes, ['full']);
      for (let i = 0; i < 3; i++) {
        assert.equal(await reconnect(watch), 'resumed');
        await untilConnected(server);
      }
    }
  });

  test('another server behind the same name and port is verified', async (t) => {
    const watch = await startBroker(t, pki.server);
    const server = await startServer(t, watch, ['--nats-ca', pki.ca.pem]);
    await untilConnected(server);
    const foreign = await makeCertificate(temporaryFolder(t), 'foreign', { issuer: pki.stranger, extensions: LEAF });
    watch.target = (await startBroker(t, foreign)).target;
    assert.equal(await reconnect(watch), 'full');
    await untilRefused(server, /unknown issuer CN=stranger of certificate CN=foreign/);
  });

  test('another CA in the file ends the trust in the session', async (t) => {
    const ca = path.join(temporaryFolder(t), 'ca.pem');
    copyFileSync(pki.ca.pem, ca);
    const watch = await startBroker(t, pki.server);
    const server = await startServer(t, watch, ['--nats-ca', ca]);
    await untilConnected(server);
    copyFileSync(pki.stranger.pem, ca);
    assert.equal(await reconnect(watch), 'full');
    await untilRefused(server, /unknown issuer CN=ca of certificate CN=server/);
    copyFileSync(pki.ca.pem, ca);
    await untilConnected(server);
    assert.equal(watch.handshakes.at(-1), 'full');
    assert.equal(await reconnect(watch), 'resumed');
  });

  test('another name is not resumed', async (t) => {
    const only = await makeCertificate(temporaryFolder(t), 'only', { issuer: pki.ca,
      extensions: [...LEAF.slice(0, 2), 'subjectAltName = DNS:localhost'] });
    const watch = await startBroker(t, only);
    const server = await startServer(t, watch, ['--nats', `tls://127.0.0.1:${watch.port}`, '--nats-ca', pki.ca.pem]);
    for (let i = 0; i < 4; i++) {
      await untilConnected(server);
      await reconnect(watch);
    }
    await untilConnected(server);
    const count = (kind) => watch.handshakes.filter((seen) => seen === kind).length;
    assert.ok(count('resumed') >= 4, `${watch.handshakes}`); // as localhost
    assert.ok(count('full') >= 5, `${watch.handshakes}`); // each time as 127.0.0.1
  });

  test('a session ends with the certificate that it rests on', async (t) => {
    const short = await makeShort(t, 12);
    const watch = await startBroker(t, short);
    const server = await startServer(t, watch, ['--nats-ca', pki.ca.pem]);
    await untilConnected(server);
    assert.equal(await reconnect(watch), 'resumed');
    await untilConnected(server);
    const { stdout } = await run('openssl', ['x509', '-in', short.pem, '-noout', '-enddate']);
    const end_ms = Date.parse(stdout.split('=')[1]);
    await until('the end of the certificate', () => Date.now() > end_ms + 1000, 20_000);
    assert.equal(await reconnect(watch), 'full');
    await untilRefused(server, /certificate expired on .* \(CN=short\)/);
  });

  // ---- the system's CAs ----

  test('the system\'s CAs are read once, and again when they change', async (t) => {
    // A mount namespace of its own, in which the deployment's CA is the system's.
    const own = path.join(temporaryFolder(t), 'bundle.pem');
    copyFileSync(pki.ca.pem, own);
    const wrapper = ['unshare', '--mount', '--map-root-user', 'sh', '-c',
      `mount --bind ${own} ${BUNDLE} && exec "$@"`, 'sh'];
    const probe = existsSync(BUNDLE) ? await run(wrapper[0], [...wrapper.slice(1), 'cmp', own, BUNDLE]) : { code: 1 };
    if (probe.code !== 0) return t.skip(`a mount over ${BUNDLE} is not possible here`);

    // A file that was changed a moment before it was read is read once more, since it may have changed again.
    const untilSettled = () => until('the file to be old enough', () => Date.now() - statSync(own).mtimeMs > 500);
    await untilSettled();
    const trace = path.join(temporaryFolder(t), 'trace');
    const watch = await startBroker(t, pki.server);
    const server = await startServer(t, watch, [],
      { wrapper: [...wrapper, 'strace', '-D', '-f', '-e', 'trace=open,openat', '-o', trace] });
    const reads = () => readFileSync(trace, 'utf8').split('\n').filter((line) => line.includes(BUNDLE)).length;
    await untilConnected(server);
    for (let i = 0; i < 4; i++) {
      assert.equal(await reconnect(watch), 'resumed');
      await untilConnected(server);
    }
    assert.equal(reads(), 1);

    writeFileSync(own, readFileSync(pki.stranger.pem)); // in its place: the mount is of this file
    assert.equal(await reconnect(watch), 'full');
    await untilRefused(server, /unknown issuer CN=ca of certificate CN=server/);
    writeFileSync(own, readFileSync(pki.ca.pem));
    await untilConnected(server);
    await untilSettled();
    await reconnect(watch);
    await untilConnected(server);
    const before = reads();
    for (let i = 0; i < 3; i++) {
      assert.equal(await reconnect(watch), 'resumed');
      await untilConnected(server);
    }
    assert.equal(reads(), before);
    return undefined;
  });
});
