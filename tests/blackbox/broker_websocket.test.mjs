// The WebSocket listener of lsys broker: npm nats.ws and ws, and peers that keep no rules.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { wsconnect } from '@nats-io/transport-node';
import * as nats from 'nats';
import * as browserNats from 'nats.ws';
import WebSocket from 'ws';
import { brokers, startLsysBroker } from './lib/brokers.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, lsysOk } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { until } from './lib/wait.mjs';

globalThis.WebSocket = WebSocket; // nats.ws takes the browser's; Node 18 has none of its own

/// Connects nats.ws, or what `connect` says, and closes it when the test ends.
async function open(t, servers, { connect = browserNats.connect, ...options } = {}) {
  const connection = await connect({ servers, reconnect: false, timeout: 5000, ...options });
  t.after(() => connection.close());
  return connection;
}

function collect(subscription) {
  const messages = [];
  (async () => {
    for await (const message of subscription) messages.push(message);
  })().catch(() => {});
  return messages;
}

for (const broker of brokers()) {
  describe(`nats.ws with ${broker.name}`, () => {
    test('talks with a client over TCP, both ways, with headers', async (t) => {
      const websocket = await freePort();
      const { port } = await broker.start(t, { websocket });
      const browser = await open(t, `ws://127.0.0.1:${websocket}`);
      const server = await nats.connect({ servers: `127.0.0.1:${port}`, reconnect: false });
      t.after(() => server.close());
      const inBrowser = collect(browser.subscribe('news.>'));
      server.subscribe('double', { callback: (_, message) => message.respond(`${Number(message.string()) * 2}`) });
      await Promise.all([browser.flush(), server.flush()]);
      const headers = nats.headers();
      headers.set('from', 'tcp');
      server.publish('news.one', 'hello', { headers });
      server.publish('news.two');
      await until('both messages', () => inBrowser.length === 2);
      assert.equal(inBrowser[0].string(), 'hello');
      assert.equal(inBrowser[0].headers.get('from'), 'tcp');
      const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => browser.request('double', `${i}`)));
      assert.deepEqual(answers.map((answer) => answer.string()), answers.map((_, i) => `${i * 2}`));
      await assert.rejects(browser.request('nobody', ''), { code: '503' });
    });

    test('payloads of every size come whole', async (t) => {
      const websocket = await freePort();
      await broker.start(t, { websocket });
      const client = await open(t, `ws://127.0.0.1:${websocket}`);
      const messages = collect(client.subscribe('sizes'));
      await client.flush();
      const sizes = [0, 1, 100, 125, 126, 4096, 32_000, 65_535, 65_536, 1_048_576];
      for (const size of sizes) client.publish('sizes', new Uint8Array(size).fill(size % 251));
      await until('all sizes', () => messages.length === sizes.length);
      messages.forEach((message, i) => {
        assert.equal(message.data.length, sizes[i]);
        assert.ok(message.data.every((byte) => byte === sizes[i] % 251));
      });
    });

    test('ten thousand messages arrive in order', async (t) => {
      const websocket = await freePort();
      await broker.start(t, { websocket });
      const [publisher, subscriber] = await Promise.all([open(t, `ws://127.0.0.1:${websocket}`), open(t, `ws://127.0.0.1:${websocket}/any/path`)]);
      const messages = collect(subscriber.subscribe('count'));
      await subscriber.flush();
      for (let i = 0; i < 10_000; i++) publisher.publish('count', `${i}`);
      await publisher.flush();
      await until('all messages', () => messages.length === 10_000);
      assert.ok(messages.every((message, i) => message.string() === `${i}`));
    });

    test('wsconnect of @nats-io does too', async (t) => {
      const websocket = await freePort();
      await broker.start(t, { websocket });
      const client = await open(t, `ws://127.0.0.1:${websocket}`, { connect: wsconnect });
      client.subscribe('echo', { callback: (_, message) => message.respond(message.data) });
      assert.equal((await client.request('echo', 'hello')).string(), 'hello');
    });

    test('users must prove who they are', async (t) => {
      const websocket = await freePort();
      await broker.start(t, { websocket, users: [{ user: 'app', password: 'secret' }] });
      await open(t, `ws://127.0.0.1:${websocket}`, { user: 'app', pass: 'secret' });
      await assert.rejects(open(t, `ws://127.0.0.1:${websocket}`, { user: 'app', pass: 'wrong' }), { code: 'AUTHORIZATION_VIOLATION' });
      await assert.rejects(open(t, `ws://127.0.0.1:${websocket}`), { code: 'AUTHORIZATION_VIOLATION' });
    });
  });
}

