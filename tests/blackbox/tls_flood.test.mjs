// A crowd that only begins handshakes, one that hangs in the middle of them, and peers that stop reading: whoever is in order
// is answered before the crowd is, and memory stays bounded. Judged by who is served before whom, not by the clock.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { temporaryFolder } from './lib/folders.mjs';
import { startLsys } from './lib/lsys.mjs';
import { makeCertificate } from './lib/openssl.mjs';
import { residentBytes } from './lib/processes.mjs';
import { until } from './lib/wait.mjs';

const CROWD = 300;
const MEGABYTE = 1024 * 1024;

/// A connection in a handshake costs the server some 40 KiB; the kernel's and allocator's share is generous here.
const BYTES_OF_ONE = 128 * 1024;

let certificate;
let hello; // a ClientHello of Node's, so that this process does no cryptography for the crowd

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


async function startBroker(t) {
  const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--tls-cert', certificate.pem,
    '--tls-key', certificate.key]);
  const port = async (scheme) => Number((await process.untilOutput(new RegExp(`url=${scheme}://127\\.0\\.0\\.1:(\\d+)`)))[1]);
  return { process, https: await port('https'), nats: await port('(?:tls|nats)') };
}

/// A TCP connection at the point where TLS begins, from the `number`th address of this machine: one address may not have
/// all connections.
async function reach(t, port, where, number = 0) {
  const socket = net.connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${2 + number % 4}`, noDelay: true });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, where === 'nats' ? 'data' : 'connect');
  return socket;
}

/// A client in order, on both ports: ask() gives a promise of the answer.
async function openClient(t, port, where) {
  const secure = tls.connect({ socket: await reach(t, port, where), servername: 'localhost', ca: readFileSync(certificate.pem) });
  t.after(() => secure.destroy());
  secure.on('error', () => {});
  await once(secure, 'secureConnect');
  const ask = async () => {
    secure.write(where === 'nats' ? 'PING\r\n' : 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = await once(secure, 'data');
    assert.match(answer.toString(), where === 'nats' ? /PONG/ : /200 OK/);
  };
  if (where === 'nats') secure.write('CONNECT {"verbose":false}\r\n');
  await ask();
  return { secure, ask };
}

/// Clients that are connected and have not begun. greet() sends all their ClientHellos; `served` counts who was answered.
class Crowd {
  static async gather(t, port, where, count) {
    const crowd = new Crowd();
    crowd.served = 0;
    crowd.closed = 0;
    crowd.sockets = await Promise.all(Array.from({ length: count }, (_, i) => reach(t, port, where, i)));
    for (const socket of crowd.sockets) {
      socket.once('data', () => { crowd.served++; });
      socket.on('close', () => { crowd.closed++; });
      socket.resume();
    }
    return crowd;
  }

  greet() {
    for (const socket of this.sockets) socket.write(hello);
  }

  untilServed() {
    return until('the whole crowd to be answered', () => this.served + this.closed >= this.sockets.length, 30_000);
  }
}

const folder = temporaryFolder({ after });
before(async () => {
  certificate = await makeCertificate(folder, 'server', { extensions: ['basicConstraints = critical, CA:TRUE',
    'subjectAltName = DNS:localhost, IP:127.0.0.1'] });
  chmodSync(certificate.key, 0o600);
  hello = await captureHello();
});

describe('a crowd of handshakes', () => {
  for (const where of ['https', 'nats']) {
    const other = where === 'https' ? 'nats' : 'https';

    test(`at ${where}: those who are connected, there and at ${other}, come first`, async (t) => {
      const broker = await startBroker(t);
      const here = await openClient(t, broker[where], where);
      const there = await openClient(t, broker[other], other);
      const crowd = await Crowd.gather(t, broker[where], where, CROWD);
      crowd.greet();
      await Promise.all([here.ask(), there.ask()]);
      const before = crowd.served;
      t.diagnostic(`answered when ${before} of ${CROWD} handshakes had got so far`);
      assert.ok(before < CROWD / 2, `${before} of ${CROWD} came first`);
      await crowd.untilServed();
      assert.equal(crowd.closed, 0);
    });

    test(`at ${where}: handshakes are taken in their order, at ${other}, too`, async (t) => {
      const broker = await startBroker(t);
      const first = await Crowd.gather(t, broker[where], where, CROWD / 3);
      const between = await reach(t, broker[where], where);
      const elsewhere = await reach(t, broker[other], other);
      const last = await Crowd.gather(t, broker[where], where, 2 * CROWD / 3);
      first.greet();
      between.write(hello);
      elsewhere.write(hello);
      last.greet();
      await Promise.all([once(between, 'data'), once(elsewhere, 'data')]);
      assert.ok(last.served < CROWD / 3, `${last.served} who came later came first`);
      await Promise.all([first.untilServed(), last.untilServed()]);
    });

    test(`at ${where}: who hangs in mid-handshake costs little, locks nobody out, and is sent away`, async (t) => {
      const broker = await startBroker(t);
      const client = await openClient(t, broker[other], other);
      const before = residentBytes(broker.process.pid);
      const crowd = await Crowd.gather(t, broker[where], where, CROWD);
      crowd.greet();
      await crowd.untilServed();
      const grown = residentBytes(broker.process.pid) - before;
      t.diagnostic(`${CROWD} hanging handshakes: ${Math.round(grown / CROWD / 1024)} KiB each`);
      assert.ok(grown < CROWD * BYTES_OF_ONE, `${grown} bytes more`);
      await client.ask();
      await (await openClient(t, broker[where], where)).ask(); // a whole handshake beside the hanging ones
      await until('all to be sent away', () => crowd.closed === CROWD, 30_000);
      await client.ask();
    });
  }
});

describe('a peer that stops reading', () => {
  test('over HTTPS gets no more than fits, and costs the others nothing', async (t) => {
    const broker = await startBroker(t);
    const { secure } = await openClient(t, broker.https, 'https');
    const other = await openClient(t, broker.https, 'https');
    const before = residentBytes(broker.process.pid);
    secure.pause();
    for (let i = 0; i < 400; i++) { // 100 MB of answers, if they were made
      if (secure.writableNeedDrain) await other.ask();
      else secure.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(100));
    }
    const grown = residentBytes(broker.process.pid) - before;
    t.diagnostic(`${Math.round(grown / 1024)} KiB more`);
    assert.ok(grown < 4 * MEGABYTE, `${grown} bytes more`);
  });

  test('over NATS is cut off as a slow consumer, and the publisher is not', async (t) => {
    const broker = await startBroker(t);
    const { secure } = await openClient(t, broker.nats, 'nats');
    const publisher = await openClient(t, broker.nats, 'nats');
    const other = await openClient(t, broker.https, 'https');
    secure.write('SUB flood 1\r\nPING\r\n');
    await once(secure, 'data');
    secure.pause();
    const payload = `PUB flood ${MEGABYTE}\r\n${'x'.repeat(MEGABYTE)}\r\n`;
    await until('it to be cut off', async () => {
      if (publisher.secure.writableNeedDrain) await other.ask();
      else publisher.secure.write(payload);
      return /slow consumer/.test(broker.process.output);
    }, 60_000);
    await publisher.ask();
    await other.ask();
    assert.ok(residentBytes(broker.process.pid) < 150 * MEGABYTE);
  });
});
