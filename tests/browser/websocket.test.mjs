// The broker's WebSocket listener from pages in a real browser, with the stock nats.ws.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import * as nats from 'nats';
import { chromium } from 'playwright-core';
import { startLsysBroker } from '../blackbox/lib/brokers.mjs';
import { temporaryFolder } from '../blackbox/lib/folders.mjs';
import { lsysOk } from '../blackbox/lib/lsys.mjs';
import { freePort } from '../blackbox/lib/ports.mjs';
import { until } from '../blackbox/lib/wait.mjs';

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const library = path.resolve(createRequire(import.meta.url).resolve('nats.ws'), '../../esm/nats.js');
const html = `<!doctype html><title>nats.ws</title><script type="module">
import * as nats from '/nats.js';
window.nats = nats;
</script>`;

/// A web server with one page, which has nats.ws; gives its origin.
async function servePage(t) {
  const server = http.createServer((request, response) => {
    const isLibrary = request.url === '/nats.js';
    response.setHeader('Content-Type', isLibrary ? 'text/javascript' : 'text/html');
    response.end(isLibrary ? readFileSync(library) : html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return `http://127.0.0.1:${server.address().port}`;
}

/// Opens the page of that origin. `flags` are Chromium's.
async function openPage(t, origin, flags = []) {
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...flags] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => window.nats);
  return page;
}

async function startBroker(t, flags) {
  const websocket = await freePort();
  const broker = await startLsysBroker(t, { flags: ['--websocket', `127.0.0.1:${websocket}`, ...flags] });
  return { ...broker, websocket };
}

/// In the page: connects, answers requests to "browser.upper", and gives what a request to "server.double" answers.
const talk = async (servers) => {
  const connection = await window.nats.connect({ servers, reconnect: false });
  window.connection = connection;
  const { encode, decode } = window.nats.StringCodec();
  connection.subscribe('browser.upper', { callback: (_, message) => message.respond(encode(decode(message.data).toUpperCase())) });
  const sizes = [];
  connection.subscribe('browser.size', { callback: (_, message) => message.respond(encode(`${message.data.length}`)) });
  await connection.flush();
  for (const size of [0, 125, 126, 65_535, 65_536, 1_000_000]) {
    const answer = await connection.request('browser.size', new Uint8Array(size), { timeout: 5000 });
    sizes.push(Number(decode(answer.data)));
  }
  const answer = await connection.request('server.double', encode('21'), { timeout: 5000 });
  return { double: decode(answer.data), sizes };
};

async function checkTalk(t, page, servers, port, tls) {
  const server = await nats.connect({ servers: `127.0.0.1:${port}`, reconnect: false, ...(tls && { tls }) });
  t.after(() => server.close());
  server.subscribe('server.double', { callback: (_, message) => message.respond(`${Number(message.string()) * 2}`) });
  await server.flush();
  assert.deepEqual(await page.evaluate(talk, servers), { double: '42', sizes: [0, 125, 126, 65_535, 65_536, 1_000_000] });
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => server.request('browser.upper', `word ${i}`)));
  assert.deepEqual(answers.map((answer) => answer.string()), answers.map((_, i) => `WORD ${i}`));
}

test('a page that is allowed talks over ws, and hears when the broker stops', async (t) => {
  const origin = await servePage(t);
  const { port, websocket, process } = await startBroker(t, ['--websocket-origin', origin]);
  const page = await openPage(t, origin);
  await checkTalk(t, page, `ws://127.0.0.1:${websocket}`, port);
  const closed = page.evaluate(() => window.connection.closed().then(() => 'closed'));
  await process.stop();
  assert.equal(await closed, 'closed');
});

test('a page of another origin is kept out, whatever it calls itself', async (t) => {
  const { websocket } = await startBroker(t, ['--websocket-origin', 'https://app.example']);
  const page = await openPage(t, await servePage(t));
  const outcome = await page.evaluate((servers) => window.nats.connect({ servers, reconnect: false, timeout: 3000 })
    .then(() => 'connected', (error) => error.code), `ws://127.0.0.1:${websocket}`);
  assert.notEqual(outcome, 'connected');
});

test('a page talks over wss, with a certificate of lsys ca', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name) => path.join(folder, name);
  await lsysOk(['ca', 'init', '--out', at('pki')]);
  await lsysOk(['ca', 'issue', '--ca', at('pki'), '--name', 'localhost', '--san', 'IP:127.0.0.1', '--out', at('edge')]);
  const origin = await servePage(t);
  const { port, websocket } = await startBroker(t, ['--websocket-origin', origin, '--tls-cert', at('edge.pem'), '--tls-key', at('edge.key.pem')]);
  /* Chromium has no flag for another CA; it trusts this one key. */
  const key = new X509Certificate(readFileSync(at('edge.pem'))).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(key).digest('base64');
  const page = await openPage(t, origin, [`--ignore-certificate-errors-spki-list=${pin}`]);
  await checkTalk(t, page, `wss://localhost:${websocket}`, port, { caFile: at('pki/ca.pem') });
  /* Chromium sends data right behind its Finished (RFC 7918): often both come in one read. */
  const outcomes = await page.evaluate(async (url) => {
    const first = () => new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onmessage = () => socket.close();
      socket.onclose = (event) => resolve(event.code);
    });
    const codes = [];
    for (let i = 0; i < 20; i++) codes.push(await first());
    return codes;
  }, `wss://127.0.0.1:${websocket}`);
  assert.deepEqual(new Set(outcomes), new Set([1005]));
});

test('a hundred tabs\' worth of connections come and go', async (t) => {
  const origin = await servePage(t);
  const httpPort = await freePort();
  const { websocket } = await startBroker(t, ['--websocket-origin', origin, '--http', `127.0.0.1:${httpPort}`]);
  const page = await openPage(t, origin);
  const connections = async () => (await (await fetch(`http://127.0.0.1:${httpPort}/varz`)).json()).connections;
  await page.evaluate(async (servers) => {
    window.many = await Promise.all(Array.from({ length: 100 }, () => window.nats.connect({ servers, reconnect: false })));
  }, `ws://127.0.0.1:${websocket}`);
  assert.equal(await connections(), 100);
  await page.evaluate(() => Promise.all(window.many.map((connection) => connection.close())));
  await until('all to have left', async () => (await connections()) === 0);
});