/// A connection of npm ws, with what came; resolves when INFO is there.
async function raw(t, url, options = {}) {
  const socket = new WebSocket(url, options);
  const peer = { socket, text: '', frames: [], pongs: [], close: undefined };
  t.after(() => socket.terminate());
  socket.on('message', (data, isBinary) => {
    peer.frames.push({ isBinary, length: data.length });
    peer.text += data.toString('latin1');
  });
  socket.on('pong', (data) => peer.pongs.push(data.toString()));
  socket.on('close', (code, reason) => { peer.close = { code, reason: reason.toString() }; });
  socket.on('error', () => {});
  await until('INFO', () => peer.text.includes('\r\n'));
  return peer;
}

async function startWithWebsocket(t, flags = [], more = {}) {
  const websocket = await freePort();
  const broker = await startLsysBroker(t, { ...more, flags: ['--websocket', `127.0.0.1:${websocket}`, ...flags] });
  return { ...broker, websocket, url: `ws://127.0.0.1:${websocket}` };
}

/// The status that a handshake is refused with.
function refused(url, options) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options);
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    socket.on('open', () => reject(new Error('it was accepted')));
    socket.on('error', () => {});
  });
}

describe('the WebSocket listener of lsys', () => {
  test('operations may be cut anywhere, in frames of either kind', async (t) => {
    const { url } = await startWithWebsocket(t);
    const peer = await raw(t, url);
    const bytes = 'CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 5\r\nhello\r\nPING\r\n';
    for (const byte of bytes) peer.socket.send(byte, { binary: Math.random() < 0.5 });
    await until('the message', () => peer.text.includes('MSG a 1 5\r\nhello\r\nPONG\r\n'));
    peer.socket.send('PUB a 8\r\nfr', { binary: true, fin: false });
    peer.socket.ping('between');
    peer.socket.send('agme', { fin: false });
    peer.socket.send('nt\r\n', { fin: true });
    await until('the fragmented message', () => peer.text.includes('MSG a 1 8\r\nfragment\r\n'));
    await until('the pong', () => peer.pongs.includes('between'));
    assert.ok(peer.frames.every((frame) => frame.isBinary && frame.length <= 32_768));
  });

  test('the peer\'s close frame is answered with its code', async (t) => {
    const { url } = await startWithWebsocket(t);
    const peer = await raw(t, url);
    peer.socket.close(4321, 'bye');
    await until('the close', () => peer.close);
    assert.equal(peer.close.code, 4321);
  });

  test('protocol errors of NATS reach the client before the close frame', async (t) => {
    const { url } = await startWithWebsocket(t);
    const peer = await raw(t, url);
    peer.socket.send('NONSENSE\r\n');
    await until('the close', () => peer.close);
    assert.match(peer.text, /-ERR 'Unknown Protocol Operation'/);
    assert.equal(peer.close.code, 1001);
  });

  test('frames that break the rules close only their sender', async (t) => {
    const { url, websocket } = await startWithWebsocket(t);
    const other = await raw(t, url);
    const cases = {
      'not masked': [Buffer.from([0x82, 0x01, 0x50]), 1002],
      'reserved bit': [Buffer.from([0xc2, 0x81, 0, 0, 0, 0, 0x50]), 1002],
      'opcode 3': [Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
      'text that is none': [Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
      'a ping of 126 bytes': [Buffer.from([0x89, 0xfe, 0, 126, 0, 0, 0, 0]), 1002],
      'close code 1005': [Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed]), 1002],
    };
    for (const [name, [bytes, code]] of Object.entries(cases)) {
      const socket = net.connect(websocket, '127.0.0.1');
      t.after(() => socket.destroy());
      let received = Buffer.alloc(0);
      socket.on('data', (piece) => { received = Buffer.concat([received, piece]); });
      socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${websocket}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
      await until('INFO', () => received.includes('INFO {'));
      socket.write(bytes);
      await once(socket, 'end');
      const close = received.lastIndexOf(0x88);
      assert.equal(received.readUInt16BE(close + 2), code, name);
      socket.end();
    }
    other.socket.send('PING\r\n');
    await until('PONG', () => other.text.includes('PONG'));
  });

  test('what is no WebSocket, another host, or a page of another origin is refused', async (t) => {
    const { url, websocket } = await startWithWebsocket(t, ['--websocket-origin', 'https://app.example', '--http-allowed-host', 'nats.example']);
    const plain = await fetch(`http://127.0.0.1:${websocket}/`);
    assert.equal(plain.status, 426);
    assert.equal((await plain.json()).code, 'websocket_required');
    assert.equal(await refused(url, { headers: { host: 'evil.example' } }), 421);
    assert.equal(await refused(url, { origin: 'https://evil.example' }), 403);
    assert.equal(await refused(url, { origin: 'null' }), 403);
    await raw(t, url);
    await raw(t, url, { origin: 'https://app.example' });
    await raw(t, url, { origin: `http://127.0.0.1:${websocket}` });
    await raw(t, url, { headers: { host: 'nats.example' } });
    const peer = await raw(t, url, { perMessageDeflate: true });
    assert.equal(peer.socket.extensions, '');
  });

  test('connz names them, and lame duck mode moves them on', async (t) => {
    const http = await freePort();
    const { url, process } = await startWithWebsocket(t, ['--http', `127.0.0.1:${http}`, '--lame-duck-grace', '100ms', '--lame-duck-duration', '100ms']);
    const peer = await raw(t, url);
    const { connections } = await (await fetch(`http://127.0.0.1:${http}/connz`)).json();
    assert.deepEqual(connections.map(({ type, ip }) => ({ type, ip })), [{ type: 'websocket', ip: '127.0.0.1' }]);
    process.signal('SIGUSR2');
    await until('ldm', () => peer.text.includes('"ldm":true'));
    await until('the close', () => peer.close);
    assert.equal(peer.close.code, 1001);
    assert.equal((await process.ended()).code, 0);
  });

  test('stops within two seconds with clients connected, and with handshakes that never end', async (t) => {
    const { url, websocket, process } = await startWithWebsocket(t);
    const peer = await raw(t, url);
    const half = net.connect(websocket, '127.0.0.1');
    t.after(() => half.destroy());
    half.on('error', () => {});
    half.write('GET / HTTP/1.1\r\nHost: 127');
    await once(half, 'connect');
    const began = performance.now();
    assert.equal((await process.stop()).code, 0);
    assert.ok(performance.now() - began < 2000);
    await until('the close', () => peer.close);
    assert.equal(peer.close.code, 1001);
  });

  test('a client that does not read is cut off, with bounded memory', async (t) => {
    const { url, port, process } = await startWithWebsocket(t, ['--max-pending', '4194304', '--write-deadline', '1s']);
    const slow = await raw(t, url);
    slow.socket.send('SUB flood 1\r\nPING\r\n');
    await until('PONG', () => slow.text.includes('PONG'));
    slow.socket.pause();
    const publisher = await nats.connect({ servers: `127.0.0.1:${port}`, reconnect: false });
    t.after(() => publisher.close());
    const payload = new Uint8Array(100_000);
    await until('the slow client to be cut off', async () => {
      for (let i = 0; i < 20; i++) publisher.publish('flood', payload);
      await publisher.flush();
      return /slow consumer/.test(process.output);
    });
    const status = readFileSync(`/proc/${process.pid}/status`, 'latin1');
    assert.ok(Number(status.match(/VmRSS:\s+(\d+)/)[1]) < (binaryIsSanitized() ? 400_000 : 40_000), status);
  });

  test('wss with a certificate of lsys ca', async (t) => {
    const folder = temporaryFolder(t);
    const at = (name) => path.join(folder, name);
    await lsysOk(['ca', 'init', '--out', at('pki')]);
    await lsysOk(['ca', 'issue', '--ca', at('pki'), '--name', 'localhost', '--san', 'IP:127.0.0.1', '--out', at('edge')]);
    const { websocket } = await startWithWebsocket(t, ['--tls-cert', at('edge.pem'), '--tls-key', at('edge.key.pem')]);
    const agent = new https.Agent({ ca: readFileSync(at('pki/ca.pem')) });
    const peer = await raw(t, `wss://localhost:${websocket}`, { agent });
    peer.socket.send('SUB a 1\r\nPUB a 2\r\nhi\r\n');
    await until('the message', () => peer.text.includes('MSG a 1 2\r\nhi\r\n'));
    peer.socket.close(1000);
    await until('the close', () => peer.close);
    assert.equal(peer.close.code, 1000);
    const plain = new WebSocket(`wss://localhost:${websocket}`);
    const [error] = await once(plain, 'error');
    assert.match(error.code, /UNABLE_TO_VERIFY|SELF_SIGNED/);
  });

  test('an origin that no browser would send is refused at the start', async () => {
    const begin = async (origin) => lsys(['broker', '--listen', '127.0.0.1:0', '--websocket', '127.0.0.1:0', '--websocket-origin', origin]);
    const wrong = { 'https://app.example/': 'https://app.example', 'https://app.example:443': 'https://app.example',
      'http://[::1]:80/page': 'http://[::1]', 'app.example': 'not an origin', null: 'not an origin', 'file:///x': 'not an origin' };
    for (const [origin, named] of Object.entries(wrong)) {
      const result = await begin(origin);
      assert.equal(result.code, 78, origin);
      assert.ok(result.stderr.includes('--websocket-origin') && result.stderr.includes(named), result.stderr);
    }
  });

  test('off loopback it wants TLS and a credential, or to be told', async () => {
    const result = await lsys(['broker', '--listen', `127.0.0.1:${await freePort()}`, '--websocket', `0.0.0.0:${await freePort()}`]);
    assert.equal(result.code, 78);
    assert.match(result.stderr, /--websocket/);
  });
});

function binaryIsSanitized() {
  return /asan/.test(process.env.LSYS_BINARY ?? '');
}
