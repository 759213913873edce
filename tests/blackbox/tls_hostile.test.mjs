// Everything that a peer can do wrong in TLS, done to each side of ours: to HTTPS and the broker's TLS as servers, to the
// cache slave's HTTPS and the license client's NATS as clients. Nobody gets in, nothing is said to the wrong one, the reason
// can be read, and the next who comes is served.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { page, Slave } from './lib/cache.mjs';
import { Client } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { startLsys } from './lib/lsys.mjs';
import { daysFromNow, makeCertificate } from './lib/openssl.mjs';
import { alert, APPLICATION_DATA, CERTIFICATE, certificateBody, CHANGE_CIPHER_SPEC, editMessage, HANDSHAKE, listen, record,
  rewriter, SERVER_HELLO, tamper } from './lib/tls_tamper.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const NAMES = 'subjectAltName = DNS:localhost, IP:127.0.0.1';
const INFO = `INFO ${JSON.stringify({ server_id: 'x', server_name: 'x', version: '2.10.0', proto: 1, headers: true,
  max_payload: 1_048_576, tls_required: true })}\r\n`;
const LEGACY = 'ALL:@SECLEVEL=0'; // what OpenSSL has but does not speak unless told

const pki = {};
const folder = temporaryFolder({ after });
let vendor;

async function makeEverything() {
  const ca = (name) => makeCertificate(folder, name, { extensions: ['basicConstraints = critical, CA:TRUE',
    'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'] });
  const issue = async (name, { purpose = 'serverAuth', names = NAMES, ...options } = {}) => {
    pki[name] = await makeCertificate(folder, name, { issuer: pki.ca,
      extensions: ['basicConstraints = critical, CA:FALSE', `extendedKeyUsage = ${purpose}`, ...(names ? [names] : [])],
      ...options });
  };
  const past = { start: daysFromNow(-9), end: daysFromNow(-1) };
  pki.ca = await ca('ca');
  pki.stranger = await ca('stranger');
  await issue('server');
  await issue('rsa', { kind: 'rsa2048' });
  await issue('second');
  await issue('expired', past);
  await issue('future', { start: daysFromNow(1), end: daysFromNow(9) });
  await issue('misnamed', { names: 'subjectAltName = DNS:edge-9' });
  await issue('unnamed', { names: '', subject: '/CN=localhost' });
  await issue('foreign', { issuer: pki.stranger });
  await issue('weak', { kind: 'rsa1024' });
  await issue('client', { purpose: 'clientAuth' });
  await issue('clientRsa', { purpose: 'clientAuth', kind: 'rsa2048' });
  await issue('clientSecond', { purpose: 'clientAuth' });
  await issue('clientExpired', { purpose: 'clientAuth', ...past });
  await issue('clientForeign', { purpose: 'clientAuth', issuer: pki.stranger });
  await issue('clientWeak', { purpose: 'clientAuth', kind: 'rsa1024' });
  for (const { key } of Object.values(pki)) chmodSync(key, 0o600);
  vendor = await Vendor.create(folder);
}

before(makeEverything);

const identity = (name) => ({ cert: readFileSync(pki[name].pem), key: readFileSync(pki[name].key) });
const ours = () => ({ servername: 'localhost', ca: readFileSync(pki.ca.pem) });
const derOf = (name) => new X509Certificate(readFileSync(pki[name].pem)).raw;

/// The other chain in place of the one that is sent.
const showing = (name) => editMessage(CERTIFICATE, () => certificateBody(derOf(name)));

// ---- servers that must not be believed ----

/// A server that speaks TLS with these options and answers nothing; what it is told is in `heard`.
const speaks = (options, answer = () => {}) => ({ serve: (socket, heard) => {
  const secure = new tls.TLSSocket(socket, { isServer: true, maxVersion: 'TLSv1.2', ...options() });
  secure.on('error', () => {});
  secure.on('data', (piece) => {
    heard.push(piece);
    answer(secure, piece.toString());
  });
} });

/// A server that waits for the ClientHello and sends these bytes; `ends`: and no more.
const sends = (bytes, { ends = false } = {}) => ({ serve: (socket) => {
  socket.once('data', () => {
    socket.write(Buffer.from(bytes));
    if (ends) socket.end();
  });
  socket.on('end', () => socket.end());
} });

