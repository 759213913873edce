// lsys broker and nats-server with TLS: stock clients get in, and nobody else does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import * as transport from '@nats-io/transport-node';
import * as nats from 'nats';
import { brokers } from './lib/brokers.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, run, startLsys as startProgram } from './lib/lsys.mjs';
import { daysFromNow, makeCertificate } from './lib/openssl.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { until } from './lib/wait.mjs';

const CONNECT = 'CONNECT {"verbose":false,"headers":true,"no_responders":true,"protocol":1}\r\n';
const clients = [
  { name: 'npm nats 2', connect: nats.connect },
  { name: '@nats-io/transport-node 3', connect: transport.connect },
];

/// A CA and what it issued, made by openssl.
const pki = {};

/// The folder is the whole file's.
let folder;

async function makeEverything() {
  const names = 'subjectAltName = DNS:localhost, IP:127.0.0.1';
  const ca = (name) => makeCertificate(folder, name, { extensions: ['basicConstraints = critical, CA:TRUE',
    'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'] });
  const issue = async (name, options, ...extensions) => {
    pki[name] = await makeCertificate(folder, name, { issuer: pki.ca,
      extensions: ['basicConstraints = critical, CA:FALSE', ...extensions], ...options });
  };
  pki.ca = await ca('ca');
  pki.stranger = await ca('stranger');
  await issue('server', {}, 'extendedKeyUsage = serverAuth', names);
  await issue('rsa', { kind: 'rsa2048' }, 'extendedKeyUsage = serverAuth', names);
  await issue('next', {}, 'extendedKeyUsage = serverAuth', names);
  await issue('misnamed', {}, 'extendedKeyUsage = serverAuth', 'subjectAltName = DNS:edge-8');
  await issue('expired', { start: daysFromNow(-9), end: daysFromNow(-1) }, 'extendedKeyUsage = serverAuth', names);
  await issue('client', {}, 'extendedKeyUsage = clientAuth', 'subjectAltName = DNS:app');
  await issue('foreign', { issuer: pki.stranger }, 'extendedKeyUsage = clientAuth', 'subjectAltName = DNS:app');
  for (const { key } of Object.values(pki)) chmodSync(key, 0o600);
}

const trusting = (name = 'ca') => ({ caFile: pki[name].pem });
const as = (name) => ({ ...trusting(), certFile: pki[name].pem, keyFile: pki[name].key });

/// A client of npm's that closes when the test ends.
async function open(t, connect, port, tlsOptions, options = {}) {
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, timeout: 5000, tls: tlsOptions, ...options });
  t.after(() => connection.close());
  return connection;
}

/// Starts `lsys broker` itself with flags.
const startLsys = (t, flags = [], name = 'server', config = {}) =>
  brokers()[0].start(t, { ...config, tls: { cert: pki[name].pem, key: pki[name].key }, flags });

const certificate = () => ['--tls-cert', pki.server.pem, '--tls-key', pki.server.key];

/// TLS to a port that speaks it at once, or after INFO when `raw` is given. Gives a RawNats.
async function secure(t, { port, raw, ...options }) {
  const socket = tls.connect({ ...(raw ? { socket: raw.socket } : { port, host: '127.0.0.1' }), ca: readFileSync(pki.ca.pem),
    checkServerIdentity: () => undefined, ...options });
  t.after(() => socket.destroy());
  const secured = new RawNats(socket);
  await once(socket, 'secureConnect');
  return secured;
}

/// INFO in clear, TLS after it.
async function upgrade(t, port, options) {
  const plain = await RawNats.connect(t, port);
  plain.socket.removeAllListeners('data');
  return secure(t, { raw: plain, ...options });
}