const servers = [
  { what: 'a certificate of another CA', ...speaks(() => identity('foreign')),
    text: /unknown issuer CN=stranger of certificate CN=foreign/ },
  { what: 'an expired certificate', ...speaks(() => identity('expired')),
    text: /certificate expired on \S+Z \(CN=expired\)/ },
  { what: 'a certificate of the future', ...speaks(() => identity('future')),
    text: /certificate is not valid before \S+Z \(CN=future\): is the clock right/ },
  { what: 'another name', ...speaks(() => identity('misnamed')), text: /name localhost not in \[edge-9\]/ },
  { what: 'a name in CN only', ...speaks(() => identity('unnamed')),
    text: /no subjectAltName; the common name does not count/ },
  { what: 'a client\'s certificate', ...speaks(() => identity('client')),
    text: /not meant for a server \(serverAuth\)/ },
  { what: 'an RSA key of 1024 bits', ...speaks(() => ({ ...identity('weak'), ciphers: LEGACY })),
    text: /1024 bits, which is less than 2048/ },
  { what: 'the certificate of another key', ...speaks(() => identity('second')), change: () => showing('server'),
    text: /the peer's signature on the handshake is wrong/ },
  { what: 'only weak ciphers', ...speaks(() => ({ ...identity('rsa'), ciphers: 'AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0' })),
    text: /the peer refused the TLS handshake: handshake_failure/ },
  { what: 'a cipher that was not offered', ...speaks(() => identity('rsa')),
    change: () => editMessage(SERVER_HELLO, (body) => {
      const at = 35 + body[34];
      return Buffer.concat([body.subarray(0, at), Buffer.from([0xc0, 0x13]), body.subarray(at + 2)]);
    }), text: /the server chose a cipher suite that was not offered/ },
  { what: 'TLS 1.0 only',
    ...speaks(() => ({ ...identity('server'), minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: LEGACY })),
    text: /the peer refused the TLS handshake: (protocol_version|handshake_failure)/ },
  { what: 'TLS 1.0 in spite of the ClientHello', ...speaks(() => identity('server')),
    change: () => editMessage(SERVER_HELLO, (body) => Buffer.concat([Buffer.from([3, 1]), body.subarray(2)])),
    text: /the peer does not speak TLS 1\.2/ },
  { what: 'a truncated record', ...sends([22, 3, 3, 1, 0, 2, 0, 0], { ends: true }),
    text: /the peer closed the connection during the TLS handshake/ },
  { what: 'an oversized record', ...sends([22, 3, 3, 255, 255, 2, 0, 0]),
    text: /a record (is larger than|has a length that) TLS/ },
  { what: 'an alert in mid-handshake', ...sends(alert(80)),
    text: /the peer refused the TLS handshake: internal_error \(alert 80\)/ },
  { what: 'application data before the handshake', ...sends(record(APPLICATION_DATA, 'hello')),
    text: /what came is not TLS|out of order/ },
  { what: 'an altered Finished', ...speaks(() => identity('server')),
    change: () => (type, body, number, counts) => (type === HANDSHAKE && counts.get(CHANGE_CIPHER_SPEC)
      ? record(type, body.map((byte, i) => (i === 20 ? byte ^ 1 : byte))) : undefined),
    text: /a TLS record was altered on its way/ },
  { what: 'no TLS', ...sends('HTTP/1.1 400 Bad Request\r\n\r\n'), text: /the peer seems to speak without it/ },
  { what: 'silence in mid-handshake', ...sends([]), https: /did not answer in time/, nats: /did not complete the TLS handshake in time/ },
];

/// Starts such a server; gives {port, heard}.
async function startServer(t, { serve, change }, greeting) {
  const heard = [];
  const port = await listen(t, (socket) => {
    if (greeting) socket.write(greeting);
    serve(socket, heard);
  });
  if (!change) return { port, heard };
  const toClient = () => rewriter(change(), { greeting: Boolean(greeting) });
  return { port: await tamper(t, port, { toClient }), heard };
}

describe('as a client', () => {
  for (const row of servers) {
    test(`the cache slave refuses a master with ${row.what}`, async (t) => {
      const { port, heard } = await startServer(t, row);
      const slave = await Slave.start(t, vendor, `https://localhost:${port}`, { flags: ['--https-ca', pki.ca.pem] });
      const [line] = await slave.process.untilOutput(new RegExp(`msg="a sync failed".*(${(row.https ?? row.text).source}).*`), 20_000);
      assert.match(line, /why=/);
      assert.equal(heard.length, 0, 'it was told something');
    });

    test(`the license client refuses a NATS server with ${row.what}`, async (t) => {
      const { port, heard } = await startServer(t, row, INFO);
      const client = await Client.start(t, vendor, `tls://localhost:${port}`, { flags: ['--nats-ca', pki.ca.pem] });
      await client.process.untilOutput(new RegExp(`TLS with the NATS server failed: .*(${(row.nats ?? row.text).source})`), 20_000);
      assert.equal(heard.length, 0, 'it was told something');
    });
  }

  test('the license client says nothing to a NATS server that offers no TLS', async (t) => {
    const heard = [];
    const port = await listen(t, (socket) => {
      socket.write(INFO.replace('true}', 'false}'));
      socket.on('data', (piece) => heard.push(piece));
    });
    const client = await Client.start(t, vendor, `tls://localhost:${port}`, { flags: ['--nats-ca', pki.ca.pem] });
    await client.process.untilOutput(/the NATS server offers no TLS, and without it nothing is sent/);
    assert.equal(heard.length, 0);
  });

  /// Asks for another handshake when it is first spoken to, and then answers.
  const renegotiates = (answer, renegotiated) => {
    const asked = new WeakSet();
    return speaks(() => identity('server'), (secure, text) => {
      if (!asked.has(secure)) secure.renegotiate({}, (error) => { if (!error) renegotiated.push(text); });
      asked.add(secure);
      answer(secure, text);
    });
  };

  test('the cache slave does not renegotiate, and goes on', async (t) => {
    const renegotiated = [];
    const body = JSON.stringify(page([await vendor.issue('license')]));
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    const { port } = await startServer(t, renegotiates((secure) => secure.end(head + body), renegotiated));
    const slave = await Slave.start(t, vendor, `https://localhost:${port}`, { flags: ['--https-ca', pki.ca.pem] });
    await slave.untilCurrent((current) => current.licensed);
    assert.deepEqual(renegotiated, []);
  });

  test('the license client does not renegotiate, and goes on', async (t) => {
    const renegotiated = [];
    const pong = (secure, text) => secure.write(text.includes('PING') ? 'PONG\r\n' : '');
    const { port } = await startServer(t, renegotiates(pong, renegotiated), INFO);
    const client = await Client.start(t, vendor, `tls://localhost:${port}`, { flags: ['--nats-ca', pki.ca.pem] });
    await client.process.untilOutput(/connected to NATS/);
    assert.deepEqual(renegotiated, []);
  });
});

// ---- clients that must not get in ----

/// What happens on the wire after `bytes`: everything that came until the end.
async function answerTo(socket, bytes) {
  const pieces = [];
  socket.on('data', (piece) => pieces.push(piece));
  socket.write(Buffer.from(bytes));
  await until('the end of the connection', () => socket.closed);
  return Buffer.concat(pieces);
}

/// The error that a client of Node's meets, at the latest when it reads.
function failureOf(socket, options) {
  return new Promise((resolve, reject) => {
    const secure = tls.connect({ socket, ...ours(), maxVersion: 'TLSv1.2', ...options });
    secure.on('error', (error) => resolve(error.message));
    secure.on('close', () => resolve('closed'));
    secure.on('secureConnect', () => setTimeout(() => reject(new Error('it was let in')), 3000).unref());
  });
}

const clients = [
  { what: 'a certificate of another CA', mutual: true, options: () => identity('clientForeign'), sees: /alert unknown ca/,
    log: /the client's certificate: unknown issuer CN=stranger of certificate CN=clientForeign/ },
  { what: 'an expired certificate', mutual: true, options: () => identity('clientExpired'), sees: /alert certificate expired/,
    log: /the client's certificate: certificate expired on \S+Z \(CN=clientExpired\)/ },
  { what: 'a server\'s certificate', mutual: true, options: () => identity('server'), sees: /alert unsupported certificate/,
    log: /not meant for a client \(clientAuth\)/ },
  { what: 'no certificate', mutual: true, options: () => ({}), sees: /alert handshake failure/, log: /the client sent no certificate/ },
  { what: 'an RSA key of 1024 bits', mutual: true, options: () => ({ ...identity('clientWeak'), ciphers: LEGACY }),
    sees: /alert (handshake failure|unsupported certificate)/, log: /1024 bits, which is less than 2048/ },
  { what: 'the certificate of another key', mutual: true, options: () => identity('clientSecond'), change: () => showing('client'),
    sees: /alert decrypt error|closed/, log: /the peer's signature on the handshake is wrong/ },
  { what: 'weak ciphers', options: () => ({ ciphers: 'AES128-SHA:DES-CBC3-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' }),
    sees: /alert handshake failure/,
    log: /we refused the TLS handshake: handshake_failure \(alert 40\): no cipher suite, curve or signature is common to both/ },
  { what: 'TLS 1.0', options: () => ({ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: LEGACY }),
    sees: /alert protocol version/,
    log: /we refused the TLS handshake: protocol_version \(alert 70\): the peer does not speak TLS 1\.2/ },
  { what: 'TLS 1.1', options: () => ({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: LEGACY }),
    sees: /alert protocol version/,
    log: /we refused the TLS handshake: protocol_version \(alert 70\): the peer does not speak TLS 1\.2/ },
];

const rawClients = [
  { what: 'an oversized record', bytes: [22, 3, 1, 255, 255], answer: alert(22),
    log: /a record (is larger than|has a length that) TLS/ },
  { what: 'plain text', bytes: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', answer: alert(10),
    log: /the peer seems to speak without it/ },
  { what: 'a server\'s message', bytes: record(HANDSHAKE, [2, 0, 0, 0]), answer: alert(10), log: /a TLS message came out of order/ },
  { what: 'an alert in mid-handshake', hello: true, bytes: alert(80),
    log: /the peer refused the TLS handshake: internal_error \(alert 80\)/ },
  { what: 'a record that is cut short', bytes: [22, 3, 1, 1, 0, 1], ends: true,
    log: /the peer closed the connection during the TLS handshake/ },
];

/// A ClientHello of Node's.
function captureHello() {
  return new Promise((resolve) => {
    const catcher = net.createServer((socket) => socket.once('data', (bytes) => {
      resolve(bytes);
      socket.destroy();
      catcher.close();
    })).listen(0, '127.0.0.1', () => {
      tls.connect({ port: catcher.address().port, host: '127.0.0.1', maxVersion: 'TLSv1.2' }).on('error', () => {});
    });
  });
}

describe('as a server', () => {
  let hello;
  before(async () => { hello = await captureHello(); });

  /// One for each test, since of many failures a second not all are logged. Gives {process, https, nats}, ports.
  const startBroker = async (t, isMutual) => {
    const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--tls-cert', pki.server.pem,
      '--tls-key', pki.server.key, ...(isMutual ? ['--tls-client-ca', pki.ca.pem] : [])]);
    const port = async (scheme) => Number((await process.untilOutput(new RegExp(`url=${scheme}://127\\.0\\.0\\.1:(\\d+)`)))[1]);
    return { process, https: await port('https'), nats: await port('(?:tls|nats)') };
  };

  /// A socket at the point where TLS begins.
  const reach = async (t, port, where) => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, where === 'nats' ? 'data' : 'connect');
    return socket;
  };

  /// Somebody who is in order is served, on the same port.
  const isAlive = async (t, port, where, options = {}) => {
    const secure = tls.connect({ socket: await reach(t, port, where), ...ours(), ...options });
    secure.write(where === 'nats' ? 'CONNECT {"verbose":true}\r\n' : 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let text = '';
    secure.on('data', (piece) => { text += piece; });
    await until('an answer', () => /\+OK\r\n|"status":"ok"/.test(text));
    secure.destroy();
  };

  const name = { https: 'HTTPS', nats: 'the broker' };
  for (const where of ['https', 'nats']) {
    for (const row of clients) {
      test(`${name[where]} refuses a client with ${row.what}`, async (t) => {
        const { process, [where]: port } = await startBroker(t, row.mutual);
        const toServer = row.change && (() => rewriter(row.change()));
        const at = toServer ? await tamper(t, port, { toServer }) : port;
        assert.match(await failureOf(await reach(t, at, where), row.options()), row.sees);
        await process.untilOutput(row.log);
        await isAlive(t, port, where, row.mutual ? identity('clientRsa') : {});
      });
    }

    for (const row of rawClients) {
      test(`${name[where]} refuses ${row.what}`, async (t) => {
        const { process, [where]: port } = await startBroker(t);
        const socket = await reach(t, port, where);
        if (row.hello) {
          socket.write(hello);
          await once(socket, 'data');
        }
        if (row.ends) socket.end(Buffer.from(row.bytes));
        const answer = row.ends ? undefined : await answerTo(socket, row.bytes);
        if (row.answer) assert.deepEqual(answer, row.answer);
        await process.untilOutput(row.log);
        await isAlive(t, port, where);
      });
    }

    test(`${name[where]} refuses to renegotiate`, async (t) => {
      const { [where]: port } = await startBroker(t);
      const secure = tls.connect({ socket: await reach(t, port, where), ...ours(), maxVersion: 'TLSv1.2' });
      t.after(() => secure.destroy());
      await once(secure, 'secureConnect');
      const refusal = new Promise((resolve) => secure.on('error', resolve));
      assert.ok(secure.renegotiate({}, () => {}));
      assert.match((await refusal).message, /no renegotiation/);
      await isAlive(t, port, where);
    });
  }
});