describe('the broker with TLS', () => {
  folder = temporaryFolder({ after });
  before(makeEverything);

  for (const broker of brokers()) {
    const start = (t, config = {}, name = 'server') =>
      broker.start(t, { ...config, tls: { cert: pki[name].pem, key: pki[name].key, ...config.tls } });

    describe(broker.name, () => {
      for (const { name, connect } of clients) {
        test(`${name}: messages, large ones too, and requests`, async (t) => {
          const { port } = await start(t);
          const service = await open(t, connect, port, trusting());
          const requester = await open(t, connect, port, trusting());
          const received = [];
          service.subscribe('large.>', { callback: (_, message) => received.push(message) });
          service.subscribe('double', { callback: (_, message) => message.respond(`${Number(message.string()) * 2}`) });
          await service.flush();
          const sizes = [0, 1, 16_383, 16_384, 16_385, 100_000, 1_048_576];
          for (const size of sizes) requester.publish(`large.${size}`, Buffer.alloc(size, size % 251));
          await until('all of them', () => received.length === sizes.length);
          sizes.forEach((size, i) => assert.ok(Buffer.from(received[i].data).equals(Buffer.alloc(size, size % 251)), `${size}`));
          const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => requester.request('double', `${i}`, { timeout: 5000 })));
          answers.forEach((answer, i) => assert.equal(answer.string(), `${2 * i}`));
        });

        test(`${name}: passwords and NKeys inside TLS`, async (t) => {
          const { port } = await start(t, { users: [{ user: 'app', password: 'secret' }] });
          const connection = await open(t, connect, port, trusting(), { user: 'app', pass: 'secret' });
          await connection.flush();
          await assert.rejects(open(t, connect, port, trusting(), { user: 'app', pass: 'wrong' }), /authorization violation/i);
        });

        test(`${name}: another CA, another name, an expired certificate`, async (t) => {
          const good = await start(t);
          await assert.rejects(open(t, connect, good.port, trusting('stranger')));
          const misnamed = await start(t, {}, 'misnamed');
          await assert.rejects(open(t, connect, misnamed.port, trusting()));
          const expired = await start(t, {}, 'expired');
          await assert.rejects(open(t, connect, expired.port, trusting()));
        });

        test(`${name}: mutual TLS`, async (t) => {
          const { port } = await start(t, { tls: { clientCa: pki.ca.pem } });
          const connection = await open(t, connect, port, as('client'));
          await connection.flush();
          await assert.rejects(open(t, connect, port, trusting()));
          await assert.rejects(open(t, connect, port, as('foreign')));
        });
      }

      test('INFO says what is required', async (t) => {
        const plain = await RawNats.connect(t, (await start(t)).port);
        assert.equal(plain.info.tls_required, true);
        assert.ok(!plain.info.tls_verify);
        const mutual = await RawNats.connect(t, (await start(t, { tls: { clientCa: pki.ca.pem } })).port);
        assert.equal(mutual.info.tls_verify, true);
      });

      test('CONNECT in plain text ends the connection', async (t) => {
        const { port } = await start(t);
        const raw = await RawNats.connect(t, port);
        raw.send(`${CONNECT}PING\r\n`);
        await raw.untilClosed();
        assert.doesNotMatch(raw.text, /PONG/);
      });

      test('the bytes of INFO are the last in clear', async (t) => {
        const { port } = await start(t);
        const raw = await upgrade(t, port);
        raw.send(`${CONNECT}SUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n`);
        await raw.untilText(/MSG a 1 2\r\nhi\r\nPONG\r\n/);
      });

      test('a client that does not begin TLS in time is let go', async (t) => {
        const { port } = await start(t);
        const raw = await RawNats.connect(t, port);
        await raw.untilClosed(6000);
      });

      test('RSA keys serve as well', async (t) => {
        const { port } = await start(t, {}, 'rsa');
        await (await open(t, nats.connect, port, trusting())).flush();
      });
    });
  }

  // ---- what only ours has, or what only of ours can be observed ----

  test('TLS first: nothing in clear', async (t) => {
    const process = startProgram(t, ['broker', '--listen', '127.0.0.1:0', ...certificate(), '--tls-first']);
    const port = Number((await process.untilOutput(/url=tls:\/\/127\.0\.0\.1:(\d+)/))[1]);
    const raw = await secure(t, { port });
    await raw.untilText(/^INFO .*\r\n/);
    assert.equal(raw.info.tls_required, true);
    raw.send(`${CONNECT}PING\r\n`);
    await raw.untilText(/PONG/);

    const plain = net.connect(port, '127.0.0.1');
    t.after(() => plain.destroy());
    let heard = Buffer.alloc(0);
    plain.on('data', (piece) => { heard = Buffer.concat([heard, piece]); });
    plain.on('error', () => {});
    plain.write(CONNECT);
    await once(plain, 'close');
    assert.doesNotMatch(heard.toString('latin1'), /INFO/);

    const connection = await open(t, nats.connect, port, { ...trusting(), handshakeFirst: true });
    await connection.flush();
    const { stdout } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', pki.ca.pem, '-quiet',
      '-verify_return_error'], { input: `${CONNECT}PING\r\nNONSENSE\r\n` }); // after which the broker ends it
    assert.match(stdout, /^INFO .*"tls_required":true.*\r\nPONG\r\n-ERR 'Unknown Protocol Operation'\r\n/);
  });

  test('a client that dawdles in the handshake holds nobody up and is let go', async (t) => {
    const { port, process } = await startLsys(t, ['--auth-timeout', '500ms']);
    const slow = await RawNats.connect(t, port);
    slow.send('\x16\x03\x01\x00\xf0\x01'); // the beginning of a ClientHello
    await (await open(t, nats.connect, port, trusting())).flush();
    await slow.untilClosed();
    await process.untilOutput(/client disconnected.*authentication timeout/);
  });

  test('without users a client that has agreed on TLS may be silent', async (t) => {
    const { port } = await startLsys(t, ['--auth-timeout', '300ms', '--ping-interval', '300ms']);
    const silent = await upgrade(t, port);
    await silent.untilText(/PING/, 6000); // the broker asks after it as after every client
    silent.send('PONG\r\nPING\r\n');
    await silent.untilText(/PONG/);
  });

  test('a failed handshake is counted and logged with its cause', async (t) => {
    const process = startProgram(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...certificate(), '--tls-first']);
    const port = Number((await process.untilOutput(/url=tls:\/\/127\.0\.0\.1:(\d+)/))[1]);
    const [, http] = await process.untilOutput(/url=https:\/\/127\.0\.0\.1:(\d+)/);
    const { stderr } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', pki.stranger.pem,
      '-verify_return_error']);
    assert.match(stderr, /certificate verify failed/);
    await process.untilOutput(/client disconnected.*why=.*(unknown_ca|certificate_unknown).*peer="?127\.0\.0\.1/);
    const { stdout } = await run('curl', ['--silent', '--cacert', pki.ca.pem, `https://127.0.0.1:${http}/metrics`]);
    assert.match(stdout, /^lsys_broker_tls_failures_total\{role="broker"\} [1-9]/m);
    const varz = JSON.parse((await run('curl', ['--silent', '--cacert', pki.ca.pem, `https://127.0.0.1:${http}/varz`])).stdout);
    assert.equal(varz.tls_required, true);
    assert.ok(varz.tls_failures >= 1);
  });

  for (const how of ['SIGHUP', 'the files']) {
    test(`a new certificate by ${how}: who is connected stays, new ones see the new one`, async (t) => {
      const at = path.join(temporaryFolder(t), 'live');
      const install = (name) => {
        writeFileSync(`${at}.key.pem`, readFileSync(pki[name].key), { mode: 0o600 });
        writeFileSync(`${at}.pem`, readFileSync(pki[name].pem));
      };
      install('server');
      const { port, process } = await brokers()[0].start(t, { tls: { cert: `${at}.pem`, key: `${at}.key.pem` } });
      const held = await open(t, nats.connect, port, trusting());
      const received = [];
      held.subscribe('news', { callback: (_, message) => received.push(message.string()) });
      await held.flush();
      const fingerprint = async () => (await upgrade(t, port)).socket.getPeerCertificate().fingerprint256;
      const before = await fingerprint();
      install('next');
      if (how === 'SIGHUP') process.signal('SIGHUP');
      await until('the new certificate', async () => (await fingerprint()) !== before);
      const publisher = await open(t, nats.connect, port, trusting());
      publisher.publish('news', 'still here');
      await until('the message', () => received.length === 1);
    });
  }

  test('a consumer that stops reading is cut off, over TLS too, and the publisher goes on', async (t) => {
    const { port, process } = await startLsys(t, ['--max-pending', '4194304', '--write-deadline', '1s']);
    const lazy = await upgrade(t, port);
    lazy.send(`${CONNECT}SUB flood 1\r\nPING\r\n`);
    await lazy.untilText(/PONG/);
    lazy.socket.pause();
    const publisher = await open(t, nats.connect, port, trusting());
    const payload = Buffer.alloc(65_536, 7);
    for (let i = 0; i < 1000; i++) publisher.publish('flood', payload);
    await publisher.flush();
    await process.untilOutput(/client disconnected.*slow consumer/);
    const witness = await open(t, nats.connect, port, trusting());
    await witness.flush();
  });

  test('a slow reader gets every byte of 20 MB', async (t) => {
    const { port } = await startLsys(t);
    const reader = await upgrade(t, port);
    reader.send(`${CONNECT}SUB bulk 1\r\nPING\r\n`);
    await reader.untilText(/PONG/);
    let length = 0;
    reader.socket.removeAllListeners('data');
    reader.socket.on('data', (piece) => {
      length += piece.length;
      if (Math.floor(length / 1_000_000) !== Math.floor((length - piece.length) / 1_000_000)) {
        reader.socket.pause();
        setTimeout(() => reader.socket.resume(), 20);
      }
    });
    const publisher = await open(t, nats.connect, port, trusting());
    const frame = 'MSG bulk 1 20000\r\n'.length + 20_000 + 2;
    for (let i = 0; i < 1000; i++) publisher.publish('bulk', Buffer.alloc(20_000, i));
    await until('all of it', () => length >= 1000 * frame, 20_000);
    assert.equal(length, 1000 * frame);
  });

  test('stopping ends TLS in order within two seconds', async (t) => {
    const { port, process } = await startLsys(t);
    const raw = await upgrade(t, port);
    raw.send(`${CONNECT}PING\r\n`);
    await raw.untilText(/PONG/);
    let ended = false;
    raw.socket.on('end', () => { ended = true; }); // close_notify, not a cut
    const begun = performance.now();
    assert.deepEqual(await process.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - begun < 2000);
    await raw.untilClosed();
    assert.ok(ended);
  });

  // ---- where it may listen, and configuration that cannot be ----

  const start = (...flags) => lsys(['broker', '--listen', '0.0.0.0:0', ...flags]);

  test('off loopback TLS needs a credential, and then nothing more', async (t) => {
    const refused = await start(...certificate());
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /without a credential/);
    const users = [{ user: 'app', password: 'secret' }];
    for (const [config, flags] of [[{ users }, []], [{}, ['--tls-client-ca', pki.ca.pem]]]) {
      const { process } = await startLsys(t, ['--listen', '0.0.0.0:0', ...flags], 'server', config);
      await process.untilOutput(/url=tls:\/\/0\.0\.0\.0:/);
      assert.doesNotMatch(process.output, /without protection/);
    }
  });

  test('each mistake is named', async () => {
    const refuse = async (text, ...flags) => {
      const { code, stderr } = await start(...flags);
      assert.equal(code, 78, stderr);
      assert.match(stderr, text);
    };
    await refuse(/--tls-first needs --tls-cert and --tls-key/, '--tls-first');
    await refuse(/--tls-cert and --tls-key go together/, '--tls-key', pki.server.key);
    await refuse(/--tls-client-ca needs --tls-cert/, '--tls-client-ca', pki.ca.pem);
  });
});
